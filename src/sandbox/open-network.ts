import { randomBytes } from "node:crypto";
import path from "node:path";
import type { Host } from "../core/host.ts";
import { javaTruststore } from "./java-truststore.ts";
import { type EcosystemCredentials, NO_CREDENTIALS, parseEcosystemCredentials } from "./ecosystem-credentials.ts";
import { type EcosystemSettings, parseEcosystemSettings } from "./ecosystem-settings.ts";
import {
  FORWARDER_PORT,
  FORWARDER_PROGRAM,
  type ForwarderSetup,
  INSIDE,
  type ProxyPlace,
  certificatesOf,
  networkSetup,
} from "./network-setup.ts";
import { type NetworkProxy, startNetworkProxy } from "./network-proxy.ts";
import { type NetworkTarget, networkTargets } from "./network-target.ts";
import { outermost } from "./paths.ts";
import { readEcosystemSources } from "./read-ecosystem-settings.ts";
import type { Grants, SandboxedRun } from "./sandbox.ts";
import { type Toolchain, resolveToolchain } from "./toolchain.ts";

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
    readonly argv: readonly [string, ...string[]];
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly grants: Grants;
    readonly shown: { readonly from: string; readonly at: string };
    readonly data: readonly { readonly at: string; readonly content: string | Uint8Array }[];
  };
  /** Credentials that the step is given: what is not to be seen in its output. */
  readonly secrets: readonly string[];
  /** Ends the proxy and every connection, and removes its socket. */
  close(): Promise<void>;
}

export interface LoopbackNetwork {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  /** Folders to show besides the step's grants. */
  readonly readable: readonly string[];
  /** The one port of 127.0.0.1 that may be reached. */
  readonly port: number;
  readonly secrets: readonly string[];
  close(): Promise<void>;
}

/** The system's certificates and those that this machine's tools are told to trust besides, or undefined for none besides. */
export async function readCertificates(
  host: Pick<Host, "files">,
  files: readonly string[],
): Promise<string | undefined> {
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
  // Without a /proc nobody can be said to be gone.
  if ((await host.files.facts("/proc/self")) === undefined) return;
  for (const name of await host.files.list(cache)) {
    const pid = /^proxy-([0-9]+)-[0-9a-f]+$/u.exec(name)?.[1];
    if (pid !== undefined && (await host.files.facts(`/proc/${pid}`)) === undefined) {
      await host.files.remove(path.join(cache, name));
    }
  }
}

/** A folder of ipm's own for one run. */
async function createRunFolder(host: Outside): Promise<string> {
  await host.files.createFolder(host.homes.cache);
  const cache = (await host.files.realPath(host.homes.cache)) ?? host.homes.cache;
  await removeStale(host, cache);
  const folder = path.join(cache, `proxy-${host.facts.pid}-${randomBytes(6).toString("hex")}`);
  await host.files.createFolder(folder);
  return folder;
}

interface Needs {
  readonly settings: EcosystemSettings;
  readonly credentials: EcosystemCredentials;
  readonly targets: readonly NetworkTarget[];
  readonly certificates: string | undefined;
  /** The Node that runs the forwarder. */
  readonly node: Toolchain;
  readonly home: string;
  readonly cargoHome: string;
}

async function readNeeds(host: Outside, step: SandboxedRun): Promise<Needs> {
  const { credentials = [] } = step.grants;
  const sources = await readEcosystemSources(host, credentials.length > 0);
  const settings = parseEcosystemSettings(sources);
  return {
    settings,
    credentials: credentials.length > 0 ? parseEcosystemCredentials(sources, settings, credentials) : NO_CREDENTIALS,
    targets: networkTargets(step.grants.network, settings),
    certificates: await readCertificates(host, settings.certificates),
    node: await resolveToolchain(host, host.facts.node.path),
    home: step.env["HOME"] ?? "/nonexistent",
    cargoHome: step.env["CARGO_HOME"] ?? `${step.env["HOME"] ?? "/nonexistent"}/.cargo`,
  };
}

