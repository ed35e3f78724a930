import type { Candidate } from "../../src/recipes/candidate.ts";
import { detect, detectReads } from "../../src/recipes/detect.ts";
import type { DraftRun, Recipe, RecipeInput, RecipeOutput, SourceFile } from "../../src/recipes/recipe.ts";

/** Path to content; `!` before the content makes the file executable, as git would have it. */
export type Repository = Readonly<Record<string, string>>;

function listingOf(repository: Repository): SourceFile[] {
  return Object.entries(repository).map(([path, text]) => ({ path, executable: text.startsWith("!") }));
}

function pick(repository: Repository, names: readonly string[]): Record<string, string> {
  const known = names.filter((name) => repository[name] !== undefined);
  return Object.fromEntries(known.map((name) => [name, (repository[name] ?? "").replace(/^!/u, "")]));
}

export interface Wanted {
  readonly bins?: readonly string[];
  readonly options?: Readonly<Record<string, unknown>>;
  readonly version?: string;
}

/** What a recipe is handed for a repository: only the texts that it asks for. */
export function inputOf(recipe: Recipe, repository: Repository, wanted: Wanted = {}): RecipeInput {
  const listing = { files: listingOf(repository), bins: wanted.bins ?? ["tool"], options: wanted.options ?? {} };
  let texts: Record<string, string> = {};
  for (let known = -1; known < Object.keys(texts).length;) {
    known = Object.keys(texts).length;
    texts = { ...texts, ...pick(repository, recipe.reads(listing, texts)) };
  }
  return { ...listing, texts, version: wanted.version ?? "1.2.3" };
}

export function expandIn(recipe: Recipe, repository: Repository, wanted: Wanted = {}): RecipeOutput {
  return recipe.expand(inputOf(recipe, repository, wanted));
}

/** The commands of the `run` steps as one line each, copies as `copy FROM TO`. */
export function commandsIn({ steps }: RecipeOutput): string[] {
  return steps.map((step) => {
    if (step.kind === "copy") return `copy ${step.from} ${step.to}`;
    return typeof step.run === "string" ? step.run : step.run.join(" ");
  });
}

export function runStepsIn({ steps }: RecipeOutput): DraftRun[] {
  return steps.filter((step): step is DraftRun => step.kind === "run");
}

/** What all recipes together make of a repository, with only the texts that they ask for. */
export function detectIn(repository: Repository, name = "tool"): readonly Candidate[] {
  const files = listingOf(repository);
  return detect({ files, texts: pick(repository, detectReads(files)), name });
}
