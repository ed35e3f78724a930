import type { Finding } from "../manifest/finding.ts";
import { compileIndex } from "./compile-index.ts";
import { folderPrefix, keyOf } from "./index-key.ts";
import type { IndexMeta } from "./index-records.ts";
import type { IndexSet } from "./index-set.ts";
import { keepLayers, layersInMemory } from "./keep-layers.ts";
import { type ConfiguredRegistry, checkId } from "./read-config.ts";
import type { RegistryContext } from "./registry-context.ts";
import type { RegistryIndex } from "./registry-index.ts";
import { PACKAGES, type RegistryTree } from "./registry-tree.ts";
import { type SeenFolder, formatStamps, readStamps, stampsFile } from "./see-folder.ts";
import { type TreeChange, updateIndex } from "./update-index.ts";

/** Below this age when it is looked at, a file may change again without a sign: two writes in one tick look the same. */
const RACY_MS = 1_000;

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

export interface FolderIndex {
  readonly index: RegistryIndex;
  readonly meta: IndexMeta;
  /** What is wrong with the entries that were read. */
  readonly findings: readonly Finding[];
}

/**
 * The index of a folder as its files were seen: what has changed is compiled anew, and kept if it can be relied on.
 * @param previous the index in the cache, if it is of this folder
 * @throws IpmError REGISTRY_INVALID when the folder is no registry, or one of another id
 */
export async function indexFolder(
  context: RegistryContext,
  registry: ConfiguredRegistry,
  tree: RegistryTree,
  { atMs, root, listed, stamps }: SeenFolder,
  previous: { readonly index: RegistryIndex; readonly set: IndexSet } | undefined,
): Promise<FolderIndex> {
  const { files } = context.host;
  const once: RegistryTree = { ...tree, list: async (names) => (names === undefined ? listed : tree.list(names)) };
  const options = { key: keyOf(context, root), stamps: true };
  const before = previous === undefined ? undefined : await readStamps(context, registry, previous.set);
  const updated =
    previous === undefined || before === undefined
      ? undefined
      : await updateIndex(once, previous.index, changesBetween(parseStamps(before), stamps), options);
  const { meta, findings, bytes, kept } = updated ?? { ...(await compileIndex(once, options)), kept: 0 };
  checkId(registry, meta);
  const below = previous?.set.layers.slice(0, kept) ?? [];
  const newest = [...listed, await tree.find(PACKAGES)].reduce((last, file) => Math.max(last, file?.changedMs ?? 0), 0);
  // Files from the future, by another machine's clock, are taken for as good as old ones.
  if (newest > atMs - RACY_MS && newest < context.host.now().getTime() + RACY_MS)
    return { meta, findings, index: layersInMemory(context, registry.id, below, bytes) };
  const index = await keepLayers(context, registry.id, `${folderPrefix(context, tree)}${root}`, below, bytes, {
    comparedMs: atMs,
    before: async (layers) => files.writeDurably(stampsFile(context, registry), formatStamps(layers, stamps)),
  });
  return { meta, findings, index };
}
