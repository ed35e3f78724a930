import { sha256Hex } from "../core/canonical-json.ts";
import type { RegistryFile } from "../manifest/schema.ts";
import { encodeIndexFile } from "./index-file.ts";
import type { BrokenRecord, FileRecord, LayerMeta } from "./index-records.ts";
import { encodeNameTable, type NameKey } from "./name-table.ts";
import { type Candidate, type EntryKey, jsonLine } from "./registry-entries.ts";
import type { IndexLayer } from "./registry-index.ts";
import { buildSearchSections } from "./search-index.ts";

/** So many names fit into an index's header; with more broken entries than that every change is compiled as a whole. */
const MAX_BROKEN_NAMES = 64;

/** The records, and under which keys each of them is found. */
class Records {
  readonly keys: NameKey[] = [];
  readonly #lines: Buffer[] = [];
  readonly #ends: number[] = [];
  #end = 0;

  add(line: Buffer, keys: readonly EntryKey[]): void {
    for (const { kind, key } of keys) this.keys.push({ kind, key, record: this.#lines.length });
    this.#lines.push(line);
    this.#end += line.length;
    this.#ends.push(this.#end);
  }

  sections(): [string, Uint8Array][] {
    const { slots, lines } = encodeNameTable(this.keys);
    return [
      ["records", Buffer.concat(this.#lines)],
      ["record-ends", u32s(this.#ends)],
      ["name-slots", slots],
      ["name-lines", lines],
    ];
  }
}

function u32s(values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

function sorted<Value>(map: ReadonlyMap<string, Value>): [string, Value][] {
  return [...map].toSorted(([left], [right]) => (left < right ? -1 : 1));
}

/** What one layer says. */
export interface LayerContent {
  /** Sorted by name. */
  readonly entries: readonly Candidate[];
  readonly broken: ReadonlyMap<string, BrokenRecord>;
  /** Names that were taken out, and why; of a higher layer none, because they are those of the layers below. */
  readonly removed: ReadonlyMap<string, string>;
  readonly files: ReadonlyMap<string, FileRecord>;
  /** Names of which nothing counts that the layers below have. */
  readonly replaced: ReadonlySet<string>;
}

/** The bytes of one layer. Equal content over equal layers gives equal bytes. */
export function encodeLayer(content: LayerContent, meta: LayerMeta, below: readonly IndexLayer[]): Uint8Array {
  const { entries, broken, removed, files, replaced } = content;
  const records = new Records();
  for (const { line, keys } of entries) records.add(line, keys);
  for (const [name, record] of sorted(broken)) records.add(jsonLine(record), [{ kind: "broken", key: name }]);
  for (const [name, why] of sorted(removed)) records.add(jsonLine({ removed: why }), [{ kind: "removed", key: name }]);
  for (const [file, record] of sorted(files)) records.add(jsonLine(record), [{ kind: "file", key: file }]);
  for (const name of replaced) records.keys.push({ kind: "replaced", key: name, record: 0 });
  const hidden = below.map((layer, at): [string, Uint8Array] => {
    const ordinals = [...replaced].flatMap((name) =>
      layer.keys(name).flatMap(({ kind, record }) => (kind === "name" || kind === "broken" ? [record] : [])),
    );
    return [`hidden-${at}`, u32s(ordinals.toSorted((left, right) => left - right))];
  });
  const search = buildSearchSections(entries.map((entry) => entry.search));
  return encodeIndexFile({ ...meta }, new Map([...records.sections(), ...hidden, ...search]));
}

export function layerMeta(registry: RegistryFile, key: string, entries: number, broken: Iterable<string>): LayerMeta {
  const { id, name, sequence = 0 } = registry;
  const names = [...broken].toSorted();
  return {
    id,
    name,
    sequence,
    key,
    entries,
    broken: names.length > MAX_BROKEN_NAMES ? null : names,
    removed: digestOfRemoved(registry),
  };
}

export function digestOfRemoved({ removed = {} }: RegistryFile): string {
  return sha256Hex(JSON.stringify(sorted(new Map(Object.entries(removed))))).slice(0, 16);
}
