import { type SourceFile, firstFile } from "./listing.ts";
import { BUILD_TIMEOUT_MS, type DraftRun } from "./recipe.ts";
import type { PackageJson } from "./package-json.ts";

export type NodeManagerName = "npm" | "pnpm" | "yarn" | "bun";

/** The package manager that a repository is made for. */
export interface NodeManager {
  readonly name: NodeManagerName;
  /** The package of the npm registry that it is, with its version (`pnpm@10.4.1`); null for npm, which is on the host. */
  readonly package: string | null;
  /** The lockfile that it keeps, or null. */
  readonly lockfile: string | null;
  /** Why this one: `pnpm-lock.yaml`, `packageManager`. */
  readonly because: string;
}

const LOCKFILES: Readonly<Record<NodeManagerName, readonly string[]>> = {
  npm: ["npm-shrinkwrap.json", "package-lock.json"],
  pnpm: ["pnpm-lock.yaml"],
  yarn: ["yarn.lock"],
  bun: ["bun.lock", "bun.lockb"],
};

/** Every lockfile that is known, those of npm first: it needs nothing fetched. */
export const NODE_LOCKFILES: readonly string[] = Object.values(LOCKFILES).flat();

/** Versions that are taken where a repository names none: the same on every machine, since they are in the plan. */
const PNPM_OF_LOCKFILE: Readonly<Record<string, string>> = { "5": "7.33.7", "6": "8.15.9", "9": "10.34.8" };
const PNPM = "10.34.8";
const YARN_CLASSIC = "1.22.22";
const YARN_BERRY = "4.18.1";
const BUN = "1.4.4";

