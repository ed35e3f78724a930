import { canonicalJson } from "../core/canonical-json.ts";
import type { ManifestSource } from "./schema.ts";

/** What a contribution does to an entry, the more careful review last. */
export const TIERS = {
  none: "nothing that is installed has changed",
  prose: "words only: nothing that is run, pinned or required has changed",
  bump: "versions were added or withdrawn, and nothing else has changed",
  steps: "steps, hosts, requirements, commands or tests have changed",
  source: "the source, or the pin of a version that was there, has changed",
  maintainers: "the maintainers have changed",
  new: "a new entry",
} as const satisfies Record<string, string>;

export type Tier = keyof typeof TIERS;

function json(value: unknown): string {
  return canonicalJson(JSON.parse(JSON.stringify(value ?? null)));
}

/**
 * The tier of a change of one entry.
 * @param before the entry as it is in the registry; undefined for a new one
 */
export function tierOfChange(before: ManifestSource | undefined, after: ManifestSource): Tier {
  if (before === undefined) return "new";
  const differs = (...keys: (keyof ManifestSource)[]): boolean =>
    keys.some((key) => json(before[key]) !== json(after[key]));
  if (differs("name", "maintainers")) return "maintainers";
  const pinOf = ({ versions }: ManifestSource, version: string): unknown => {
    const entry = versions.find((one) => one.version === version);
    return entry === undefined
      ? undefined
      : { ...entry, withdrawn: undefined, added: undefined, prerelease: undefined };
  };
  // A version that is gone was withdrawn without a word; one that points elsewhere is another version.
  const repinned = before.versions.some(({ version }) => json(pinOf(before, version)) !== json(pinOf(after, version)));
  if (repinned || differs("source", "formerly", "aliases")) return "source";
  if (
    differs(
      "kind",
      "requires",
      "inputs",
      "persist",
      "platforms",
      "steps",
      "methods",
      "bin",
      "tests",
      "start",
      "elsewhere",
    )
  )
    return "steps";
  if (differs("versions")) return "bump";
  return json(before) === json(after) ? "none" : "prose";
}
