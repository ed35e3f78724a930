import { bucketCount, hashText } from "./name-table.ts";
import { deletionsOf, gramsOf, padded, termsOf, type SearchDocument } from "./search-text.ts";

/**
 * The sections for search; nothing in them has to be loaded or scanned as a whole.
 *
 *     term-ends      u32 per term: where it ends in `terms`; terms are sorted by code unit, a term's id is its rank
 *     terms          their text, without separators
 *     posting-ends   u32 per term: where its postings end in `postings`
 *     postings       per term its entries, ascending: varint of (difference × 4 + field)
 *     gram-ends      u32 per bucket (a power of two; bucket = gram & mask)
 *     grams          per bucket the ids of the terms that hold such a gram, ascending: varint of the difference
 *     deletion-ends  u32 per bucket (bucket = hash & mask)
 *     deletions      per bucket the ids of the terms with such a variant, likewise
 *
 * What a hit shows is in the entry's record, whose ordinal is the entry's number.
 */

const MAX_GRAM_BUCKETS = 65_536;
const DELETIONS_PER_BUCKET = 4;

/** Bytes that grow. */
class ByteWriter {
  #bytes = Buffer.alloc(65_536);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Seven bits a byte, lowest first, the high bit set on all but the last (LEB128). */
  varint(value: number): void {
    if (this.#length + 8 > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], this.#bytes.length * 2);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

function numbers(values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

/** Texts one after the other, with where each ends. */
function encodeTexts(texts: readonly string[]): { ends: Uint8Array; bytes: Uint8Array } {
  const ends: number[] = [];
  const parts: Buffer[] = [];
  let position = 0;
  for (const text of texts) {
    const bytes = Buffer.from(text);
    parts.push(bytes);
    position += bytes.length;
    ends.push(position);
  }
  return { ends: numbers(ends), bytes: Buffer.concat(parts) };
}

/** Ascending lists of numbers, one after the other, with where each ends. */
function encodeLists(lists: readonly (readonly number[] | undefined)[]): { ends: Uint8Array; bytes: Uint8Array } {
  const writer = new ByteWriter();
  const ends: number[] = [];
  for (const list of lists) {
    let last = 0;
    for (const value of list ?? []) {
      writer.varint(value - last);
      last = value;
    }
    ends.push(writer.length);
  }
  return { ends: numbers(ends), bytes: writer.done() };
}

function encodePostings(lists: readonly (readonly number[])[]): { ends: Uint8Array; bytes: Uint8Array } {
  const writer = new ByteWriter();
  const ends: number[] = [];
  for (const list of lists) {
    let last = 0;
    for (const posting of list) {
      const entry = posting >>> 2;
      writer.varint(((entry - last) << 2) | (posting & 3));
      last = entry;
    }
    ends.push(writer.length);
  }
  return { ends: numbers(ends), bytes: writer.done() };
}

/** For each bucket the ids of the terms that fall into it; ids arrive in ascending order. */
function fillBuckets(
  terms: readonly string[],
  buckets: number,
  hashes: (term: string) => Iterable<number>,
): number[][] {
  const lists: number[][] = Array.from({ length: buckets }, () => []);
  for (const [id, term] of terms.entries()) {
    for (const hash of hashes(term)) {
      const list = lists[hash & (buckets - 1)];
      if (list !== undefined && list.at(-1) !== id) list.push(id);
    }
  }
  return lists;
}

/**
 * Build the sections. An entry's number is its place in `entries`, which are sorted by name: the ordinal of its record.
 * @returns section name to bytes; equal entries give equal bytes
 */
export function buildSearchSections(entries: readonly SearchDocument[]): Map<string, Uint8Array> {
  const postings = new Map<string, number[]>();
  for (const [number, entry] of entries.entries()) {
    for (const [term, field] of termsOf(entry)) {
      const posting = (number << 2) | field;
      const list = postings.get(term);
      if (list === undefined) postings.set(term, [posting]);
      else list.push(posting);
    }
  }
  const terms = [...postings.keys()].toSorted();
  const gramBuckets = Math.min(MAX_GRAM_BUCKETS, bucketCount(terms.length * 4, 1));
  const deletionBuckets = bucketCount(terms.length * 9, DELETIONS_PER_BUCKET);

  const lexicon = encodeTexts(terms);
  const lists = encodePostings(terms.map((term) => postings.get(term) ?? []));
  const grams = encodeLists(fillBuckets(terms, gramBuckets, (term) => gramsOf(padded(term))));
  const deletions = encodeLists(
    fillBuckets(terms, deletionBuckets, (term) => [...deletionsOf(term)].map((variant) => hashText(variant))),
  );
  return new Map([
    ["term-ends", lexicon.ends],
    ["terms", lexicon.bytes],
    ["posting-ends", lists.ends],
    ["postings", lists.bytes],
    ["gram-ends", grams.ends],
    ["grams", grams.bytes],
    ["deletion-ends", deletions.ends],
    ["deletions", deletions.bytes],
  ]);
}
