import path from "node:path";
import { IpmError, isIpmError } from "../core/errors.ts";
import type { Files } from "../core/host.ts";
import { type ToolName, isToolName } from "../core/ids.ts";
import type { IndexMeta } from "./compile-index.ts";
import { IndexDamaged, IndexFile } from "./index-file.ts";
import { EMBEDDED_INDEX, EMBEDDED_KEY, folderTree } from "./registry-tree.ts";

// Every look-up comes through here, so nothing is imported that loads a parser, a schema or node:crypto.

/** A registry whose index can be read. */
export interface OpenRegistry {
  readonly id: ToolName;
  readonly kind: "embedded" | "folder" | "git";
  /** The folder or URL. */
  readonly location: string;
  readonly meta: IndexMeta;
  /**
   * Read from the index. An index that turns out to be damaged is thrown away and built again, once.
   * `read` must be repeatable.
   */
  read<T>(read: (index: IndexFile) => T): Promise<T>;
  /**
   * Absolute path of a file of the registry, such as a bundle, or undefined when it holds no such plain file.
   * `file` is a relative path that stays inside.
   */
  file(file: string): Promise<string | undefined>;
  close(): void;
}

/** Where an open registry's index comes from. */
export interface IndexSource {
  /** The index as it is, or undefined when there is none. May throw `IndexDamaged`. */
  readonly open: () => IndexFile | undefined;
  readonly rebuild: (reason: string) => Promise<IndexFile>;
}

function metaOf(index: IndexFile): IndexMeta {
  const { id, name, sequence, key, entries } = index.meta;
  if (
    typeof id !== "string" ||
    !isToolName(id) ||
    typeof name !== "string" ||
    typeof sequence !== "number" ||
    typeof key !== "string" ||
    typeof entries !== "number"
  ) {
    throw new IndexDamaged("has a garbled description");
  }
  return { id, name, sequence, key, entries };
}

/** Open an index file; undefined when it is missing or was made from something else. @throws IndexDamaged */
export function openIndex(files: Files, file: string, key: string): IndexFile | undefined {
  const opened = files.openForReading(file);
  if (opened === undefined) return undefined;
  const index = new IndexFile(opened);
  if (index.meta["key"] === key) return index;
  index.close();
  return undefined;
}

/** Open an index, building it when it is missing or damaged, now or while it is read. */
export async function openFrom(
  source: IndexSource,
  rest: Pick<OpenRegistry, "kind" | "location" | "file"> & { readonly id: ToolName | null },
): Promise<OpenRegistry> {
  let index: IndexFile | undefined;
  let reason = "is missing";
  try {
    index = source.open();
  } catch (error) {
    // What cannot be read (a folder in its place, the file of another user) is as good as damaged.
    if (!(error instanceof IndexDamaged) && !isIpmError(error, "IO_FAILED")) throw error;
    reason = error.message;
  }
  index ??= await source.rebuild(reason);
  const meta = metaOf(index);
  let current = index;
  return {
    ...rest,
    id: rest.id ?? meta.id,
    meta,
    read: async (read) => {
      try {
        return read(current);
      } catch (error) {
        if (!(error instanceof IndexDamaged)) throw error;
        current.close();
        current = await source.rebuild(error.message);
        return read(current);
      }
    },
    close: () => current.close(),
  };
}

/**
 * The registry that ships with ipm.
 * @throws IpmError REGISTRY_INVALID when its index is missing or damaged: ipm itself is, then
 */
export async function openEmbedded(files: Files, folder: string): Promise<OpenRegistry> {
  const file = path.join(folder, EMBEDDED_INDEX);
  return openFrom(
    {
      open: () => openIndex(files, file, EMBEDDED_KEY),
      rebuild: (reason) => {
        throw new IpmError("REGISTRY_INVALID", `the registry that ships with ipm cannot be read: ${file}: ${reason}`, {
          hint: "install ipm again (in a checkout: npm run build)",
          data: { path: file },
        });
      },
    },
    { id: null, kind: "embedded", location: folder, file: async (name) => plainFile(files, folder, name) },
  );
}

/** The absolute path of a plain file below a registry's root, no links on the way; undefined when there is none. */
export async function plainFile(files: Files, root: string, file: string): Promise<string | undefined> {
  return (await folderTree(files, root).find(file))?.kind === "file" ? path.join(root, file) : undefined;
}
