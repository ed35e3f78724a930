/**
 * Versions as programs print them and ranges as manifests write them. Tolerant on purpose: `3.10`, `v20.20.2`,
 * `go1.22`, `22.04+` are all numbers to compare; anything that is not a number ends the version.
 */

export type VersionNumbers = readonly number[];

/** The first version-like number of a program's output: at least two parts, else a lone number. Null when there is none. */
export function readVersion(output: string): string | null {
  return (
    (/(?<![\d.])\d+(?:\.\d+)+/u.exec(output) ?? /(?<![\w.])v?\d+(?![\w.])/u.exec(output))?.[0]?.replace(/^v/u, "") ??
    null
  );
}

/** `1.22.3` as numbers; null when the text does not begin with one. */
export function parseNumbers(text: string): VersionNumbers | null {
  const match = /^v?(\d+(?:\.\d+)*)/u.exec(text.trim());
  return match === null ? null : (match[1] ?? "").split(".").map(Number);
}

/** Below, equal or above zero; missing parts count as zero. */
export function compareVersions(left: VersionNumbers, right: VersionNumbers): number {
  for (let part = 0; part < Math.max(left.length, right.length); part++) {
    const difference = (left[part] ?? 0) - (right[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

interface Bound {
  readonly test: (version: VersionNumbers) => boolean;
}

function nextAfter(numbers: VersionNumbers, keep: number): VersionNumbers {
  const kept = numbers.slice(0, keep);
  return kept.map((part, index) => (index === kept.length - 1 ? part + 1 : part));
}

function between(low: VersionNumbers, high: VersionNumbers): Bound {
  return { test: (version) => compareVersions(version, low) >= 0 && compareVersions(version, high) < 0 };
}

function parseComparator(text: string): Bound | null {
  if (text === "*" || text === "x" || text === "") return { test: () => true };
  const match = /^(>=|<=|>|<|===?|!=|=|\^|~=|~>|~|)\s*v?(\d+(?:\.(?:\d+|[x*]))*)(\+?)(?:[-+].*)?$/u.exec(text);
  if (match === null) return null;
  const [, operator = "", numberText = "", plus = ""] = match;
  const fixed = numberText.split(".").filter((part) => /^\d+$/u.test(part));
  const numbers = fixed.map(Number);
  const wild = fixed.length < numberText.split(".").length;
  if (plus === "+" && operator === "") return { test: (version) => compareVersions(version, numbers) >= 0 };
  switch (operator) {
    case ">=":
      return { test: (version) => compareVersions(version, numbers) >= 0 };
    case "<":
      return { test: (version) => compareVersions(version, numbers) < 0 };
    // `> 3.8` and `<= 3.8` mean the whole of 3.8: 3.8.5 is not above it.
    case ">":
      return { test: (version) => compareVersions(version, nextAfter(numbers, numbers.length)) >= 0 };
    case "<=":
      return { test: (version) => compareVersions(version, nextAfter(numbers, numbers.length)) < 0 };
    case "^": {
      const firstNonZero = numbers.findIndex((part) => part !== 0);
      return between(numbers, nextAfter(numbers, firstNonZero === -1 ? numbers.length : firstNonZero + 1));
    }
    case "~":
    case "~>":
    case "~=":
      return between(
        numbers,
        nextAfter(numbers, Math.max(1, Math.min(2, numbers.length - (operator === "~" ? 0 : 1)))),
      );
    case "!=": {
      const same = exactly(numbers, wild);
      return { test: (version) => !same.test(version) };
    }
    default:
      return exactly(numbers, wild);
  }
}

/** That version; `3.8` and `3.8.*` mean the whole of 3.8. */
function exactly(numbers: VersionNumbers, wild: boolean): Bound {
  return numbers.length >= 3 && !wild
    ? { test: (version) => compareVersions(version, numbers) === 0 }
    : between(numbers, nextAfter(numbers, numbers.length));
}

/** A range as a predicate, or null when it cannot be read. Alternatives by `||`, all of a list by space or comma. */
export function parseRange(range: string): ((version: VersionNumbers) => boolean) | null {
  const alternatives: Bound[][] = [];
  for (const alternative of range.split("||")) {
    const hyphen = /^\s*(\S+)\s+-\s+(\S+)\s*$/u.exec(alternative);
    const words =
      hyphen === null
        ? alternative.replaceAll(/(>=|<=|===?|!=|~=|~>|[<>=^~])\s+/gu, "$1").split(/[\s,]+/u)
        : [`>=${hyphen[1]}`, `<=${hyphen[2]}`];
    const bounds = words.filter((word) => word !== "").map(parseComparator);
    if (bounds.includes(null)) return null;
    alternatives.push(bounds.filter((bound) => bound !== null));
  }
  return (version) => alternatives.some((bounds) => bounds.every((bound) => bound.test(version)));
}

/**
 * Whether a version as printed satisfies a range as written. A range that cannot be read is not satisfied: an unknown
 * demand must not be taken as met.
 */
export function satisfiesRange(version: string, range: string): boolean {
  const numbers = parseNumbers(version);
  const test = parseRange(range);
  return numbers !== null && test !== null && test(numbers);
}
