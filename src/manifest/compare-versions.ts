interface VersionParts {
  readonly numbers: readonly number[];
  /** What follows the numbers: `rc.1` of `1.2.0-rc.1`. */
  readonly rest: string;
}

function partsOf(version: string): VersionParts {
  const [whole = "", numbers = ""] = /^v?(\d+(?:[._]\d+)*)/u.exec(version) ?? [];
  return { numbers: numbers.split(/[._]/u).map(Number), rest: version.slice(whole.length).replace(/^[-.+_]/u, "") };
}

/**
 * True for `1.2.0-rc.1`, `2.0b3`, `3.0.dev1`; not for a lone letter, which is a later release (`3.1c`), and not for what
 * follows a `+`, which says how it was built.
 */
export function isPrerelease(version: string): boolean {
  return /(?:^|[\d._+-])(?:(?:alpha|beta|rc|pre|preview|dev|nightly|snapshot|canary|next|test)[._-]?\d*|[abcm][._-]?\d+)(?:$|[._+-])/iu.test(
    partsOf(version.split("+")[0] ?? "").rest,
  );
}

/**
 * Below, equal or above zero, as most projects mean it: numbers part by part (missing ones are zero), a prerelease before
 * its release, the rest as text with its numbers compared as numbers.
 */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [partsOf(left), partsOf(right)];
  for (let part = 0; part < Math.max(a.numbers.length, b.numbers.length); part++) {
    const difference = (a.numbers[part] ?? 0) - (b.numbers[part] ?? 0);
    if (difference !== 0) return difference;
  }
  if (a.rest === b.rest) return 0;
  const rank = (parts: VersionParts, text: string): number => (parts.rest === "" ? 1 : isPrerelease(text) ? 0 : 2);
  const ranks = rank(a, left) - rank(b, right);
  return ranks === 0 ? a.rest.localeCompare(b.rest, "en", { numeric: true }) : ranks;
}
