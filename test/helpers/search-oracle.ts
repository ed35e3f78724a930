import { editDistance } from "../../src/core/nearest.ts";
import {
  ENOUGH_FOR_INSIDE,
  ENOUGH_FOR_TYPOS,
  FIELD,
  allowedEdits,
  fieldPoints,
  isExactOnly,
  queryWords,
  sharePoints,
  termsOf,
  type Field,
  type Match,
  type SearchDocument,
} from "../../src/registry/search-text.ts";

function pointsOf(match: Match, field: Field, word: string, term: string): number {
  const worth = fieldPoints(match, field);
  return worth === 0 ? 0 : worth + sharePoints(match, Buffer.byteLength(word), Buffer.byteLength(term));
}

/** Every entry against every word, by the definition alone: no index, no candidates, no cut. */
export function oracle(entries: readonly SearchDocument[], query: string): { name: string; score: number }[] {
  const all = entries.map((each) => ({ name: each.name, terms: [...termsOf(each)], matched: 0, score: 0 }));
  for (const word of queryWords(query)) {
    const points = new Map<(typeof all)[number], number>();
    const raise = (of: (typeof all)[number], value: number): void => {
      if (value > (points.get(of) ?? 0)) points.set(of, value);
    };
    let exact = false;
    for (const each of all) {
      for (const [term, field] of each.terms) {
        if (term === word) {
          exact = true;
          raise(each, pointsOf({ how: "exact" }, field, word, term));
        } else if (!isExactOnly(word) && term.startsWith(word)) {
          raise(each, pointsOf({ how: "prefix" }, field, word, term));
        }
      }
    }
    if (!isExactOnly(word) && word.length >= 3 && points.size < ENOUGH_FOR_INSIDE) {
      for (const each of all) {
        for (const [term, field] of each.terms) {
          if (field === FIELD.name && term.indexOf(word) > 0)
            raise(each, pointsOf({ how: "inside" }, field, word, term));
        }
      }
    }
    if (!exact && points.size < ENOUGH_FOR_TYPOS) {
      const distances = new Map<string, number>();
      for (const { terms } of all) {
        for (const [term] of terms)
          if (!distances.has(term)) distances.set(term, editDistance(word, term, allowedEdits(word)));
      }
      const nearest = [...distances.values()].reduce((least, each) => (each > 0 && each < least ? each : least), 9);
      for (const each of nearest > allowedEdits(word) ? [] : all) {
        for (const [term, field] of each.terms) {
          if (distances.get(term) === nearest)
            raise(each, pointsOf({ how: "typo", distance: nearest }, field, word, term));
        }
      }
    }
    for (const [each, value] of points) {
      each.matched++;
      each.score += value;
    }
  }
  const most = all.reduce((so, each) => Math.max(so, each.matched), 0);
  return all
    .filter((each) => most > 0 && each.matched === most)
    .toSorted((left, right) => right.score - left.score || (left.name < right.name ? -1 : 1))
    .map(({ name, score }) => ({ name, score }));
}

/** A word with one edit of any kind somewhere. */
export function misspell(word: string, random: () => number): string {
  const at = Math.floor(random() * word.length);
  const letter = String.fromCharCode(97 + Math.floor(random() * 26));
  switch (Math.floor(random() * 4)) {
    case 0:
      return word.slice(0, at) + word.slice(at + 1);
    case 1:
      return word.slice(0, at) + letter + word.slice(at);
    case 2:
      return word.slice(0, at) + letter + word.slice(at + 1);
    default:
      return word.slice(0, at) + (word[at + 1] ?? "") + (word[at] ?? "") + word.slice(at + 2);
  }
}
