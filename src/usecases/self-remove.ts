import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { layoutOf } from "../store/layout.ts";
import { acquireLock } from "../store/locks.ts";
import { listWorkspaces } from "../store/workspaces.ts";
import type { Context } from "./context.ts";
import { type FoundBlock, findRcBlock, removeRcBlock } from "./rc-block.ts";
import { allRcFiles } from "./rc-files.ts";
import { SETUP_FILES, envFileOf } from "./setup.ts";
import { SHELLS, quoteFish, quotePosix } from "./shell.ts";

export interface SelfRemoveResult {
  /** Folders of ipm that are gone. */
  readonly removed: readonly string[];
  /** Rc files that the block was taken out of. */
  readonly rcFiles: readonly string[];
  /** What is in the homes and is not ipm's, and rc files with a block that cannot be told from the rest. */
  readonly kept: readonly { readonly path: string; readonly why: string }[];
}

const LOCK = "switch";
const CACHE_NAMES: ReadonlySet<string> = new Set([
  "git",
  "locks",
  "registries",
  "verify",
  "downloads",
  "builds",
  "config.json",
]);
const CONFIG_NAMES: ReadonlySet<string> = new Set(["config.yaml", "policy.yaml"]);
const TEMPORARY = /^\..*\.[0-9a-f]{12}\.tmp$/u;

interface RcFile {
  readonly path: string;
  readonly content: Uint8Array;
  readonly block: FoundBlock;
}

/** The rc files with a block that reads an env file of this very home, and those whose block has no end. */
async function findRcFiles(context: Context): Promise<{ readonly found: RcFile[]; readonly damaged: string[] }> {
  const found: RcFile[] = [];
  const damaged: string[] = [];
  const own = SHELLS.flatMap((shell) => [quotePosix(envFileOf(context, shell)), quoteFish(envFileOf(context, shell))]);
  for (const file of allRcFiles(context.host)) {
    const content = await context.host.files.readBytes(file).catch(() => undefined);
    const block = content === undefined ? null : findRcBlock(content);
    if (content === undefined || block === null) continue;
    if (block === "damaged") damaged.push(file);
    else if (own.some((quoted) => block.text.includes(quoted))) found.push({ path: file, content, block });
  }
  return { found, damaged };
}

async function isEmptyOrMissing(context: Context, folder: string): Promise<boolean> {
  return (await context.host.files.list(folder)).length === 0;
}

/** @throws IpmError FOREIGN_FILE unless the data home carries ipm's marker, or there is nothing at all to remove */
async function demandOurs(context: Context): Promise<void> {
  const { files, homes } = context.host;
  const marker = await files.readText(layoutOf(homes).marker);
  if (marker !== undefined && /"ipm":\s*"data"/u.test(marker)) return;
  for (const home of [homes.data, homes.cache, homes.config]) {
    if (await isEmptyOrMissing(context, home)) continue;
    throw new IpmError("FOREIGN_FILE", `${homes.data} has no ipm.json, so it cannot be told whether ${home} is ipm's`, {
      hint: "check HOME and IPM_HOME; remove the folder yourself if it is ipm's",
      data: { path: home },
    });
  }
}

/** Remove what is ipm's own from one home, the names of `last` at the very end, then the folder when nothing is left in it. */
async function removeHome(
  context: Context,
  folder: string,
  isOurs: (name: string) => boolean,
  last: readonly string[],
): Promise<{ removed: string[]; kept: SelfRemoveResult["kept"] }> {
  const { files } = context.host;
  const present = await files.list(folder);
  const ours = present.filter((name) => isOurs(name) || TEMPORARY.test(name));
  for (const name of ours.toSorted((a, b) => last.indexOf(a) - last.indexOf(b)))
    await files.remove(path.join(folder, name));
  const left = await files.list(folder);
  const facts = await files.facts(folder);
  // A link to a folder elsewhere is the user's own arrangement: what was in it is gone, the link stays.
  if (left.length === 0 && facts?.kind === "folder") await files.remove(folder);
  const kept = left.map((name) => ({ path: path.join(folder, name), why: "ipm did not make it" }));
  return { removed: present.length === 0 && facts === undefined ? [] : [folder], kept };
}

/** `~/.local/share`, `~/.cache` and `~/.config` where nothing is in them any more: ipm may have made them. */
async function removeEmptyParents(context: Context): Promise<void> {
  const { files, facts, homes } = context.host;
  const home = facts.env["HOME"] === undefined ? undefined : await files.realPath(facts.env["HOME"]);
  if (home === undefined) return;
  for (const own of [homes.data, homes.cache, homes.config]) {
    for (let folder = path.dirname(own); folder.startsWith(`${home}/.`); folder = path.dirname(folder)) {
      if ((await files.facts(folder))?.kind !== "folder" || !(await isEmptyOrMissing(context, folder))) break;
      await files.remove(folder);
    }
  }
}

