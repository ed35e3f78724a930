import path from "node:path";
import { type GitStore, storeOf as gitStoreOf } from "../source/git-store.ts";
import { layoutOf } from "../store/layout.ts";
import { acquireLockNow } from "../store/locks.ts";
import { listEntryIds, readReceipt } from "../store/receipts.ts";
import { measureTree } from "../store/seal-tree.ts";
import { listWorkspaces } from "../store/workspaces.ts";
import type { Context } from "./context.ts";
import { sourceContext } from "./source-context.ts";

/** A git store that was not fetched into for this long, and that nothing installed came from, is stale. */
const STALE_MS = 30 * 24 * 60 * 60 * 1000;
const STORE_KEY = /^[0-9a-f]{24}$/u;

/** A git store of the cache; `name` is its folder's. */
export interface CollectedSource {
  readonly kind: "source";
  readonly name: string;
  readonly bytes: number;
}

/** Folders of the git stores that entries of the store came from; a bundle is at hand anyway. */
async function storesInUse(context: Context): Promise<Set<string>> {
  const layout = layoutOf(context.host.homes);
  const used = new Set<string>();
  for (const { plan } of await listWorkspaces(context.host, layout))
    used.add(gitStoreOf(sourceContext(context), plan.origin.source).folder);
  for (const id of await listEntryIds(context.host, layout)) {
    const found = await readReceipt(context.host, layout, id);
    if (found.state !== "complete") continue;
    const { source } = found.receipt.plan.origin;
    for (const identity of [source, `folder:${source}`]) used.add(gitStoreOf(sourceContext(context), identity).folder);
  }
  return used;
}

/** Remove stale git stores from the cache; all of it can be fetched again. One that is locked stays. */
export async function collectSources(context: Context, dryRun: boolean): Promise<CollectedSource[]> {
  const { files, homes } = context.host;
  const removed: CollectedSource[] = [];
  const stale: (GitStore & { readonly name: string })[] = [];
  for (const name of await files.list(path.join(homes.cache, "git"))) {
    const folder = path.join(homes.cache, "git", name);
    const facts = STORE_KEY.test(name) ? await files.facts(folder) : undefined;
    if (facts?.kind !== "folder") continue;
    // What a fetch writes last are the pins.
    const fetched = (await files.facts(path.join(folder, "refs/pins")))?.changedMs ?? facts.changedMs;
    if (context.host.now().getTime() - fetched > STALE_MS) stale.push({ name, folder, lock: `git-${name}` });
  }
  if (stale.length === 0) return removed;
  const used = await storesInUse(context);
  for (const { name, folder, lock: lockName } of stale) {
    if (used.has(folder)) continue;
    const bytes = await measureTree(context.host, folder);
    if (!dryRun) {
      const lock = await acquireLockNow(context.host, path.join(homes.cache, "locks"), lockName, context.command);
      if (lock === undefined) continue;
      try {
        await files.remove(folder);
      } finally {
        await lock.release();
      }
    }
    removed.push({ kind: "source", name, bytes });
  }
  return removed;
}
