import type { Requirement } from "../manifest/manifest.ts";
import type { SourceFile } from "./listing.ts";

/** What detection sees of a repository: no disk, no clock, no process. */
export interface DetectInput {
  readonly files: readonly SourceFile[];
  /** Texts of the files that `detectReads` asked for; a missing or oversized one is absent. */
  readonly texts: Readonly<Record<string, string>>;
  /** The repository's own name, for conventions that go by it; empty when it is not known. */
  readonly name: string;
}

/**
 * How sure a recipe is. `certain`: the primary file says all of it. `likely`: a second signal was needed. `possible`: a
 * convention, or only a part of what installation needs is known.
 */
export type Confidence = "certain" | "likely" | "possible";

/** What the ecosystem's own file says about the package; null where it says nothing. */
export interface PackageFacts {
  readonly name: string | null;
  readonly version: string | null;
  readonly summary: string | null;
  readonly license: string | null;
  readonly homepage: string | null;
  readonly keywords: readonly string[];
}

/** One way to install a repository, with the evidence for it: a draft for `steps`, `bin` and `requires` of a manifest. */
export interface Candidate {
  readonly recipe: string;
  /** Sub-directory of the listing that the recipe works in (the step's `dir`); null for its root. */
  readonly dir: string | null;
  readonly confidence: Confidence;
  /** `file:line`, or `file` where the whole of it counts; what was concluded, after a space. */
  readonly evidence: readonly string[];
  /** Launcher to the path in the prefix where it differs from what the recipe finds by itself, else null. */
  readonly bins: Readonly<Record<string, string | null>>;
  readonly requires: readonly Requirement[];
  /** `with:` of the step. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly about: PackageFacts;
  /** What a person must look at: one sentence each. */
  readonly doubts: readonly string[];
  /** Its command starts a server and ends only when it is told to, whatever its arguments. */
  readonly server?: Server;
}

/** A server that a command starts. */
export interface Server {
  /** Arguments for the address that `start` shows. */
  readonly arguments: string;
  readonly url: string;
  readonly evidence: string;
}

export const NO_FACTS: PackageFacts = {
  name: null,
  version: null,
  summary: null,
  license: null,
  homepage: null,
  keywords: [],
};
