import path from "node:path";
import { IpmError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import { type Generation, listGenerationNumbers, readCurrentNumber, readGeneration } from "./generations.ts";
import { findEntriesInUse } from "./in-use.ts";
import { type EntryId, type Layout, entryPaths, formatEntryId, profilePaths } from "./layout.ts";
import { rebuildEntries } from "./rebuild-generation.ts";
import { listEntryIds, readReceipt } from "./receipts.ts";
import { removeOwn } from "./remove-own.ts";
import { measureTree } from "./seal-tree.ts";
import { type StoreContext, lockEntriesNow, underSwitchLock } from "./store-context.ts";
import { discardEntry } from "./store.ts";

/** Something that garbage collection removed or would remove; sizes are bytes. */
export interface Collected {
  readonly kind: "entry" | "generation" | "log" | "temporary";
  readonly name: string;
  readonly bytes: number;
}

export interface CollectOptions {
  /** How many generations before the current one are kept, with everything in them. */
  readonly keep: number;
  readonly dryRun: boolean;
  /** Only these tools: their entries, and the earlier generations that hold one of them; null: everything. */
  readonly only: ReadonlySet<string> | null;
}

export interface CollectResult {
  readonly removed: readonly Collected[];
  /** What would have been garbage and stays: it is running, or being built. */
  readonly kept: readonly { readonly name: string; readonly why: string }[];
}

/** A generation as far as it matters here: its number, and the entries that it needs. */
interface Needs {
  readonly number: number;
  readonly tools: readonly Pick<Generation["entries"][number], "name" | "entry">[];
}

async function needsOf(host: Host, layout: Layout, number: number): Promise<Needs> {
  const found = await readGeneration(host, layout, number);
  if (found.state === "complete") return { number, tools: found.generation.entries };
  if (found.state === "newer") {
    throw new IpmError("STATE_NEWER", `generation ${number} was written by a newer ipm, which knows what it needs`, {
      hint: "use the newer ipm",
    });
  }
  return { number, tools: await rebuildEntries(host, layout, number, null) };
}

/** Which generations stay and which go, both ascending. */
async function splitGenerations(
  { host, layout }: StoreContext,
  { keep, only }: CollectOptions,
): Promise<{ stay: Needs[]; go: Needs[] }> {
  const current = await readCurrentNumber(host, layout);
  const older: Needs[] = [];
  const stay: Needs[] = [];
  for (const number of await listGenerationNumbers(host, layout)) {
    const needs = await needsOf(host, layout, number);
    if (number === current) stay.push(needs);
    else older.push(needs);
  }
  const kept = new Set(keep === 0 ? [] : older.slice(-keep));
  const goes = (needs: Needs): boolean =>
    only === null ? !kept.has(needs) : needs.tools.some(({ name }) => only.has(name));
  return { stay: [...stay, ...older.filter((needs) => !goes(needs))], go: older.filter(goes) };
}

async function collectGenerations(
  context: StoreContext,
  numbers: readonly Needs[],
  dryRun: boolean,
): Promise<Collected[]> {
  const { host, layout } = context;
  const removed: Collected[] = [];
  for (const { number } of numbers) {
    const paths = profilePaths(layout, number);
    const bytes = await measureTree(host, paths.root);
    if (!dryRun) {
      // First the file that makes it count: a kill in between leaves garbage.
      if ((await host.files.facts(paths.root))?.kind === "folder") await removeOwn(host, layout, paths.generation);
      await removeOwn(host, layout, paths.root);
      host.checkpoint("collect.generation");
    }
    removed.push({ kind: "generation", name: String(number), bytes });
  }
  return removed;
}

async function collectEntry(
  context: StoreContext,
  id: EntryId,
  user: number | undefined,
  dryRun: boolean,
): Promise<Collected | { name: string; why: string }> {
  const name = formatEntryId(id);
  if (user !== undefined) return { name, why: `process ${user} is running it` };
  const root = entryPaths(context.layout, id).root;
  if (dryRun) return { kind: "entry", name, bytes: await measureTree(context.host, root) };
  const lock = await lockEntriesNow(context, id.name);
  if (lock === undefined) return { name, why: "it is being built or switched right now" };
  try {
    // Once more under the lock: `run` holds it until the program has started.
    const now = context.host.runningProcesses().find(({ text }) => text.includes(`${root}/`));
    if (now !== undefined) return { name, why: `process ${now.pid} is running it` };
    const bytes = await measureTree(context.host, root);
    await discardEntry(context, id);
    context.host.checkpoint("collect.entry");
    return { kind: "entry", name, bytes };
  } finally {
    await lock.release();
  }
}

/** Logs, but those of entries that stay and the newest of each tool that has one. */
async function collectLogs(context: StoreContext, stay: readonly EntryId[], dryRun: boolean): Promise<Collected[]> {
  const { host, layout } = context;
  const left = new Set<string>(stay.map(({ name }) => name));
  const needed = new Set<string>();
  for (const id of stay) {
    const found = await readReceipt(host, layout, id);
    if (found.state === "complete") needed.add(path.join(layout.data, found.receipt.log));
  }
  const removed: Collected[] = [];
  for (const name of await host.files.list(layout.logs)) {
    const folder = path.join(layout.logs, name);
    const files = await host.files.list(folder);
    const stale = files.filter(
      (file, index) => !(left.has(name) && index === files.length - 1) && !needed.has(path.join(folder, file)),
    );
    const goes = !left.has(name);
    if (stale.length === 0 && !goes) continue;
    // Somebody may have begun to build it after the entries were looked at, and be writing its log.
    const lock = dryRun ? null : await lockEntriesNow(context, name);
    if (lock === undefined) continue;
    try {
      for (const file of stale) {
        const target = path.join(folder, file);
        removed.push({ kind: "log", name: `${name}/${file}`, bytes: await measureTree(host, target) });
        if (!dryRun) await removeOwn(host, layout, target);
      }
      if (!dryRun && goes) await removeOwn(host, layout, folder);
    } finally {
      await lock?.release();
    }
  }
  return removed;
}

async function collectDamaged({ host, layout }: StoreContext, dryRun: boolean): Promise<Collected[]> {
  const removed: Collected[] = [];
  for (const name of await host.files.list(layout.damaged)) {
    const file = path.join(layout.damaged, name);
    removed.push({ kind: "temporary", name: `damaged/${name}`, bytes: await measureTree(host, file) });
    if (!dryRun) await removeOwn(host, layout, file);
  }
  if (!dryRun) await removeOwn(host, layout, layout.damaged);
  return removed;
}

async function collectUnlocked(context: StoreContext, options: CollectOptions): Promise<CollectResult> {
  const { host, layout } = context;
  const { dryRun, only } = options;
  const { stay, go } = await splitGenerations(context, options);
  // Before any generation goes: a process may only be known by the launcher that it was started through.
  const inUse = await findEntriesInUse(host, layout);
  const removed = await collectGenerations(context, go, dryRun);
  const kept: { name: string; why: string }[] = [];
  const left: EntryId[] = [];
  const needed = new Set(stay.flatMap(({ tools }) => tools.map(({ entry }) => entry)));
  for (const id of await listEntryIds(host, layout)) {
    const name = formatEntryId(id);
    if (needed.has(name) || (only !== null && !only.has(id.name))) {
      left.push(id);
      continue;
    }
    const outcome = await collectEntry(context, id, inUse.get(name), dryRun);
    if ("why" in outcome) {
      kept.push(outcome);
      left.push(id);
    } else removed.push(outcome);
  }
  if (only === null) {
    removed.push(...(await collectLogs(context, left, dryRun)), ...(await collectDamaged(context, dryRun)));
  }
  return { removed, kept };
}

/**
 * Remove what no kept generation needs. Nothing that runs, is being built, or is current is touched. Needs no space: it
 * only removes. A dry run takes no lock and writes nothing.
 * @throws IpmError STATE_NEWER when a newer ipm's generation is there, LOCKED, IO_FAILED
 */
export async function collect(context: StoreContext, options: CollectOptions): Promise<CollectResult> {
  if (options.dryRun) return collectUnlocked(context, options);
  return underSwitchLock(context, () => collectUnlocked(context, options));
}
