import { IpmError } from "../core/errors.ts";
import { isRecord } from "../core/is-record.ts";
import type { Requirement } from "../manifest/manifest.ts";
import type { Candidate, DetectInput } from "./candidate.ts";
import { type SourceFile, hasFile, joinPath, nameOf } from "./listing.ts";
import {
  type ManagerCommands,
  NODE_LOCKFILES,
  type NodeManager,
  chooseNodeManager,
  commandsOf,
  fetchManager,
  managerStep,
  npmStep,
} from "./node-manager.ts";
import { npmPackage } from "./npm-package.ts";
import { flagOption, pathsOption, wordsOption } from "./options.ts";
import {
  type PackageJson,
  buildScriptOf,
  buildsSomething,
  evidenceOf,
  existingTarget,
  missingImport,
  parsePackageJson,
} from "./package-json.ts";
import type { DraftStep, Recipe, RecipeInput, RecipeListing, RecipeOutput, WorkspaceOutput } from "./recipe.ts";

const ID = "npm";
const MANIFEST = "package.json";

/** The part of a listing below a folder, with paths from there. */
function below(files: readonly SourceFile[], folder: string): readonly SourceFile[] {
  if (folder === ".") return files;
  return files
    .filter(({ path }) => path.startsWith(`${folder}/`))
    .map(({ path, executable }) => ({ path: path.slice(folder.length + 1), executable }));
}

/** Whether packages that stay installed have install scripts of their own (native addons), by npm's lockfile. */
function hasInstallScripts(lockText: string | undefined): boolean {
  if (lockText === undefined) return false;
  try {
    const lock: unknown = JSON.parse(lockText);
    if (!isRecord(lock) || !isRecord(lock["packages"])) return false;
    // Those of development dependencies download browsers and the like, and are gone before scripts run.
    return Object.entries(lock["packages"]).some(
      ([place, entry]) =>
        place !== "" && isRecord(entry) && entry["hasInstallScript"] === true && entry["dev"] !== true,
    );
  } catch {
    return false;
  }
}

/**
 * Whether install scripts must run for what stays: by what npm's and pnpm's lockfiles say of it. Those of the others do
 * not tell, and without one nothing does: then they always run.
 */
function mayHaveInstallScripts({ texts }: Pick<RecipeInput, "texts">, { name, lockfile }: NodeManager): boolean {
  if (lockfile === null || name === "yarn" || name === "bun") return true;
  if (name === "npm") return hasInstallScripts(texts[lockfile]);
  const says = [texts[MANIFEST], texts["pnpm-workspace.yaml"]].some((text) => text?.includes("onlyBuiltDependencies"));
  return says || /^[ \t]+requiresBuild: true$/mu.test(texts[lockfile] ?? "");
}

/** The folder of the workspace's package that is wanted, `.` for the root. */
function workspaceOf({ options, files }: Pick<RecipeListing, "options" | "files">): string {
  const [folder, another] = pathsOption(ID, options, "workspace");
  if (folder === undefined) return ".";
  if (another !== undefined || !/^[\w@./+-]+$/u.test(folder) || !hasFile(files, joinPath(folder, MANIFEST))) {
    throw new IpmError("MANIFEST_INVALID", `recipe npm: the repository has no package in ${folder}`, {
      hint: "correct the option workspace: the folder of one package",
    });
  }
  return folder;
}

interface Target {
  readonly command: string;
  /** From the package's folder. */
  readonly file: string;
}

/** Why a build is needed, or null when everything that the launchers load at once is in the repository. */
function whyBuild(
  input: RecipeInput,
  folder: string,
  own: readonly SourceFile[],
  targets: readonly Target[],
): string | null {
  const asked = flagOption(ID, input.options, "build");
  if (asked !== null) return asked ? "the manifest asks for it" : null;
  for (const { file } of targets) {
    const existing = existingTarget(own, file);
    if (existing === undefined) return `${file} is not in the repository`;
    const missing = missingImport(own, existing, input.texts[joinPath(folder, existing)] ?? "");
    if (missing !== undefined) return `${existing} loads ${missing}, which is not in the repository`;
  }
  return null;
}

