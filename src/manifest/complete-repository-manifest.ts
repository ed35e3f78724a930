import type { CommitSha, TreeSha } from "../core/ids.ts";
import type { ManifestSource, RepositoryManifestSource } from "./schema.ts";

export interface RepositoryTarget {
  /** The repository's URL in normal form (https, ssh or file), or null for a plain folder. */
  readonly git: string | null;
  /** Submodules that are fetched with it. */
  readonly submodules?: readonly string[];
  /** The released version of a version tag, or null: then it is `0.0.0-<12 hex of the commit>`. */
  readonly version: string | null;
  /** Full ref where one is known. */
  readonly ref: string | null;
  readonly commit: CommitSha;
  readonly tree: TreeSha;
}

/** What a commit is called that nobody has given a version. */
export function unreleasedVersion(commit: CommitSha): string {
  return `0.0.0-${commit.slice(0, 12)}`;
}

/** True for what `unreleasedVersion` makes. */
export function isUnreleasedVersion(version: string): boolean {
  return /^0\.0\.0-[0-9a-f]{12}$/u.test(version);
}

/**
 * Complete a repository's own `ipm.yaml` by what the target says: its source and its only version. The result is resolved
 * like a manifest of a registry.
 */
export function completeRepositoryManifest(source: RepositoryManifestSource, target: RepositoryTarget): ManifestSource {
  return {
    ...source,
    source:
      target.git === null
        ? {}
        : { git: target.git, ...(target.submodules === undefined ? {} : { submodules: [...target.submodules] }) },
    versions: [
      {
        version: target.version ?? unreleasedVersion(target.commit),
        ...(target.ref === null ? {} : { ref: target.ref }),
        commit: target.commit,
        tree: target.tree,
      },
    ],
  };
}
