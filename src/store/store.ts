import path from "node:path";
import { IpmError } from "../core/errors.ts";
import type { ToolName } from "../core/ids.ts";
import type { Generation } from "./generations.ts";
import { type EntryId, entryPaths } from "./layout.ts";
import { type GenerationChange, makeGeneration } from "./make-generation.ts";
import { findLauncherConflict } from "./profiles.ts";
import { readCurrent } from "./read-current.ts";
import { repairCurrent } from "./recover.ts";
import { removeOwn } from "./remove-own.ts";
import { type StoreContext, underSwitchLock } from "./store-context.ts";

/**
 * Change the set of installed tools: `change` gets the entries of the generation that is current *under the lock* and
 * returns the new ones, or null for no change. Builds generation n+1 beside, then one rename.
 * @returns the generation that is current afterwards, or null when nothing was ever installed
 * @throws IpmError LAUNCHER_CONFLICT, LOCKED, DISK_FULL, IO_FAILED; the old generation is untouched then
 */
export async function switchGeneration(
  context: StoreContext,
  change: (current: Generation | null) => GenerationChange | null | Promise<GenerationChange | null>,
): Promise<Generation | null> {
  const { host, layout } = context;
  return underSwitchLock(context, async () => {
    await repairCurrent(context, (what) => context.emit({ type: "state.repaired", what }));
    const current = await readCurrent(host, layout, context.emit);
    const next = await change(current);
    if (next === null) return current;
    const conflict = findLauncherConflict(next.entries);
    if (conflict !== undefined) throw conflict;
    host.signal.throwIfAborted();
    return makeGeneration(context, current?.number ?? null, next);
  });
}

/**
 * Remove an entry. The receipt goes first, so that a kill in between leaves garbage and never half an entry that counts.
 * @throws IpmError STATE_DAMAGED when its place leads out of the store; nothing is removed then
 */
export async function discardEntry({ host, layout }: StoreContext, id: EntryId): Promise<void> {
  const { root, receipt } = entryPaths(layout, id);
  if ((await host.files.facts(root))?.kind === "folder") await removeOwn(host, layout, receipt);
  await removeOwn(host, layout, root);
  if ((await host.files.list(path.dirname(root))).length === 0) await removeOwn(host, layout, path.dirname(root));
}

/**
 * Refuse to work on an entry whose tool's folder leads out of the store.
 * @throws IpmError STATE_DAMAGED
 */
export async function demandInStore({ host, layout }: StoreContext, name: ToolName): Promise<void> {
  const folder = path.join(layout.store, name);
  const kind = (await host.files.facts(folder))?.kind;
  if (kind === undefined || kind === "folder") return;
  throw new IpmError("STATE_DAMAGED", `${folder} is not a folder that ipm made, so ${name} has no place in the store`, {
    hint: `move ${folder} away`,
    data: { path: folder },
  });
}
