/**
 * Placeholders: `{version}`, `{commit}` and `{prefix}`, filled in once and never looked at again. `{version}` and
 * `{commit}` are filled when a manifest is resolved; `{prefix}` is only known when a plan runs, so it stays in the resolved
 * manifest as that very text until `fillPrefix` or `fillPrefixInPattern`. No version and no commit can hold a brace, so
 * every `{prefix}` that is left was written by the manifest.
 */

export const PLACEHOLDERS = ["version", "commit", "prefix"] as const;

// In a pattern `{2,3}` counts, and `\p{L}`, `\u{1f600}` and `\k<n>` belong to an escape: neither begins with `{letter` alone.
const PLACEHOLDER = /(?<!\\[pPu])\{(?<name>[A-Za-z_][A-Za-z0-9_.-]*)\}/gu;

export interface FoundPlaceholder {
  readonly name: string;
  /** True for `${name}`, which is shell syntax and nothing that ipm knows. */
  readonly shell: boolean;
}

/** All placeholders of a text, known or not. */
export function placeholdersIn(text: string): FoundPlaceholder[] {
  if (!text.includes("{")) return [];
  return [...text.matchAll(PLACEHOLDER)].map((match) => ({
    name: match.groups?.["name"] ?? "",
    shell: match.index > 0 && text[match.index - 1] === "$",
  }));
}

/** True for a placeholder that ipm fills in. */
export function isKnownPlaceholder(name: string): boolean {
  return PLACEHOLDERS.some((known) => known === name);
}

/** Quote a text so that a JavaScript regular expression with the `u` flag matches exactly it. */
export function quotePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`);
}

function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(PLACEHOLDER, (whole, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? whole) : whole,
  );
}

/** Fill `{version}` and `{commit}`; `{prefix}` stays. */
export function fillPlaceholders(text: string, values: { readonly version: string; readonly commit: string }): string {
  return fill(text, { version: values.version, commit: values.commit });
}

/** Fill `{version}` and `{commit}` in a pattern, quoted; `{prefix}` stays. */
export function fillPlaceholdersInPattern(
  pattern: string,
  values: { readonly version: string; readonly commit: string },
): string {
  return fill(pattern, { version: quotePattern(values.version), commit: quotePattern(values.commit) });
}

/** Fill the `{prefix}` that a resolved manifest has left in a text (`env`, `with`, `elsewhere`). */
export function fillPrefix(text: string, prefix: string): string {
  return fill(text, { prefix });
}

/** Fill the `{prefix}` that a resolved manifest has left in a pattern (`expect`), quoted. */
export function fillPrefixInPattern(pattern: string, prefix: string): string {
  return fill(pattern, { prefix: quotePattern(prefix) });
}