interface Situation {
  readonly input: RecipeInput;
  readonly folder: string;
  readonly root: PackageJson | null;
  readonly pkg: PackageJson;
  readonly manager: NodeManager;
  readonly commands: ManagerCommands;
}

/** Scripts that build, in their order, each with the workspace that it belongs to (null: the root). */
function buildScripts({
  input,
  folder,
  root,
  pkg,
}: Situation): readonly { script: string; workspace: string | null }[] {
  const workspace = folder === "." ? null : folder;
  const named = wordsOption(ID, input.options, "scripts");
  if (named.length > 0) {
    return named.map((script) => ({ script, workspace: pkg.scripts[script] === undefined ? null : workspace }));
  }
  const script = buildScriptOf(pkg.scripts);
  if (script !== undefined) return [{ script, workspace }];
  const ofRoot = root === null ? undefined : buildScriptOf(root.scripts);
  return ofRoot === undefined ? [] : [{ script: ofRoot, workspace: null }];
}

/**
 * A package that is expected beside the tool and is there for development too goes with the latter, so that the tool
 * would not start: npm lets the one kind of dependency hide the other. A published package has no such trouble, since
 * nobody installs its development dependencies.
 */
function keepPeersStep({ folder, pkg }: Situation, peers: string): DraftStep {
  const keys = pkg.developedPeers.map((peer) => `devDependencies[${peer}]`);
  const where = folder === "." ? [] : [`--workspace=${folder}`];
  return npmStep(`keep ${peers}`, ["npm", "pkg", "delete", ...where, ...keys], false, "the tool runs with it");
}

function installSteps(situation: Situation, why: string | null, notices: string[]): DraftStep[] {
  const { input, root, pkg, manager, commands } = situation;
  const all = root === null ? [pkg] : [pkg, root];
  const isNpm = manager.package === null;
  // Only npm brings what a package expects beside it, as it does for everybody who installs the published one.
  const hasDependencies = all.some((one) => one.hasDependencies) || (isNpm && pkg.peers.length > 0);
  const needsPackages = hasDependencies || all.some((one) => one.hasDevDependencies);
  const scripts = why === null ? [] : buildScripts(situation);
  if (why !== null && scripts.length === 0) {
    throw new IpmError("MANIFEST_INVALID", `recipe npm: ${why}, and no script builds it`, { hint: "use plain steps" });
  }
  const installs = why === null ? hasDependencies : needsPackages || hasDependencies;
  const steps: DraftStep[] = [];
  const usesManager = installs || scripts.length > 0;
  if (usesManager) steps.push(...fetchManager(manager));
  const step = (
    words: readonly [string, ...string[]],
    network: boolean,
    reason: string | null,
    title = words.filter((word) => !word.startsWith("-")).join(" "),
  ): DraftStep => managerStep(manager, title, words, network, reason);
  const keepsPeers = installs && pkg.developedPeers.length > 0;
  const peers = pkg.developedPeers.join(", ");
  if (keepsPeers && !isNpm) notices.push(`packages for development stay: it runs with ${peers}, which is one of them`);
  if (keepsPeers && isNpm && why === null) steps.push(keepPeersStep(situation, peers));
  if (installs) {
    const from = manager.lockfile === null ? "the repository has no lockfile" : `the versions of ${manager.lockfile}`;
    steps.push(step(commands.install(why === null && (isNpm || !keepsPeers) ? "production" : "all"), true, from));
    if (flagOption(ID, input.options, "dev-scripts") === true) {
      const rebuild = commands.rebuild();
      if (rebuild !== null) steps.push(step(rebuild, true, "the build needs what packages compile"));
    }
    if (/\bpatch-package\b/u.test(pkg.scripts["postinstall"] ?? "") && why !== null)
      steps.push(step(commands.run("postinstall", null), false, "patches its dependencies"));
    if (manager.lockfile === null)
      notices.push("no lockfile: the versions of its dependencies are whatever is newest today");
  }
  for (const { script, workspace } of scripts) steps.push(step(commands.run(script, workspace), false, why));
  if (installs && why !== null && (isNpm || !keepsPeers)) {
    if (keepsPeers) steps.push(keepPeersStep(situation, peers));
    steps.push(
      hasDependencies
        ? step(commands.prune(), manager.name === "bun", "what only the build needed goes", `${manager.name} prune`)
        : npmStep("remove node_modules", ["rm", "-rf", "node_modules"], false, "only the build needed it"),
    );
  }
  if (hasDependencies && installs && mayHaveInstallScripts(input, manager)) {
    const rebuild = commands.rebuild();
    const reason = "some packages compile or fetch parts of their own";
    steps.push(
      rebuild === null ? npmStep("npm rebuild", ["npm", "rebuild"], true, reason) : step(rebuild, true, reason),
    );
  }
  if (!isNpm && usesManager) notices.push(`${manager.package} is fetched for the installation (${manager.because})`);
  return steps;
}

