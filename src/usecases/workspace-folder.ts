import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { isInside } from "../sandbox/paths.ts";
import { layoutOf } from "../store/layout.ts";
import { listWorkspaces } from "../store/workspaces.ts";
import type { Context } from "./context.ts";

function refuse(folder: string, why: string, hint = "name a new or empty folder: --into DIR"): IpmError {
  return new IpmError("FOLDER_UNUSABLE", `${escapeUntrusted(folder)} ${why}`, { hint, data: { folder } });
}

/** The nearest folder above that is there, with its real path, and the names below it that are not there yet. */
async function realStart(context: Context, absolute: string): Promise<{ real: string; rest: string[] }> {
  const rest: string[] = [];
  for (let folder = path.dirname(absolute); ; folder = path.dirname(folder)) {
    const real = await context.host.files.realPath(folder);
    if (real !== undefined) {
      if ((await context.host.files.facts(real))?.kind !== "folder") throw refuse(folder, "is not a folder");
      return { real, rest };
    }
    // A link that leads nowhere is there all the same.
    if ((await context.host.files.facts(folder)) !== undefined) throw refuse(folder, "is a link that leads nowhere");
    rest.unshift(path.basename(folder));
  }
}

/** Whoever can write a folder on the way can put another one in the place of what lies below it. */
async function demandSafeWay(context: Context, folder: string, typed: string): Promise<void> {
  const { files, facts } = context.host;
  for (let current = folder; ; current = path.dirname(current)) {
    const found = await files.facts(current);
    if (found === undefined) throw refuse(typed, `lies in ${current}, which has just gone`);
    if ((found.mode & 0o002) !== 0 && (found.mode & 0o1000) === 0)
      throw refuse(typed, `lies in ${current}, which everybody may write`);
    if (found.uid !== 0 && found.uid !== facts.uid && facts.uid !== 0)
      throw refuse(typed, `lies in ${current}, which belongs to user ${found.uid}`);
    if (path.dirname(current) === current) return;
  }
}

/** Throw unless nothing, or an empty folder of this user's, is where a workspace is to go. */
export async function demandEmptyFolder(context: Context, folder: string): Promise<void> {
  const { files, facts } = context.host;
  const found = await files.facts(folder);
  if (found === undefined) return;
  if (found.kind === "link") throw refuse(folder, "is a link", "name the folder that it leads to: --into DIR");
  if (found.kind !== "folder") throw refuse(folder, "is a file");
  if (found.uid !== facts.uid) throw refuse(folder, `belongs to user ${found.uid}, not to you`);
  if ((found.mode & 0o002) !== 0) throw refuse(folder, "may be written by everybody", `chmod o-w ${folder}`);
  if ((await files.list(folder)).length > 0) throw refuse(folder, "is not empty");
}

/**
 * Where a workspace goes: `./NAME`, or what `--into` says. Links above it are the user's own and are followed once, here;
 * the result is a real path, and the folder itself is no link.
 * @param into as typed, or null
 * @param demandsEmpty false: what is in the folder is looked at by the caller
 * @returns absolute path of a folder that is not there yet, or is empty
 * @throws IpmError FOLDER_UNUSABLE
 */
export async function chooseWorkspaceFolder(
  context: Context,
  name: string,
  into: string | null,
  demandsEmpty = true,
): Promise<string> {
  const { host } = context;
  const home = host.facts.env["HOME"];
  const typed = into ?? name;
  // oxlint-disable-next-line no-control-regex -- such names could not be shown, and PATH cannot carry a colon
  if (/[\u0000-\u001f\u007f:]/u.test(typed))
    throw refuse(typed, "has a character that the path of an environment cannot carry");
  const expanded = home !== undefined && /^~(?:\/|$)/u.test(typed) ? path.join(home, typed.slice(1)) : typed;
  // The kernel goes through a link before it goes up, and people read it the other way round.
  if (/(?:^|\/)(?!\.\.?\/)[^/]+\/+(?:\.\/+)*\.\.(?:\/|$)/u.test(expanded))
    throw refuse(typed, 'goes up again with ".."', "write it without: --into DIR");
  const absolute = path.resolve(host.facts.cwd, expanded);
  if (path.dirname(absolute) === absolute) throw refuse(typed, "is no place for a workspace");
  const { real, rest } = await realStart(context, absolute);
  const folder = path.join(real, ...rest, path.basename(absolute));
  if (folder.includes(":")) throw refuse(folder, "has a colon in it, which PATH cannot carry");
  await demandSafeWay(context, real, typed);
  for (const own of Object.values(host.homes)) {
    const realOwn = (await host.files.realPath(own)) ?? own;
    if (isInside(realOwn, folder) || isInside(folder, realOwn)) throw refuse(typed, `is, or holds, ipm's own ${own}`);
  }
  if (home !== undefined && isInside(folder, (await host.files.realPath(home)) ?? home))
    throw refuse(typed, "holds your home");
  for (const other of await listWorkspaces(host, layoutOf(host.homes))) {
    if (other.name === name) continue;
    if (isInside(other.folder, folder) || isInside(folder, other.folder))
      throw refuse(typed, `meets the workspace ${other.name} in ${other.folder}`);
  }
  if (demandsEmpty) await demandEmptyFolder(context, folder);
  return folder;
}
