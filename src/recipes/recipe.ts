import type { Requirement } from "../manifest/manifest.ts";
import type { PlannedCopy, PlannedRun } from "./planned-step.ts";

/** One file of the checkout, relative to `$IPM_SOURCE` (the manifest's `source.path`). */
export interface SourceFile {
  readonly path: string;
  readonly executable: boolean;
}

/** What a recipe sees: a listing and some bytes. It touches no disk, no clock, no process. */
export interface RecipeInput {
  /** `with:` of the step. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly files: readonly SourceFile[];
  /** Texts of the files that `reads` asked for; a missing or oversized one is absent. */
  readonly texts: Readonly<Record<string, string>>;
  /** Names of the launchers that the manifest wants. */
  readonly bins: readonly string[];
  readonly version: string;
}

/** Steps before they have their number. */
export type DraftRun = Omit<PlannedRun, "id" | "recipe">;
export type DraftStep = DraftRun | Omit<PlannedCopy, "id" | "recipe">;

export interface RecipeOutput {
  readonly steps: readonly DraftStep[];
  /** Requirements that the recipe brings, besides the manifest's. */
  readonly requires: readonly Requirement[];
  /** Launcher name to a path in the prefix, as far as the recipe knows it. */
  readonly bins: Readonly<Record<string, string>>;
  /** What the reader of the plan should know: `no lockfile: versions of dependencies are not pinned`. */
  readonly notices: readonly string[];
}

/** A named action that expands into plain steps before anything runs. */
export interface Recipe {
  readonly id: string;
  /** One line for the reference page. */
  readonly summary: string;
  /** Options that `with:` may hold: name to one line of documentation. */
  readonly options: Readonly<Record<string, string>>;
  /** Files whose text it wants, by their listing. */
  reads(files: readonly SourceFile[]): readonly string[];
  /** @throws IpmError MANIFEST_INVALID when the repository is nothing that this recipe can build */
  expand(input: RecipeInput): RecipeOutput;
}

/** Ten minutes: the time limit of a step that names none. */
export const STEP_TIMEOUT_MS = 10 * 60_000;
/** Half an hour: the time limit of a recipe's step, which may compile a lot. */
export const BUILD_TIMEOUT_MS = 30 * 60_000;