/** npm enforces `engines` only where `.npmrc` says engine-strict; else it is advice, and the tests decide. */
function nodeRequirements(pkg: PackageJson, isStrict: boolean): Requirement[] {
  const node = { tool: "node", for: "both", optional: false, why: "runs the tool" } as const;
  if (pkg.nodeRange === null || isStrict) return [{ ...node, version: pkg.nodeRange }];
  return [
    { ...node, version: null },
    { ...node, version: pkg.nodeRange, optional: true, why: "what its authors support" },
  ];
}

function chmodStep(files: readonly string[]): DraftStep[] {
  if (files.length === 0) return [];
  const step = npmStep(
    `chmod +x ${files.join(" ")}`,
    ["chmod", "+x", "--", ...files],
    false,
    "as npm does for launchers",
  );
  return [{ ...step, env: {} }];
}

function demandPackage(input: Pick<RecipeInput, "files" | "texts">, folder: string, isRoot = false): PackageJson {
  const file = joinPath(folder, MANIFEST);
  const text = input.texts[file];
  if (text === undefined) {
    throw new IpmError("MANIFEST_INVALID", "recipe npm: the repository has no package.json here", {
      hint: "set source.path, or use plain steps",
    });
  }
  return parsePackageJson(text, below(input.files, folder), file, isRoot);
}

function expand(input: RecipeInput): RecipeOutput {
  const folder = workspaceOf(input);
  const pkg = demandPackage(input, folder);
  const root = folder === "." ? null : demandPackage(input, ".", true);
  const own = below(input.files, folder);
  const manager = chooseNodeManager(input.files, input.texts, (root ?? pkg).packageManager);
  const situation: Situation = { input, folder, root, pkg, manager, commands: commandsOf(manager) };
  const targets = Object.entries(pkg.bin)
    .filter(([command]) => input.bins.includes(command))
    .map(([command, file]) => ({ command, file }));
  const why = whyBuild(input, folder, own, targets);
  const notices: string[] = [];
  const steps = installSteps(situation, why, notices);
  const place = `lib/node_modules/${pkg.name}`;
  const bins = Object.fromEntries(
    targets.map(({ command, file }) => [command, joinPath(folder, existingTarget(own, file) ?? file)]),
  );
  const plain = [...new Set(Object.values(bins))].filter(
    (file) => !input.files.some((known) => known.path === file && known.executable),
  );
  const isStrict = /^[ \t]*engine-strict[ \t]*=[ \t]*true\b/mu.test(input.texts[".npmrc"] ?? "");
  const usesNpm = steps.some((step) => step.kind === "run");
  return {
    steps: [
      ...steps,
      ...chmodStep(plain),
      { kind: "copy", title: `copy the package to ${place}`, why: null, from: ".", to: place, exclude: [] },
    ],
    requires: [
      ...nodeRequirements(pkg, isStrict),
      ...(usesNpm
        ? [{ tool: "npm", version: null, for: "build", optional: false, why: "installs its packages" } as const]
        : []),
    ],
    bins: Object.fromEntries(Object.entries(bins).map(([command, file]) => [command, `${place}/${file}`])),
    notices,
  };
}

