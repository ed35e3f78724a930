import { IpmError } from "../core/errors.ts";
import { type IndexSet, openSet, readSet } from "./index-set.ts";
import { folderPrefix } from "./index-key.ts";
import { type OpenRegistry, openFrom, plainFile } from "./open-registry.ts";
import type { ConfiguredRegistry } from "./read-config.ts";
import type { RegistryContext } from "./registry-context.ts";
import type { RegistryIndex } from "./registry-index.ts";
import { REGISTRY_FILE, findRegistryRoot, folderTree, rootStamp, stampsOf } from "./registry-tree.ts";

/**
 * How long a search, and a look-up by repository, may go without looking at entries that they do not find: comparing all
 * takes time with their number.
 * @returns milliseconds: a second for each full hundred entries, ten minutes at most
 */
function freshMs(entries: number): number {
  return Math.min(10 * 60 * 1_000, Math.floor(entries / 100) * 1_000);
}

/**
 * A registry that is a folder. Entries that came, went or were renamed, and changes of `registry.yaml`, are seen by every
 * command. Whatever is found is compared with its own files, however many others there are, so that nothing is installed,
 * planned or shown that the files do not say. That one of the others has changed, so that it would be found too, is seen
 * when all are compared: at each look-up of a name that is not there, at each update, and at the first search after a
 * while (`freshMs`).
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

  // The whole folder is compared once in a process.
  let isSettled = false;
  const settle = async (previous: { index: RegistryIndex; set: IndexSet } | undefined): Promise<RegistryIndex> => {
    const { formatStamps, readStamps, seeFolder } = await import("./see-folder.ts");
    const seen = await seeFolder(context, tree);
    isSettled = true;
    if (previous !== undefined && previous.set.key === `${folderPrefix(context, tree)}${seen.root}`) {
      const before = await readStamps(context, registry, previous.set);
      if (before === formatStamps(previous.set.layers, seen.stamps)) {
        if (freshMs(Number(previous.index.meta["entries"])) > 0) {
          const { noteCompared } = await import("./keep-layers.ts");
          await noteCompared(context, registry.id, previous.set, seen.atMs);
        }
        return previous.index;
      }
    }
    const { indexFolder } = await import("./folder-index.ts");
    return (await indexFolder(context, registry, tree, seen, previous)).index;
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
      isCurrent: async (stamps) => {
        const now = stampsOf(await tree.list([...stamps.keys()]));
        return [...stamps].every(([name, stamp]) => now.get(name) === stamp);
      },
      isFresh: ({ entries }) => {
        const age = context.host.now().getTime() - (set?.comparedMs ?? 0);
        // A clock that was set back makes no comparison last longer.
        return age >= 0 && age < freshMs(entries);
      },
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
