/**
 * What "found" means: how text becomes terms, which terms a word of a query matches, and what each match is worth.
 * The index is built and read with these functions, and the brute-force oracle of the tests uses nothing else.
 */

/** Where in an entry a term stands; a larger one counts more. */
export const FIELD = { summary: 0, keyword: 1, nameWord: 2, name: 3 } as const;

export type Field = (typeof FIELD)[keyof typeof FIELD];

export type Match =
  | { readonly how: "exact" }
  | { readonly how: "prefix" }
  | { readonly how: "inside" }
  | { readonly how: "typo"; readonly distance: number };

/** A query is cut after so many words. */
export const MAX_QUERY_WORDS = 12;
/** Longer terms are cut: nobody types them, and a hostile summary cannot blow up the index. */
const MAX_TERM = 64;
// Ranked: exact name, beginning of a name, word of a name, keyword, inside a name, summary, typo. A beginning gets up
// to 8 points more the more of the term has been typed.
const EXACT = [300, 500, 700, 1000] as const;
const PREFIX = [250, 450, 600, 800] as const;
const INSIDE = 400;
const TYPO = [50, 100, 150, 200] as const;
/** Whatever has at least so many points for one word has it in its name, or as a keyword. */
export const NAME_POINTS = INSIDE;
/** A word that so many entries have at the begin of a term is not looked for inside of names. */
export const ENOUGH_FOR_INSIDE = 20;
/** A word that so many entries have as typed is no typo. */
export const ENOUGH_FOR_TYPOS = 3;

function cut(term: string): string {
  // By characters, not code units: half a character would not survive UTF-8.
  return term.length <= MAX_TERM ? term : Array.from(term).slice(0, MAX_TERM).join("");
}

/** Lower-cased runs of letters and digits. */
export function wordsOf(text: string): string[] {
  // Most text is plain, and Unicode's tables are not loaded for nothing.
  // oxlint-disable-next-line no-control-regex -- the range of ASCII
  if (/^[\u0000-\u007f]*$/u.test(text)) return (text.toLowerCase().match(/[a-z0-9]+/gu) ?? []).map(cut);
  return (
    text
      .normalize("NFKC")
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  ).map(cut);
}

/** One term without separators, so that `rip-cat`, `rip_cat` and `ripcat` are the same; empty when nothing is left. */
export function squash(text: string): string {
  return cut(wordsOf(text).join(""));
}

/** The words of a query, each squashed, in the order typed, without repetition. */
export function queryWords(text: string): string[] {
  const words = text.split(/\s+/u).map(squash);
  return [...new Set(words)].filter((word) => word !== "").slice(0, MAX_QUERY_WORDS);
}

export interface SearchDocument {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly keywords: readonly string[];
  readonly summary: string;
}

/** Every term of an entry with the best field it stands in. */
export function termsOf(document: SearchDocument): Map<string, Field> {
  const terms = new Map<string, Field>();
  const add = (term: string, field: Field): void => {
    if (term !== "" && (terms.get(term) ?? -1) < field) terms.set(term, field);
  };
  for (const name of [document.name, ...document.aliases]) {
    add(squash(name), FIELD.name);
    for (const word of wordsOf(name)) add(word, FIELD.nameWord);
  }
  for (const keyword of document.keywords) {
    add(squash(keyword), FIELD.keyword);
    for (const word of wordsOf(keyword)) add(word, FIELD.keyword);
  }
  for (const word of wordsOf(document.summary)) add(word, FIELD.summary);
  return terms;
}

/** How many edits a word may be away from a term. Two are only tried when no term is one edit away. */
export function allowedEdits(word: string): 0 | 1 | 2 {
  if (word.length < 3) return 0;
  return word.length < 8 ? 1 : 2;
}

/** True when a word of one character is only matched as a whole: half of all terms begin with it. */
export function isExactOnly(word: string): boolean {
  return word.length < 2;
}

/** What a match in a field is worth, whatever the term; 0 for none. Points are comparable between registries. */
export function fieldPoints(match: Match, field: Field): number {
  if (match.how === "exact") return EXACT[field];
  if (match.how === "prefix") return PREFIX[field];
  if (match.how === "inside") return field === FIELD.name ? INSIDE : 0;
  return Math.floor(TYPO[field] / match.distance);
}

/**
 * What a match is worth beside its field: the more of the term has been typed the more.
 * @param typed length of the word, and `whole` that of the matched term, in bytes of UTF-8
 */
export function sharePoints(match: Match, typed: number, whole: number): number {
  return match.how === "prefix" || match.how === "inside" ? Math.floor((8 * typed) / whole) : 0;
}

/** The runs of three characters of a text, as numbers below 2^32 with few collisions. */
export function gramsOf(text: string): number[] {
  const grams: number[] = [];
  for (let index = 0; index + 3 <= text.length; index++) {
    let hash = text.charCodeAt(index);
    hash = Math.imul(hash, 0x9e_37_79_b1) ^ text.charCodeAt(index + 1);
    hash = Math.imul(hash, 0x9e_37_79_b1) ^ text.charCodeAt(index + 2);
    grams.push((hash ^ (hash >>> 15)) >>> 0);
  }
  return grams;
}

/** Text with marks for begin and end, so that the first and the last characters weigh as much as the others. */
export function padded(term: string): string {
  return `\u0002${term}\u0003`;
}

const DELETION_PREFIX = 8;

/**
 * The first eight characters of a text, and each of the texts that result from leaving one of them out. Two texts that
 * are one edit apart (insertion, deletion, substitution, neighbours transposed) have one of these in common, whatever
 * the edit (symmetric deletes: https://github.com/wolfgarbe/SymSpell).
 */
export function deletionsOf(text: string): Set<string> {
  const head = text.slice(0, DELETION_PREFIX);
  const variants = new Set([head]);
  for (let index = 0; index < head.length; index++) variants.add(head.slice(0, index) + head.slice(index + 1));
  return variants;
}
