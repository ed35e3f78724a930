import path from "node:path";
import { IpmError, isIpmError } from "../core/errors.ts";
import { PARENTS_FILE } from "../core/host.ts";
import { readConfig } from "../registry/read-config.ts";
import { layoutOf } from "../store/layout.ts";
import { type HeldLock, acquireLock } from "../store/locks.ts";
import { readParents } from "../store/parents.ts";
import { SWITCH_LOCK } from "../store/store-context.ts";
import { listWorkspaces } from "../store/workspaces.ts";
import type { Context } from "./context.ts";
import { type FoundBlock, findRcBlock, removeRcBlock } from "./rc-block.ts";
import { allRcFiles } from "./rc-files.ts";
import { registryContext } from "./registry-context.ts";
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

const CACHE_NAMES: ReadonlySet<string> = new Set([
  "git",
  "git.json",
  "withdrawn.json",
  "locks",
  "registries",
  "verify",
  "publications",
  "downloads",
  "builds",
  "drafts",
  "config.json",
  PARENTS_FILE,
]);
const CONFIG_NAMES: ReadonlySet<string> = new Set(["config.yaml", "policy.yaml", PARENTS_FILE]);
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

function foreign(home: string, why: string): IpmError {
  return new IpmError("FOREIGN_FILE", `${why}, so it cannot be told whether ${home} is ipm's`, {
    hint: "check HOME and IPM_HOME; remove the folder yourself if it is ipm's",
    data: { path: home },
  });
}

/**
 * Commands that install nothing (`plan`, `registry add`) make a cache and a configuration and no data home with its
 * marker; then only what ipm makes by name, and a configuration that ipm can read, are taken for ipm's.
 * @returns true when the data home carries ipm's marker
 * @throws IpmError FOREIGN_FILE
 */
async function demandOurs(context: Context): Promise<boolean> {
  const { files, homes } = context.host;
  const marker = await files.readText(layoutOf(homes).marker);
  if (marker !== undefined && /"ipm":\s*"data"/u.test(marker)) return true;
  const unmarked = (await files.list(homes.data)).filter((name) => name !== PARENTS_FILE);
  if (unmarked.length > 0) throw foreign(homes.data, `${homes.data} has no ipm.json`);
  try {
    await readConfig(registryContext(context));
  } catch (error) {
    if (!isIpmError(error)) throw error;
    throw foreign(homes.config, `${homes.data} has no ipm.json and config.yaml is not one that ipm wrote`);
  }
  return false;
}

/**
 * Wait for every ipm that builds, switches or fetches here: what it makes next would stay behind. The lock of the switch
 * comes last, as everywhere.
 * @throws IpmError LOCKED
 */
async function lockEverything(context: Context): Promise<readonly HeldLock[]> {
  const { files, homes } = context.host;
  const options = { command: context.command, timeoutMs: context.lockTimeoutMs, emit: context.emit };
  const folders = [path.join(homes.cache, "locks"), layoutOf(homes).locks];
  const held: HeldLock[] = [];
  try {
    for (const folder of folders) {
      const present = await files.list(folder);
      const names = present.filter((name) => name.endsWith(".lock")).map((name) => name.slice(0, -".lock".length));
      for (const name of names.toSorted((a, b) => Number(a === SWITCH_LOCK) - Number(b === SWITCH_LOCK)))
        held.push(await acquireLock(context.host, folder, name, options));
    }
    return held;
  } catch (error) {
    for (const lock of held) await lock.release();
    throw error;
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

/** The folders above the homes and the rc files that ipm made, the deepest first; of the notes nothing else is believed. */
async function parentsMade(context: Context): Promise<string[]> {
  const { files, homes } = context.host;
  const own = [homes.data, homes.cache, homes.config];
  const below = [...own, ...allRcFiles(context.host)];
  const noted = await Promise.all(own.map((home) => readParents(files, home)));
  const made = new Set(noted.flat().filter((folder) => below.some((file) => file.startsWith(`${folder}${path.sep}`))));
  return [...made].toSorted((a, b) => b.length - a.length);
}

async function removeEmpty(context: Context, folders: readonly string[]): Promise<void> {
  const { files } = context.host;
  for (const folder of folders) {
    if ((await files.facts(folder))?.kind !== "folder" || (await files.list(folder)).length > 0) continue;
    await files.remove(folder);
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
 * that ipm makes are removed, and of the folders above its homes only those that it had to make.
 * @throws IpmError FOREIGN_FILE, USAGE when nobody can be asked and `yes` is not given, DECLINED, LOCKED
 */
export async function selfRemove(context: Context, options: { readonly yes: boolean }): Promise<SelfRemoveResult> {
  const { files, homes } = context.host;
  const layout = layoutOf(homes);
  const isMarked = await demandOurs(context);
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

  const locks = await lockEverything(context);
  const parents = await parentsMade(context);
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
      PARENTS_FILE,
      ...SETUP_FILES,
    ]);
    // Beside a data home with the marker a folder of this name is ipm's cache, and nothing in it is worth keeping; a link
    // may have led to a folder that others use, too.
    const isCacheWhole = isMarked && ["ipm", "cache"].includes(path.basename(homes.cache));
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
    await removeEmpty(context, parents);
  } finally {
    for (const lock of locks) await lock.release();
  }
  // Folders of the user's: forgotten, like after `ipm uninstall` of one with work in it.
  kept.push(...workspaces.map(({ name, folder }) => ({ path: folder, why: `it is your workspace ${name}` })));
  return { removed, rcFiles: found.map((rc) => rc.path), kept };
}