async function removeFromRcFile(context: Context, rc: RcFile): Promise<void> {
  const { files } = context.host;
  const { content, removeFile } = removeRcBlock(rc.content, rc.block);
  const real = (await files.realPath(rc.path)) ?? rc.path;
  if (removeFile && real === rc.path) {
    await files.remove(rc.path);
    return;
  }
  const mode = (await files.facts(real))?.mode ?? 0o644;
  await files.writeDurably(real, content, mode);
  await files.setMode(real, mode);
}

/**
 * Undo everything that ipm ever did to this account: the rc block, the tools, the caches, the configuration. Only names
 * that ipm makes are removed, and only in homes that carry its marker.
 * @throws IpmError FOREIGN_FILE, USAGE when nobody can be asked and `yes` is not given, DECLINED, LOCKED
 */
export async function selfRemove(context: Context, options: { readonly yes: boolean }): Promise<SelfRemoveResult> {
  const { files, homes } = context.host;
  const layout = layoutOf(homes);
  await demandOurs(context);
  const { found, damaged } = await findRcFiles(context);
  const folders = [];
  for (const home of [homes.data, homes.cache, homes.config]) {
    if ((await files.facts(home)) !== undefined) folders.push(home);
  }
  if (folders.length > 0 || found.length > 0) {
    const detail = [
      ...folders.map(
        (folder) => `${folder}: everything that ipm keeps there${folder === homes.data ? ", all tools included" : ""}`,
      ),
      ...found.map((rc) => `${rc.path}: the block between the ipm marks`),
    ];
    if (!options.yes) {
      if (context.ask === null) {
        throw new IpmError("USAGE", "self remove asks first, and nobody can be asked here", {
          hint: "ipm self remove --yes",
          data: { would: detail },
        });
      }
      const isSure = await context.ask({ kind: "confirm", text: "Remove all of this?", detail, default: false });
      if (!isSure)
        throw new IpmError("DECLINED", "nothing was removed", { hint: "ipm uninstall NAME removes one tool" });
    }
  }

  const hasData = (await files.facts(layout.marker)) !== undefined;
  const lock = hasData
    ? await acquireLock(context.host, layout.locks, LOCK, {
        command: context.command,
        timeoutMs: context.lockTimeoutMs,
        emit: context.emit,
      })
    : undefined;
  const removed: string[] = [];
  const workspaces = await listWorkspaces(context.host, layout);
  const kept: { path: string; why: string }[] = damaged.map((file) => ({
    path: file,
    why: "its ipm block has no end mark; take it out by hand",
  }));
  try {
    // The rc block first: a shell that starts meanwhile must not look for what is going.
    for (const rc of found) await removeFromRcFile(context, rc);
    const dataNames = new Set([
      ...Object.values(layout).map((file) => path.basename(file)),
      "attestations",
      ...SETUP_FILES,
    ]);
    // Beside a data home with the marker a folder of this name is ipm's cache, and nothing in it is worth keeping; a link
    // may have led to a folder that others use, too.
    const isCacheWhole = ["ipm", "cache"].includes(path.basename(homes.cache));
    for (const [folder, isOurs, last] of [
      [homes.config, (name: string) => CONFIG_NAMES.has(name), []],
      [homes.cache, (name: string) => isCacheWhole || CACHE_NAMES.has(name), []],
      // The marker goes last: after a crash the command can be run again.
      [homes.data, (name: string) => dataNames.has(name), ["locks", "ipm.json"]],
    ] as const) {
      const result = await removeHome(context, folder, isOurs, last);
      removed.push(...result.removed);
      kept.push(...result.kept);
    }
    const root = path.dirname(homes.data);
    const isIpmHome = (context.host.facts.env["IPM_HOME"] ?? "") !== "" && path.basename(homes.data) === "data";
    if (!isIpmHome) await removeEmptyParents(context);
    if (isIpmHome && (await files.facts(root))?.kind === "folder" && (await isEmptyOrMissing(context, root)))
      await files.remove(root);
  } finally {
    await lock?.release();
  }
  // Folders of the user's: forgotten, like after `ipm uninstall` of one with work in it.
  kept.push(...workspaces.map(({ name, folder }) => ({ path: folder, why: `it is your workspace ${name}` })));
  return { removed, rcFiles: found.map((rc) => rc.path), kept };
}
