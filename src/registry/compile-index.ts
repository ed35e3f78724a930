import type { Finding } from "../manifest/finding.ts";
import type { RegistryFile } from "../manifest/schema.ts";
import { encodeLayer, layerMeta } from "./encode-layer.ts";
import type { FileRecord, IndexMeta } from "./index-records.ts";
import { type Candidate, accept, readEntries, readRegistryFile } from "./registry-entries.ts";
import { type RegistryTree, manifestPath } from "./registry-tree.ts";
import type { NamedEntry } from "./similar-names.ts";

export interface CompileOptions {
  /** What the index is made from, for `IndexMeta.key`. */
  readonly key: string;
  /** Records carry what their files looked like (`EntryRecord.stamp`). Default: false. */
  readonly stamps?: boolean;
  /** The index also says what the files that entries need hold; called with paths below the root. Default: it does not. */
  readonly describe?: (paths: readonly string[]) => Promise<ReadonlyMap<string, FileRecord>>;
}

export interface CompiledIndex {
  readonly meta: IndexMeta;
  readonly bytes: Uint8Array;
  /** Everything that is wrong, in the order of paths. Entries with errors are left out. */
  readonly findings: readonly Finding[];
  /** Paths of the bundles and locks that the entries need, sorted. */
  readonly needed: readonly string[];
  /** Every entry with its names, in the order of names. */
  readonly named: readonly NamedEntry[];
  readonly registry: RegistryFile;
}

const NOTHING_TO_DESCRIBE: ReadonlyMap<string, FileRecord> = new Map();

export async function describeFiles(
  { describe }: CompileOptions,
  candidates: readonly Candidate[],
): Promise<ReadonlyMap<string, FileRecord>> {
  const paths = new Set(candidates.flatMap(({ files }) => files));
  return describe === undefined || paths.size === 0 ? NOTHING_TO_DESCRIBE : describe([...paths].toSorted());
}

/**
 * Compile a registry's tree into the bytes of an index file: one layer with everything. Equal trees and keys give equal
 * bytes. An entry with an error is left out, with findings; it never keeps the others from being found.
 * @throws IpmError REGISTRY_INVALID when there is no valid `registry.yaml`
 */
export async function compileIndex(tree: RegistryTree, options: CompileOptions): Promise<CompiledIndex> {
  const listed = await tree.list();
  const registry = await readRegistryFile(tree, listed);
  const removed = new Map(Object.entries(registry.removed ?? {}));
  const { candidates, complaints } = await readEntries(tree, listed, options.stamps === true);
  const entries = await accept(tree, candidates, removed, complaints.reject);
  const { broken } = complaints;
  const files = await describeFiles(options, entries);
  const meta = layerMeta(registry, options.key, entries.length, broken.keys());
  const needed = new Set(entries.flatMap((entry) => entry.needed.map((file) => file.path)));
  return {
    meta,
    bytes: encodeLayer({ entries, broken, removed, files, replaced: new Set() }, meta, []),
    findings: complaints.sorted(),
    needed: [...needed].toSorted(),
    named: entries.map(({ name, search }) => ({ file: manifestPath(name), names: [name, ...search.aliases] })),
    registry,
  };
}
