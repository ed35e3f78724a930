import { editDistance } from "../core/nearest.ts";
import { IndexDamaged, type IndexFile } from "./index-file.ts";
import { IndexItems } from "./index-items.ts";
import { isRecord } from "../core/is-record.ts";
import { hashText } from "./name-table.ts";
import {
  ENOUGH_FOR_INSIDE,
  ENOUGH_FOR_TYPOS,
  FIELD,
  NAME_POINTS,
  allowedEdits,
  deletionsOf,
  fieldPoints,
  gramsOf,
  isExactOnly,
  padded,
  queryWords,
  sharePoints,
  squash,
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
  /** Of a folder: what the entry's files looked like when it was compiled. */
  readonly stamp?: string;
}

/**
 * Entries with points. Arrays of fixed size: common words are in half of all entries, and growing a list in a process
 * that has just started costs more than everything else.
 */
interface Hits {
  /** By entry; 0 for none. The sum over the words of a query fits as well. */
  readonly points: Uint16Array;
  /** The entries that have points, in the first `count` places. */
  readonly entries: Uint32Array;
  count: number;
}

// Terms two edits away are recognised by the grams that they still share; transposed neighbours spoil four of them.
const GRAMS_PER_EDIT = 4;
const MIN_SHARED_GRAMS = 2;
const FIELDS = [FIELD.summary, FIELD.keyword, FIELD.nameWord, FIELD.name] as const;
/** So few terms are looked at one by one. */
const FEW_TERMS = 32;
const MAX_DISTANT_TERMS = 1_000;
const HIDDEN = 0xff_ff;
const NOTHING: Hits = { points: new Uint16Array(), entries: new Uint32Array(), count: 0 };

/**
 * Count what the postings of one term, `bytes` from `at` to `end`, are worth: `worth` says it by field. A function of its
 * own, with nothing in it but the loop: V8 compiles it while it runs for the first time, which takes twenty times as long
 * for a larger one.
 * @param count how many of `entries` are in use; returns how many are now
 */
function countPostings(
  points: Uint16Array,
  entries: Uint32Array,
  count: number,
  bytes: Uint8Array,
  at: number,
  end: number,
  worth: readonly number[],
): number {
  let entry = 0;
  while (at < end) {
    let posting = bytes[at++] ?? 0;
    // Varints of the differences, as in `IndexItems.numbers`; most are one byte.
    for (let shift = 7, more = posting > 0x7f; more && at < end; shift += 7) {
      const byte = bytes[at++] ?? 0;
      posting = (posting & ~(0x80 << (shift - 7))) | (byte << shift);
      more = byte > 0x7f;
    }
    entry += posting >>> 2;
    const value = worth[posting & 3] ?? 0;
    const before = points[entry] ?? value;
    if (before >= value) continue;
    if (before === 0) entries[count++] = entry;
    points[entry] = value;
  }
  return count;
}

/** A layer to search in, and the numbers of its entries that layers above it replace. */
export interface SearchedLayer {
  readonly index: IndexFile;
  readonly hidden: ReadonlySet<number>;
}

/** One layer of an index as search sees it: its terms, and which of its entries no longer count. */
class SearchLayer {
  readonly #terms: IndexItems;
  readonly #postings: IndexItems;
  readonly #grams: IndexItems;
  readonly #deletions: IndexItems;
  readonly #records: IndexItems;
  readonly #hidden: ReadonlySet<number>;

  constructor({ index, hidden }: SearchedLayer) {
    this.#terms = new IndexItems(index, "term-ends", "terms");
    this.#postings = new IndexItems(index, "posting-ends", "postings");
    this.#grams = new IndexItems(index, "gram-ends", "grams");
    this.#deletions = new IndexItems(index, "deletion-ends", "deletions");
    this.#records = new IndexItems(index, "record-ends", "records");
    this.#hidden = hidden;
  }

