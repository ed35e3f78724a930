import path from "node:path";
import { IpmError, isIpmError } from "../core/errors.ts";
import type { IndexMeta } from "./index-records.ts";
import type { TreeChange } from "./update-index.ts";
import { type IndexSet, keepLayers, layersInMemory, openSet, readSet, registryCache } from "./index-set.ts";
import { keyOf } from "./index-key.ts";
import { type OpenRegistry, openFrom, plainFile } from "./open-registry.ts";
import type { ConfiguredRegistry } from "./read-config.ts";
import type { RegistryContext } from "./registry-context.ts";
import { type FoundRecord, type RegistryIndex, ownerOf } from "./registry-index.ts";
import {
  PACKAGES,
  REGISTRY_FILE,
  type RegistryTree,
  type TreeFile,
  findRegistryRoot,
  folderTree,
  stampsOf,
} from "./registry-tree.ts";

/** Below this age a file may change again without a sign: two writes in one tick of the clock look the same. */
const RACY_MS = 1_000;
/** Beside the layers: the stamp of every entry, a line each, for what has changed since. */
const STAMPS_FILE = "stamps";

/** @throws IpmError REGISTRY_INVALID when a registry is not the one that it was configured as */
export function checkId(registry: ConfiguredRegistry, meta: Pick<IndexMeta, "id">): void {
  if (meta.id === registry.id) return;
  throw new IpmError(
    "REGISTRY_INVALID",
    `the registry ${registry.id} (${registry.location}) now calls itself "${meta.id}"`,
    {
      hint: `ipm registry remove ${registry.id}, then add it again if that is right`,
      data: { id: registry.id, found: meta.id },
    },
  );
}

/** What is compared at every command, whatever is asked: the registry's own file and the folder of its entries. */
async function rootStamp(tree: RegistryTree): Promise<string> {
  const places = [await tree.find(REGISTRY_FILE), await tree.find(PACKAGES)];
  return places.map((place) => place?.stamp ?? "none").join("\n");
}

/** The first part says which folder it is, and which ipm reads it; the second what it looked like. */
function folderKey(context: RegistryContext, tree: RegistryTree, stamp: string): string {
  return `${keyOf(context, tree.where)}-${keyOf(context, stamp)}`;
}

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
async function indexNow(
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
  const key = folderKey(context, tree, root);
  const { compileIndex } = await import("./compile-index.ts");
  const { updateIndex } = await import("./update-index.ts");
  const options = { key, stamps: true };
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

/**
 * A registry that is a folder. Whatever changes in it is seen by the next command: an entry that is asked for by its name
 * is compared with its own files alone, however many others there are; anything else with those of all entries.
 * @throws IpmError REGISTRY_INVALID when the folder is no registry, or one of another id
 */
export async function openFolder(context: RegistryContext, registry: ConfiguredRegistry): Promise<OpenRegistry> {
  const { files } = context.host;
  const root = await findRegistryRoot(files, registry.location);
  if (root === undefined) {
    throw new IpmError(
      "REGISTRY_INVALID",
      `the registry ${registry.id}: ${registry.location} has no ${REGISTRY_FILE}`,
      {
        hint: `ipm registry remove ${registry.id}`,
        data: { id: registry.id, path: registry.location },
      },
    );
  }
  const tree = folderTree(files, root);
  let set: IndexSet | undefined;

  const isCurrent = async (found: readonly FoundRecord[]): Promise<boolean> => {
    for (const { record } of found) {
      const owner = ownerOf(record);
      if (owner === undefined || !("stamp" in record)) continue;
      const listed: readonly TreeFile[] = await tree.list([owner]);
      if (stampsOf(listed).get(owner) !== record.stamp) return false;
    }
    return true;
  };
  // The whole folder is compared once in a process.
  let isSettled = false;
  const settle = async (previous: { index: RegistryIndex; set: IndexSet } | undefined): Promise<RegistryIndex> => {
    const index = await indexNow(context, registry, tree, previous);
    isSettled = true;
    return index;
  };
  return openFrom(
    {
      open: async () => {
        set = await readSet(context, registry.id);
        const index = set === undefined ? undefined : openSet(context, registry.id, set);
        if (set === undefined || index === undefined) return undefined;
        const now = folderKey(context, tree, await rootStamp(tree));
        if (set.key === now) return index;
        // Entries came or went, or registry.yaml changed. Of another folder, or by another ipm, nothing is used.
        if (set.key.split("-")[0] === now.split("-")[0]) {
          const fresh = await settle({ index, set });
          if (fresh !== index) index.close();
          return fresh;
        }
        index.close();
        return undefined;
      },
      rebuild: async () => settle(undefined),
      isCurrent,
      refresh: async (index) => (isSettled || set === undefined ? index : settle({ index, set })),
    },
    {
      id: registry.id,
      kind: "folder",
      location: registry.location,
      file: async (file) => plainFile(files, root, file),
    },
  );
}
