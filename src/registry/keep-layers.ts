import path from "node:path";
import { sha256Hex } from "../core/canonical-json.ts";
import type { ToolName } from "../core/ids.ts";
import { IndexDamaged, IndexFile, bytesAsFile } from "./index-file.ts";
import { type IndexSet, openSet, readSet } from "./index-set.ts";
import type { RegistryContext } from "./registry-context.ts";
import { RegistryIndex } from "./registry-index.ts";
import { registryCache, setFile } from "./registry-places.ts";
import { writeToCache } from "./write-to-cache.ts";

// What writes to the cache is apart from what reads it (index-set.ts): a look-up loads no more than it needs.

/** The name of a layer's file in the cache. @param sha256 of its bytes */
export function layerFile(sha256: string): string {
  return `${sha256.slice(0, 24)}.index`;
}

/** Remove the layers that are not among these. */
export async function removeOtherLayers(
  context: RegistryContext,
  id: ToolName,
  layers: readonly string[],
): Promise<void> {
  const { files } = context.host;
  const folder = registryCache(context, id);
  for (const other of await files.list(folder)) {
    // Somebody who has an older one open goes on reading it; who opens it now builds it again.
    if (other.endsWith(".index") && !layers.includes(other)) await files.remove(path.join(folder, other));
  }
}

/** From now on look-ups use these layers, which are there. */
async function writeSet(context: RegistryContext, id: ToolName, set: IndexSet): Promise<void> {
  await context.host.files.writeDurably(setFile(context, id), `${JSON.stringify(set)}\n`);
}

/**
 * Say that all files of a folder were compared with its index and had not changed. One that somebody else has replaced
 * meanwhile is left alone; a cache that cannot be written to is no reason to fail.
 */
export async function noteCompared(
  context: RegistryContext,
  id: ToolName,
  set: IndexSet,
  comparedMs: number,
): Promise<void> {
  const now = await readSet(context, id);
  if (now?.key !== set.key || now.layers.join() !== set.layers.join()) return;
  await writeToCache(async () => {
    await writeSet(context, id, { ...set, comparedMs });
  });
}

/**
 * Put a new layer on top of some of the cache's and open what results; a cache that cannot be written to is no reason to
 * fail.
 * @throws IndexDamaged when one of the layers below has gone
 * @param kept file names of the layers below, in the cache
 * @param bytes the new layer, or null for none
 * @param more of a folder: `IndexSet.comparedMs`, and what is written before the set, which is told the names of its layers
 */
export async function keepLayers(
  context: RegistryContext,
  id: ToolName,
  key: string,
  kept: readonly string[],
  bytes: Uint8Array | null,
  more: { readonly comparedMs?: number; readonly before?: (layers: readonly string[]) => Promise<void> } = {},
): Promise<RegistryIndex> {
  const { files } = context.host;
  const folder = registryCache(context, id);
  const added = bytes === null ? [] : [layerFile(sha256Hex(bytes))];
  const { comparedMs, before } = more;
  const set: IndexSet = { key, layers: [...kept, ...added], ...(comparedMs === undefined ? {} : { comparedMs }) };
  await writeToCache(async () => {
    await files.createFolder(folder);
    for (const name of added) await files.writeDurably(path.join(folder, name), bytes ?? "");
    await before?.(set.layers);
    await writeSet(context, id, set);
    await removeOtherLayers(context, id, set.layers);
  });
  return layersInMemory(context, id, kept, bytes);
}

/** Layers of the cache with a new one on top that is written nowhere. */
export function layersInMemory(
  context: RegistryContext,
  id: ToolName,
  kept: readonly string[],
  bytes: Uint8Array | null,
): RegistryIndex {
  const below = kept.length === 0 ? undefined : openSet(context, id, { key: "", layers: kept });
  if (kept.length > 0 && below === undefined) throw new IndexDamaged("has lost a layer");
  const top = bytes === null ? [] : [new IndexFile(bytesAsFile(bytes))];
  return new RegistryIndex([...(below?.layers ?? []).map(({ index }) => index), ...top]);
}
