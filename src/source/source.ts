import type { CommitSha, TreeSha } from "../core/ids.ts";

/** Where a source comes from and what it must be. */
export type SourceRequest =
  | {
      readonly kind: "git";
      /** In normal form. https always; ssh and file only when `named` is true. */
      readonly url: string;
      readonly ref: string | null;
      /** The pin; null for a target that the user typed without one (then `ref`, else the remote's HEAD, is resolved). */
      readonly commit: CommitSha | null;
      readonly tree: TreeSha | null;
      /** The user typed or configured this URL, so ssh, file URLs and credential helpers are allowed. */
      readonly named: boolean;
      /** Paths of the submodules that come with it; the others stay empty folders. */
      readonly submodules?: readonly string[];
    }
  | {
      readonly kind: "bundle";
      /** Absolute path of a git bundle that ships in a registry. */
      readonly file: string;
      /** As the manifest names it: the file may be a copy under a name of its own. */
      readonly name: string;
      readonly ref: string | null;
      readonly commit: CommitSha;
      readonly tree: TreeSha;
      readonly submodules?: readonly string[];
    }
  | { readonly kind: "folder"; readonly path: string };

/** The lock of an ecosystem's package, as a registry keeps it. */
export interface PackageRequest {
  readonly kind: "package";
  /** `npm:ripcat`. */
  readonly package: string;
  readonly version: string;
  readonly integrity: string;
  /** The lock's files by name: the absolute path of each. */
  readonly lock: Readonly<Record<string, string>>;
}

/** What makes a checkout a clone that somebody works in. */
export interface CloneOrder {
  /** Address of the remote `origin`, or null for none. */
  readonly remote: string | null;
  /** Full name of the branch that is checked out; null: HEAD is the commit itself, as after `git clone --branch TAG`. */
  readonly branch: string | null;
  /** Content of `.git/ipm`, by which the folder is known again. */
  readonly mark: string;
}

export interface TreeEntry {
  /** `/`-separated, relative to the repository's root. */
  readonly path: string;
  /** Git's mode: 100644, 100755, 120000 (link), 160000 (submodule). */
  readonly mode: "100644" | "100755" | "120000" | "160000";
  readonly oid: string;
  /** Bytes; null for submodules. */
  readonly size: number | null;
}

/** What steps are given: a commit, or the lock of a package. */
export type FetchedSource = FetchedCommit | FetchedPackage;

/** A commit that is in ipm's own git store, compared with its pin and checked for hostile paths. */
export interface FetchedCommit extends FetchedFiles {
  readonly commit: CommitSha;
  readonly tree: TreeSha;
  /** The day in UTC on which the commit was made, as it says itself: `2026-11-20`; null when it says none. */
  committedOn(): Promise<string | null>;
  /**
   * Move the clone in a folder from the commit that it has checked out to this one, as `git checkout` does: what is changed
   * or in the way refuses it, and nothing is written then.
   * @throws IpmError WORKSPACE_CHANGED
   */
  advance(folder: string, tag: string | null, branch: string | null): Promise<void>;
}

/** The files of a package's lock; whether it pins what the manifest pins is for the plan to say. */
export interface FetchedPackage extends FetchedFiles {
  readonly package: string;
  readonly version: string;
  readonly integrity: string;
  /** sha256 of the canonical JSON of the files: name to sha256 of the content. */
  readonly lock: string;
}

interface FetchedFiles {
  /** Full ref where one is known. */
  readonly ref: string | null;
  /** True for a folder whose content is not a commit of its own. */
  readonly dirty: boolean;
  readonly listing: readonly TreeEntry[];
  /** Sum of the sizes of all files. */
  readonly bytes: number;
  /** Content of one file of the tree, or undefined when it is not there, is no plain file or is larger than `maxBytes`. */
  readFile(path: string, maxBytes: number): Promise<Uint8Array | undefined>;
  /**
   * Write the tree into an empty or missing folder; a commit with a minimal real `.git` (that one commit, the version's
   * tag, no remote, no hooks), a lock without. `tag` is a tag's short name or null; `also` are other names for the same commit.
   */
  checkout(into: string, tag: string | null, also?: readonly string[], clone?: CloneOrder): Promise<void>;
}
