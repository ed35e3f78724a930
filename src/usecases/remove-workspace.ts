import path from "node:path";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { type CloneState, inspectClone } from "../source/inspect-clone.ts";
import { lockEntries } from "../store/store-context.ts";
import { type Workspace, forgetWorkspace, logWorkspace, readWorkspace, writeWorkspace } from "../store/workspaces.ts";
import { discardWorkspace, isWorkspaceFolder, workInUnfinished } from "./build-workspace.ts";
import { type Context, storeOf } from "./context.ts";
import { sourceContext } from "./source-context.ts";

export interface RemovedWorkspace {
  readonly name: string;
  readonly version: string;
  readonly folder: string;
  /** Null: the folder is gone. Otherwise it stays, and this is what it holds. */
  readonly kept: string | null;
}

/** What programs leave behind by themselves and make again: no work of anybody's. */
const CACHES =
  /(?:^|\/)(?:__pycache__|\.ipynb_checkpoints|\.(?:pytest|mypy|ruff)_cache|\.cache|\.DS_Store|[^/]+\.egg-info)\/?$|\.pyc$/u;

/** True for a path that the steps made, or that lies in a folder that they made. */
function isMade(file: string, made: readonly string[]): boolean {
  return made.some((known) => file === known || (known.endsWith("/") && file.startsWith(known)));
}

function shown(files: readonly string[]): string {
  return `${files.slice(0, 3).map(escapeUntrusted).join(", ")}${files.length > 3 ? ", …" : ""}`;
}

/** Why a clone is kept: what it holds that is nowhere else; null when there is nothing. */
export function reasonToKeep(state: CloneState | undefined, made: readonly string[]): string | null {
  if (state === undefined) return "its repository cannot be looked at";
  if (state.changed.length > 0) return `changes (${shown(state.changed)})`;
  if (state.untracked.length > 0) return `files that are in no commit (${shown(state.untracked)})`;
  const [pending] = state.pending;
  if (pending !== undefined) return pending;
  if (state.unpushed.length > 0) {
    const refs = state.unpushed.map((ref) => ref.replace(/^refs\/(?:heads|tags)\//u, ""));
    return `commits that are not pushed (${shown(refs)})`;
  }
  // Ignored by git, and not made by the steps: data, results, passwords.
  const own = state.ignored.filter((file) => !isMade(file, made) && !CACHES.test(file));
  return own.length > 0 ? `files that git ignores (${shown(own)})` : null;
}

async function removeFolder(context: Context, workspace: Workspace): Promise<void> {
  const { host, layout } = storeOf(context);
  const { files } = host;
  await writeWorkspace(host, layout, { ...workspace, state: "removing" });
  const names = (await files.list(workspace.folder)).filter((name) => name !== ".git");
  for (const name of names) await files.remove(path.join(workspace.folder, name));
  host.checkpoint("workspace.emptied");
  // Last: after a crash it tells that what is left is ipm's to remove.
  await files.remove(path.join(workspace.folder, ".git"));
  await files.remove(workspace.folder);
}

/** Files that came after an interrupted removal had begun: deleted ones are what it did. */
async function cameSince(
  context: Context,
  { folder }: Workspace,
  state: CloneState | undefined,
): Promise<string | null> {
  if (state === undefined) return "its repository cannot be looked at";
  for (const file of state.changed)
    if ((await context.host.files.facts(path.join(folder, file))) !== undefined) return `changes (${shown([file])})`;
  return state.untracked.length > 0 ? `files that are in no commit (${shown(state.untracked)})` : null;
}

async function settle(context: Context, workspace: Workspace): Promise<string | null> {
  if (!(await isWorkspaceFolder(context, workspace))) {
    const { files } = context.host;
    if ((await files.facts(workspace.folder)) === undefined) return null;
    // The very end of a removal: the empty folder.
    if (workspace.state === "removing" && (await files.list(workspace.folder)).length === 0) {
      await files.remove(workspace.folder);
      return null;
    }
    return "another folder is in its place";
  }
  if (workspace.state === "building") {
    const work = await workInUnfinished(context, workspace);
    if (work === null) await discardWorkspace(context, workspace);
    return work;
  }
  const state = await inspectClone(sourceContext(context), workspace.folder, workspace.pins);
  const why =
    workspace.state === "removing" ? await cameSince(context, workspace, state) : reasonToKeep(state, workspace.made);
  if (why === null) await removeFolder(context, workspace);
  return why;
}

/**
 * Uninstall a workspace: its folder goes only when everything in it is elsewhere too (committed and pushed), or is what its
 * steps made. Otherwise the folder stays, and ipm only forgets it.
 * @returns null when there is no workspace of this name
 * @throws IpmError LOCKED, IO_FAILED
 */
export async function removeWorkspace(context: Context, name: string): Promise<RemovedWorkspace | null> {
  const store = storeOf(context);
  const { host, layout } = store;
  if ((await readWorkspace(host, layout, name)).state === "absent") return null;
  const lock = await lockEntries(store, name);
  try {
    const found = await readWorkspace(host, layout, name);
    if (found.state === "absent") return null;
    if (found.state !== "complete") {
      await forgetWorkspace(host, layout, name);
      return { name, version: "", folder: "", kept: "what ipm knew of it cannot be read" };
    }
    const { workspace } = found;
    const { folder, plan } = workspace;
    const { version } = plan.tool;
    const kept = await settle(context, workspace);
    await forgetWorkspace(host, layout, name);
    const time = host.now().toISOString();
    await logWorkspace(host, layout, { time, command: context.command, name, folder, from: version, to: null });
    return { name, version, folder, kept };
  } finally {
    await lock.release();
  }
}
