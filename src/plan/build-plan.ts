import { canonicalJson, sha256Hex } from "../core/canonical-json.ts";
import type { Platform } from "../core/host.ts";
import { type PlanDigest, isPlanDigest } from "../core/ids.ts";
import type { Manifest, ManifestInput, ManifestTest } from "../manifest/manifest.ts";
import { type ExpandedSteps } from "./expand-steps.ts";
import type {
  InputOrigin,
  Plan,
  PlanOrigin,
  PlanRisk,
  PlanTrust,
  PlannedCheckout,
  PlannedLauncher,
  PlannedServer,
  PlannedPackage,
  PlannedStep,
  PlannedTest,
  PlannedWork,
  ResolvedRequirement,
} from "./plan.ts";

/** One minute: the time limit of a test that names none. */
export const TEST_TIMEOUT_MS = 60_000;

/** An input of the manifest with its value; null: a secret that nobody has given yet. */
export interface SettledInput extends ManifestInput {
  readonly value: string | null;
  readonly from: InputOrigin;
}

/** Everything that a plan is made of; all of it values, so that a Linux machine can build a Mac's plan. */
export interface PlanInput {
  readonly manifest: Manifest;
  readonly expanded: ExpandedSteps;
  readonly source: (Pick<PlannedCheckout, "commit" | "tree"> | PlannedPackage) & {
    readonly ref: string | null;
    readonly bytes: number | null;
    readonly dirty: boolean;
  };
  readonly platform: Platform;
  readonly requirements: readonly ResolvedRequirement[];
  readonly inputs: readonly SettledInput[];
  readonly passedOver: readonly { readonly id: string; readonly why: string }[];
  readonly trust: PlanTrust;
  /** For each launcher: another program of that name on PATH, and whether that one comes first. */
  readonly onPath: Readonly<Record<string, { readonly path: string; readonly wins: boolean }>>;
  readonly notices: readonly string[];
  readonly risks: readonly PlanRisk[];
  readonly origin: PlanOrigin;
  /** Of a workspace: its folder and remote. */
  readonly workspace?: NonNullable<Plan["workspace"]>;
}

function planTest(test: ManifestTest, index: number): PlannedTest {
  return {
    id: String(index + 1),
    run: test.run,
    stdin: test.stdin,
    timeoutMs: test.timeoutMs ?? TEST_TIMEOUT_MS,
    expect: test.expect,
    ...(test.duringStart ? { during: "start" as const } : {}),
  };
}

/** The server that tests of the manifest run beside, if one does; `check-manifest.ts` demands its address. */
function plannedServer({ start, tests }: Manifest): { readonly start?: PlannedServer } {
  if (start === null || start.url === null || !tests.some(({ duringStart }) => duringStart)) return {};
  return { start: { run: start.run, url: start.url } };
}

/** Of a step only what would run: its number, title, reason and the recipe that wrote it are prose. */
function essenceOfStep(step: PlannedStep): unknown {
  if (step.kind === "copy") return { kind: step.kind, from: step.from, to: step.to, exclude: step.exclude };
  return {
    kind: step.kind,
    run: step.run,
    dir: step.dir,
    env: step.env,
    network: step.network,
    timeoutMs: step.timeoutMs,
  };
}

/**
 * The plan digest: sha256 of the canonical JSON of what would run (commit and tree, or the package's integrity and lock;
 * inputs that are not secret, steps with environment and network, what is provided, tests). A version's number, prose,
 * formatting and the toolchain's versions are not in it.
 */
export function planDigest(what: PlannedWork): PlanDigest {
  const digest = sha256Hex(
    canonicalJson({
      source: what.source,
      // The bytes count, not where they come from; without any the digest is what it was before there could be some.
      ...(what.downloads === undefined
        ? {}
        : { downloads: what.downloads.map(({ file, sha256 }) => ({ file, sha256 })) }),
      ...(what.inputs === undefined ? {} : { inputs: what.inputs }),
      steps: what.steps.map(essenceOfStep),
      provides: what.provides,
      ...(what.persist === undefined ? {} : { persist: what.persist.toSorted() }),
      ...(what.start === undefined ? {} : { start: what.start }),
      tests: what.tests.map(({ run, stdin, timeoutMs, expect, during }) => ({
        run,
        stdin,
        timeoutMs,
        expect,
        ...(during === undefined ? {} : { during }),
      })),
      // Only a workspace has one; the same steps mean another thing there.
      ...(what.environment === undefined ? {} : { environment: what.environment }),
    }),
  );
  if (!isPlanDigest(digest)) throw new TypeError(`not a digest: ${digest}`);
  return digest;
}

/** The plan of one installation: pure, and the only description of it that is shown, saved and run. */
export function buildPlan(input: PlanInput): Plan {
  const { manifest, expanded, source } = input;
  const what: PlannedWork = {
    source:
      "package" in source
        ? { package: source.package, version: source.version, integrity: source.integrity, lock: source.lock }
        : {
            commit: source.commit,
            tree: source.tree,
            path: manifest.source.path,
            ...(manifest.source.submodules.length === 0 ? {} : { submodules: manifest.source.submodules }),
          },
    ...(expanded.downloads.length === 0 ? {} : { downloads: expanded.downloads }),
    ...(input.inputs.length === 0
      ? {}
      : {
          inputs: input.inputs.map((one) => ({
            env: one.env,
            for: one.for,
            secret: one.secret,
            value: one.secret ? null : one.value,
          })),
        }),
    steps: expanded.steps,
    provides: expanded.provides,
    ...(manifest.persist.length === 0 ? {} : { persist: manifest.persist }),
    ...plannedServer(manifest),
    tests: manifest.tests.map(planTest),
    ...(expanded.environment === null ? {} : { environment: expanded.environment }),
  };
  return {
    schema: 1,
    digest: planDigest(what),
    what,
    tool: {
      name: manifest.name,
      version: manifest.version.version,
      summary: manifest.summary,
      license: manifest.license,
      homepage: manifest.homepage,
      notes: manifest.notes,
      deprecated: manifest.deprecated,
      ref: source.ref ?? manifest.version.ref,
      prerelease: manifest.version.prerelease,
      added: manifest.version.added,
    },
    method: { id: manifest.method, passedOver: input.passedOver },
    platform: input.platform,
    requirements: input.requirements,
    ...(expanded.optional.length === 0 ? {} : { optional: expanded.optional }),
    ...(input.inputs.length === 0 ? {} : { inputs: input.inputs.map(({ env, why, from }) => ({ env, why, from })) }),
    trust: input.trust,
    launchers: Object.keys(expanded.provides.bin)
      .toSorted()
      .map((name) => {
        const other = input.onPath[name];
        return {
          name,
          shadows: other?.wins === false ? other.path : null,
          shadowedBy: other?.wins === true ? other.path : null,
        };
      }),
    sourceBytes: source.bytes,
    ...(expanded.packages === null ? {} : { packages: expanded.packages }),
    notices: [...input.notices, ...expanded.notices],
    risks: input.risks,
    dirty: source.dirty,
    start: manifest.start,
    origin: input.origin,
    ...(input.workspace === undefined ? {} : { workspace: input.workspace }),
  };
}

/** True when nothing of the package runs before its tests: every step is a copy that ipm does itself. */
export function runsNothing(plan: Plan): boolean {
  return plan.what.steps.every((step) => step.kind === "copy");
}

/** The launchers of a plan by name. */
export function launchersOf(plan: Plan): [string, PlannedLauncher][] {
  return Object.entries(plan.what.provides.bin).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
