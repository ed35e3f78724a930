import path from "node:path";
import { isIpmError } from "../core/errors.ts";
import { compileIndex } from "./compile-index.ts";
import { keyOf } from "./index-key.ts";
import type { IndexMeta } from "./index-records.ts";
import type { IndexSet } from "./index-set.ts";
import { keepLayers, layersInMemory } from "./keep-layers.ts";
import { checkId, folderPrefix, rootStamp } from "./open-folder.ts";
import type { ConfiguredRegistry } from "./read-config.ts";
import type { RegistryContext } from "./registry-context.ts";
import type { RegistryIndex } from "./registry-index.ts";
import { registryCache } from "./registry-places.ts";
import { PACKAGES, type RegistryTree, stampsOf } from "./registry-tree.ts";
import { type TreeChange, updateIndex } from "./update-index.ts";

/** Below this age a file may change again without a sign: two writes in one tick of the clock look the same. */
const RACY_MS = 1_000;
/** Beside the layers: the stamp of every entry, a line each, for what has changed since. */
const STAMPS_FILE = "stamps";

function parseStamps(text: string): Map<string, string> {
  const stamps = new Map<string, string>();
  for (const line of text.split("\n")) {
    const tab = line.indexOf("\t");
    if (tab > 0) stamps.set(line.slice(0, tab), line.slice(tab + 1));
  }
  return stamps;
}

function changesBetween(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): TreeChange {
  const names = new Set<string>();
  for (const [name, stamp] of now) if (before.get(name) !== stamp) names.add(name);
  for (const name of before.keys()) if (!now.has(name)) names.add(name);
  return { names, all: false };
}

/** The index of a folder as its files are now: what has changed is compiled anew, and kept if it can be relied on. */
export async function indexNow(
  context: RegistryContext,
  registry: ConfiguredRegistry,
  tree: RegistryTree,
  previous: { readonly index: RegistryIndex; readonly set: IndexSet } | undefined,
): Promise<RegistryIndex> {
  const { files } = context.host;
  const root = await rootStamp(tree);
  const listed = await tree.list();
  const once: RegistryTree = { ...tree, list: async (names) => (names === undefined ? listed : tree.list(names)) };
  const stamps = stampsOf(listed);
  const stampsFile = path.join(registryCache(context, registry.id), STAMPS_FILE);
  const key = `${folderPrefix(context, tree)}${root}`;
  const options = { key: keyOf(context, root), stamps: true };
  const before = previous === undefined ? undefined : await files.readText(stampsFile);
  let updated: { meta: IndexMeta; kept: number; bytes: Uint8Array | null } | undefined;
  if (previous !== undefined && before !== undefined) {
    const change = changesBetween(parseStamps(before), stamps);
    if (change.names.size === 0 && previous.set.key === key) return previous.index;
    updated = await updateIndex(once, previous.index, change, options);
  }
  if (updated === undefined) {
    const { meta, bytes } = await compileIndex(once, options);
    updated = { meta, kept: 0, bytes };
  }
  checkId(registry, updated.meta);
  const kept = previous?.set.layers.slice(0, updated.kept) ?? [];
  const newest = [...listed, await tree.find(PACKAGES)].reduce((last, file) => Math.max(last, file?.changedMs ?? 0), 0);
  if (Math.abs(context.host.now().getTime() - newest) < RACY_MS)
    return layersInMemory(context, registry.id, kept, updated.bytes);
  const index = await keepLayers(context, registry.id, key, kept, updated.bytes);
  try {
    await files.writeDurably(stampsFile, [...stamps].map(([name, stamp]) => `${name}\t${stamp}\n`).join(""));
  } catch (error) {
    if (!isIpmError(error, "IO_FAILED") && !isIpmError(error, "DISK_FULL")) throw error;
  }
  return index;
}
