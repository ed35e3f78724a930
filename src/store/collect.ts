import path from "node:path";
import type { Host } from "../core/host.ts";
import { type Generation, listGenerationNumbers, readCurrentNumber, readGeneration } from "./generations.ts";
import { type EntryId, type Layout, entryPaths, formatEntryId, profilePaths } from "./layout.ts";
import { listEntryIds } from "./receipts.ts";
import { measureTree } from "./seal-tree.ts";
import { type StoreContext, discardEntry, lockEntriesNow, underSwitchLock } from "./store.ts";

/** Something that garbage collection removed or would remove; sizes are bytes. */
export interface Collected {
  readonly kind: "entry" | "generation" | "log";
  readonly name: string;
  readonly bytes: number;
}

export interface CollectOptions {
  /** How many generations before the current one are kept, with everything in them. */
  readonly keep: number;
  readonly dryRun: boolean;
  /** Collect entries of these tools only, and drop them from no generation; null: of all tools. */
  readonly only: ReadonlySet<string> | null;
}

export interface CollectResult {
  readonly removed: readonly Collected[];
  /** What would have been garbage and stays: it is running, or being built. */
  readonly kept: readonly { readonly name: string; readonly why: string }[];
}

/** Numbers of the generations that stay: the current one and the newest `keep` before it. */
async function keptGenerations(host: Host, layout: Layout, keep: number): Promise<Set<number>> {
  const current = await readCurrentNumber(host, layout);
  const older = (await listGenerationNumbers(host, layout)).filter((number) => number !== current);
  const kept = new Set(keep === 0 ? [] : older.slice(-keep));
  if (current !== null) kept.add(current);
  return kept;
}

async function generationsOf(host: Host, layout: Layout, numbers: Iterable<number>): Promise<Generation[]> {
  const generations: Generation[] = [];
  for (const number of numbers) {
    const found = await readGeneration(host, layout, number);
    if (found.state === "complete") generations.push(found.generation);
  }
  return generations;
}

/** Why an entry must stay although no kept generation needs it, or undefined. */
function whyRunning(host: Host, root: string): string | undefined {
  const user = host.runningProcesses().find(({ text }) => text.includes(`${root}/`));
  return user === undefined ? undefined : `process ${user.pid} is running it`;
}

async function collectEntry(
  context: StoreContext,
  id: EntryId,
  dryRun: boolean,
): Promise<Collected | { name: string; why: string }> {
  const { host, layout } = context;
  const root = entryPaths(layout, id).root;
  const name = formatEntryId(id);
  const lock = await lockEntriesNow(context, id.name);
  if (lock === undefined) return { name, why: "it is being built or switched right now" };
  try {
    const why = whyRunning(host, root);
    if (why !== undefined) return { name, why };
    const bytes = await measureTree(host, root);
    if (!dryRun) {
      await discardEntry(context, id);
      context.host.checkpoint("collect.entry");
    }
    return { kind: "entry", name, bytes };
  } finally {
    await lock.release();
  }
}

/** Logs of tools that no entry is left of, but the newest of each tool that is: a failed build is still to be read. */
async function collectLogs(context: StoreContext, gone: ReadonlySet<string>, dryRun: boolean): Promise<Collected[]> {
  const { host, layout } = context;
  const removed: Collected[] = [];
  for (const name of await host.files.list(layout.logs)) {
    const folder = path.join(layout.logs, name);
    const files = await host.files.list(folder);
    for (const file of gone.has(name) ? files : files.slice(0, -1)) {
      const target = path.join(folder, file);
      const bytes = (await host.files.facts(target))?.size ?? 0;
      if (!dryRun) await host.files.remove(target);
      removed.push({ kind: "log", name: `${name}/${file}`, bytes });
    }
    if (!dryRun && (await host.files.list(folder)).length === 0) await host.files.remove(folder);
  }
  return removed;
}

/**
 * Remove what no kept generation needs. Nothing that runs, is being built, or is current is touched. Needs no space:
 * it only removes.
 */
export async function collect(context: StoreContext, options: CollectOptions): Promise<CollectResult> {
  const { host, layout } = context;
  return underSwitchLock(context, async () => {
    const removed: Collected[] = [];
    const kept: { name: string; why: string }[] = [];
    const keep = await keptGenerations(host, layout, options.keep);
    if (options.only === null) {
      for (const number of await listGenerationNumbers(host, layout)) {
        if (keep.has(number)) continue;
        const paths = profilePaths(layout, number);
        const bytes = await measureTree(host, paths.root);
        if (!options.dryRun) {
          // First the file that makes it count: a kill in between leaves garbage.
          await host.files.remove(paths.generation);
          await host.files.remove(paths.root);
        }
        removed.push({ kind: "generation", name: String(number), bytes });
      }
    }
    const needed = new Set(
      (await generationsOf(host, layout, keep)).flatMap(({ entries }) => entries.map(({ entry }) => entry)),
    );
    for (const id of await listEntryIds(host, layout)) {
      if (needed.has(formatEntryId(id)) || (options.only !== null && !options.only.has(id.name))) continue;
      const outcome = await collectEntry(context, id, options.dryRun);
      if ("why" in outcome) kept.push(outcome);
      else removed.push(outcome);
    }
    const left = new Set((await listEntryIds(host, layout)).map(({ name }) => name as string));
    const gone = new Set((await host.files.list(layout.logs)).filter((name) => !left.has(name)));
    if (options.only === null) removed.push(...(await collectLogs(context, gone, options.dryRun)));
    return { removed, kept };
  });
}
