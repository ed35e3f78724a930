import { isVersion } from "../core/ids.ts";
import { compareVersions, isPrerelease } from "./compare-versions.ts";

/**
 * The version that a tag stands for, or null: `v1.2.0`, `1.2.0`, `release-1.2.0`, `ripcat-1.2.0`, `ripcat@1.2.0`, `1_2_0`.
 * @param ref full name, `refs/tags/…`
 * @param name what the tool is called, for tags that begin with it
 */
export function versionOfTag(ref: string, name: string): string | null {
  if (!ref.startsWith("refs/tags/")) return null;
  let rest = ref.slice("refs/tags/".length);
  const lower = name.toLowerCase();
  const scoped = rest.toLowerCase().lastIndexOf(`${lower}@`);
  if (lower !== "" && scoped !== -1) rest = rest.slice(scoped + lower.length + 1);
  else if (lower !== "" && rest.toLowerCase().startsWith(lower)) rest = rest.slice(lower.length).replace(/^[-_/]/u, "");
  rest = rest.replace(/^(?:releases?|version|ver|rel)[-_/.]?/iu, "").replace(/^[vV]\.?(?=\d)/u, "");
  const dotted = /^\d+(?:_\d+)+$/u.test(rest) ? rest.replaceAll("_", ".") : rest;
  return /^\d+(?:\.\d+)*(?:[-.+_]?[A-Za-z0-9.+_-]*)$/u.test(dotted) && isVersion(dotted) ? dotted : null;
}

export interface TaggedVersion<Commit extends string> {
  readonly version: string;
  readonly ref: string;
  readonly commit: Commit;
  readonly prerelease: boolean;
}

/**
 * The versions among a repository's tags, newest first; of several tags for the same version the shortest. Where any
 * version has a dot, lone numbers (`v1`, which moves with every release) are left out.
 */
export function taggedVersions<Commit extends string>(
  commits: ReadonlyMap<string, Commit>,
  name: string,
): readonly TaggedVersion<Commit>[] {
  const found = new Map<string, TaggedVersion<Commit>>();
  for (const [ref, commit] of commits) {
    const version = versionOfTag(ref, name);
    if (version === null) continue;
    const known = found.get(version);
    if (known !== undefined && known.ref.length <= ref.length) continue;
    found.set(version, { version, ref, commit, prerelease: isPrerelease(version) });
  }
  const all = [...found.values()];
  const hasDots = all.some(({ version }) => version.includes("."));
  return all
    .filter(({ version }) => !hasDots || version.includes("."))
    .toSorted((a, b) => compareVersions(b.version, a.version));
}

/** The newest version that is no prerelease, else the newest of all; undefined when there is none. */
export function newestVersion<Commit extends string>(
  versions: readonly TaggedVersion<Commit>[],
): TaggedVersion<Commit> | undefined {
  return versions.find(({ prerelease }) => !prerelease) ?? versions[0];
}
