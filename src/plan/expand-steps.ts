import { IpmError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { LauncherTarget, Manifest, ManifestStep, Requirement } from "../manifest/manifest.ts";
import { PACKAGE_RECIPES, formatPackageReference, type PackageReference } from "../manifest/package-reference.ts";
import type { PlannedDownload, PlannedStep } from "../recipes/planned-step.ts";
import {
  type DraftStep,
  type Recipe,
  type RecipeInput,
  type RecipeLauncher,
  type RecipeOutput,
  type SourceFile,
  type WorkspaceEnvironment,
  STEP_TIMEOUT_MS,
} from "../recipes/recipe.ts";
import { checkOptions } from "../recipes/options.ts";
import type { PackageRecipe } from "../recipes/package-recipe.ts";
import { invalidLock } from "../recipes/package-failure.ts";
import { RECIPES, findRecipe } from "../recipes/recipes.ts";
import type { OptionalStep, PlannedEnvironment, PlannedLauncher, PlannedProvides } from "./plan.ts";
import { requirementKey } from "./requirements.ts";
import { titleOfRun } from "./title-of-run.ts";

/** What of the fetched tree the expansion sees; paths are relative to the manifest's `source.path`. */
export interface SourceView {
  readonly files: readonly SourceFile[];
  readonly texts: Readonly<Record<string, string>>;
}

export interface ExpandedSteps {
  /** The steps that the manifest leaves to the user. */
  readonly optional: readonly OptionalStep[];
  readonly steps: readonly PlannedStep[];
  readonly downloads: readonly PlannedDownload[];
  readonly provides: PlannedProvides;
  /**
   * The manifest's requirements, then the recipes' for tools that the manifest does not name itself, then the programs of
   * launchers (`run: [java, …]`) that neither names.
   */
  readonly requires: readonly Requirement[];
  readonly notices: readonly string[];
  /** How many packages the lock pins; null for a checkout. */
  readonly packages: number | null;
  /** Null but for a workspace. */
  readonly environment: PlannedEnvironment | null;
}

/** What a requirement of a package that pkg-config knows is looked up with. */
const PKG_CONFIG: Requirement = {
  tool: "pkg-config",
  version: null,
  for: "build",
  optional: false,
  why: "finds the libraries that it needs",
};

function demandRecipe(id: string): Recipe {
  const recipe = findRecipe(id);
  if (recipe !== undefined) return recipe;
  const [near] = nearest(
    id,
    RECIPES.map((known) => known.id),
    1,
  );
  throw new IpmError(
    "MANIFEST_INVALID",
    `there is no recipe ${escapeUntrusted(id)}${near === undefined ? "" : `; did you mean ${near}?`}`,
    {
      hint: "docs/recipes lists the recipes",
    },
  );
}

const NO_ENVIRONMENT: WorkspaceEnvironment = { path: [], variables: {} };

/** The prefix of a workspace, in its folder. */
export const WORKSPACE_PREFIX = ".ipm";

/**
 * How the packages of an ecosystem are installed.
 * @throws IpmError MANIFEST_INVALID for an ecosystem whose packages this ipm cannot install
 */
export function packageRecipeOf(reference: PackageReference): PackageRecipe {
  const recipe = demandRecipe(PACKAGE_RECIPES[reference.ecosystem]).package;
  if (recipe !== undefined) return recipe;
  throw new IpmError(
    "MANIFEST_INVALID",
    `${formatPackageReference(reference)}: packages of ${reference.ecosystem} cannot be installed yet`,
    {
      hint: "install from the repository: source.git",
    },
  );
}

/** The package that a method installs, or null for one that works from the checkout. */
function packageOf(manifest: Manifest): PackageReference | null {
  return manifest.source.from === "package" ? manifest.source.package : null;
}

/** The lock's files by name. @throws IpmError LOCK_INVALID when it is not what the manifest pins */
function checkLock(
  reference: PackageReference,
  { version, integrity }: Manifest["version"],
  texts: SourceView["texts"],
): number {
  const recipe = packageRecipeOf(reference);
  const lost = recipe.lockFiles.find((file) => texts[file] === undefined);
  if (lost !== undefined) throw invalidLock(reference, version, `${lost} is not in it`);
  const facts = recipe.readLock(texts, reference, version);
  if (facts.integrity === integrity) return facts.packages;
  throw invalidLock(
    reference,
    version,
    `it pins ${escapeUntrusted(facts.integrity)}, and the manifest ${integrity ?? "nothing"}`,
  );
}

/** The listing as a step with this `dir` sees it. */
function filesBelow(files: readonly SourceFile[], dir: string | null): readonly SourceFile[] {
  if (dir === null) return files;
  const root = `${dir}/`;
  return files
    .filter(({ path }) => path.startsWith(root))
    .map(({ path, executable }) => ({ path: path.slice(root.length), executable }));
}

/** A path of the step's folder as one of the checkout. */
function inCheckout(dir: string | null, path: string | null): string | null {
  if (dir === null || path === null) return path ?? dir;
  return path === "." ? dir : `${dir}/${path}`;
}

function textsBelow(texts: Readonly<Record<string, string>>, dir: string | null): Readonly<Record<string, string>> {
  if (dir === null) return texts;
  const root = `${dir}/`;
  const inside = Object.entries(texts).filter(([path]) => path.startsWith(root));
  return Object.fromEntries(inside.map(([path, text]) => [path.slice(root.length), text]));
}

/**
 * Names of the files whose text the recipes of a manifest want to read, so that the caller can fetch them first. Ask
 * again with their texts until nothing new is named: one file can tell of another.
 * @throws IpmError MANIFEST_INVALID for an unknown recipe or option
 */
export function filesToRead(
  manifest: Manifest,
  files: readonly SourceFile[],
  texts: Readonly<Record<string, string>> = {},
): string[] {
  const bins = Object.keys(manifest.provides.bin);
  const reference = packageOf(manifest);
  if (reference !== null) return [...packageRecipeOf(reference).lockFiles];
  const wanted = manifest.steps.flatMap((step) => {
    if (!("uses" in step)) return [];
    const recipe = demandRecipe(step.uses);
    checkOptions(recipe, step.with);
    return recipe
      .reads({ options: step.with, files: filesBelow(files, step.dir), bins }, textsBelow(texts, step.dir))
      .map((path) => inCheckout(step.dir, path) ?? path);
  });
  return [...new Set(wanted)];
}

interface StepOutput {
  readonly output: RecipeOutput;
  readonly environment: WorkspaceEnvironment;
}

/** What the recipe of a step makes of the checkout, or of the package where the method installs that. */
function outputOf(step: Extract<ManifestStep, { uses: string }>, manifest: Manifest, view: SourceView): StepOutput {
  const recipe = demandRecipe(step.uses);
  const reference = packageOf(manifest);
  const bins = Object.keys(manifest.provides.bin);
  const { version } = manifest.version;
  if (reference !== null && PACKAGE_RECIPES[reference.ecosystem] === recipe.id) {
    const installer = packageRecipeOf(reference);
    checkOptions({ id: recipe.id, options: installer.options }, step.with);
    const output = installer.expand({ options: step.with, bins, version, package: reference, lock: view.texts });
    return { output, environment: NO_ENVIRONMENT };
  }
  checkOptions(recipe, step.with);
  const input: RecipeInput = {
    options: step.with,
    files: filesBelow(view.files, step.dir),
    texts: textsBelow(view.texts, step.dir),
    bins,
    version,
    downloads: manifest.version.files,
  };
  return manifest.kind === "workspace"
    ? workspaceOutput(recipe, input)
    : { output: recipe.expand(input), environment: NO_ENVIRONMENT };
}

function draftsOf(
  step: ManifestStep,
  manifest: Manifest,
  view: SourceView,
): {
  drafts: readonly DraftStep[];
  recipe: string | null;
  output: RecipeOutput | null;
  environment: WorkspaceEnvironment;
} {
  if ("run" in step) {
    return {
      drafts: [
        {
          kind: "run",
          title: titleOfRun(step.run),
          why: step.why,
          run: step.run,
          dir: step.dir,
          env: step.env,
          timeoutMs: step.timeoutMs ?? STEP_TIMEOUT_MS,
          network: step.network ?? [],
        },
      ],
      recipe: null,
      output: null,
      environment: NO_ENVIRONMENT,
    };
  }
  const { output, environment } = outputOf(step, manifest, view);
  const drafts = output.steps.map((draft): DraftStep => {
    if (draft.kind === "copy") {
      return { ...draft, why: step.why ?? draft.why, from: inCheckout(step.dir, draft.from) ?? draft.from };
    }
    return {
      ...draft,
      why: draft.why ?? step.why,
      dir: inCheckout(step.dir, draft.dir),
      env: { ...draft.env, ...step.env },
      timeoutMs: step.timeoutMs ?? draft.timeoutMs,
      network: step.network === null || draft.network.length === 0 ? draft.network : step.network,
    };
  });
  return { drafts, recipe: step.uses, output, environment: environmentBelow(environment, step.dir) };
}

/** What the recipe makes of a checkout that somebody is going to work in. */
function workspaceOutput(recipe: Recipe, input: RecipeInput): StepOutput {
  if (recipe.expandWorkspace === undefined) {
    const able = RECIPES.filter((one) => "expandWorkspace" in one).map(({ id }) => id);
    throw new IpmError("MANIFEST_INVALID", `the recipe ${recipe.id} has nothing to do in a workspace`, {
      hint: `use plain steps, or one of: ${able.join(", ")}`,
    });
  }
  const { environment, ...output } = recipe.expandWorkspace(input);
  return { output: { ...output, bins: {} }, environment };
}

/** The folders of an environment as ones of the checkout. */
function environmentBelow({ path, variables }: WorkspaceEnvironment, dir: string | null): WorkspaceEnvironment {
  const below = (folder: string): string => inCheckout(dir, folder) ?? folder;
  return {
    path: path.map(below),
    variables: Object.fromEntries(Object.entries(variables).map(([name, folder]) => [name, below(folder)])),
  };
}

/** The environment of all steps of a workspace, with what its steps install into the prefix. */
function plannedEnvironment(manifest: Manifest, parts: readonly WorkspaceEnvironment[]): PlannedEnvironment | null {
  if (manifest.kind !== "workspace") return null;
  const own = parts.map((part) => environmentBelow(part, manifest.source.path));
  return {
    path: [...new Set([...own.flatMap(({ path }) => path), `${WORKSPACE_PREFIX}/bin`])],
    variables: Object.fromEntries(own.flatMap(({ variables }) => Object.entries(variables))),
  };
}

function launcherOf(
  name: string,
  target: LauncherTarget,
  recipeBins: Readonly<Record<string, string>>,
  recipeLaunchers: Readonly<Record<string, RecipeLauncher>>,
): PlannedLauncher {
  if ("run" in target) return { file: null, run: target.run, env: target.env };
  const own = target.file === null ? recipeLaunchers[name] : undefined;
  if (own !== undefined) return { file: null, run: own.run, env: { ...own.env, ...target.env } };
  return { file: target.file ?? recipeBins[name] ?? `bin/${name}`, run: null, env: target.env };
}

/** What launchers with a command line of their own start, where nobody has said that it is needed. `sh` is everywhere. */
function requiredByLaunchers(
  bin: Readonly<Record<string, PlannedLauncher>>,
  requires: readonly Requirement[],
): Requirement[] {
  const named = new Set([...requires.map(requirementKey), "tool sh"]);
  const found: Requirement[] = [];
  for (const [name, { run }] of Object.entries(bin)) {
    if (run === null || run[0].includes("/")) continue;
    const requirement: Requirement = {
      tool: run[0],
      version: null,
      for: "run",
      optional: false,
      why: `starts the command ${name}`,
    };
    if (!named.has(requirementKey(requirement))) found.push(requirement);
    named.add(requirementKey(requirement));
  }
  return found;
}

function addDownload(downloads: Map<string, PlannedDownload>, download: PlannedDownload): void {
  const known = downloads.get(download.file);
  if (known !== undefined && known.sha256 !== download.sha256) {
    throw new IpmError("MANIFEST_INVALID", `two downloads are called ${escapeUntrusted(download.file)}`, {
      hint: "two steps with the recipe file need different names at the end of their addresses",
    });
  }
  downloads.set(download.file, download);
}

/**
 * Expand a resolved manifest into the plain steps that will run, in order, and settle where each launcher's file is.
 * @param taken positions of the `optional` steps that the user wants; the others are left out
 * @throws IpmError MANIFEST_INVALID for an unknown recipe, or a repository that a recipe cannot build; LOCK_INVALID
 */
export function expandSteps(
  manifest: Manifest,
  view: SourceView,
  taken: ReadonlySet<number> = new Set(),
): ExpandedSteps {
  const reference = packageOf(manifest);
  const packages = reference === null ? null : checkLock(reference, manifest.version, view.texts);
  const steps: PlannedStep[] = [];
  const downloads = new Map<string, PlannedDownload>();
  const recipeBins: Record<string, string> = {};
  const recipeLaunchers: Record<string, RecipeLauncher> = {};
  const recipeRequires: Requirement[] = [];
  const environments: WorkspaceEnvironment[] = [];
  const notices: string[] = [];
  const optional: OptionalStep[] = [];
  for (const [index, step] of manifest.steps.entries()) {
    if (step.optional) {
      const title = "run" in step ? titleOfRun(step.run) : step.uses;
      optional.push({ step: index, title, why: step.why, taken: taken.has(index) });
      if (!taken.has(index)) {
        notices.push(`left out, optional: ${title}${step.why === null ? "" : ` (${step.why})`}`);
        continue;
      }
    }
    const { drafts, recipe, output, environment } = draftsOf(step, manifest, view);
    environments.push(environment);
    for (const draft of drafts) steps.push({ ...draft, id: String(steps.length + 1), recipe });
    for (const one of output?.downloads ?? []) addDownload(downloads, one);
    Object.assign(recipeBins, output?.bins);
    Object.assign(recipeLaunchers, output?.launchers);
    recipeRequires.push(...(output?.requires ?? []));
    notices.push(...(output?.notices ?? []));
  }
  const requires = [...manifest.requires];
  const named = new Set(requires.map(requirementKey));
  const asksPkgConfig = [...requires, ...recipeRequires].some((requirement) => "pkg-config" in requirement);
  if (asksPkgConfig) recipeRequires.push(PKG_CONFIG);
  // The manifest knows better than a recipe; recipes may say two things of one tool, a condition and an advice.
  const seen = new Set<string>();
  for (const requirement of recipeRequires) {
    const said = `${requirementKey(requirement)} ${"version" in requirement ? requirement.version : null} ${requirement.optional}`;
    if (!named.has(requirementKey(requirement)) && !seen.has(said)) requires.push(requirement);
    seen.add(said);
  }
  const bin = Object.fromEntries(
    Object.entries(manifest.provides.bin).map(([name, target]) => [
      name,
      launcherOf(name, target, recipeBins, recipeLaunchers),
    ]),
  );
  return {
    optional,
    steps,
    downloads: [...downloads.values()],
    provides: { bin, share: manifest.provides.share, completions: manifest.provides.completions },
    requires: [...requires, ...requiredByLaunchers(bin, requires)],
    notices,
    packages,
    environment: plannedEnvironment(manifest, environments),
  };
}
