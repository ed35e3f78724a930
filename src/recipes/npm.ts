import { IpmError } from "../core/errors.ts";
import type { Requirement } from "../manifest/manifest.ts";
import {
  BUILD_TIMEOUT_MS,
  type DraftRun,
  type DraftStep,
  type Recipe,
  type RecipeInput,
  type RecipeOutput,
  type SourceFile,
} from "./recipe.ts";

const LOCKFILES = ["npm-shrinkwrap.json", "package-lock.json"];
/** Lockfiles of managers that this recipe cannot drive yet: installing without them would not be what was locked. */
const OTHER_LOCKFILES: Readonly<Record<string, string>> = {
  "pnpm-lock.yaml": "pnpm",
  "yarn.lock": "yarn",
  "bun.lock": "bun",
  "bun.lockb": "bun",
};
/** Programs whose `prepare` sets up git hooks for developers and builds nothing. */
const HOOK_MANAGERS = /\b(?:husky|simple-git-hooks|lefthook|pre-commit|yorkie|ghooks)\b/u;

interface PackageJson {
  readonly name: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly nodeRange: string | null;
  readonly hasDependencies: boolean;
  readonly hasDevDependencies: boolean;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === "string"),
  );
}

/** `./a/../b.js` as `b.js`; undefined for a path that is absolute or leaves. */
function insidePackage(file: string): string | undefined {
  const parts: string[] = [];
  for (const part of file.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return file.startsWith("/") || parts.length === 0 ? undefined : parts.join("/");
}

function parsePackageJson(text: string): PackageJson {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new IpmError("MANIFEST_INVALID", "recipe npm: package.json is not JSON", {
      hint: "use plain steps",
      cause: error,
    });
  }
  if (
    !isRecord(value) ||
    typeof value["name"] !== "string" ||
    !/^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/u.test(value["name"])
  ) {
    throw new IpmError("MANIFEST_INVALID", "recipe npm: package.json has no usable name", { hint: "use plain steps" });
  }
  const name = value["name"];
  const own = name.slice(name.indexOf("/") + 1);
  const bin = typeof value["bin"] === "string" ? { [own]: value["bin"] } : textsOf(value["bin"]);
  const engines = isRecord(value["engines"]) ? value["engines"]["node"] : undefined;
  const has = (key: string): boolean => isRecord(value) && Object.keys(textsOf(value[key])).length > 0;
  return {
    name,
    bin: Object.fromEntries(
      Object.entries(bin).flatMap(([command, file]) => {
        const inside = insidePackage(file);
        return inside === undefined ? [] : [[command, inside]];
      }),
    ),
    scripts: textsOf(value["scripts"]),
    nodeRange: typeof engines === "string" && engines.length <= 100 ? engines : null,
    hasDependencies: has("dependencies") || has("optionalDependencies"),
    hasDevDependencies: has("devDependencies"),
  };
}

function has(files: readonly SourceFile[], path: string): boolean {
  return files.some((file) => file.path === path);
}

/** Node resolves `bin: cli` to `cli.js` when only that exists; the launcher needs the file itself. */
function existingTarget(files: readonly SourceFile[], target: string): string | undefined {
  return [target, `${target}.js`, `${target}.cjs`, `${target}.mjs`].find((candidate) => has(files, candidate));
}

/** True when a package that stays installed has scripts of its own (native addons); read from the lockfile's facts. */
function hasInstallScripts(lockText: string | undefined): boolean {
  if (lockText === undefined) return false;
  try {
    const lock: unknown = JSON.parse(lockText);
    if (!isRecord(lock) || !isRecord(lock["packages"])) return false;
    return Object.values(lock["packages"]).some((entry) => isRecord(entry) && entry["hasInstallScript"] === true);
  } catch {
    return false;
  }
}

function run(title: string, words: [string, ...string[]], network: boolean, why: string | null = null): DraftRun {
  return {
    kind: "run",
    title,
    why,
    run: words,
    dir: null,
    // npm's own files go below the step's HOME; a progress bar or a question would only spoil the log.
    env: {
      npm_config_audit: "false",
      npm_config_fund: "false",
      npm_config_update_notifier: "false",
      npm_config_progress: "false",
    },
    timeoutMs: BUILD_TIMEOUT_MS,
    network: network ? ["npm"] : [],
  };
}

/** The script that builds: `build`, else a `prepare` or `prepack` that is more than a hook manager's. */
function buildScript(scripts: Readonly<Record<string, string>>): string | undefined {
  if (scripts["build"] !== undefined) return "build";
  return ["prepare", "prepack"].find((name) => scripts[name] !== undefined && !HOOK_MANAGERS.test(scripts[name]));
}

