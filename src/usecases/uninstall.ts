import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { GenerationEntry } from "../store/generations.ts";
import { listGenerationNumbers, readCurrentNumber, readGeneration } from "../store/generations.ts";
import { layoutOf, profilePaths } from "../store/layout.ts";
import { collect } from "../store/collect.ts";
import { openForWriting, switchGeneration, underSwitchLock } from "../store/store.ts";
import { measureTree } from "../store/seal-tree.ts";
import { type Context, storeOf } from "./context.ts";

export interface UninstallResult {
  readonly generation: number;
  readonly removed: readonly { readonly name: string; readonly version: string }[];
  /** Bytes removed by `--purge`; without it the tree stays for a rollback. */
  readonly purgedBytes: number;
}

function demandAll(names: readonly string[], entries: readonly GenerationEntry[]): GenerationEntry[] {
  return [...new Set(names)].map((name) => {
    const found = entries.find((entry) => entry.name === name);
    if (found !== undefined) return found;
    const near = nearest(
      name,
      entries.map((entry) => entry.name),
      1,
    )[0];
    throw new IpmError("NOT_INSTALLED", `${escapeUntrusted(name)} is not installed`, {
      hint: near === undefined ? "ipm list" : `ipm uninstall ${near}`,
      data: { name },
    });
  });
}

/** Forget the generations before the current one that hold a tool: only so can its trees go. */
async function forgetGenerationsWith(context: Context, names: ReadonlySet<string>): Promise<number> {
  const layout = layoutOf(context.host.homes);
  const files = context.host.files;
  let bytes = 0;
  await underSwitchLock(storeOf(context), async () => {
    const current = await readCurrentNumber(context.host, layout);
    for (const number of await listGenerationNumbers(context.host, layout)) {
      if (number === current) continue;
      const found = await readGeneration(context.host, layout, number);
      if (found.state !== "complete" || !found.generation.entries.some(({ name }) => names.has(name))) continue;
      const paths = profilePaths(layout, number);
      bytes += await measureTree(context.host, paths.root);
      await files.remove(paths.generation);
      await files.remove(paths.root);
    }
  });
  return bytes;
}

/**
 * Take tools off PATH in one generation. Their trees stay for a rollback, unless they are purged: then the earlier
 * generations that hold them go too, with their logs and the data that they kept.
 * @throws IpmError NOT_INSTALLED when one of them is not; nothing is changed then
 */
export async function uninstall(
  context: Context,
  names: readonly string[],
  options: { purge: boolean },
): Promise<UninstallResult> {
  const store = storeOf(context);
  const layout = layoutOf(context.host.homes);
  await openForWriting(store);
  let removed: GenerationEntry[] = [];
  const after = await switchGeneration(store, (current) => {
    removed = demandAll(names, current?.entries ?? []);
    return { entries: (current?.entries ?? []).filter((entry) => !removed.includes(entry)) };
  });
  if (after === null) throw new TypeError("uninstall made no generation");
  let purgedBytes = 0;
  if (options.purge) {
    const gone = new Set(removed.map(({ name }) => name));
    purgedBytes += await forgetGenerationsWith(context, gone);
    const collected = await collect(store, { keep: Number.MAX_SAFE_INTEGER, dryRun: false, only: gone });
    for (const { name, why } of collected.kept) {
      context.emit({ type: "warning", code: "KEPT", message: `${name} stays: ${why}`, hint: "ipm gc" });
    }
    purgedBytes += collected.removed.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const name of gone) {
      for (const folder of [path.join(layout.logs, name), path.join(layout.state, name)]) {
        purgedBytes += await measureTree(context.host, folder);
        await context.host.files.remove(folder);
      }
    }
  }
  return { generation: after.number, removed: removed.map(({ name, version }) => ({ name, version })), purgedBytes };
}
