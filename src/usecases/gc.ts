import { type CollectResult, type Collected, collect } from "../store/collect.ts";
import { openForWriting } from "../store/recover.ts";
import { collectBuildCaches } from "./build-cache.ts";
import { collectDownloads } from "./collect-downloads.ts";
import { type CollectedSource, collectSources } from "./collect-sources.ts";
import { type Context, storeOf } from "./context.ts";

export interface GcResult {
  readonly removed: readonly (Collected | CollectedSource)[];
  readonly kept: CollectResult["kept"];
  /** Bytes given back, or that would be. */
  readonly bytes: number;
  readonly dryRun: boolean;
}

/**
 * Collect garbage: entries, profiles and logs that neither the current generation nor the `keep` generations before it
 * need, and what is stale in the cache: git stores, downloads, build caches. What runs right now is kept and named.
 */
export async function collectGarbage(context: Context, options: { keep: number; dryRun: boolean }): Promise<GcResult> {
  const store = storeOf(context);
  // A dry run repairs nothing: it changes nothing.
  if (!options.dryRun) await openForWriting(store);
  const { removed: own, kept } = await collect(store, { ...options, only: null });
  const removed = [
    ...own,
    ...(await collectSources(context, options.dryRun)),
    ...(await collectDownloads(context, options.dryRun)),
    ...(await collectBuildCaches(context, options.dryRun)),
  ];
  return { removed, kept, bytes: removed.reduce((sum, { bytes }) => sum + bytes, 0), dryRun: options.dryRun };
}
