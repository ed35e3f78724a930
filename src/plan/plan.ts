import type { CommitSha, PlanDigest, ToolName, TreeSha } from "../core/ids.ts";
import type { Platform } from "../core/host.ts";
import type { Expectation, Requirement, RunText } from "../manifest/manifest.ts";
import type { PlannedDownload, PlannedStep } from "../recipes/planned-step.ts";

/**
 * The ordered work of one installation: the value that is shown, saved and run. Plain JSON. Everything in `what` is in
 * the plan digest and nothing else is; the rest is for people and for the receipt.
 */
export interface Plan {
  readonly schema: 1;
  readonly digest: PlanDigest;
  readonly what: PlannedWork;
  readonly tool: {
    readonly name: ToolName;
    readonly version: string;
    readonly summary: string;
    readonly license: string;
    readonly homepage: string | null;
    readonly notes: string | null;
    readonly deprecated: { readonly why: string; readonly use: string | null } | null;
    readonly ref: string | null;
    readonly prerelease: boolean;
    /** `2026-11-01`: when the version came into its registry, where that is known. */
    readonly added: string | null;
  };
  readonly method: {
    readonly id: string;
    readonly passedOver: readonly { readonly id: string; readonly why: string }[];
  };
  readonly platform: Platform;
  readonly requirements: readonly ResolvedRequirement[];
  /** What the inputs of `what` are for and where their values are from; absent where nothing is asked for. */
  readonly inputs?: readonly { readonly env: string; readonly why: string | null; readonly from: InputOrigin }[];
  /** Absent where the manifest leaves no step to its user. */
  readonly optional?: readonly OptionalStep[];
  readonly trust: PlanTrust;
  /** Launchers in the profile's bin that this plan would add, and other commands of that name on PATH. */
  readonly launchers: readonly {
    readonly name: string;
    readonly shadows: string | null;
    readonly shadowedBy: string | null;
  }[];
  /** Bytes of the checked-out source where known. */
  readonly sourceBytes: number | null;
  /** How many packages the lock pins; only for an ecosystem's package. */
  readonly packages?: number;
  /** What the reader should know before saying yes, one sentence each. */
  readonly notices: readonly string[];
  /** What in the steps deserves a look. */
  readonly risks: readonly PlanRisk[];
  readonly dirty: boolean;
  readonly start: { readonly run: RunText; readonly url: string | null } | null;
  readonly origin: PlanOrigin;
  /** Only of a workspace: the absolute folder that it is in, or goes to, and the address of its remote `origin`. */
  readonly workspace?: { readonly folder: string; readonly remote: string | null };
}

/** Kinds of risk, part of the JSON contract. */
export type RiskCode =
  | "privilege-escalation"
  | "download-to-shell"
  | "writes-outside"
  | "long-running"
  | "background-process"
  | "network-without-lock"
  | "secrets";

/** Something that a step does and a reader should know. */
export interface PlanRisk {
  readonly code: RiskCode;
  /** The step's id. */
  readonly step: string;
  /** Completes a sentence that begins with the step. */
  readonly what: string;
}

export type { PlannedCopy, PlannedDownload, PlannedRun, PlannedStep } from "../recipes/planned-step.ts";

/** What the steps find in their working folder. */
export type PlannedSource = PlannedCheckout | PlannedPackage;

export interface PlannedCheckout {
  readonly commit: CommitSha;
  readonly tree: TreeSha;
  readonly path: string | null;
  /** Submodules that are there, at the commits that the tree names, sorted. Absent where there are none. */
  readonly submodules?: readonly string[];
}

/** The lock of an ecosystem's package: its files, and nothing else, are in the working folder. */
export interface PlannedPackage {
  /** `npm:ripcat`. */
  readonly package: string;
  readonly version: string;
  /** The package's content as its ecosystem names it: `sha512-…`. */
  readonly integrity: string;
  /** sha256 of the canonical JSON of the lock's files: name to sha256 of the content. */
  readonly lock: string;
}

/** True for a plan that installs an ecosystem's package. */
export function isPackage(source: PlannedSource): source is PlannedPackage {
  return "package" in source;
}

/** The checkout of a plan that works from one, as every workspace's does. */
export function checkoutOf(plan: Pick<Plan, "what">): PlannedCheckout {
  const { source } = plan.what;
  if (isPackage(source)) throw new TypeError("a plan of a package has no checkout");
  return source;
}

