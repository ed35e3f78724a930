import { isRecord } from "../core/is-record.ts";
import type { IndexRecord } from "./index-records.ts";
import { IndexDamaged, type IndexFile } from "./index-file.ts";
import { IndexItems } from "./index-items.ts";
import { type KeyKind, findKey } from "./name-table.ts";
import type { SearchReader, SearchResult, SearchedLayer } from "./search-reader.ts";

/** A manifest is a quarter of that at most, and its attestations little more. */
const MAX_RECORD_BYTES = 4 * 1024 * 1024;

/** A key that was found, and what it stands for. */
export interface FoundRecord {
  readonly kind: KeyKind;
  readonly record: IndexRecord;
}

/** A shallow look: checksums have told that the record is what the compiler wrote. */
function isIndexRecord(value: unknown): value is IndexRecord {
  if (!isRecord(value)) return false;
  const { manifest, broken, removed, sha256 } = value;
  return (
    (isRecord(manifest) && typeof manifest["name"] === "string") ||
    (Array.isArray(broken) && typeof value["file"] === "string") ||
    typeof removed === "string" ||
    typeof sha256 === "string"
  );
}

/** The name that a layer above has to replace for a record to count no longer; undefined for what is never replaced. */
export function ownerOf(record: IndexRecord): string | undefined {
  if ("manifest" in record) return record.manifest.name;
  return "file" in record ? record.file.split("/")[1] : undefined;
}

/** One file of an index: the whole of a registry, or what changed of it since the layers below. */
export class IndexLayer {
  readonly index: IndexFile;
  readonly #records: IndexItems;

  /** @throws IndexDamaged */
  constructor(index: IndexFile) {
    this.index = index;
    this.#records = new IndexItems(index, "record-ends", "records");
  }

  /** How many records it has; those of entries that can be used come first, in the order of their names. */
  get records(): number {
    return this.#records.count;
  }

  /** The line of a record, with its line feed. @throws IndexDamaged */
  line(ordinal: number): Buffer {
    if (this.#records.length(ordinal) > MAX_RECORD_BYTES) throw new IndexDamaged("has a record that is too long");
    return this.#records.bytes(ordinal);
  }

  /** @throws IndexDamaged */
  record(ordinal: number): IndexRecord {
    if (!Number.isSafeInteger(ordinal) || ordinal < 0 || ordinal >= this.records)
      throw new IndexDamaged("names a record that it does not have");
    let record: unknown;
    try {
      record = JSON.parse(this.line(ordinal).toString("utf8"));
    } catch (error) {
      if (error instanceof IndexDamaged) throw error;
      throw new IndexDamaged("has a garbled record");
    }
    if (!isIndexRecord(record)) throw new IndexDamaged("has a foreign record");
    return record;
  }

  keys(key: string): { readonly kind: KeyKind; readonly record: number }[] {
    return findKey(this.index.section("name-slots"), this.index.section("name-lines"), key);
  }

  /** True when what the layers below have of the entry of this name no longer counts. */
  replaces(name: string): boolean {
    return this.keys(name).some(({ kind }) => kind === "replaced");
  }

  /** Numbers of a lower layer's entries that this one replaces. `below`: which layer, counted from the lowest. */
  hides(below: number): readonly number[] {
    const hidden = this.index.section(`hidden-${below}`);
    return Array.from({ length: Math.floor(hidden.length / 4) }, (_, at) => hidden.u32(at));
  }
}

/**
 * The compiled registry, in layers: the lowest has everything as it once was, each further one what has changed since.
 * Whoever asks sees one registry. Every method may throw `IndexDamaged`.
 */
export class RegistryIndex {
  /** The lowest first. */
  readonly layers: readonly IndexLayer[];
  #search: SearchReader | undefined;

  /** @throws IndexDamaged */
  constructor(files: readonly IndexFile[]) {
    if (files.length === 0) throw new IndexDamaged("is missing");
    this.layers = files.map((file) => new IndexLayer(file));
  }

  /** What the highest layer says of the whole registry. */
  get meta(): Readonly<Record<string, unknown>> {
    return this.layers.at(-1)?.index.meta ?? {};
  }

  close(): void {
    for (const { index } of this.layers) index.close();
  }

  /** Everything that is known under this very text, best kind first. */
  find(key: string, kinds: readonly KeyKind[]): FoundRecord[] {
    const found: (FoundRecord & { readonly order: number })[] = [];
    for (const [at, layer] of this.layers.entries()) {
      for (const { kind, record: ordinal } of layer.keys(key)) {
        if (!kinds.includes(kind)) continue;
        const record = layer.record(ordinal);
        if (!this.isReplaced(at, record)) found.push({ kind, record, order: at * 2 ** 32 + ordinal });
      }
    }
    return found
      .toSorted((left, right) => kinds.indexOf(left.kind) - kinds.indexOf(right.kind) || left.order - right.order)
      .map(({ kind, record }) => ({ kind, record }));
  }

  async search(query: string, limit: number): Promise<SearchResult[]> {
    return (await this.#reader()).search(query, limit);
  }

  async nearestNames(name: string, count: number): Promise<string[]> {
    return (await this.#reader()).nearestNames(name, count);
  }

  /** True when a layer above the one with this number replaces a record of it. */
  isReplaced(layer: number, record: IndexRecord): boolean {
    if (layer === this.layers.length - 1) return false;
    const owner = ownerOf(record);
    return owner !== undefined && this.layers.slice(layer + 1).some((above) => above.replaces(owner));
  }

  /** Loaded when it is needed: look-ups by name are more frequent, and load half as much without it. */
  async #reader(): Promise<SearchReader> {
    const { SearchReader } = await import("./search-reader.ts");
    return (this.#search ??= new SearchReader(
      this.layers.map(({ index }, at): SearchedLayer => {
        const hidden = new Set(this.layers.slice(at + 1).flatMap((above) => above.hides(at)));
        return { index, hidden };
      }),
    ));
  }
}
