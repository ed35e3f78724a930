import { editDistance } from "../core/nearest.ts";
import { IndexDamaged, type IndexFile, type Section } from "./index-file.ts";
import { hashText } from "./name-table.ts";
import {
  ENOUGH_FOR_INSIDE,
  ENOUGH_FOR_TYPOS,
  FIELD,
  NAME_POINTS,
  allowedEdits,
  deletionsOf,
  gramsOf,
  isExactOnly,
  padded,
  pointsOf,
  queryWords,
  squash,
  type Field,
  type Match,
} from "./search-text.ts";

/** One entry that a search found. */
export interface SearchResult {
  readonly name: string;
  readonly version: string | null;
  readonly summary: string;
  /** How many words of the query it matches. */
  readonly matched: number;
  /** Sum over the matched words; larger is better. */
  readonly score: number;
}

/** What one word of the query found: points per entry, 0 for none. */
interface WordHits {
  readonly points: Uint16Array;
  readonly entries: number[];
}

// Terms two edits away are recognised by the grams that they still share; transposed neighbours spoil four of them.
const GRAMS_PER_EDIT = 4;
const MIN_SHARED_GRAMS = 2;
const FIELDS: readonly Field[] = [0, 1, 2, 3];
const MAX_DISTANT_TERMS = 1_000;

/** Numbers of a varint list, differences summed up. */
function decodeList(bytes: Uint8Array, visit: (value: number) => void): void {
  let value = 0;
  for (let at = 0; at < bytes.length;) {
    let byte = bytes[at++] ?? 0;
    let difference = byte & 0x7f;
    for (let shift = 7; byte > 0x7f && at < bytes.length; shift += 7) {
      byte = bytes[at++] ?? 0;
      difference |= (byte & 0x7f) << shift;
    }
    value += difference;
    visit(value);
  }
}

/** Items of different lengths in one section, found by a section that says where each ends. */
class Items {
  readonly count: number;
  readonly #ends: Section;
  readonly #bytes: Section;

  constructor(index: IndexFile, ends: string, bytes: string) {
    this.#ends = index.section(ends);
    this.#bytes = index.section(bytes);
    this.count = this.#ends.length / 4;
    if (!Number.isInteger(this.count)) throw new IndexDamaged(`has a garbled section "${ends}"`);
  }

  end(ordinal: number): number {
    return ordinal < 0 ? 0 : this.#ends.u32(ordinal);
  }

  /** The bytes of the items `from` (inclusive) to `to` (exclusive). */
  bytes(from: number, to = from + 1): Buffer {
    const begin = this.end(from - 1);
    return this.#bytes.read(begin, this.end(to - 1) - begin);
  }
}

/** Search in one open index. Reads only what the query needs; every method may throw `IndexDamaged`. */
export class SearchReader {
  readonly #terms: Items;
  readonly #postings: Items;
  readonly #grams: Items;
  readonly #deletions: Items;
  readonly #entries: Items;

  constructor(index: IndexFile) {
    this.#terms = new Items(index, "term-ends", "terms");
    this.#postings = new Items(index, "posting-ends", "postings");
    this.#grams = new Items(index, "gram-ends", "grams");
    this.#deletions = new Items(index, "deletion-ends", "deletions");
    this.#entries = new Items(index, "entry-ends", "entries");
  }

