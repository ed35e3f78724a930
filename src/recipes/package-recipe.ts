import type { Requirement } from "../manifest/manifest.ts";
import type { PackageReference } from "../manifest/package-reference.ts";
import type { PackageFacts } from "./candidate.ts";
import type { DraftRun, RecipeOutput } from "./recipe.ts";

/** What a recipe sees when it installs a package: the reference and the texts of its lock. It touches nothing. */
export interface PackageInput {
  /** `with:` of the step, without `from`. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Names of the launchers that the manifest wants. */
  readonly bins: readonly string[];
  readonly version: string;
  readonly package: PackageReference;
  /** Texts of the lock's files by name: all of `lockFiles`. They are the working folder of the steps, and all of it. */
  readonly lock: Readonly<Record<string, string>>;
}

/** What a lock says. */
export interface LockFacts {
  /** The main package's content as the ecosystem names it, in the form of `versions.integrity`: `sha512-…`. */
  readonly integrity: string;
  /** How many packages it pins, the main one among them. */
  readonly packages: number;
}

/** A question to an ecosystem's registry, asked by its ordinary client as a step is run: in a folder with `files`. */
export interface PackageQuery {
  readonly step: DraftRun;
  readonly files: Readonly<Record<string, string>>;
  readonly requires: readonly Requirement[];
  /** Files that are read afterwards; a missing one is absent. */
  readonly answers: readonly string[];
}

/** What a registry has of one version of a package. */
export interface PackageAnswer {
  readonly version: string;
  readonly prerelease: boolean;
  readonly integrity: string;
  /** The lock's files by name. */
  readonly lock: Readonly<Record<string, string>>;
  readonly about: PackageFacts;
  /** Its commands. */
  readonly bins: readonly string[];
  /** What a maintainer should know: packages with install scripts, files that fit no platform. */
  readonly notices: readonly string[];
}

/**
 * How a recipe installs a package of its ecosystem, at a version, by a lock that a registry keeps. Everything is pure: the
 * questions are run by `usecases/ask-ecosystem.ts`, the steps like those of any plan.
 */
export interface PackageRecipe {
  /** Options that `with:` may hold for a package: name to one line of documentation. `from` is understood everywhere. */
  readonly options: Readonly<Record<string, string>>;
  /** Names of the files that a lock's folder holds; no other file of it is ever read. */
  readonly lockFiles: readonly string[];
  /**
   * Check a lock and say what it pins: every package with a hash, no addresses, the main package at this version.
   * @throws IpmError LOCK_INVALID
   */
  readLock(lock: Readonly<Record<string, string>>, reference: PackageReference, version: string): LockFacts;
  /** Steps that install what the lock pins. Called after `readLock` has accepted it. @throws IpmError MANIFEST_INVALID */
  expand(input: PackageInput): RecipeOutput;
  /** What asks for a version (null: the newest that is no pre-release) and resolves its lock. */
  ask(reference: PackageReference, version: string | null): PackageQuery;
  /** @throws IpmError PACKAGE_UNUSABLE when the answer is none, or the package cannot be locked */
  read(answers: Readonly<Record<string, string>>, reference: PackageReference): PackageAnswer;
}
