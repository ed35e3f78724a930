import { editDistance } from "../core/nearest.ts";
import type { Finding } from "../manifest/finding.ts";
import { deletionsOf, squash } from "./search-text.ts";
import { treeFinding } from "./tree-finding.ts";

/** An entry with everything it is called, its own name first. */
export interface NamedEntry {
  /** Path of the manifest, for findings. */
  readonly file: string;
  readonly names: readonly [string, ...string[]];
}

interface Called {
  readonly entry: NamedEntry;
  readonly name: string;
}

/** True when one can be taken for the other: the same but for `- _ .`, or one edit apart. */
function isAlike(left: string, right: string): boolean {
  return squash(left) === squash(right) || editDistance(left, right, 1) <= 1;
}

/**
 * Names that can be mistaken for those of other entries, as errors at the later entry: whoever reviews a new name has to
 * accept it by hand. Names that share none of their one-character deletions are never compared, so that this stays quick
 * for large registries.
 * @param alike groups of names that have been accepted (`alike` of `registry.yaml`)
 */
export function findSimilarNames(entries: readonly NamedEntry[], alike: readonly (readonly string[])[]): Finding[] {
  const accepted = alike.map((group) => new Set(group));
  const findings: Finding[] = [];
  const seen = new Map<string, Called[]>();
  for (const entry of entries) {
    for (const name of entry.names) {
      const keys = new Set([...deletionsOf(name), ...deletionsOf(squash(name))]);
      const rivals = new Map<string, Called>();
      for (const key of keys) {
        const bucket = seen.get(key) ?? [];
        for (const called of bucket) if (called.entry !== entry) rivals.set(called.name, called);
        seen.set(key, [...bucket, { entry, name }]);
      }
      for (const rival of rivals.values()) {
        if (!isAlike(name, rival.name)) continue;
        if (accepted.some((group) => group.has(name) && group.has(rival.name))) continue;
        const message = `\`${name}\` can be mistaken for \`${rival.name}\` of the entry \`${rival.entry.names[0]}\``;
        findings.push(treeFinding("NAME_SIMILAR", entry.file, message, { about: name }));
      }
    }
  }
  return findings;
}
