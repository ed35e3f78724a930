import { IndexDamaged, type Section } from "./index-file.ts";

/**
 * The table that answers exact look-ups: every text under which an entry can be found, in buckets by hash, each bucket a
 * few lines of text. A look-up reads one slot and one bucket, however large the registry is.
 *
 *     slots    (buckets + 1) × u32: where each bucket begins in `lines`
 *     lines    kind TAB key TAB record LF       which record of the layer it is
 */

/**
 * How a key names an entry. `broken`: the entry's manifest cannot be used; `removed`: the name is reserved and there is
 * no entry. The record says why. `replaced`: whatever the layers below have of the entry of this name no longer counts.
 * `file`: the path of a file of the registry, whose record says what it holds.
 */
export type KeyKind =
  | "name"
  | "alias"
  | "formerly"
  | "source"
  | "former-source"
  | "broken"
  | "removed"
  | "replaced"
  | "file";

export interface NameKey {
  readonly kind: KeyKind;
  /** Without TAB and LF. */
  readonly key: string;
  /** Ordinal of the record; 0 for `replaced`, which has none. */
  readonly record: number;
}

const KEYS_PER_BUCKET = 8;
const KINDS: readonly string[] = [
  "name",
  "alias",
  "formerly",
  "source",
  "former-source",
  "broken",
  "removed",
  "replaced",
  "file",
] satisfies KeyKind[];

function isKeyKind(text: string | undefined): text is KeyKind {
  return text !== undefined && KINDS.includes(text);
}

/** 32-bit FNV-1a over code units: both sides of every hash table of the index must agree on it. */
export function hashText(text: string): number {
  let hash = 0x81_1c_9d_c5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01_00_01_93);
  // FNV's low bits are weak for short texts; buckets are chosen by the low bits.
  hash ^= hash >>> 15;
  return hash >>> 0;
}

/** A power of two, so that the bucket is a mask of the hash. */
export function bucketCount(items: number, perBucket: number): number {
  let count = 1;
  while (count * perBucket < items) count *= 2;
  return count;
}

/** The two sections of the table. Equal keys in any order give equal bytes. */
export function encodeNameTable(keys: readonly NameKey[]): { slots: Uint8Array; lines: Uint8Array } {
  const buckets = bucketCount(keys.length, KEYS_PER_BUCKET);
  const lines: string[][] = Array.from({ length: buckets }, () => []);
  for (const { kind, key, record } of keys) {
    lines[hashText(key) & (buckets - 1)]?.push(`${kind}\t${key}\t${record}\n`);
  }
  const slots = new Uint32Array(buckets + 1);
  const parts: Buffer[] = [];
  let position = 0;
  for (const [bucket, content] of lines.entries()) {
    slots[bucket] = position;
    const bytes = Buffer.from(content.toSorted().join(""));
    parts.push(bytes);
    position += bytes.length;
  }
  slots[buckets] = position;
  return { slots: new Uint8Array(slots.buffer), lines: Buffer.concat(parts) };
}

/** Everything that is known under this very text, in the table's order. @throws IndexDamaged */
export function findKey(slots: Section, lines: Section, key: string): NameKey[] {
  const buckets = slots.length / 4 - 1;
  if (!Number.isInteger(buckets) || buckets < 1) throw new IndexDamaged("has an empty table of names");
  const bucket = hashText(key) & (buckets - 1);
  const begin = slots.u32(bucket);
  const found: NameKey[] = [];
  for (const line of lines
    .read(begin, slots.u32(bucket + 1) - begin)
    .toString("utf8")
    .split("\n")) {
    if (line === "") continue;
    const [kind, text, record] = line.split("\t");
    if (!isKeyKind(kind)) throw new IndexDamaged("has a garbled table of names");
    if (text === key) found.push({ kind, key, record: Number(record) });
  }
  return found;
}