  /**
   * The best entries for a query: those that match the most words, by score, then by name.
   * @param limit at most so many
   */
  search(query: string, limit: number): SearchResult[] {
    const words = queryWords(query);
    const score = new Float64Array(this.#entries.count);
    const matched = new Uint8Array(this.#entries.count);
    let most = 0;
    for (const word of words) {
      const hits = this.#hitsOf(word);
      for (const entry of hits.entries) {
        score[entry] = (score[entry] ?? 0) + (hits.points[entry] ?? 0);
        const count = (matched[entry] ?? 0) + 1;
        matched[entry] = count;
        if (count > most) most = count;
      }
    }
    if (most === 0) return [];
    return bestOf(matched, score, most, limit).map((entry) => ({
      ...this.#shown(entry),
      matched: most,
      score: score[entry] ?? 0,
    }));
  }

  /**
   * Entries whose names are near to one that does not exist: those with a name or alias one or two edits away, nearest
   * first, then those with names of which it is a part.
   */
  nearestNames(name: string, count: number): string[] {
    const word = squash(name);
    const edits = new Map<number, number>();
    for (const [term, distance] of this.#typoTerms(word)) {
      this.#visitPostings(term, term + 1, (entry, field) => {
        if (field === FIELD.name) edits.set(entry, Math.min(distance, edits.get(entry) ?? distance));
      });
    }
    // Entries are numbered in the order of their names, so that equal distances stay in that order.
    const near = [...edits].toSorted(([left, a], [right, b]) => a - b || left - right).slice(0, count);
    const names = near.map(([entry]) => this.#shown(entry).name);
    for (const hit of this.search(name, count)) if (hit.score >= NAME_POINTS) names.push(hit.name);
    return [...new Set(names)].slice(0, count);
  }

  #shown(entry: number): { name: string; version: string | null; summary: string } {
    let shown: unknown;
    try {
      shown = JSON.parse(this.#entries.bytes(entry).toString("utf8"));
    } catch (error) {
      if (error instanceof IndexDamaged) throw error;
      throw new IndexDamaged(`has a garbled entry ${entry}`);
    }
    if (!Array.isArray(shown)) throw new IndexDamaged(`has a garbled entry ${entry}`);
    const [name, version, summary] = shown as unknown[];
    return { name: String(name), version: typeof version === "string" ? version : null, summary: String(summary) };
  }

  #termAt(id: number): string | undefined {
    return id < this.#terms.count ? this.#terms.bytes(id).toString("utf8") : undefined;
  }

  /** The first term that is not smaller than a text, by binary search. */
  #find(text: string): number {
    let low = 0;
    let high = this.#terms.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#termAt(middle) ?? "") < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Every posting of the terms `from` to `to` (exclusive), which lie one after the other. */
  #visitPostings(from: number, to: number, visit: (entry: number, field: Field, term: number) => void): void {
    if (from >= to) return;
    const bytes = this.#postings.bytes(from, to);
    const base = this.#postings.end(from - 1);
    let at = 0;
    for (let term = from; term < to; term++) {
      const end = this.#postings.end(term) - base;
      let entry = 0;
      while (at < end) {
        let byte = bytes[at++] ?? 0;
        let value = byte & 0x7f;
        for (let shift = 7; byte > 0x7f && at < end; shift += 7) {
          byte = bytes[at++] ?? 0;
          value |= (byte & 0x7f) << shift;
        }
        entry += value >>> 2;
        if (entry >= this.#entries.count) throw new IndexDamaged("names an entry that it does not have");
        visit(entry, FIELDS[value & 3] ?? 0, term);
      }
    }
  }

