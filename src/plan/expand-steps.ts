import { IpmError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { LauncherTarget, Manifest, ManifestStep, Requirement } from "../manifest/manifest.ts";
import { PACKAGE_RECIPES, formatPackageReference, type PackageReference } from "../manifest/package-reference.ts";
import type { PlannedDownload, PlannedStep } from "../recipes/planned-step.ts";
import {
  type DraftStep,
  type Recipe,
  type RecipeLauncher,
  type RecipeOutput,
  type SourceFile,
  STEP_TIMEOUT_MS,
} from "../recipes/recipe.ts";
import { checkOptions } from "../recipes/options.ts";
import type { PackageRecipe } from "../recipes/package-recipe.ts";
import { invalidLock } from "../recipes/package-failure.ts";
import { RECIPES, findRecipe } from "../recipes/recipes.ts";
import type { PlannedLauncher, PlannedProvides } from "./plan.ts";
import { requirementKey } from "./requirements.ts";
import { titleOfRun } from "./title-of-run.ts";

/** What of the fetched tree the expansion sees; paths are relative to the manifest's `source.path`. */
export interface SourceView {
  readonly files: readonly SourceFile[];
  readonly texts: Readonly<Record<string, string>>;
}

export interface ExpandedSteps {
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

/** What the recipe of a step makes of the checkout, or of the package where the method installs that. */
function outputOf(step: Extract<ManifestStep, { uses: string }>, manifest: Manifest, view: SourceView): RecipeOutput {
  const recipe = demandRecipe(step.uses);
  const reference = packageOf(manifest);
  const bins = Object.keys(manifest.provides.bin);
  const { version } = manifest.version;
  if (reference !== null && PACKAGE_RECIPES[reference.ecosystem] === recipe.id) {
    const installer = packageRecipeOf(reference);
    checkOptions({ id: recipe.id, options: installer.options }, step.with);
    return installer.expand({ options: step.with, bins, version, package: reference, lock: view.texts });
  }
  checkOptions(recipe, step.with);
  return recipe.expand({
    options: step.with,
    files: filesBelow(view.files, step.dir),
    texts: textsBelow(view.texts, step.dir),
    bins,
    version,
    downloads: manifest.version.files,
  });
}

function draftsOf(
  step: ManifestStep,
  manifest: Manifest,
  view: SourceView,
): { drafts: readonly DraftStep[]; recipe: string | null; output: ReturnType<Recipe["expand"]> | null } {
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
    };
  }
  const output = outputOf(step, manifest, view);
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
  return { drafts, recipe: step.uses, output };
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
 * `optional` steps are left out: nobody has chosen them.
 * @throws IpmError MANIFEST_INVALID for an unknown recipe, or a repository that a recipe cannot build; LOCK_INVALID
 */
export function expandSteps(manifest: Manifest, view: SourceView): ExpandedSteps {
  const reference = packageOf(manifest);
  const packages = reference === null ? null : checkLock(reference, manifest.version, view.texts);
  const steps: PlannedStep[] = [];
  const downloads = new Map<string, PlannedDownload>();
  const recipeBins: Record<string, string> = {};
  const recipeLaunchers: Record<string, RecipeLauncher> = {};
  const recipeRequires: Requirement[] = [];
  const notices: string[] = [];
  for (const step of manifest.steps) {
    if (step.optional) {
      notices.push(
        `left out, optional: ${"run" in step ? titleOfRun(step.run) : step.uses}${step.why === null ? "" : ` (${step.why})`}`,
      );
      continue;
    }
    const { drafts, recipe, output } = draftsOf(step, manifest, view);
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
    steps,
    downloads: [...downloads.values()],
    provides: { bin, share: manifest.provides.share, completions: manifest.provides.completions },
    requires: [...requires, ...requiredByLaunchers(bin, requires)],
    notices,
    packages,
  };
}
