import type { Finding } from "../manifest/finding.ts";
import { type CompileOptions, describeFiles } from "./compile-index.ts";
import { type LayerContent, digestOfRemoved, encodeLayer, layerMeta } from "./encode-layer.ts";
import type { IndexMeta, LayerMeta } from "./index-records.ts";
import type { KeyKind } from "./name-table.ts";
import {
  type Candidate,
  accept,
  byName,
  candidateOf,
  isOwn,
  jsonLine,
  readEntries,
  readRegistryFile,
} from "./registry-entries.ts";
import { type IndexLayer, type RegistryIndex, ownerOf } from "./registry-index.ts";
import type { RegistryTree } from "./registry-tree.ts";

/** More make every look-up slower. */
const MAX_LAYERS = 4;
/** A layer with fewer records is made anew rather than added to: that takes milliseconds. */
const SMALL_LAYER = 500;
/** A layer is merged with the one above when it has not so many times its records. */
const MERGE_BELOW = 8;
const OWN_KINDS: readonly KeyKind[] = ["name", "alias", "formerly"];

/** What has changed in a tree since an index was made of it. */
export interface TreeChange {
  /** Entries of which any file was added, changed or removed. */
  readonly names: ReadonlySet<string>;
  /** Something else has changed too, such as a bundle: every entry is looked at again, though not parsed. */
  readonly all: boolean;
}

export interface UpdatedIndex {
  readonly meta: IndexMeta;
  /** How many of the previous layers stay, from the lowest on. */
  readonly kept: number;
  /** The layer that comes on top of them, or null for none. */
  readonly bytes: Uint8Array | null;
  /** What is wrong with the entries that were looked at. */
  readonly findings: readonly Finding[];
}

function isLayerMeta(meta: Readonly<Record<string, unknown>>): meta is LayerMeta & Record<string, unknown> {
  return typeof meta["entries"] === "number" && "broken" in meta && typeof meta["removed"] === "string";
}

/** The entries of one layer of an index that still count, but for those with some names. */
function carriedFrom(index: RegistryIndex, at: number, without: ReadonlySet<string>): Candidate[] {
  const layer = index.layers[at];
  const carried: Candidate[] = [];
  if (layer === undefined) return carried;
  for (let ordinal = 0; ordinal < layer.records; ordinal++) {
    const record = layer.record(ordinal);
    if (!("manifest" in record)) continue;
    if (!without.has(record.manifest.name) && !index.isReplaced(at, record))
      carried.push(candidateOf(record, Buffer.from(layer.line(ordinal))));
  }
  return carried;
}

/** Every name that one layer replaces in the layers below it. */
function replacedBy(index: RegistryIndex, at: number): string[] {
  const layer = index.layers[at];
  return index.layers.slice(0, at).flatMap((below, number) =>
    (layer?.hides(number) ?? []).flatMap((ordinal) => {
      const owner = ownerOf(below.record(ordinal));
      return owner === undefined ? [] : [owner];
    }),
  );
}

/**
 * Bring an index up to date: what has changed is read and parsed, whatever may clash with it is decided again by the same
 * rules, and the result, seen through its layers, is that of a full compilation. Small layers are merged into what they
 * lie on, so that there are few and a reader of the registry's publication has little to fetch.
 * @param previous every layer of the index as it was
 * @returns undefined when it has to be compiled as a whole
 * @throws IpmError REGISTRY_INVALID, IndexDamaged
 */
export async function updateIndex(
  tree: RegistryTree,
  previous: RegistryIndex,
  change: TreeChange,
  options: CompileOptions,
): Promise<UpdatedIndex | undefined> {
  const { meta: before } = previous;
  if (!isLayerMeta(before) || before.broken === null) return undefined;
  // What could not be used before may be usable now, whatever else changed.
  const closed = new Set([...change.names, ...before.broken]);
  const listed = await tree.list([...closed].toSorted());
  const registry = await readRegistryFile(tree, listed);
  if (registry.id !== before.id || digestOfRemoved(registry) !== before.removed) return undefined;
  const removed = new Map(Object.entries(registry.removed ?? {}));
  const { candidates, complaints } = await readEntries(tree, listed, options.stamps === true);
  if (change.all) {
    for (const at of previous.layers.keys()) candidates.push(...carriedFrom(previous, at, closed));
    for (const { name } of candidates) closed.add(name);
  }
  // Whoever has one of their names may lose it to them, or keep it from them: decided anew, and so on.
  for (const candidate of candidates) {
    for (const { key } of candidate.keys.filter(isOwn)) {
      for (const { record } of previous.find(key, OWN_KINDS)) {
        if (!("manifest" in record) || closed.has(record.manifest.name)) continue;
        closed.add(record.manifest.name);
        candidates.push(candidateOf(record, jsonLine(record)));
      }
    }
  }
  const accepted = await accept(tree, candidates, removed, complaints.reject);
  const gone = [...closed].filter((name) => previous.find(name, ["name"]).length > 0).length;
  const { broken } = complaints;
  const meta = layerMeta(registry, options.key, before.entries - gone + accepted.length, broken.keys());
  const isSame = meta.name === before.name && meta.sequence === before.sequence;
  if (closed.size === 0 && isSame) return { meta, kept: previous.layers.length, bytes: null, findings: [] };

  const files = new Map(await describeFiles(options, accepted));
  const replaced = new Set(closed);
  const entries = [...accepted];
  let kept = change.all ? 0 : previous.layers.length;
  if (!change.all) {
    const isSmall = (layer: IndexLayer | undefined): boolean =>
      kept >= MAX_LAYERS || (layer?.records ?? 0) < Math.max(SMALL_LAYER, MERGE_BELOW * (entries.length + broken.size));
    while (kept > 0 && isSmall(previous.layers[kept - 1])) {
      kept -= 1;
      const carried = carriedFrom(previous, kept, closed);
      entries.push(...carried);
      for (const { name } of carried) replaced.add(name);
      for (const name of replacedBy(previous, kept)) replaced.add(name);
      if (options.describe === undefined) continue;
      for (const file of carried.flatMap((candidate) => candidate.files)) {
        const record = previous.find(file, ["file"]).at(-1)?.record;
        if (record !== undefined && "sha256" in record) files.set(file, record);
      }
    }
  }
  const content: LayerContent = {
    entries: entries.toSorted(byName),
    broken,
    removed: kept === 0 ? removed : new Map<string, string>(),
    files,
    replaced: kept === 0 ? new Set<string>() : replaced,
  };
  const bytes = encodeLayer(content, meta, previous.layers.slice(0, kept));
  return { meta, kept, bytes, findings: complaints.sorted() };
}