  #hitsOf(word: string): WordHits {
    const hits: WordHits = { points: new Uint16Array(this.#entries.count), entries: [] };
    const apply = (from: number, to: number, match: Match): void => {
      const points = new Uint16Array(4);
      let current = -1;
      this.#visitPostings(from, to, (entry, field, term) => {
        if (term !== current) {
          current = term;
          const text = this.#termAt(term) ?? "";
          for (const each of FIELDS) points[each] = pointsOf(word, text, each, match);
        }
        const value = points[field] ?? 0;
        const before = hits.points[entry] ?? 0;
        if (value > 0 && before === 0) hits.entries.push(entry);
        if (value > before) hits.points[entry] = value;
      });
    };
    const first = this.#find(word);
    const exact = this.#termAt(first) === word;
    if (exact) apply(first, first + 1, { how: "exact" });
    if (isExactOnly(word)) return hits;
    const afterExact = exact ? first + 1 : first;
    // Everything that begins with the word sorts before the word with the last code unit behind it.
    apply(afterExact, this.#find(`${word}\uffff`), { how: "prefix" });
    if (word.length >= 3 && hits.entries.length < ENOUGH_FOR_INSIDE) {
      for (const term of this.#insideTerms(word)) apply(term, term + 1, { how: "inside" });
    }
    if (!exact && hits.entries.length < ENOUGH_FOR_TYPOS) {
      for (const [term, distance] of this.#typoTerms(word)) apply(term, term + 1, { how: "typo", distance });
    }
    return hits;
  }

  /** Terms that hold the word somewhere after their begin. */
  #insideTerms(word: string): number[] {
    const grams = [...new Set(gramsOf(word))];
    const counts = this.#countGrams(grams);
    const found: number[] = [];
    for (const [term, count] of counts.entries()) {
      if (count === grams.length && (this.#termAt(term)?.indexOf(word) ?? 0) > 0) found.push(term);
    }
    return found;
  }

  /** For every term how many of the buckets of these grams it is in (at most 255). */
  #countGrams(grams: readonly number[]): Uint8Array {
    const counts = new Uint8Array(this.#terms.count);
    const buckets = new Set(grams.map((gram) => gram & (this.#grams.count - 1)));
    // Two grams in one bucket: the term is counted for both, so that the counts stay upper bounds.
    const weight = new Map<number, number>();
    for (const gram of grams) {
      const bucket = gram & (this.#grams.count - 1);
      weight.set(bucket, (weight.get(bucket) ?? 0) + 1);
    }
    for (const bucket of buckets) {
      const grows = weight.get(bucket) ?? 1;
      decodeList(this.#grams.bytes(bucket), (term) => {
        if (term >= counts.length) throw new IndexDamaged("names a term that it does not have");
        counts[term] = (counts[term] ?? 0) + grows;
      });
    }
    return counts;
  }

  /** Terms within the allowed edits of a word, with their distance (1 or 2). */
  #typoTerms(word: string): Map<number, number> {
    const allowed = allowedEdits(word);
    const found = new Map<number, number>();
    if (allowed === 0) return found;
    const candidates = new Set<number>();
    for (const variant of deletionsOf(word)) {
      const bucket = hashText(variant) & (this.#deletions.count - 1);
      decodeList(this.#deletions.bytes(bucket), (term) => void candidates.add(term));
    }
    if (allowed === 2) for (const term of this.#distantTerms(word)) candidates.add(term);
    for (const term of candidates) {
      const text = this.#termAt(term);
      if (text === undefined) throw new IndexDamaged("names a term that it does not have");
      const distance = editDistance(word, text, allowed);
      if (distance > 0 && distance <= allowed) found.set(term, distance);
    }
    return found;
  }

  /** Terms that share enough grams with a long word to be two edits away from it. */
  #distantTerms(word: string): number[] {
    const grams = gramsOf(padded(word));
    const counts = this.#countGrams(grams);
    const needed = Math.max(MIN_SHARED_GRAMS, grams.length - 2 * GRAMS_PER_EDIT);
    const found: number[] = [];
    for (const [term, count] of counts.entries()) if (count >= needed) found.push(term);
    if (found.length <= MAX_DISTANT_TERMS) return found;
    return found
      .toSorted((left, right) => (counts[right] ?? 0) - (counts[left] ?? 0) || left - right)
      .slice(0, MAX_DISTANT_TERMS);
  }
}

/** The entries that match `most` words, best score first, then in the order of names. */
function bestOf(matched: Uint8Array, score: Float64Array, most: number, limit: number): number[] {
  const best: number[] = [];
  if (limit < 1) return best;
  for (let entry = 0; entry < matched.length; entry++) {
    if (matched[entry] !== most) continue;
    const points = score[entry] ?? 0;
    const last = best.at(-1);
    if (best.length === limit && last !== undefined && (score[last] ?? 0) >= points) continue;
    let place = best.length;
    while (place > 0 && (score[best[place - 1] ?? 0] ?? 0) < points) place--;
    best.splice(place, 0, entry);
    if (best.length > limit) best.pop();
  }
  return best;
}
