import net from "node:net";
import { ECOSYSTEMS, type Ecosystem } from "../manifest/ecosystems.ts";
import type { EcosystemSettings } from "./ecosystem-settings.ts";

/** One place that a step may reach. */
export interface NetworkTarget {
  readonly scheme: "https" | "http";
  /** Lower case, no brackets. */
  readonly host: string;
  readonly port: number;
  /** The word of the manifest that allows it: an ecosystem or the host itself. */
  readonly declared: string;
  /** False for a host that a manifest names: it must not lead to this machine or its network. */
  readonly mayBePrivate: boolean;
}

/** A connection that a step asked for, and what became of it. */
export interface NetworkAttempt {
  readonly host: string;
  readonly port: number;
  /** The word of the manifest that allows it, or null when none does. */
  readonly declared: string | null;
  readonly outcome: "connected" | "refused" | "failed";
  /** Why it was refused or failed; empty when connected. */
  readonly why: string;
}

/** Where the ecosystems' own tools go when nothing is configured. */
const PUBLIC: Readonly<Record<Ecosystem, readonly string[]>> = {
  // Yarn's lockfiles name the registry by a second name of the same host.
  npm: ["registry.npmjs.org", "registry.yarnpkg.com"],
  pypi: ["pypi.org", "files.pythonhosted.org"],
  crates: ["index.crates.io", "static.crates.io"],
  go: ["proxy.golang.org", "sum.golang.org"],
  // Gradle keeps its plugins in a portal of its own.
  maven: ["repo.maven.apache.org", "repo1.maven.org", "plugins.gradle.org", "plugins-artifacts.gradle.org"],
};

const PRIVATE_IPV4 = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const;
const PRIVATE_IPV6 = [
  ["::", 96],
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
] as const;

let blockList: net.BlockList | undefined;

/** Made at the first question: `node:net` takes four milliseconds to load, and most commands ask none. */
function privateAddresses(): net.BlockList {
  if (blockList !== undefined) return blockList;
  blockList = new net.BlockList();
  for (const [address, prefix] of PRIVATE_IPV4) blockList.addSubnet(address, prefix, "ipv4");
  for (const [address, prefix] of PRIVATE_IPV6) blockList.addSubnet(address, prefix, "ipv6");
  return blockList;
}

/** True for an address that is no public one: private, loopback, link-local, reserved, multicast, or one that carries such an IPv4 address. */
export function isPrivateAddress(address: string): boolean {
  const family = net.isIP(address);
  if (family === 0) return true;
  // BlockList compares ::ffff:a.b.c.d with the IPv4 rules.
  return privateAddresses().check(address, family === 4 ? "ipv4" : "ipv6");
}

/** The target of a URL of this machine's configuration, without its credentials; undefined for other schemes. */
export function targetOfUrl(text: string, declared: string, mayBePrivate: boolean): NetworkTarget | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const scheme = url.protocol.slice(0, -1);
  if ((scheme !== "https" && scheme !== "http") || url.hostname === "") return undefined;
  const host = url.hostname.replace(/^\[|\]$/gu, "").toLowerCase();
  const port = url.port === "" ? (scheme === "https" ? 443 : 80) : Number(url.port);
  return { scheme, host, port, declared, mayBePrivate };
}

function isEcosystem(word: string): word is Ecosystem {
  return ECOSYSTEMS.some((ecosystem) => ecosystem === word);
}

/**
 * What a step may reach: a host of the manifest means https at port 443, an ecosystem means wherever this machine's own
 * tools are configured to go, at exactly that scheme, host and port.
 */
export function networkTargets(declared: readonly string[], settings: EcosystemSettings): NetworkTarget[] {
  const targets: NetworkTarget[] = [];
  for (const word of declared) {
    if (!isEcosystem(word)) {
      targets.push({ scheme: "https", host: word.toLowerCase(), port: 443, declared: word, mayBePrivate: false });
      continue;
    }
    const urls = settings.urls[word];
    // Mirrors of Maven stand beside the public repository unless they cover everything.
    const coversAll =
      word !== "maven" || settings.mavenMirrors.some(({ mirrorOf }) => /^(?:\*|external:\*|central)$/u.test(mirrorOf));
    if (urls.length === 0 || !coversAll) {
      for (const host of PUBLIC[word]) {
        // No manifest chose these names: where they lead is for this machine's own resolver to say.
        targets.push({ scheme: "https", host, port: 443, declared: word, mayBePrivate: true });
      }
    }
    for (const url of urls) {
      const target = targetOfUrl(url, word, true);
      if (target !== undefined) targets.push(target);
    }
  }
  return targets;
}
