import path from "node:path";
import { IpmError, isIpmError } from "../core/errors.ts";
import type { Files } from "../core/host.ts";
import { type ToolName, isToolName } from "../core/ids.ts";
import type { IndexMeta } from "./index-records.ts";
import { IndexDamaged, IndexFile } from "./index-file.ts";
import type { KeyKind } from "./name-table.ts";
import { type FoundRecord, RegistryIndex, ownerOf } from "./registry-index.ts";
import { EMBEDDED_INDEX } from "./registry-places.ts";
import { folderTree } from "./registry-tree.ts";
import type { SearchResult } from "./search-reader.ts";

// Every look-up comes through here, so nothing is imported that loads a parser, a schema or node:crypto.

/** A registry whose index can be read. */
export interface OpenRegistry {
  readonly id: ToolName;
  readonly kind: "embedded" | "folder" | "git" | "static";
  /** The folder or URL. */
  readonly location: string;
  readonly meta: IndexMeta;
  /** Everything that is known under this very text, best kind first. */
  find(key: string, kinds: readonly KeyKind[]): Promise<readonly FoundRecord[]>;
  /**
   * The best entries for some words. Of a folder what is shown is what the files say now; an entry that nobody asked for
   * since its files changed may be missing for a bounded time.
   */
  search(words: string, limit: number): Promise<readonly SearchResult[]>;
  /**
   * Read from the index. One that turns out to be damaged is thrown away and built again, once. `read` must be repeatable.
   */
  read<T>(read: (index: RegistryIndex) => T | Promise<T>): Promise<T>;
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
  readonly open: () => Promise<RegistryIndex | undefined>;
  readonly rebuild: (reason: string) => Promise<RegistryIndex>;
  /** Of a folder: whether entries still look as they did when they were compiled, by name. Default: always. */
  readonly isCurrent?: (stamps: ReadonlyMap<string, string>) => Promise<boolean>;
  /** Of a folder: whether all of its files were compared so lately that others than those found need not be. */
  readonly isFresh?: (meta: IndexMeta) => boolean;
  /** Of a folder: the index as the files are now; called once, when what was found cannot be relied on. */
  readonly refresh?: (index: RegistryIndex) => Promise<RegistryIndex>;
}

function metaOf({ meta }: RegistryIndex): IndexMeta {
  const { id, name, sequence, key, entries } = meta;
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

/** What cannot be read (a folder in its place, the file of another user) is as good as damaged. */
function damageOf(error: unknown): string {
  if (!(error instanceof IndexDamaged) && !isIpmError(error, "IO_FAILED")) throw error;
  return error.message;
}

function stampsOfRecords(found: readonly FoundRecord[]): Map<string, string> {
  const stamps = new Map<string, string>();
  for (const { record } of found) {
    const owner = ownerOf(record);
    if (owner !== undefined && "stamp" in record && record.stamp !== undefined) stamps.set(owner, record.stamp);
  }
  return stamps;
}

function stampsOfHits(hits: readonly SearchResult[]): Map<string, string> {
  return new Map(hits.flatMap(({ name, stamp }) => (stamp === undefined ? [] : [[name, stamp]])));
}

/** Open an index, building it when it is missing or damaged, now or while it is read. */
export async function openFrom(
  source: IndexSource,
  rest: Pick<OpenRegistry, "kind" | "location" | "file"> & { readonly id: ToolName | null },
): Promise<OpenRegistry> {
  let current: RegistryIndex | undefined;
  let meta: IndexMeta | undefined;
  let reason = "is missing";
  try {
    current = await source.open();
    meta = current === undefined ? undefined : metaOf(current);
  } catch (error) {
    reason = damageOf(error);
    current?.close();
    current = undefined;
  }
  let index = current ?? (await source.rebuild(reason));
  let known = meta ?? metaOf(index);
  let isRefreshed = source.refresh === undefined;

  const replaceBy = (next: RegistryIndex): void => {
    if (next === index) return;
    index.close();
    index = next;
    known = metaOf(index);
  };
  const attempt = async <T>(read: (index: RegistryIndex) => T | Promise<T>): Promise<T> => {
    try {
      return await read(index);
    } catch (error) {
      if (!(error instanceof IndexDamaged)) throw error;
      replaceBy(await source.rebuild(error.message));
      return read(index);
    }
  };
  const refresh = async (): Promise<void> => {
    if (isRefreshed) return;
    isRefreshed = true;
    replaceBy(await attempt(async (before) => source.refresh?.(before) ?? before));
  };
  const isCurrent = async (stamps: ReadonlyMap<string, string>): Promise<boolean> =>
    isRefreshed || stamps.size === 0 || ((await source.isCurrent?.(stamps)) ?? true);
  const isFresh = (): boolean => source.isFresh?.(known) ?? true;
  return {
    ...rest,
    id: rest.id ?? known.id,
    get meta() {
      return known;
    },
    find: async (key, kinds) => {
      const look = (): Promise<FoundRecord[]> => attempt((opened) => opened.find(key, kinds));
      // A repository may be claimed by an entry that nobody looked at yet; a name is its folder's.
      if (!isRefreshed && !kinds.includes("name") && !isFresh()) await refresh();
      const found = await look();
      // What is not there may be said by a file that nobody looked at yet.
      if (isRefreshed || (found.length > 0 && (await isCurrent(stampsOfRecords(found))))) return found;
      await refresh();
      return look();
    },
    search: async (words, limit) => {
      const look = (): Promise<SearchResult[]> => attempt((opened) => opened.search(words, limit));
      if (!isRefreshed && !isFresh()) await refresh();
      const hits = await look();
      if (await isCurrent(stampsOfHits(hits))) return hits;
      await refresh();
      return look();
    },
    read: async (read) => {
      await refresh();
      return attempt(read);
    },
    close: () => index.close(),
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
      open: async () => {
        const opened = files.openForReading(file);
        return opened === undefined ? undefined : new RegistryIndex([new IndexFile(opened)]);
      },
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
