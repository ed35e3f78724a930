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

/** A tag and how many commits came after it. */
interface After {
  readonly distance: number;
  readonly commit: string;
}

/**
 * The version of a commit that came after a release: `1.2.0+5.g0123456789ab`, above that release for ipm, a local version
 * for Python (PEP 440) and build metadata for semantic versioning. Null where it would be too long for a version.
 */
export function versionAfter(version: string, { distance, commit }: After): string | null {
  const made = `${version}${version.includes("+") ? "." : "+"}${distance}.g${commit.slice(0, 12)}`;
  return isVersion(made) ? made : null;
}

/**
 * The tags that a checkout gets for the steps to see, by their short names: the version's own, or for a version that came
 * after a release one made of it, because tools derive their version from tags.
 * @param siblings the manifest's other versions: how their tags begin is how this one would; without them it is there
 * with and without a `v`, since some tools look for the one and some for the other
 */
export function tagsForSteps(
  { version, ref, commit }: { readonly version: string; readonly ref: string | null; readonly commit: string | null },
  siblings: readonly { readonly version: string; readonly ref?: string | undefined }[],
): readonly string[] {
  if (ref?.startsWith("refs/tags/") === true) return [ref.slice("refs/tags/".length)];
  const hex = /[+.]\d+\.g([0-9a-f]{12})$/u.exec(version)?.[1];
  if (hex === undefined || commit?.startsWith(hex) !== true) return [];
  const like = siblings.find((one) => one.ref?.startsWith("refs/tags/") === true && one.ref.endsWith(one.version));
  const prefix = like?.ref?.slice("refs/tags/".length, -like.version.length);
  return prefix === undefined ? [`v${version}`, version] : [`${prefix}${version}`];
}
