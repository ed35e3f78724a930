import { IpmError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { insidePath } from "./listing.ts";

/** `with:` of a step, as the recipes read it. Scalars are texts: a manifest keeps them as they are written. */
export type Options = Readonly<Record<string, unknown>>;

function refuse(recipe: string, message: string): IpmError {
  return new IpmError("MANIFEST_INVALID", `recipe ${recipe}: ${message}`, { hint: `see docs/recipes/${recipe}.md` });
}

/** @throws IpmError MANIFEST_INVALID for an option that the recipe does not have */
export function checkOptions(
  recipe: { readonly id: string; readonly options: Readonly<Record<string, string>> },
  options: Options,
): void {
  const known = Object.keys(recipe.options);
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const [near] = nearest(name, known, 1);
    const list = known.length === 0 ? "it has none" : `it has ${known.join(", ")}`;
    throw refuse(
      recipe.id,
      `there is no option ${escapeUntrusted(name)}${near === undefined ? `; ${list}` : `; did you mean ${near}?`}`,
    );
  }
}

/** One text, or null when it is not given. @throws IpmError MANIFEST_INVALID */
export function textOption(recipe: string, options: Options, name: string): string | null {
  const value = options[name];
  if (value === undefined) return null;
  if (typeof value === "string" && value !== "" && !value.includes("\0")) return value;
  throw refuse(recipe, `option ${name} must be a text`);
}

/** One of several words, or the first. @throws IpmError MANIFEST_INVALID */
export function wordOption<Word extends string>(
  recipe: string,
  options: Options,
  name: string,
  words: readonly [Word, ...Word[]],
): Word {
  const value = options[name];
  if (value === undefined) return words[0];
  const word = words.find((known) => known === value);
  if (word === undefined) throw refuse(recipe, `option ${name} must be one of ${words.join(", ")}`);
  return word;
}

/** `true` or `false`; null when it is not given. @throws IpmError MANIFEST_INVALID */
export function flagOption(recipe: string, options: Options, name: string): boolean | null {
  const value = options[name];
  if (value === undefined) return null;
  if (value === "true" || value === true) return true;
  if (value === "false" || value === false) return false;
  throw refuse(recipe, `option ${name} must be true or false`);
}

/** A list of texts (one text counts as a list of one); empty when it is not given. @throws IpmError MANIFEST_INVALID */
export function listOption(recipe: string, options: Options, name: string): readonly string[] {
  const value = options[name] ?? [];
  const list = typeof value === "string" ? [value] : value;
  const isText = (item: unknown): item is string => typeof item === "string" && item !== "" && !item.includes("\0");
  if (Array.isArray(list) && list.every(isText)) return list;
  throw refuse(recipe, `option ${name} must be a list of texts`);
}

/** A list of words that are safe as parts of a command's argument. @throws IpmError MANIFEST_INVALID */
export function wordsOption(recipe: string, options: Options, name: string): readonly string[] {
  const list = listOption(recipe, options, name);
  const odd = list.find((item) => !/^[A-Za-z0-9_][A-Za-z0-9_./+:@-]*$/u.test(item));
  if (odd !== undefined) throw refuse(recipe, `option ${name}: ${escapeUntrusted(odd)} is not a name`);
  return list;
}

/** Paths of the checkout in normal form. @throws IpmError MANIFEST_INVALID for one that is absolute, leaves or looks like a flag */
export function pathsOption(recipe: string, options: Options, name: string): readonly string[] {
  return listOption(recipe, options, name).map((item) => {
    const path = insidePath(item);
    if (path === undefined || path.startsWith("-"))
      throw refuse(recipe, `option ${name}: ${escapeUntrusted(item)} is not a path of the repository`);
    return path;
  });
}

/** A map of texts; empty when it is not given. @throws IpmError MANIFEST_INVALID for a name that is no plain word */
export function mapOption(recipe: string, options: Options, name: string): Readonly<Record<string, string>> {
  const value = options[name] ?? {};
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
  const entries = isMap ? Object.entries(value) : [];
  const isFine = ([key, text]: [string, unknown]): boolean =>
    /^[A-Za-z0-9_][A-Za-z0-9_.+@-]*$/u.test(key) && typeof text === "string" && !text.includes("\0");
  if (!isMap || !entries.every(isFine)) throw refuse(recipe, `option ${name} must be a map of names to texts`);
  return Object.fromEntries(entries.map(([key, text]) => [key, String(text)]));
}
