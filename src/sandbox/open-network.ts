import { randomBytes } from "node:crypto";
import path from "node:path";
import type { Host } from "../core/host.ts";
import { javaTruststore } from "./java-truststore.ts";
import { FORWARDER_PROGRAM, INSIDE, certificatesOf, networkSetup } from "./network-setup.ts";
import { type NetworkProxy, startNetworkProxy } from "./network-proxy.ts";
import { networkTargets } from "./network-target.ts";
import { outermost } from "./paths.ts";
import { readEcosystemSettings } from "./read-ecosystem-settings.ts";
import type { Grants, SandboxedRun } from "./sandbox.ts";
import { resolveToolchain } from "./toolchain.ts";

/** Bundles of the system's certificates: Debian, Fedora, SUSE, Alpine. */
const SYSTEM_CERTIFICATES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];
const MAX_CERTIFICATES = 4 * 1024 * 1024;

type Outside = Pick<Host, "files" | "processes" | "facts" | "homes">;

export interface OpenNetwork {
  /** The step's command behind the forwarder, with all that has to be shown for it. */
  readonly command: {
    readonly argv: readonly string[];
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly grants: Grants;
    readonly shown: { readonly from: string; readonly at: string };
    readonly data: readonly { readonly at: string; readonly content: string | Uint8Array }[];
  };
  /** Ends the proxy and every connection, and removes its socket. */
  close(): Promise<void>;
}

/** The system's certificates and those that this machine's tools are told to trust besides, or undefined for none besides. */
async function readCertificates(host: Outside, files: readonly string[]): Promise<string | undefined> {
  const parts: string[] = [];
  const seen = new Set<string>();
  const add = async (file: string): Promise<boolean> => {
    const real = await host.files.realPath(file).catch(() => undefined);
    if (real === undefined || seen.has(real)) return false;
    seen.add(real);
    const facts = await host.files.facts(real);
    if (facts?.kind !== "file" || facts.size > MAX_CERTIFICATES) return false;
    const found = certificatesOf((await host.files.readText(real).catch(() => undefined)) ?? "");
    if (found !== "") parts.push(found);
    return found !== "";
  };
  for (const file of SYSTEM_CERTIFICATES) if (await add(file)) break;
  for (const file of files) await add(file);
  return files.length === 0 || parts.length === 0 ? undefined : parts.join("");
}

/** Folders of proxies whose ipm was killed before it could remove them. */
async function removeStale(host: Outside, cache: string): Promise<void> {
  for (const name of await host.files.list(cache)) {
    const pid = /^proxy-([0-9]+)-[0-9a-f]+$/u.exec(name)?.[1];
    if (pid !== undefined && (await host.files.facts(`/proc/${pid}`)) === undefined) {
      await host.files.remove(path.join(cache, name));
    }
  }
}

/**
 * Give a step the network that it declares, and no more: start ipm's proxy on a socket of its own, and put the forwarder
 * before the step's command.
 */
export async function openNetwork(host: Outside, step: SandboxedRun): Promise<OpenNetwork> {
  const settings = await readEcosystemSettings(host);
  const targets = networkTargets(step.grants.network, settings);
  const certificates = await readCertificates(host, settings.certificates);
  const node = await resolveToolchain(host, host.facts.node.path);
  const setup = networkSetup(
    step.grants.network,
    targets,
    settings,
    step.env["HOME"] ?? "/nonexistent",
    certificates !== undefined,
  );

  await host.files.createFolder(host.homes.cache);
  const cache = (await host.files.realPath(host.homes.cache)) ?? host.homes.cache;
  await removeStale(host, cache);
  const folder = path.join(cache, `proxy-${host.facts.pid}-${randomBytes(6).toString("hex")}`);
  await host.files.createFolder(folder);
  let descriptor: number | undefined;
  let proxy: NetworkProxy | undefined;
  const close = async (): Promise<void> => {
    await proxy?.close();
    if (descriptor !== undefined) await host.files.close(descriptor);
    await host.files.remove(folder);
  };
  try {
    // A socket's path holds 107 bytes; the folder of a home may be longer.
    descriptor = await host.files.openFolder(folder);
    proxy = await startNetworkProxy({
      targets,
      upstream: settings.upstream,
      listen: { socket: `/proc/self/fd/${descriptor}/${path.basename(INSIDE.socket)}` },
      onAttempt: (attempt) => step.onAttempt?.(attempt),
    });
  } catch (error) {
    await close();
    throw error;
  }
  const env = { ...setup.env, ...step.env };
  return {
    command: {
      argv: [node.program, INSIDE.forwarder, ...step.argv],
      cwd: step.cwd,
      // The step's own environment goes through the forwarder's setup: node itself starts without it.
      env: { HOME: step.env["HOME"] ?? "/nonexistent" },
      grants: { ...step.grants, readable: outermost([...step.grants.readable, ...node.readable]) },
      shown: { from: folder, at: INSIDE.proxy },
      data: [
        { at: INSIDE.setup, content: JSON.stringify({ env, files: setup.files }) },
        { at: INSIDE.forwarder, content: FORWARDER_PROGRAM },
        ...(certificates === undefined
          ? []
          : [
              { at: INSIDE.certificates, content: certificates },
              { at: INSIDE.truststore, content: javaTruststore(certificates) },
            ]),
      ],
    },
    close,
  };
}