  shown(entry: number): Omit<SearchResult, "matched" | "score"> {
    let shown: unknown;
    try {
      shown = JSON.parse(this.#records.bytes(entry).toString("utf8"));
    } catch (error) {
      if (error instanceof IndexDamaged) throw error;
      throw new IndexDamaged(`has a garbled entry ${entry}`);
    }
    if (!isRecord(shown) || !isRecord(shown["manifest"])) throw new IndexDamaged(`has a garbled entry ${entry}`);
    const { version, manifest, stamp } = shown;
    const { name, summary } = manifest;
    return {
      name: String(name),
      version: typeof version === "string" ? version : null,
      summary: String(summary),
      ...(typeof stamp === "string" ? { stamp } : {}),
    };
  }

  /** No hits yet. Entries that no longer count have more points than can be had, so that they are never counted. */
  noHits(): Hits {
    const { count } = this.#records;
    const points = new Uint16Array(count);
    for (const entry of this.#hidden) points[entry] = HIDDEN;
    return { points, entries: new Uint32Array(count), count: 0 };
  }

  /** The term that is the word, and everything that begins with it. @returns true when the word is a term */
  applyTyped(hits: Hits, word: string): boolean {
    const typed = Buffer.byteLength(word);
    const first = this.#find(word);
    const isTerm = this.#termAt(first) === word;
    if (isTerm) this.apply(hits, first, first + 1, typed, { how: "exact" });
    // Everything that begins with the word sorts before the word with the last code unit behind it.
    if (!isExactOnly(word)) {
      this.apply(hits, isTerm ? first + 1 : first, this.#find(`${word}\uffff`), typed, { how: "prefix" });
    }
    return isTerm && this.#counts(first);
  }

  /** Terms that hold the word somewhere after their begin. */
  applyInside(hits: Hits, word: string): void {
    const typed = Buffer.byteLength(word);
    for (const term of this.#insideTerms(word)) this.apply(hits, term, term + 1, typed, { how: "inside" });
  }

  /**
   * Count what the terms `from` to `to` (exclusive), whose postings lie one after the other, are worth to their entries.
   */
  apply(hits: Hits, from: number, to: number, typed: number, match: Match): void {
    if (from >= to) return;
    const bytes = this.#postings.bytes(from, to);
    const base = this.#postings.end(from - 1);
    const postingEnds = this.#postings.ends(from, to);
    const termEnds = this.#terms.ends(from, to);
    const values = FIELDS.map((field) => fieldPoints(match, field));
    let begin = 0;
    let termBegin = this.#terms.end(from - 1);
    for (let index = 0; index < to - from; index++) {
      const end = (postingEnds[index] ?? 0) - base;
      const termEnd = termEnds[index] ?? 0;
      const share = sharePoints(match, typed, termEnd - termBegin);
      const worth = values.map((value) => (value === 0 ? 0 : value + share));
      hits.count = countPostings(hits.points, hits.entries, hits.count, bytes, begin, end, worth);
      termBegin = termEnd;
      begin = end;
    }
  }

  /** Terms that are at most so many edits away from a word, and not the word itself, with their distance. */
  nearTerms(word: string, edits: 1 | 2): ReadonlyMap<number, number> {
    const candidates = new Set<number>();
    for (const variant of deletionsOf(word)) {
      const bucket = hashText(variant) & (this.#deletions.count - 1);
      for (const term of this.#deletions.numbers(bucket)) candidates.add(term);
    }
    // Two edits may also both lie behind the part that deletions are indexed for, or be one in it and one behind.
    if (edits === 2) for (const term of this.#distantTerms(word)) candidates.add(term);
    return this.#near(word, edits, candidates);
  }

  #termAt(id: number): string | undefined {
    return id < this.#terms.count ? this.#terms.bytes(id).toString("utf8") : undefined;
  }

  /** True when a term stands in an entry that counts. */
  #counts(term: number): boolean {
    if (this.#hidden.size === 0) return true;
    const { count } = this.#records;
    const all: Hits = { points: new Uint16Array(count), entries: new Uint32Array(count), count: 0 };
    this.apply(all, term, term + 1, 1, { how: "exact" });
    return all.entries.subarray(0, all.count).some((entry) => !this.#hidden.has(entry));
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

  #insideTerms(word: string): number[] {
    const buckets = [...new Set(gramsOf(word).map((gram) => gram & (this.#grams.count - 1)))];
    // The shortest lists first: after a few of them it is quicker to look at the terms.
    buckets.sort((left, right) => this.#grams.length(left) - this.#grams.length(right) || left - right);
    let terms: Uint32Array | number[] | undefined;
    for (const bucket of buckets) {
      if (terms !== undefined && terms.length <= FEW_TERMS) break;
      const list = this.#grams.numbers(bucket);
      terms = terms === undefined ? list : inBoth(terms, list);
    }
    return [...(terms ?? [])].filter((term) => (this.#termAt(term)?.indexOf(word) ?? 0) > 0);
  }

  /**
   * Terms that are in the buckets of at least `needed` of these grams (two grams of one bucket count twice, so that
   * nothing is missed), and how many of them each term is in.
   */
  #termsWithGrams(grams: readonly number[], needed: number): { terms: number[]; counts: Uint8Array } {
    const counts = new Uint8Array(this.#terms.count);
    const terms: number[] = [];
    for (const gram of grams) {
      for (const term of this.#grams.numbers(gram & (this.#grams.count - 1))) {
        const count = (counts[term] ?? 0) + 1;
        counts[term] = count;
        if (count === needed) terms.push(term);
      }
    }
    return { terms, counts };
  }

  #near(word: string, edits: number, terms: Iterable<number>): Map<number, number> {
    const found = new Map<number, number>();
    const length = Buffer.byteLength(word);
    for (const term of terms) {
      // The length rules most of them out, without their text. A character is at most three bytes.
      if (Math.abs(this.#terms.length(term) - length) > 3 * edits) continue;
      const text = this.#termAt(term);
      if (text === undefined) throw new IndexDamaged("names a term that it does not have");
      const distance = editDistance(word, text, edits);
      if (distance > 0 && distance <= edits && this.#counts(term)) found.set(term, distance);
    }
    return found;
  }

  /** Terms that share enough grams with a long word to be two edits away from it. */
  #distantTerms(word: string): number[] {
    const grams = gramsOf(padded(word));
    const needed = Math.max(MIN_SHARED_GRAMS, grams.length - 2 * GRAMS_PER_EDIT);
    const { terms, counts } = this.#termsWithGrams(grams, needed);
    if (terms.length <= MAX_DISTANT_TERMS) return terms;
    return terms
      .toSorted((left, right) => (counts[right] ?? 0) - (counts[left] ?? 0) || left - right)
      .slice(0, MAX_DISTANT_TERMS);
  }
}

/** One hit, and the layer that has it. */
interface Place {
  readonly layer: SearchLayer;
  readonly entry: number;
  readonly points: number;
}

/**
 * Search in the layers of one open index, as if they were one. Reads only what the query needs; every method may throw
 * `IndexDamaged`.
 */
export class SearchReader {
  readonly #layers: readonly SearchLayer[];
  readonly #typos = new Map<string, readonly ReadonlyMap<number, number>[]>();

  constructor(layers: readonly SearchedLayer[]) {
    this.#layers = layers.map((layer) => new SearchLayer(layer));
  }

  /**
   * The best entries for a query: those that match the most words, by score, then by name.
   * @param limit at most so many
   */
  search(query: string, limit: number): SearchResult[] {
    const words = queryWords(query).map((word) => this.#hitsOf(word));
    if (words.length === 0) return [];
    const combined = this.#layers.map((_, at) => combine(words.map((hits) => hits[at] ?? NOTHING)));
    const most = Math.max(...combined.map(({ matched }) => matched));
    const places = this.#layers.flatMap((layer, at): Place[] => {
      const { hits, matched } = combined[at] ?? { hits: NOTHING, matched: 0 };
      if (matched < most) return [];
      return topOf(hits, limit).map((entry) => ({ layer, entry, points: hits.points[entry] ?? 0 }));
    });
    return places
      .map(({ layer, entry, points }) => ({ ...layer.shown(entry), matched: most, score: points }))
      .toSorted((left, right) => right.score - left.score || (left.name < right.name ? -1 : 1))
      .slice(0, limit);
  }

  /**
   * Entries whose names are near to one that does not exist: those with a name or alias one or two edits away, nearest
   * first, then those with names of which it is a part.
   */
  nearestNames(name: string, count: number): string[] {
    const word = squash(name);
    const near = this.#typoTerms(word).flatMap((terms, at) => {
      const layer = this.#layers[at];
      if (layer === undefined) return [];
      const typos = layer.noHits();
      let nameTypo = 0;
      // All terms are equally far away, so that points tell names from words of summaries.
      for (const [term, distance] of terms) {
        const match: Match = { how: "typo", distance };
        nameTypo = fieldPoints(match, FIELD.name);
        layer.apply(typos, term, term + 1, 1, match);
      }
      // Entries are numbered in the order of their names.
      return [...typos.entries.subarray(0, typos.count)]
        .filter((entry) => typos.points[entry] === nameTypo)
        .toSorted((left, right) => left - right)
        .slice(0, count)
        .map((entry) => layer.shown(entry).name);
    });
    const names = near.toSorted().slice(0, count);
    for (const hit of this.search(name, count)) if (hit.score >= NAME_POINTS) names.push(hit.name);
    return [...new Set(names)].slice(0, count);
  }

  /** What a word finds in each layer. Whether other ways of matching are tried depends on what all of them have. */
  #hitsOf(word: string): Hits[] {
    const hits = this.#layers.map((layer) => layer.noHits());
    const each = (work: (layer: SearchLayer, own: Hits, at: number) => void): void => {
      for (const [at, layer] of this.#layers.entries()) work(layer, hits[at] ?? layer.noHits(), at);
    };
    const found = (): number => hits.reduce((sum, { count }) => sum + count, 0);
    let isExact = false;
    each((layer, own) => {
      if (layer.applyTyped(own, word)) isExact = true;
    });
    if (isExactOnly(word)) return hits;
    if (word.length >= 3 && found() < ENOUGH_FOR_INSIDE) each((layer, own) => layer.applyInside(own, word));
    if (!isExact && found() < ENOUGH_FOR_TYPOS) {
      const typos = this.#typoTerms(word);
      const typed = Buffer.byteLength(word);
      each((layer, own, at) => {
        for (const [term, distance] of typos[at] ?? [])
          layer.apply(own, term, term + 1, typed, { how: "typo", distance });
      });
    }
    return hits;
  }

  /** For each layer the terms that are as near to a word as any is, within the allowed edits, with their distance. */
  #typoTerms(word: string): readonly ReadonlyMap<number, number>[] {
    const before = this.#typos.get(word);
    if (before !== undefined) return before;
    const allowed = allowedEdits(word);
    let found: ReadonlyMap<number, number>[] = [];
    if (allowed > 0) found = this.#layers.map((layer) => layer.nearTerms(word, 1));
    if (allowed > 1 && found.every(({ size }) => size === 0))
      found = this.#layers.map((layer) => layer.nearTerms(word, 2));
    this.#typos.set(word, found);
    return found;
  }
}

/** The entries of one layer that match the most words, with the sum of what they match. */
function combine(words: readonly Hits[]): { hits: Hits; matched: number } {
  const present = words.filter(({ count }) => count > 0).toSorted((left, right) => left.count - right.count);
  const [rarest = NOTHING, ...others] = present;
  if (others.length === 0) return { hits: rarest, matched: present.length };
  // Mostly some entries match every word: only those of the rarest one are looked at.
  let entries = rarest.entries.subarray(0, rarest.count);
  for (const other of others) entries = inHits(entries, other);
  if (entries.length === 0) return countMatches(present);
  for (let at = 0; at < entries.length; at++) {
    const entry = entries[at] ?? 0;
    let sum = 0;
    for (const { points } of present) sum += points[entry] ?? 0;
    rarest.points[entry] = sum;
  }
  return { hits: { points: rarest.points, entries, count: entries.length }, matched: present.length };
}

/** Those of some entries that a word has found too. */
function inHits(entries: Uint32Array, { points }: Hits): Uint32Array {
  const both = new Uint32Array(entries.length);
  let count = 0;
  for (let at = 0; at < entries.length; at++) {
    const entry = entries[at] ?? 0;
    if ((points[entry] ?? 0) !== 0) both[count++] = entry;
  }
  return both.subarray(0, count);
}

/** As `combine`, where no entry matches all words. */
function countMatches(words: readonly Hits[]): { hits: Hits; matched: number } {
  const size = words[0]?.points.length ?? 0;
  const points = new Uint16Array(size);
  const entries = new Uint32Array(size);
  const counts = new Uint8Array(size);
  let count = 0;
  let matched = 0;
  for (const word of words) {
    for (let at = 0; at < word.count; at++) {
      const entry = word.entries[at] ?? 0;
      points[entry] = (points[entry] ?? 0) + (word.points[entry] ?? 0);
      const of = (counts[entry] ?? 0) + 1;
      counts[entry] = of;
      if (of < matched) continue;
      if (of > matched) count = 0;
      matched = of;
      entries[count++] = entry;
    }
  }
  return { hits: { points, entries, count }, matched };
}

/** What two ascending lists have in common. */
function inBoth(left: Iterable<number>, right: Uint32Array): number[] {
  const both: number[] = [];
  let at = 0;
  for (const value of left) {
    while (at < right.length && (right[at] ?? 0) < value) at++;
    if (right[at] === value) both.push(value);
  }
  return both;
}

/** The entries with the best scores, equal ones in the order of names. */
function topOf({ points, entries, count }: Hits, limit: number): number[] {
  const top: number[] = [];
  if (limit < 1) return top;
  let worst = 0;
  let last = 0;
  for (let at = 0; at < count; at++) {
    const entry = entries[at] ?? 0;
    const own = points[entry] ?? 0;
    if (top.length >= limit && (own < worst || (own === worst && entry > last))) continue;
    let place = top.length;
    while (place > 0 && isBefore(entry, own, top[place - 1] ?? 0, points)) place--;
    top.splice(place, 0, entry);
    if (top.length > limit) top.pop();
    last = top.at(-1) ?? 0;
    worst = points[last] ?? 0;
  }
  return top;
}

function isBefore(entry: number, own: number, other: number, points: Hits["points"]): boolean {
  const others = points[other] ?? 0;
  return own === others ? entry < other : own > others;
}