/** The checkout with its packages in `node_modules`, those for development included, built where a script builds it. */
function expandWorkspace(input: RecipeInput): WorkspaceOutput {
  const folder = workspaceOf(input);
  const pkg = demandPackage(input, folder);
  const root = folder === "." ? null : demandPackage(input, ".");
  const manager = chooseNodeManager(input.files, input.texts, (root ?? pkg).packageManager);
  const situation: Situation = { input, folder, root, pkg, manager, commands: commandsOf(manager) };
  const { commands } = situation;
  const notices: string[] = [];
  const step = (words: readonly [string, ...string[]], network: boolean, why: string | null): DraftStep =>
    managerStep(manager, words.filter((word) => !word.startsWith("-")).join(" "), words, network, why);
  const steps: DraftStep[] = [...fetchManager(manager)];
  const from = manager.lockfile === null ? "the repository has no lockfile" : `the versions of ${manager.lockfile}`;
  steps.push(step(commands.install("all"), true, from));
  if (manager.lockfile === null)
    notices.push("no lockfile: the versions of its dependencies are whatever is newest today");
  const rebuild = commands.rebuild();
  if (
    rebuild !== null &&
    (mayHaveInstallScripts(input, manager) || flagOption(ID, input.options, "dev-scripts") === true)
  )
    steps.push(step(rebuild, true, "some packages compile or fetch parts of their own"));
  if (flagOption(ID, input.options, "build") === true || wordsOption(ID, input.options, "scripts").length > 0) {
    for (const { script, workspace } of buildScripts(situation))
      steps.push(step(commands.run(script, workspace), false, "the manifest asks for it"));
  }
  return {
    steps,
    requires: [
      ...nodeRequirements(pkg, false),
      { tool: "npm", version: null, for: "both", optional: false, why: "installs its packages" },
    ],
    notices,
    environment: { path: ["node_modules/.bin"], variables: {} },
  };
}

/** Files of launchers, once the package.json that names them is read. */
function targetReads(listing: RecipeListing, texts: Readonly<Record<string, string>>): string[] {
  const folder = workspaceOf(listing);
  const text = texts[joinPath(folder, MANIFEST)];
  if (text === undefined) return [];
  const own = below(listing.files, folder);
  try {
    return Object.values(parsePackageJson(text, own).bin).flatMap((file) => {
      const existing = existingTarget(own, file);
      return existing === undefined ? [] : [joinPath(folder, existing)];
    });
  } catch {
    // `expand` says what is wrong with it.
    return [];
  }
}

/** Folders with a package.json that are no fixtures, the root first. */
function packageFolders(files: readonly SourceFile[]): string[] {
  return files
    .map(({ path }) => path)
    .filter(
      (path) =>
        nameOf(path) === MANIFEST &&
        path.split("/").length <= 4 &&
        !/(?:^|\/)(?:node_modules|tests?|__tests__|fixtures?|__fixtures__|examples?|templates?|docs?|website|demos?)\//u.test(
          path,
        ),
    )
    .toSorted((a, b) => a.split("/").length - b.split("/").length)
    .slice(0, 60)
    .map((path) => joinPath(path.slice(0, -MANIFEST.length), "."));
}

