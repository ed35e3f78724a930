import path from "node:path";
import { IpmError, isIpmError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { PlannedProvides } from "../plan/plan.ts";
import { isInside } from "../sandbox/paths.ts";

const SETUID = 0o4000;
const SETGID = 0o2000;
const OTHERS_MAY_WRITE = 0o022;
const ANY_EXECUTE = 0o111;

function invalid(message: string, at: string, more: Record<string, unknown> = {}): IpmError {
  return new IpmError("OUTPUT_INVALID", message, {
    hint: "tell the manifest's maintainers",
    data: { path: at, ...more },
  });
}

/**
 * Check what the steps produced before it is sealed: every launcher's file exists, is a plain file or a link that stays
 * inside, and is executable; everything else that is provided exists inside; nothing has setuid or setgid bits or is a
 * device, FIFO or socket. Write permission for group and others is taken away.
 * @param prefix absolute path of the prefix
 * @param stray files that the steps left in their private home, for the message when a launcher is missing
 * @throws IpmError OUTPUT_INVALID
 */
export async function sealCheck(
  host: Pick<Host, "files">,
  prefix: string,
  provides: PlannedProvides,
  stray: readonly string[] = [],
): Promise<void> {
  const root = (await host.files.realPath(prefix)) ?? prefix;
  await checkTree(host, root, root);
  for (const [name, launcher] of Object.entries(provides.bin)) {
    if (launcher.file !== null) await checkProvided(host, root, launcher.file, `the launcher ${name}`, true, stray);
  }
  for (const target of Object.values(provides.share))
    await checkProvided(host, root, target, "a shared file", false, stray);
  for (const [name, shells] of Object.entries(provides.completions)) {
    for (const target of Object.values(shells)) {
      await checkProvided(host, root, target, `a completion of ${name}`, false, stray);
    }
  }
}

async function checkTree(host: Pick<Host, "files">, root: string, folder: string): Promise<void> {
  for (const name of await host.files.list(folder)) {
    const item = path.join(folder, name);
    const facts = await host.files.facts(item);
    if (facts === undefined || facts.kind === "link") continue;
    const shown = escapeUntrusted(path.relative(root, item));
    if (facts.kind === "other") throw invalid(`the steps left a device, FIFO or socket: ${shown}`, item);
    if (facts.kind === "file" && (facts.mode & (SETUID | SETGID)) !== 0) {
      throw invalid(`the steps left a setuid or setgid file: ${shown}`, item);
    }
    // A folder gets the setgid bit from the one above it: it means nothing here and is only taken away.
    const mode = facts.mode & ~OTHERS_MAY_WRITE & ~(SETUID | SETGID);
    if (mode !== facts.mode) await host.files.setMode(item, mode);
    if (facts.kind === "folder") await checkTree(host, root, item);
  }
}

async function checkProvided(
  host: Pick<Host, "files">,
  root: string,
  file: string,
  what: string,
  executable: boolean,
  stray: readonly string[],
): Promise<void> {
  const item = path.resolve(root, file);
  const shown = escapeUntrusted(file);
  // By the kernel's resolution: a lexical one can call a link harmless that leaves.
  const real = await host.files.realPath(item).catch((error: unknown) => {
    // Links in a circle lead nowhere, like one to nothing.
    if (isIpmError(error) && error.data["errno"] === "ELOOP") return undefined;
    throw error;
  });
  if (!isInside(root, item) || (real !== undefined && !isInside(root, real))) {
    throw invalid(`${what} leads out of the prefix: ${shown}`, item);
  }
  const facts = real === undefined ? undefined : await host.files.facts(real);
  if (facts === undefined) {
    const elsewhere = stray.slice(0, 5).map(escapeUntrusted).join(", ");
    const note = stray.length === 0 ? "" : `; the steps wrote to their private home instead: ${elsewhere}`;
    throw invalid(`${what} is missing: the steps did not make ${shown}${note}`, item, { stray });
  }
  if (executable && facts.kind !== "file") throw invalid(`${what} is not a plain file: ${shown}`, item);
  if (executable && (facts.mode & ANY_EXECUTE) === 0) throw invalid(`${what} is not executable: ${shown}`, item);
}
