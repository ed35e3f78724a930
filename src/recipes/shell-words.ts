/**
 * One word of a `sh` command that stands for exactly this text. `{prefix}`, which only the run knows, becomes
 * `$IPM_PREFIX` in double quotes.
 */
export function shellWord(text: string): string {
  const quoted = text
    .split("{prefix}")
    .map((part) => (/^[A-Za-z0-9_@%+=:,./-]*$/u.test(part) ? part : `'${part.replaceAll("'", String.raw`'\''`)}'`))
    .join('"$IPM_PREFIX"');
  return quoted === "" ? "''" : quoted;
}

/** A `sh` command line of these words. */
export function shellLine(words: readonly string[]): string {
  return words.map(shellWord).join(" ");
}