function candidateOf(input: DetectInput, folder: string): Candidate | null {
  const file = joinPath(folder, MANIFEST);
  const text = input.texts[file];
  if (text === undefined) return null;
  let pkg: PackageJson;
  try {
    pkg = parsePackageJson(text, below(input.files, folder), file);
  } catch {
    return null;
  }
  const own = below(input.files, folder);
  const commands = Object.entries(pkg.bin);
  const manager = chooseNodeManager(input.files, input.texts, pkg.packageManager);
  const absent = commands.filter(([, target]) => existingTarget(own, target) === undefined);
  // What is published is a bundle of a script that is here as it is: no build is needed to run it.
  const isScript = absent.some(([command]) => own.some(({ path, executable }) => executable && path === command));
  if (isScript && absent.length === commands.length) return null;
  const doubts: string[] = [];
  if (commands.length === 0) doubts.push("no command is declared: perhaps a library");
  if (absent.length > 0 && buildScriptOf(pkg.scripts) === undefined)
    doubts.push(`${absent[0]?.[1] ?? ""} is not in the repository and no script builds it`);
  if (manager.lockfile === null && pkg.hasDependencies) doubts.push("no lockfile: dependencies are not pinned");
  if (pkg.scripts["prepare"] !== undefined && !buildsSomething(pkg.scripts["prepare"]))
    doubts.push("prepare only sets up git hooks and is not run");
  return {
    recipe: ID,
    dir: null,
    confidence:
      commands.length === 0 ? "possible" : absent.length === 0 && manager.name === "npm" ? "certain" : "likely",
    evidence: [
      ...evidenceOf(file, text, "name", `package ${pkg.name}`),
      ...evidenceOf(file, text, "bin", `commands ${commands.map(([name]) => name).join(", ")}`),
      ...(manager.because === "packageManager"
        ? evidenceOf(file, text, "packageManager", `made for ${manager.name}`)
        : []),
      ...(manager.lockfile === null ? [] : [`${manager.lockfile} versions locked by ${manager.name}`]),
      ...(absent.length > 0
        ? evidenceOf(file, text, buildScriptOf(pkg.scripts) ?? "bin", "a build makes the commands")
        : []),
    ],
    bins: Object.fromEntries(commands.map(([name]) => [name, null])),
    requires: nodeRequirements(pkg, /^[ \t]*engine-strict[ \t]*=[ \t]*true\b/mu.test(input.texts[".npmrc"] ?? "")),
    options: folder === "." ? {} : { workspace: folder },
    about: pkg.about,
    doubts,
  };
}

function detect(input: DetectInput): readonly Candidate[] {
  const all = packageFolders(input.files).flatMap((folder) => candidateOf(input, folder) ?? []);
  const withCommands = all.filter(({ bins }) => Object.keys(bins).length > 0);
  // Packages of a workspace are ways of their own where they have commands.
  return withCommands.length > 0 ? withCommands : all.slice(0, 1);
}

/** A package of the npm ecosystem, from the checkout: locked packages, a build where the launcher's target needs one. */
export const npmRecipe: Recipe = {
  id: ID,
  summary:
    "Install a Node package from its checkout with npm, pnpm, yarn or bun (locked dependencies, a build only where the launchers need one), or from the npm registry by a lock.",
  options: {
    workspace: "folder of the package in a repository of several: packages/cli",
    build: "true or false: build, or not, whatever the launchers' files say",
    scripts: "scripts that build, in this order; default: build, else a prepare or prepack that is more than git hooks",
    "dev-scripts": "true: run the install scripts of development dependencies before the build",
  },
  reads: (listing, texts) => {
    const files = [
      MANIFEST,
      ".npmrc",
      "pnpm-workspace.yaml",
      joinPath(workspaceOf(listing), MANIFEST),
      ...NODE_LOCKFILES,
    ];
    return [
      ...files.filter((file) => hasFile(listing.files, file) && !file.endsWith(".lockb")),
      ...targetReads(listing, texts),
    ];
  },
  expand,
  expandWorkspace,
  detectReads: (files) => [
    ...packageFolders(files).map((folder) => joinPath(folder, MANIFEST)),
    ...[".npmrc", "yarn.lock", "pnpm-lock.yaml"].filter((file) => hasFile(files, file)),
  ],
  detect,
  package: npmPackage,
};
