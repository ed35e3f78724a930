import type { Requirement } from "../manifest/manifest.ts";
import type { Candidate, DetectInput } from "./candidate.ts";
import type { SourceFile } from "./listing.ts";
import type { PackageRecipe } from "./package-recipe.ts";
import type { PlannedCopy, PlannedDownload, PlannedRun } from "./planned-step.ts";

export type { SourceFile } from "./listing.ts";

/** What is known before any file was read. Paths are relative to the step's `dir`, or to `$IPM_SOURCE` without one. */
export interface RecipeListing {
  /** `with:` of the step: texts, and lists and maps of them. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly files: readonly SourceFile[];
  /** Names of the launchers that the manifest wants. */
  readonly bins: readonly string[];
}

/** What a recipe sees: a listing and some bytes. It touches no disk, no clock, no process. */
export interface RecipeInput extends RecipeListing {
  /** Texts of the files that `reads` asked for; a missing or oversized one is absent. */
  readonly texts: Readonly<Record<string, string>>;
  readonly version: string;
  /** The pinned downloads of this version for this platform. */
  readonly downloads?: readonly RecipeDownload[];
}

/** A pinned download of the manifest. */
export interface RecipeDownload {
  /** As the manifest names it; null: the one that a platform has without a name. */
  readonly name: string | null;
  readonly url: string;
  readonly sha256: string;
  /** About how many bytes it has, or null. */
  readonly bytes: number | null;
}

/** Steps before they have their number. */
export type DraftRun = Omit<PlannedRun, "id" | "recipe">;
export type DraftStep = DraftRun | Omit<PlannedCopy, "id" | "recipe">;

/** A launcher that is a command line: a program of the host and its arguments; `{prefix}` is known. */
export interface RecipeLauncher {
  readonly run: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

export interface RecipeOutput {
  readonly steps: readonly DraftStep[];
  /** Requirements that the recipe brings, besides the manifest's. */
  readonly requires: readonly Requirement[];
  /** Launcher name to a path in the prefix, as far as the recipe knows it. */
  readonly bins: Readonly<Record<string, string>>;
  /** Launchers that are command lines, such as `java -jar`; the manifest's own `file` or `run` wins. */
  readonly launchers?: Readonly<Record<string, RecipeLauncher>>;
  /** What ipm fetches and checks before the steps; they find it as `$TMPDIR/ipm-downloads/FILE`. */
  readonly downloads?: readonly PlannedDownload[];
  /** What the reader of the plan should know: `no lockfile: versions of dependencies are not pinned`. */
  readonly notices: readonly string[];
}

/** How commands of a workspace are run: folders of it that come first on PATH, and variables that name others of them. */
export interface WorkspaceEnvironment {
  /** `/`-separated, relative to the step's `dir`. */
  readonly path: readonly string[];
  /** Variable to a path like those. */
  readonly variables: Readonly<Record<string, string>>;
}

/** What a recipe makes of a checkout that somebody is going to work in: everything stays where it is. */
export interface WorkspaceOutput extends Pick<RecipeOutput, "steps" | "requires" | "notices"> {
  readonly environment: WorkspaceEnvironment;
}

/** A named action that expands into plain steps before anything runs. */
export interface Recipe {
  readonly id: string;
  /** One line for the reference page. */
  readonly summary: string;
  /** Options that `with:` may hold: name to one line of documentation. */
  readonly options: Readonly<Record<string, string>>;
  /**
   * Files whose text `expand` wants. Asked again with the texts that it named so far, until it names nothing new: a
   * package.json tells which file is the launcher's.
   */
  reads(listing: RecipeListing, texts: Readonly<Record<string, string>>): readonly string[];
  /** @throws IpmError MANIFEST_INVALID when the repository is nothing that this recipe can build */
  expand(input: RecipeInput): RecipeOutput;
  /**
   * The same for `kind: workspace`: the environment is made inside the checkout, where people of the ecosystem look for it.
   * Absent for a recipe that has nothing to do there. @throws IpmError MANIFEST_INVALID as `expand`
   */
  expandWorkspace?(input: RecipeInput): WorkspaceOutput;
  /** Files whose text `detect` wants; few and small ones. */
  detectReads(files: readonly SourceFile[]): readonly string[];
  /** The ways in which it could install a repository, with evidence; none when it sees no sign of its ecosystem. */
  detect(input: DetectInput): readonly Candidate[];
  /** How it installs the ecosystem's package (`source.package`) instead of a checkout; absent: it does not. */
  readonly package?: PackageRecipe;
}

/** Ten minutes: the time limit of a step that names none. */
export const STEP_TIMEOUT_MS = 10 * 60_000;
/** Half an hour: the time limit of a recipe's step, which may compile a lot. */
export const BUILD_TIMEOUT_MS = 30 * 60_000;
