import path from "node:path";
import { layoutOf } from "../store/layout.ts";
import { listEntryIds, readReceipt } from "../store/receipts.ts";
import type { CollectedSource } from "./collect-sources.ts";
import type { Context } from "./context.ts";

/** A download that is so old, and that nothing installed came from, is stale. */
const STALE_MS = 30 * 24 * 60 * 60 * 1000;
/** No download takes a day: whoever began this one has ended. */
const PARTIAL_MS = 24 * 60 * 60 * 1000;

/** Remove stale downloads and unfinished ones from the cache; all of it can be fetched again. */
export async function collectDownloads(context: Context, dryRun: boolean): Promise<CollectedSource[]> {
  const { files, homes } = context.host;
  const now = context.host.now().getTime();
  const folder = path.join(homes.cache, "downloads");
  const names = await files.list(folder);
  if (names.length === 0) return [];
  const layout = layoutOf(homes);
  const used = new Set<string>();
  for (const id of await listEntryIds(context.host, layout)) {
    const found = await readReceipt(context.host, layout, id);
    if (found.state !== "complete") continue;
    for (const { sha256 } of found.receipt.plan.what.downloads ?? []) used.add(sha256);
  }
  const removed: CollectedSource[] = [];
  for (const name of names) {
    const file = path.join(folder, name);
    const facts = await files.facts(file);
    const limit = name.endsWith(".partial") ? PARTIAL_MS : STALE_MS;
    if (facts?.kind !== "file" || used.has(name) || now - facts.changedMs <= limit) continue;
    if (!dryRun) await files.remove(file);
    removed.push({ kind: "source", name: `downloads/${name.slice(0, 12)}`, bytes: facts.size });
  }
  return removed;
}