function forwarderSetup(
  step: SandboxedRun,
  needs: Needs,
  place: ProxyPlace,
  forward: ForwarderSetup["forward"],
): string {
  const { settings, targets, home, cargoHome, credentials } = needs;
  const { env, files } = networkSetup(step.grants.network, targets, settings, home, place, credentials, cargoHome);
  const setup: ForwarderSetup = { env: { ...env, ...step.env }, files, forward };
  return JSON.stringify(setup);
}

/**
 * Give a step in a network namespace of its own the network that it declares, and no more: start ipm's proxy on a
 * socket, and put the forwarder before the step's command.
 */
export async function openNetwork(host: Outside, step: SandboxedRun): Promise<OpenNetwork> {
  const needs = await readNeeds(host, step);
  const { certificates, node } = needs;
  const folder = await createRunFolder(host);
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
      targets: needs.targets,
      upstream: needs.settings.upstream,
      listen: { socket: `/proc/self/fd/${descriptor}/${path.basename(INSIDE.socket)}` },
      onAttempt: (attempt) => step.onAttempt?.(attempt),
    });
  } catch (error) {
    await close();
    throw error;
  }
  const place = { port: FORWARDER_PORT, trust: certificates === undefined ? null : INSIDE };
  const setup = forwarderSetup(step, needs, place, { port: FORWARDER_PORT, socket: INSIDE.socket });
  return {
    command: {
      argv: [node.program, INSIDE.forwarder, INSIDE.setup, ...step.argv],
      cwd: step.cwd,
      // The step's own environment goes through the forwarder's setup: node itself starts without it.
      env: { HOME: needs.home },
      grants: { ...step.grants, readable: outermost([...step.grants.readable, ...node.readable]) },
      shown: { from: folder, at: INSIDE.proxy },
      data: [
        { at: INSIDE.setup, content: setup },
        { at: INSIDE.forwarder, content: FORWARDER_PROGRAM },
        ...(certificates === undefined
          ? []
          : [
              { at: INSIDE.certificates, content: certificates },
              { at: INSIDE.truststore, content: javaTruststore(certificates) },
            ]),
      ],
    },
    secrets: needs.credentials.secrets,
    close,
  };
}

/**
 * The same for a sandbox that shares the network of the machine and lets a step reach one port of it (macOS). Weaker:
 * other programs of this machine can use the proxy as well while the step runs.
 */
export async function openLoopbackNetwork(host: Outside, step: SandboxedRun): Promise<LoopbackNetwork> {
  const needs = await readNeeds(host, step);
  const { certificates, node } = needs;
  const folder = await createRunFolder(host);
  let proxy: NetworkProxy | undefined;
  const close = async (): Promise<void> => {
    await proxy?.close();
    await host.files.remove(folder);
  };
  const write = async (name: string, content: string | Uint8Array): Promise<string> => {
    const file = path.join(folder, name);
    await host.files.write(file, content, 0o600);
    return file;
  };
  try {
    proxy = await startNetworkProxy({
      targets: needs.targets,
      upstream: needs.settings.upstream,
      listen: { port: 0 },
      onAttempt: (attempt) => step.onAttempt?.(attempt),
    });
    const port = proxy.port ?? 0;
    const trust =
      certificates === undefined
        ? null
        : {
            certificates: await write("certificates.pem", certificates),
            truststore: await write("truststore.jks", javaTruststore(certificates)),
          };
    const setup = await write("setup.json", forwarderSetup(step, needs, { port, trust }, null));
    const forwarder = await write("forwarder.cjs", FORWARDER_PROGRAM);
    return {
      argv: [node.program, forwarder, setup, ...step.argv],
      env: { HOME: needs.home },
      readable: [folder, ...node.readable],
      port,
      secrets: needs.credentials.secrets,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