/** What would run: the plan digest is sha256 of the canonical JSON of this. */
export interface PlannedWork {
  readonly source: PlannedSource;
  /** Absent where there are none. */
  readonly downloads?: readonly PlannedDownload[];
  /** Absent where nothing is asked for. */
  readonly inputs?: readonly PlannedInput[];
  readonly steps: readonly PlannedStep[];
  readonly provides: PlannedProvides;
  /** Paths in the prefix with the user's data; absent where there are none. */
  readonly persist?: readonly string[];
  /** The server that tests run beside; absent where none does. */
  readonly start?: PlannedServer;
  readonly tests: readonly PlannedTest[];
  /** Only of a workspace: how its commands are run. */
  readonly environment?: PlannedEnvironment;
}

/** How commands of a workspace are run; all paths are relative to its folder. */
export interface PlannedEnvironment {
  /** Folders that come first on PATH. */
  readonly path: readonly string[];
  /** Variables that name a folder of the workspace. */
  readonly variables: Readonly<Record<string, string>>;
}

/** A value that the user gives, in a variable. */
export interface PlannedInput {
  readonly env: string;
  readonly for: "build" | "run" | "both";
  readonly secret: boolean;
  /** Null for a secret, whose value is in no plan. */
  readonly value: string | null;
}

/** A step that the manifest leaves to its user, by its position there. */
export interface OptionalStep {
  readonly step: number;
  readonly title: string;
  readonly why: string | null;
  readonly taken: boolean;
}

/** Where the value of an input is from; null: nobody has given it yet. */
export type InputOrigin = "flag" | "kept" | "environment" | "terminal" | null;

export interface PlannedLauncher {
  /** A path in the prefix, or null when `run` is given. */
  readonly file: string | null;
  readonly run: readonly [string, ...string[]] | null;
  readonly env: Readonly<Record<string, string>>;
}

export interface PlannedProvides {
  readonly bin: Readonly<Record<string, PlannedLauncher>>;
  readonly share: Readonly<Record<string, string>>;
  readonly completions: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** A server that is started for a test and answers at an address of this machine. */
export interface PlannedServer {
  readonly run: RunText;
  readonly url: string;
}

export interface PlannedTest {
  readonly id: string;
  /** Runs beside the server; absent where it does not. */
  readonly during?: "start";
  readonly run: RunText;
  readonly stdin: string | null;
  readonly timeoutMs: number;
  readonly expect: Expectation;
}

/** A requirement and what the host has of it. */
export type ResolvedRequirement = Requirement & {
  /** Where it is: the program, header, `.pc` file or library; `real` without shims and links. */
  readonly found: { readonly path: string; readonly real: string; readonly version: string | null } | null;
  readonly met: boolean;
  /** How to get it on this host, for one that is not met; null where nobody knows. */
  readonly remedy?: Remedy | null;
  /** What to do where no package helps, for one that is not met: a variable, a service, a device. */
  readonly advice?: string;
};

/** A way to get a requirement on one host: packages of one package manager. */
export interface Remedy {
  readonly manager: PackageManager;
  readonly packages: readonly string[];
  /** The command that gets them, with the program that makes it root's where that is needed. */
  readonly command: readonly [string, ...string[]];
}

/** Package managers that remedies are known for. */
export type PackageManager = "apt" | "dnf" | "pacman" | "apk" | "zypper" | "brew" | "mise";

export interface PlanTrust {
  readonly level: "verified" | "verified-elsewhere" | "reviewed" | "unverified";
  /** One phrase for people: `verified on linux-x64 3 days ago (node 20.20, git 2.39)`. */
  readonly detail: string;
  /** What the level rests on; only with `verified` and `verified-elsewhere`. */
  readonly attestation?: PlanAttestation;
}

/** An attestation as a plan names it. */
export interface PlanAttestation {
  readonly platform: string;
  /** ISO time of the verification. */
  readonly time: string;
  readonly isolation: string;
  readonly tools: Readonly<Record<string, string | null>>;
  /** Path below the registry's root; null for a run of this machine. */
  readonly file: string | null;
}

/** Where the manifest came from, for look-ups after the installation. */
export interface PlanOrigin {
  /** Id of the registry, or null for a target outside of any. */
  readonly registry: string | null;
  /** As shown: a URL without credentials, a bundle's name, a folder. */
  readonly source: string;
  /** The target as typed, without credentials. */
  readonly target: string;
  /** A target that means exactly this version of this source again, from any folder. */
  readonly again: string;
}
