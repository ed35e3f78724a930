import path from "node:path";
import { isIpmError } from "../core/errors.ts";
import type { Host, LocalAddress } from "../core/host.ts";
import { knownHardware } from "../manifest/known-hardware.ts";
import { serviceAddresses } from "../manifest/known-services.ts";
import type { FoundRequirement } from "../plan/requirements.ts";
import { readVersion } from "../plan/version-range.ts";

/** A service of the same machine answers at once, or is not there. */
const CONNECT_TIMEOUT_MS = 2000;

/** A variable of the caller's environment that has a value. The value is nobody's business: it is not in what comes out. */
export function findVariable(host: Pick<Host, "facts">, name: string): FoundRequirement | null {
  const place = "the environment";
  return (host.facts.env[name] ?? "") === "" ? null : { path: place, real: place, version: null };
}

function addressText(address: LocalAddress): string {
  if (address.kind === "socket") return address.path;
  return address.host === "::1" ? `[::1]:${address.port}` : `${address.host}:${address.port}`;
}

/**
 * The first address of a service that takes a connection; all are tried at once, and nothing is sent. That shows that
 * something listens, not that it is what the name says.
 */
export async function findService(
  host: Pick<Host, "facts" | "canConnect">,
  service: string,
): Promise<FoundRequirement | null> {
  const addresses = serviceAddresses(service, host.facts.env) ?? [];
  const answers = await Promise.all(addresses.map((address) => host.canConnect(address, CONNECT_TIMEOUT_MS)));
  const address = addresses.find((_, index) => answers[index] === true);
  if (address === undefined) return null;
  const text = addressText(address);
  return { path: text, real: text, version: null };
}

/** The file that shows a device, and the version of its driver where a file says it. */
export async function findHardware(
  host: {
    readonly facts: Pick<Host["facts"], "platform">;
    readonly files: Pick<Host["files"], "facts" | "list" | "readText">;
  },
  name: string,
): Promise<FoundRequirement | null> {
  const known = knownHardware(name);
  for (const file of known?.files[host.facts.platform.os] ?? []) {
    const found = await firstFile(host.files, file);
    if (found === undefined) continue;
    const text = known?.driver === undefined ? undefined : await host.files.readText(known.driver).catch(ignoreIo);
    return { path: found, real: found, version: text === undefined ? null : readVersion(text) };
  }
  return null;
}

async function firstFile(files: Pick<Host["files"], "facts" | "list">, file: string): Promise<string | undefined> {
  if (!file.endsWith("*")) return (await files.facts(file).catch(ignoreIo)) === undefined ? undefined : file;
  const folder = path.dirname(file);
  const beginning = path.basename(file).slice(0, -1);
  const names = (await files.list(folder).catch(ignoreIo)) ?? [];
  const found = names.find((name) => name.startsWith(beginning));
  return found === undefined ? undefined : path.join(folder, found);
}

/** A device that cannot be looked at is not there for this user. */
function ignoreIo(error: unknown): undefined {
  if (!isIpmError(error)) throw error;
  return undefined;
}
