import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { isToolName } from "../core/ids.ts";
import { nearest } from "../core/nearest.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { collect } from "../store/collect.ts";
import type { GenerationEntry } from "../store/generations.ts";
import { layoutOf } from "../store/layout.ts";
import { openForWriting } from "../store/recover.ts";
import { removeOwn } from "../store/remove-own.ts";
import { measureTree } from "../store/seal-tree.ts";
import { lockEntriesNow } from "../store/store-context.ts";
import { switchGeneration } from "../store/store.ts";
import { removeBuildCaches } from "./build-cache.ts";
import { type Context, storeOf } from "./context.ts";
import { type RemovedWorkspace, removeWorkspace } from "./remove-workspace.ts";

export interface UninstallResult {
  /** The generation that is current now. */
  readonly generation: number;
  readonly removed: readonly { readonly name: string; readonly version: string }[];
  /** Workspaces, which are in no generation. */
  readonly workspaces: readonly RemovedWorkspace[];
  /** Bytes removed by `--purge`; without it the tree stays for a rollback. */
  readonly purgedBytes: number;
  /** Folders with data of the user's that stay, and that `--purge` removes; with it, what is still in use. */
  readonly kept: readonly string[];
}

function notInstalled(name: string, entries: readonly GenerationEntry[]): IpmError {
  const near = nearest(
    name,
    entries.map((entry) => entry.name),
    1,
  )[0];
  return new IpmError("NOT_INSTALLED", `${escapeUntrusted(name)} is not installed`, {
    hint: near === undefined ? "ipm list" : `ipm uninstall ${near}`,
    data: { name },
  });
}

/** The folders of a tool outside of generations: its entries, its logs, the data that it keeps, and what it was given. */
function foldersOf(context: Context, name: string): { store: string; logs: string; state: string; inputs: string } {
  const layout = layoutOf(context.host.homes);
  return {
    store: path.join(layout.store, name),
    logs: path.join(layout.logs, name),
    state: path.join(layout.state, name),
    inputs: path.join(layout.inputs, name),
  };
}

/** True when something of a tool that is not installed is still there: uninstalled without `--purge`, or interrupted. */
async function hasRemains(context: Context, name: string): Promise<boolean> {
  if (!isToolName(name)) return false;
  for (const folder of Object.values(foldersOf(context, name)))
    if ((await context.host.files.facts(folder)) !== undefined) return true;
  return false;
}

/** Remove everything of tools that are in no current generation any more. @returns bytes, and folders that had to stay */
async function purge(
  context: Context,
  names: ReadonlySet<string>,
): Promise<{ readonly bytes: number; readonly kept: readonly string[] }> {
  const layout = layoutOf(context.host.homes);
  const store = storeOf(context);
  const collected = await collect(store, { keep: 0, dryRun: false, only: names });
  for (const { name, why } of collected.kept) {
    context.emit({ type: "warning", code: "KEPT", message: `${name} stays: ${why}`, hint: "ipm gc" });
  }
  let bytes = collected.removed.reduce((sum, removed) => sum + removed.bytes, 0);
  for (const name of names) {
    const { logs, state, inputs } = foldersOf(context, name);
    // Held: somebody installs it again already, and is writing there.
    const lock = await lockEntriesNow(store, name);
    if (lock === undefined) continue;
    try {
      for (const folder of [logs, state, inputs]) {
        bytes += await measureTree(context.host, folder);
        await removeOwn(context.host, layout, folder);
      }
      bytes += await removeBuildCaches(context.host, name);
    } finally {
      await lock.release();
    }
  }
  return { bytes, kept: collected.kept.map(({ name }) => path.join(layout.store, name)) };
}

/**
 * Take tools off PATH in one generation. Their trees stay for a rollback, unless they are purged: then the earlier
 * generations that hold them go too, with their logs and the data that they kept. The folder of a workspace goes only when
 * nothing in it would be lost (`removeWorkspace`).
 * @throws IpmError NOT_INSTALLED when one of them is not; nothing is changed then
 */
export async function uninstall(
  context: Context,
  names: readonly string[],
  options: { purge: boolean },
): Promise<UninstallResult> {
  const store = storeOf(context);
  await openForWriting(store);
  const wanted = new Set(names);
  const known = new Set(await context.host.files.list(store.layout.workspaces));
  let removed: GenerationEntry[] = [];
  const after = await switchGeneration(store, async (current) => {
    const entries = current?.entries ?? [];
    removed = entries.filter(({ name }) => wanted.has(name));
    for (const name of wanted) {
      const isKnown =
        known.has(name) ||
        removed.some((entry) => entry.name === name) ||
        (options.purge && (await hasRemains(context, name)));
      if (!isKnown) throw notInstalled(name, entries);
    }
    return removed.length === 0 ? null : { entries: entries.filter((entry) => !removed.includes(entry)) };
  });
  const purged = options.purge ? await purge(context, wanted) : { bytes: 0, kept: [] };
  const kept = [...purged.kept];
  for (const name of wanted) {
    const { state } = foldersOf(context, name);
    if ((await context.host.files.list(state)).length > 0) kept.push(state);
  }
  const workspaces: RemovedWorkspace[] = [];
  for (const name of wanted) {
    const workspace = known.has(name) ? await removeWorkspace(context, name) : null;
    if (workspace !== null) workspaces.push(workspace);
  }
  return {
    generation: after?.number ?? 0,
    workspaces,
    removed: removed.map(({ name, version }) => ({ name, version })),
    purgedBytes: purged.bytes,
    kept,
  };
}
