import type { Tier } from "../manifest/change-tier.ts";

/** The entry that a bump has made. */
export interface AddedVersion {
  readonly version: string;
  /** The pin of a commit; null for a package alone. */
  readonly ref: string | null;
  readonly commit: string | null;
  readonly tree: string | null;
  /** The pin of a package, and how many packages its lock pins; null for a commit alone. */
  readonly integrity: string | null;
  readonly lock: string | null;
  readonly packages: number | null;
}

export interface BumpResult {
  readonly name: string;
  /** The manifest, as it is shown. */
  readonly file: string;
  /** What was newest before. */
  readonly from: string;
  /** The version that was added, or null when there is no newer one. */
  readonly added: AddedVersion | null;
  readonly tier: Tier;
  readonly written: boolean;
  /** What a maintainer should know of the version, one sentence each. */
  readonly notices: readonly string[];
}
