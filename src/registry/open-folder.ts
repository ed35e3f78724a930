import { IpmError } from "../core/errors.ts";
import type { IndexMeta } from "./index-records.ts";
import { type IndexSet, openSet, readSet } from "./index-set.ts";
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
export async function rootStamp(tree: RegistryTree): Promise<string> {
  const places = [await tree.find(REGISTRY_FILE), await tree.find(PACKAGES)];
  return places.map((place) => place?.stamp ?? "none").join("\n");
}

/** Which folder it is, and which ipm reads it; what follows in a key is what it looked like. No path holds a NUL. */
export function folderPrefix(context: RegistryContext, tree: RegistryTree): string {
  return `${keyOf(context, tree.where)}\0`;
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
    const { indexNow } = await import("./folder-index.ts");
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
        const prefix = folderPrefix(context, tree);
        if (set.key === `${prefix}${await rootStamp(tree)}`) return index;
        // Entries came or went, or registry.yaml changed. Of another folder, or by another ipm, nothing is used.
        if (set.key.startsWith(prefix)) {
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
