import { isIpmError } from "../core/errors.ts";
import type { CommitSha } from "../core/ids.ts";
import { taggedVersions, versionAfter } from "../manifest/version-of-tag.ts";
import { listRefs } from "../source/list-refs.ts";
import { findNearestTag } from "../source/nearest-tag.ts";
import type { Context } from "./context.ts";
import { sourceContext } from "./source-context.ts";

/** What the tags of a repository say about a commit. */
export interface NearestVersion {
  /** `1.2.0` of a tagged commit, `1.2.0+5.g0123456789ab` of one that came after it. */
  readonly version: string;
  /** The commit's own tag, or null. */
  readonly ref: string | null;
  /** The tag's short name; of a commit that came after it, the same with the distance: what steps are shown. */
  readonly tag: string;
  /** The release's tag, and how many commits came after it. */
  readonly after: { readonly tag: string; readonly distance: number };
}

/**
 * Find the version of a commit by the tags of its repository. Two requests at most: the list of refs, and a history of
 * commits without their files.
 * @param name what the tool is called, for tags that begin with it
 * @returns undefined where no tag tells, offline, and when the server does not answer: the version is then unknown
 */
export async function findNearestVersion(
  context: Context,
  source: { readonly url: string; readonly commit: CommitSha },
  name: string,
  tool: string,
): Promise<NearestVersion | undefined> {
  const { url, commit } = source;
  if (context.offline === true) return undefined;
  try {
    const { commits } = await listRefs(sourceContext(context), { url, named: true }, { tool });
    const tagged = taggedVersions(commits, name);
    const own = tagged.find((one) => one.commit === commit);
    const short = (ref: string): string => ref.slice("refs/tags/".length);
    if (own !== undefined) {
      const tag = short(own.ref);
      return { version: own.version, ref: own.ref, tag, after: { tag, distance: 0 } };
    }
    const tags = new Map(tagged.map((one) => [one.ref, one.commit]));
    const nearest = await findNearestTag(sourceContext(context), { url, named: true, commit, tags });
    const release = tagged.find(({ ref }) => ref === nearest?.ref);
    if (nearest === undefined || release === undefined) return undefined;
    const { distance } = nearest;
    const version = versionAfter(release.version, { distance, commit });
    const tag = short(release.ref);
    const made = tag.slice(0, tag.lastIndexOf(release.version)) + (version ?? "");
    return version === null || !tag.endsWith(release.version)
      ? undefined
      : { version, ref: null, tag: made, after: { tag, distance } };
  } catch (error) {
    if (!isIpmError(error) || error.code === "INTERRUPTED") throw error;
    return undefined;
  }
}
