import type { Requirement } from "../manifest/manifest.ts";
import type { PlannedRun } from "../plan/plan.ts";

/** Folders of every PATH that ipm makes, in this order, after the toolchains. */
export const SYSTEM_PATH = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"];

/** Absolute paths that a step is told of. */
export interface EnvironmentPaths {
  readonly prefix: string;
  /** The checkout, or its sub-directory when the manifest names one: the working folder of the steps. */
  readonly source: string;
  readonly home: string;
  readonly tmp: string;
}

export interface EnvironmentFacts {
  readonly paths: EnvironmentPaths;
  readonly version: string;
  /** Folders with the real programs of the plan's requirements, in the plan's order. */
  readonly toolchains: readonly string[];
  /** What the user gave for the build, by variable. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Variables for the tool's build cache, by `cacheEnvironment`. Default: none. */
  readonly caches?: Readonly<Record<string, string>>;
  /** How many jobs a build may run at once. */
  readonly jobs: number;
}

function pathOf(folders: readonly string[]): string {
  return [...new Set([...folders, ...SYSTEM_PATH])].join(":");
}

/** What steps and tests have in common: nothing of the caller, the same on every machine. */
function commonEnvironment(folders: readonly string[], home: string, tmp: string): Record<string, string> {
  return { PATH: pathOf(folders), HOME: home, TMPDIR: tmp, LANG: "C.UTF-8", TZ: "UTC", CI: "1" };
}

/**
 * Where compilers keep what the next build of the same tool can use again. Cargo's is for its recipe alone: a step of a
 * manifest may look for `target/release` in the checkout.
 * @param folder the tool's build cache, absolute
 */
export function cacheEnvironment(
  requirements: readonly Requirement[],
  recipe: string | null,
  folder: string,
): Record<string, string> {
  const hasGo = requirements.some((requirement) => "tool" in requirement && requirement.tool === "go");
  return {
    ...(hasGo ? { GOCACHE: `${folder}/go`, GOMODCACHE: `${folder}/go-modules` } : {}),
    // The home too: cargo compiles a crate anew when its source is in another place.
    ...(recipe === "cargo" ? { CARGO_HOME: `${folder}/cargo`, CARGO_TARGET_DIR: `${folder}/cargo-target` } : {}),
  };
}

/**
 * The whole environment of a step, built from nothing:
 *
 * | variable | value |
 * |---|---|
 * | `PATH` | the folders of the requirements' real programs, then the system's |
 * | `HOME`, `TMPDIR` | private folders, new for each installation |
 * | `LANG`, `TZ`, `CI` | `C.UTF-8`, `UTC`, `1` |
 * | `SOURCE_DATE_EPOCH` | `315532800` (1980-01-01, the first date that a zip file can hold), so that builds do not record the hour |
 * | `IPM_PREFIX` | where the tool is installed, its final place |
 * | `IPM_SOURCE` | the checkout (its sub-directory where the manifest names one): the working folder |
 * | `IPM_VERSION` | the version as the manifest writes it |
 * | `IPM_JOBS` | how many jobs may run at once |
 * | `GOCACHE`, `GOMODCACHE`; `CARGO_HOME`, `CARGO_TARGET_DIR` | the tool's build cache, where Go is required; of steps of the recipe cargo |
 * | the step's `env` | as written, `{prefix}` replaced; it wins over `SOURCE_DATE_EPOCH` and the first rows but `PATH` |
 * | the plan's inputs | those that are for the build and not secret, as the user gave them; they win over the step's `env` |
 */
export function stepEnvironment(step: Pick<PlannedRun, "env">, facts: EnvironmentFacts): Record<string, string> {
  const { paths } = facts;
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(step.env)) own[name] = value.replaceAll("{prefix}", () => paths.prefix);
  const common = commonEnvironment(facts.toolchains, paths.home, paths.tmp);
  return {
    ...common,
    SOURCE_DATE_EPOCH: "315532800",
    ...facts.caches,
    ...own,
    ...facts.inputs,
    PATH: common["PATH"] ?? "",
    IPM_PREFIX: paths.prefix,
    IPM_SOURCE: paths.source,
    IPM_VERSION: facts.version,
    IPM_JOBS: String(facts.jobs),
  };
}

/**
 * The environment of a manifest's test: PATH holds the new launchers and the system's folders, nothing of the toolchains,
 * so that a tool that only works where its author works fails here.
 * @param bins folders that come first on PATH: the one of the launchers, or those of a workspace
 */
export function testEnvironment(bins: readonly string[], home: string, tmp: string): Record<string, string> {
  return commonEnvironment(bins, home, tmp);
}
