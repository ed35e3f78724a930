import path from "node:path";
import { isIpmError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import { layoutOf } from "../store/layout.ts";

/** Folders of the caller's PATH that are absolute, in order, without ipm's own. */
export function pathFolders(host: Host): string[] {
  const own = layoutOf(host.homes).current;
  return (host.facts.env["PATH"] ?? "")
    .split(":")
    .filter((folder) => path.isAbsolute(folder) && path.normalize(folder) !== path.join(own, "bin"));
}

/** True when the profile's `bin` is on the caller's PATH; `before` are the folders that come first. */
export function profileOnPath(host: Host): { readonly onPath: boolean; readonly before: readonly string[] } {
  const bin = path.join(layoutOf(host.homes).current, "bin");
  const folders = (host.facts.env["PATH"] ?? "").split(":");
  const at = folders.findIndex((folder) => path.normalize(folder || ".") === bin);
  return { onPath: at !== -1, before: at === -1 ? folders : folders.slice(0, at) };
}

async function isProgram(host: Host, file: string): Promise<boolean> {
  try {
    const real = await host.files.realPath(file);
    const facts = real === undefined ? undefined : await host.files.facts(real);
    return facts?.kind === "file" && (facts.mode & 0o111) !== 0;
  } catch (error) {
    // A folder of somebody else's (PATH after `su`): a shell passes it over as well.
    if (isIpmError(error)) return false;
    throw error;
  }
}

/** The first executable file of this name in the folders of the caller's PATH, ipm's own profile left out. */
export async function findOnPath(
  host: Host,
  name: string,
  folders: readonly string[] = pathFolders(host),
): Promise<string | undefined> {
  if (name.includes("/") || name === "") return undefined;
  for (const folder of folders) {
    const file = path.join(folder, name);
    if (path.isAbsolute(folder) && (await isProgram(host, file))) return file;
  }
  return undefined;
}