function expand(input: RecipeInput): RecipeOutput {
  const text = input.texts["package.json"];
  if (text === undefined) {
    throw new IpmError("MANIFEST_INVALID", "recipe npm: the repository has no package.json here", {
      hint: "set source.path, or use plain steps",
    });
  }
  const pkg = parsePackageJson(text);
  const lockfile = LOCKFILES.find((file) => has(input.files, file));
  const foreign = Object.keys(OTHER_LOCKFILES).find((file) => has(input.files, file));
  const needsPackages = pkg.hasDependencies || pkg.hasDevDependencies;
  if (lockfile === undefined && foreign !== undefined && needsPackages) {
    throw new IpmError(
      "MANIFEST_INVALID",
      `recipe npm: the repository is locked by ${OTHER_LOCKFILES[foreign]} (${foreign}), which this recipe cannot install yet`,
      {
        hint: "use plain steps",
      },
    );
  }
  const folder = `lib/node_modules/${pkg.name}`;
  const wanted = Object.entries(pkg.bin).filter(([command]) => input.bins.includes(command));
  const mustBuild =
    wanted.some(([, target]) => existingTarget(input.files, target) === undefined) || input.options["build"] === "true";
  const script = mustBuild ? buildScript(pkg.scripts) : undefined;
  if (mustBuild && script === undefined) {
    throw new IpmError(
      "MANIFEST_INVALID",
      "recipe npm: the launcher's target is not in the repository and no script builds it",
      { hint: "use plain steps" },
    );
  }
  const steps: DraftStep[] = [];
  const installs = mustBuild ? needsPackages : pkg.hasDependencies;
  if (installs) {
    // Scripts of the root package (a hook manager's prepare) are never wanted here; those of dependencies come after.
    const scope = mustBuild ? "--include=dev" : "--omit=dev";
    steps.push(
      lockfile === undefined
        ? run(
            "npm install",
            ["npm", "install", "--no-save", "--no-package-lock", "--ignore-scripts", scope],
            true,
            "the repository has no lockfile",
          )
        : run("npm ci", ["npm", "ci", "--ignore-scripts", scope], true, `the versions of ${lockfile}`),
    );
    if (hasInstallScripts(lockfile === undefined ? undefined : input.texts[lockfile])) {
      steps.push(run("npm rebuild", ["npm", "rebuild"], true, "some packages compile or fetch parts of their own"));
    }
  }
  if (script !== undefined)
    steps.push(run(`npm run ${script}`, ["npm", "run", script], false, "the launcher's target is built"));
  if (installs && mustBuild)
    steps.push(
      run(
        "npm prune",
        ["npm", "prune", "--omit=dev", "--ignore-scripts", "--offline"],
        false,
        "what only the build needed",
      ),
    );
  const bins = Object.fromEntries(
    wanted.map(([command, target]) => [command, existingTarget(input.files, target) ?? target]),
  );
  const notExecutable = [...new Set(Object.values(bins))].filter(
    (file) => !input.files.some((known) => known.path === file && known.executable),
  );
  if (notExecutable.length > 0) {
    steps.push({
      ...run(
        `chmod +x ${notExecutable.join(" ")}`,
        ["chmod", "+x", "--", ...notExecutable],
        false,
        "as npm does for launchers",
      ),
      env: {},
    });
  }
  steps.push({ kind: "copy", title: `copy the package to ${folder}`, why: null, from: ".", to: folder, exclude: [] });
  const requirement = (tool: string, version: string | null, when: Requirement["for"]): Requirement => ({
    tool,
    version,
    for: when,
    optional: false,
    why: when === "both" ? "runs the tool" : "installs its packages",
  });
  return {
    steps,
    requires: [
      requirement("node", pkg.nodeRange, "both"),
      ...(installs || script !== undefined ? [requirement("npm", null, "build")] : []),
    ],
    bins: Object.fromEntries(Object.entries(bins).map(([command, file]) => [command, `${folder}/${file}`])),
    notices:
      installs && lockfile === undefined
        ? ["no lockfile: the versions of its dependencies are whatever is newest today"]
        : [],
  };
}

/** A package of the npm ecosystem, from the checkout: locked packages, a build where the launcher's target needs one. */
export const npmRecipe: Recipe = {
  id: "npm",
  summary:
    "Install a Node package from its checkout: locked dependencies, a build only where the launcher's target needs one.",
  options: { build: "true: build although the launcher's target is in the repository" },
  reads: ({ files }) => ["package.json", ...LOCKFILES].filter((file) => has(files, file)),
  detectReads: () => [],
  detect: () => [],
  expand,
};
