import type { CommitSha, ToolName, TreeSha } from "../core/ids.ts";
import type { PackageReference } from "./package-reference.ts";

/** A manifest resolved for one version, platform and method: every value is concrete, defaults are filled in. */
export interface Manifest {
  readonly name: ToolName;
  readonly kind: "tool" | "workspace" | "library";
  readonly summary: string;
  readonly license: string;
  readonly homepage: string | null;
  readonly notes: string | null;
  readonly deprecated: { readonly why: string; readonly use: string | null } | null;
  readonly source: ManifestOrigin;
  readonly version: ManifestVersion;
  /** The method's id: as written, or the id of its first recipe, or `steps`. */
  readonly method: string;
  /** The manifest's and the method's requirements, the manifest's first. */
  readonly requires: readonly Requirement[];
  readonly inputs: readonly ManifestInput[];
  /** Paths in the prefix that hold the user's data. */
  readonly persist: readonly string[];
  readonly steps: readonly ManifestStep[];
  readonly provides: Provides;
  readonly tests: readonly ManifestTest[];
  readonly start: { readonly run: RunText; readonly url: string | null } | null;
  readonly elsewhere: Readonly<Record<string, string>>;
}

export interface ManifestOrigin {
  /** Where the commit comes from: a git URL in normal form, or a bundle's path below the registry's root; null for a folder target. */
  readonly git: string | null;
  readonly bundle: string | null;
  /** Sub-directory of the repository, `/`-separated, or null for its root. */
  readonly path: string | null;
  /** Submodules that come with the checkout, in their order; none where a package is installed. */
  readonly submodules: readonly string[];
  /** The ecosystem's package, or null. */
  readonly package: PackageReference | null;
  /** Which of the two this method works from. */
  readonly from: SourceKind;
}

/** What a method works from: the repository's checkout, or the ecosystem's package. */
export type SourceKind = "checkout" | "package";

export interface ManifestVersion {
  readonly version: string;
  /** Full ref (`refs/tags/v1`); null where only a commit is known. */
  readonly ref: string | null;
  /** The pin of the checkout; null where the entry has only a package. */
  readonly commit: CommitSha | null;
  readonly tree: TreeSha | null;
  /** The pin of the package: what its ecosystem calls the content, and the folder of its lock beside the manifest. */
  readonly integrity: string | null;
  readonly lock: string | null;
  readonly added: string | null;
  readonly prerelease: boolean;
  readonly withdrawn: string | null;
  /** Pinned downloads for the platform, one of each name. */
  readonly files: readonly ManifestFile[];
}

export interface ManifestFile {
  readonly name: string | null;
  readonly url: string;
  readonly sha256: string;
  /** About how many bytes it has, or null. */
  readonly bytes: number | null;
}

interface RequirementCommon {
  /** A range such as `>=20` or `>=3.9 <4`, or null for any version. */
  readonly version: string | null;
  readonly for: "build" | "run" | "both";
  readonly optional: boolean;
  readonly why: string | null;
}

/** A program on PATH. */
export interface ToolRequirement extends RequirementCommon {
  readonly tool: string;
}

/** A header that the C compiler finds: `zlib.h`. */
export interface HeaderRequirement extends RequirementCommon {
  readonly header: string;
}

/** A package that pkg-config knows: `libevent`. */
export interface PkgConfigRequirement extends RequirementCommon {
  readonly "pkg-config": string;
}

/** A shared library that the dynamic loader finds: `libssl`. */
export interface LibraryRequirement extends RequirementCommon {
  readonly library: string;
}

/** A variable of the caller's environment that has a value: what steps cannot see and the tool itself reads. */
export interface EnvRequirement extends RequirementCommon {
  readonly env: string;
}

/** Something on this machine that answers: a name of `known-services.ts`, `localhost:5432`, or a socket's path. */
export interface ServiceRequirement extends RequirementCommon {
  readonly service: string;
}

/** A device of this machine, by a name of `known-hardware.ts`. */
export interface HardwareRequirement extends RequirementCommon {
  readonly hardware: string;
}

/** What the host must have, by kind. */
export type Requirement =
  | ToolRequirement
  | HeaderRequirement
  | PkgConfigRequirement
  | LibraryRequirement
  | EnvRequirement
  | ServiceRequirement
  | HardwareRequirement;

/** A value that the user gives, in a variable. A secret one is for the tool itself alone. */
export interface ManifestInput {
  readonly env: string;
  readonly secret: boolean;
  readonly for: "build" | "run" | "both";
  readonly why: string | null;
}

/** A string runs through `sh -eu`; a list runs without a shell. */
export type RunText = string | readonly [string, ...string[]];

interface StepCommon {
  /** Why the step is there, for the plan. */
  readonly why: string | null;
  /** Sub-directory of `$IPM_SOURCE` to run in, or null. */
  readonly dir: string | null;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number | null;
  /** Ecosystems or host names; null: the recipe's own, or none for `run`. */
  readonly network: readonly string[] | null;
  readonly optional: boolean;
}

export type ManifestStep =
  | (StepCommon & { readonly run: RunText })
  | (StepCommon & { readonly uses: string; readonly with: Readonly<Record<string, unknown>> });

/** One launcher: a file of the prefix, or null where the recipe (or `bin/<name>`) says which; or a command line. */
export type LauncherTarget =
  | { readonly file: string | null; readonly env: Readonly<Record<string, string>> }
  | { readonly run: readonly [string, ...string[]]; readonly env: Readonly<Record<string, string>> };

export interface Provides {
  readonly bin: Readonly<Record<string, LauncherTarget>>;
  /** `share` path in the profile to a path in the prefix. */
  readonly share: Readonly<Record<string, string>>;
  /** Command to shell to a path in the prefix. */
  readonly completions: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface ManifestTest {
  readonly run: RunText;
  readonly stdin: string | null;
  readonly timeoutMs: number | null;
  /** Only while the server of `start` runs. */
  readonly duringStart: boolean;
  readonly expect: Expectation;
}

/** What a test must see; patterns are JavaScript regular expressions with the `mu` flags, placeholders already put in. */
export interface Expectation {
  readonly exit: number;
  readonly stdout: string | null;
  readonly stderr: string | null;
  /** Both streams, standard output first. */
  readonly output: string | null;
}