/** The package that a manager is, by what the repository says of its version and by its lockfile's format. */
const PACKAGES: Readonly<Record<NodeManagerName, (version: string | null, lock: string) => string | null>> = {
  npm: () => null,
  pnpm: (version, lock) => {
    const format = /^lockfileVersion:\s*['"]?(\d+)/mu.exec(lock)?.[1] ?? "";
    return `pnpm@${version ?? PNPM_OF_LOCKFILE[format] ?? PNPM}`;
  },
  yarn: (version, lock) => {
    const chosen = version ?? (/^__metadata:/mu.test(lock) ? YARN_BERRY : YARN_CLASSIC);
    return chosen.startsWith("1.") ? `yarn@${chosen}` : `@yarnpkg/cli-dist@${chosen}`;
  },
  bun: (version) => `bun@${version ?? BUN}`,
};

const NAMES: readonly NodeManagerName[] = ["npm", "pnpm", "yarn", "bun"];

/**
 * Choose by `packageManager` where its lockfile is there (or none is), else by the lockfile, else npm. A lockfile of
 * another manager is never ignored: what was locked is what is installed.
 */
export function chooseNodeManager(
  files: readonly SourceFile[],
  texts: Readonly<Record<string, string>>,
  declared: PackageJson["packageManager"],
): NodeManager {
  const lockOf = (name: NodeManagerName): string | null => firstFile(files, LOCKFILES[name]) ?? null;
  const locked = NAMES.find((name) => lockOf(name) !== null);
  const asked = NAMES.find((name) => name === declared?.name);
  const name = asked !== undefined && (lockOf(asked) !== null || locked === undefined) ? asked : (locked ?? "npm");
  const lockfile = lockOf(name);
  return {
    name,
    package: PACKAGES[name](
      name === asked ? (declared?.version ?? null) : null,
      lockfile === null ? "" : (texts[lockfile] ?? ""),
    ),
    lockfile,
    because: name === asked ? "packageManager" : (lockfile ?? "no lockfile"),
  };
}

/** Where a manager other than npm is put for the time of the build; `$HOME` is the step's own and goes away. */
const MANAGER_FOLDER = "$HOME/.package-manager";

const NODE_ENVIRONMENT: Readonly<Record<string, string>> = {
  npm_config_audit: "false",
  npm_config_fund: "false",
  npm_config_update_notifier: "false",
  npm_config_progress: "false",
};
const MANAGER_ENVIRONMENT: Readonly<Record<NodeManagerName, Readonly<Record<string, string>>>> = {
  npm: {},
  // The version is chosen here: the manager must not fetch another one of itself.
  pnpm: { npm_config_manage_package_manager_versions: "false", npm_config_package_manager_strict: "false" },
  yarn: {
    YARN_NODE_LINKER: "node-modules",
    YARN_ENABLE_TELEMETRY: "0",
    YARN_ENABLE_PROGRESS_BARS: "0",
    YARN_ENABLE_GLOBAL_CACHE: "true",
    SKIP_YARN_COREPACK_CHECK: "1",
  },
  bun: { DO_NOT_TRACK: "1" },
};

/** A step of npm itself. */
export function npmStep(
  title: string,
  words: readonly [string, ...string[]],
  network: boolean,
  why: string | null,
): DraftRun {
  return {
    kind: "run",
    title,
    why,
    run: words,
    dir: null,
    env: NODE_ENVIRONMENT,
    timeoutMs: BUILD_TIMEOUT_MS,
    network: network ? ["npm"] : [],
  };
}

/** The step that fetches a manager, or none for npm. */
export function fetchManager(manager: NodeManager): DraftRun[] {
  if (manager.package === null) return [];
  const scripts = manager.name === "bun" ? "" : " --ignore-scripts";
  const command = `npm install --global=false --no-save --no-package-lock${scripts} --prefix "${MANAGER_FOLDER}" ${manager.package}`;
  return [
    {
      ...npmStep(`fetch ${manager.package}`, ["npm"], true, `the repository is made for it (${manager.because})`),
      run: command,
    },
  ];
}

/** A step of the manager, with itself on PATH for what it starts. */
export function managerStep(
  manager: NodeManager,
  title: string,
  words: readonly [string, ...string[]],
  network: boolean,
  why: string | null,
): DraftRun {
  if (manager.package === null) return npmStep(title, words, network, why);
  // Yarn has a registry of its own by default, and reads its proxy from other variables than everybody else.
  const setup =
    manager.name === "yarn" && network
      ? 'YARN_REGISTRY="$(npm config get registry)"; export YARN_REGISTRY YARN_NPM_REGISTRY_SERVER="${YARN_REGISTRY%/}"\n' +
        'if [ -n "${HTTPS_PROXY:-}" ]; then export YARN_HTTP_PROXY="$HTTP_PROXY" YARN_HTTPS_PROXY="$HTTPS_PROXY"; fi\n'
      : "";
  return {
    ...npmStep(title, words, network, why),
    run: `${setup}export PATH="${MANAGER_FOLDER}/node_modules/.bin:$PATH"\n${words.join(" ")}`,
    env: { ...NODE_ENVIRONMENT, ...MANAGER_ENVIRONMENT[manager.name] },
  };
}

/** What the manager is told to install, to run and to forget. Arguments are words without blanks. */
export interface ManagerCommands {
  install(scope: "all" | "production"): readonly [string, ...string[]];
  run(script: string, workspace: string | null): readonly [string, ...string[]];
  /** Leave what is needed at run time, and nothing else. */
  prune(): readonly [string, ...string[]];
  /** Run the install scripts of what is installed; null where npm does it for the manager, which has no such command. */
  rebuild(): readonly [string, ...string[]] | null;
}

function npmCommands({ lockfile }: NodeManager): ManagerCommands {
  return {
    install: (scope) => [
      "npm",
      ...(lockfile === null ? ["install", "--no-save", "--no-package-lock"] : ["ci"]),
      "--ignore-scripts",
      scope === "production" ? "--omit=dev" : "--include=dev",
    ],
    run: (script, workspace) => ["npm", "run", script, ...(workspace === null ? [] : [`--workspace=${workspace}`])],
    prune: () => ["npm", "prune", "--omit=dev", "--ignore-scripts", "--offline"],
    rebuild: () => ["npm", "rebuild"],
  };
}

/** pnpm and bun leave what they installed before where it is: they begin anew, with what their stores have. */
const REMOVE_MODULES = ["find", ".", "-name", "node_modules", "-prune", "-exec", "rm", "-rf", "{}", "+", "&&"] as const;

function pnpmCommands({ lockfile }: NodeManager): ManagerCommands {
  const install = ["install", lockfile === null ? "--no-lockfile" : "--frozen-lockfile", "--ignore-scripts"];
  return {
    install: (scope) => ["pnpm", ...install, ...(scope === "production" ? ["--prod"] : [])],
    run: (script, workspace) => ["pnpm", ...(workspace === null ? [] : ["--dir", workspace]), "run", script],
    prune: () => [...REMOVE_MODULES, "pnpm", ...install, "--prod", "--offline"],
    // It would run the project's own scripts too, for which the development dependencies are gone.
    rebuild: () => ["npm", "pkg", "delete", "scripts.prepublish", "scripts.prepare", "&&", "pnpm", "rebuild"],
  };
}

function yarnCommands(manager: NodeManager): ManagerCommands {
  const run: ManagerCommands["run"] = (script, workspace) => [
    "yarn",
    ...(workspace === null ? [] : ["--cwd", workspace]),
    "run",
    script,
  ];
  if (manager.package?.startsWith("yarn@") !== true) {
    const frozen = manager.lockfile === null ? [] : ["--immutable"];
    const all = ["yarn", "install", ...frozen, "--mode=skip-build"] as const;
    // Before version 4 this command is a plugin that repositories seldom have; npm prunes the same folder.
    const hasFocus = !/@[23]\./u.test(manager.package ?? "");
    const production = ["yarn", "workspaces", "focus", "--all", "--production"] as const;
    const npmPrune = ["npm", "prune", "--omit=dev", "--ignore-scripts", "--no-package-lock", "--offline"] as const;
    return {
      install: (scope) => {
        if (scope === "all") return all;
        return hasFocus ? production : [...all, "&&", ...npmPrune];
      },
      run,
      prune: () => (hasFocus ? production : npmPrune),
      rebuild: () => null,
    };
  }
  const frozen = manager.lockfile === null ? ["--no-lockfile"] : ["--frozen-lockfile"];
  const install = ["install", ...frozen, "--ignore-scripts", "--non-interactive", "--no-progress"];
  return {
    install: (scope) => ["yarn", ...install, `--production=${scope === "production"}`],
    run,
    prune: () => ["yarn", ...install, "--offline", "--production=true"],
    rebuild: () => null,
  };
}

function bunCommands({ lockfile }: NodeManager): ManagerCommands {
  const install = ["install", lockfile === null ? "--no-save" : "--frozen-lockfile", "--ignore-scripts"];
  return {
    install: (scope) => ["bun", ...install, ...(scope === "production" ? ["--production"] : [])],
    run: (script, workspace) => ["bun", ...(workspace === null ? [] : ["--cwd", workspace]), "run", script],
    prune: () => [...REMOVE_MODULES, "bun", ...install, "--production"],
    rebuild: () => null,
  };
}

const COMMANDS: Readonly<Record<NodeManagerName, (manager: NodeManager) => ManagerCommands>> = {
  npm: npmCommands,
  pnpm: pnpmCommands,
  yarn: yarnCommands,
  bun: bunCommands,
};

/** The commands of a manager, as its documentation has them for continuous integration. */
export function commandsOf(manager: NodeManager): ManagerCommands {
  return COMMANDS[manager.name](manager);
}
