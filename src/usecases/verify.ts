import path from "node:path";
import { IpmError, isIpmError } from "../core/errors.ts";
import { platformId } from "../core/host.ts";
import { demandMethod, methodChoices } from "../manifest/resolve-manifest.ts";
import { methodsOf } from "../manifest/methods-of.ts";
import { ATTESTATIONS, PACKAGES } from "../registry/registry-tree.ts";
import { type Attestation, attestationFile } from "../trust/attestation.ts";
import type { Context, PlanOptions } from "./context.ts";
import { inParallel } from "./in-parallel.ts";
import { writeAttestations, writeOwnAttestations } from "./own-attestations.ts";
import { type MethodOptions, type MethodRun, type VerifiedMethod, verifyMethod } from "./verify-method.ts";
import { removeAbandonedRooms } from "./verify-room.ts";
import { type SelectOptions, type VerifySubject, selectSubjects } from "./verify-targets.ts";

export interface VerifyOptions extends MethodOptions, SelectOptions {
  /** This method alone. */
  readonly method: string | null;
  /** How many methods are verified at once. */
  readonly jobs: number;
  /** Put attestations into the registry's folder that was given. */
  readonly write: boolean;
  /** Put attestations below this folder, as a registry has them. */
  readonly output: string | null;
}

/** Part of the JSON contract of `ipm verify`. */
export interface VerifyReport {
  /** Everything that this machine could run held, and it was at least one method of each version. */
  readonly ok: boolean;
  readonly platform: string;
  readonly distribution: { readonly id: string; readonly version: string };
  readonly isolation: string;
  readonly methods: readonly VerifiedMethod[];
  /** Attestation files that were written, absolute paths. */
  readonly written: readonly string[];
  readonly ms: number;
}

interface Item {
  readonly subject: VerifySubject;
  readonly method: string;
}

/** Failures of a plan that say something of this machine and nothing of the manifest. */
const NOT_HERE = new Set(["REQUIREMENT_MISSING"]);

async function demandSandbox(context: Context): Promise<string> {
  const sandbox = context.sandboxFor(false);
  const report = await sandbox.probe();
  if (report.state === "ok" && sandbox.kind !== "none") return sandbox.kind;
  throw new IpmError("SANDBOX_UNAVAILABLE", `nothing can be verified without a sandbox: ${report.cause}`, {
    hint: report.fix ?? "ipm doctor",
    data: { sandbox: report.state },
  });
}

/** A method of which nothing was seen: it could not be verified here, or the run itself broke. */
function unseen(
  context: Context,
  { subject, method }: Item,
  what: Pick<VerifiedMethod, "outcome" | "why" | "checks">,
): VerifiedMethod {
  return {
    name: subject.name,
    version: subject.version,
    method,
    platform: platformId(context.host.facts.platform),
    ...what,
    digest: null,
    files: 0,
    bytes: 0,
    peakBytes: 0,
    ms: 0,
    network: { declared: [], reached: [] },
    reproducible: null,
    differences: [],
    log: null,
  };
}

/** A method that could not be verified here, for a reason that is no failure. */
function skipped(context: Context, item: Item, why: string): MethodRun {
  return { result: unseen(context, item, { outcome: "skipped", why, checks: [] }), attestation: null };
}

/** What a failure of ipm's own means for one of many: it did not hold, and the others go on. */
function broke(context: Context, item: Item, error: IpmError): MethodRun {
  const check = { id: "plan", status: "failed", details: [`${error.code}: ${error.message}`], ms: 0 } as const;
  return { result: unseen(context, item, { outcome: "failed", why: null, checks: [check] }), attestation: null };
}

/** The methods of a subject: those that fit this platform, and the others with the reason why not. */
function itemsOf(
  context: Context,
  subject: VerifySubject,
  wanted: string | null,
): { item: Item; why: string | null }[] {
  if (wanted !== null) demandMethod(subject.manifest, wanted);
  const choices = methodChoices(subject.manifest, subject.version, context.host.facts.platform);
  return choices
    .filter(({ id }) => wanted === null || id === wanted)
    .map((choice) => ({
      item: { subject, method: choice.id },
      why: choice.applies ? null : choice.why,
    }));
}

async function verifyItem(context: Context, item: Item, options: VerifyOptions): Promise<MethodRun> {
  const run = await verifyMethod(context, item.subject, item.method, options);
  const [first] = run.result.checks;
  const missing = first?.status === "failed" && first.details.find((line) => NOT_HERE.has(line.split(":")[0] ?? ""));
  if (typeof missing !== "string") return run;
  return skipped(context, item, missing.replace(/^[A-Z_]+: /u, ""));
}

/** Where the attestations of a subject are written: this machine's own, and the folders that were asked for. */
async function write(
  context: Context,
  subject: VerifySubject,
  attestations: readonly Attestation[],
  options: VerifyOptions,
): Promise<string[]> {
  const { host } = context;
  const { name, version } = subject;
  const place = { name, version, platform: platformId(host.facts.platform) };
  await writeOwnAttestations(host, place, attestations);
  const roots = [
    ...(options.output === null ? [] : [path.resolve(host.facts.cwd, options.output)]),
    ...(options.write && subject.registryRoot !== null ? [subject.registryRoot] : []),
  ];
  const written: string[] = [];
  for (const root of roots) {
    const file = path.join(root, PACKAGES, name, ATTESTATIONS, attestationFile(version, place.platform));
    await writeAttestations(host, file, place, attestations);
    written.push(file);
  }
  return written;
}

/** The attestations of a version whose methods all held as far as they could be run; else none. */
function heldBy(runs: readonly MethodRun[]): Attestation[] {
  if (runs.some(({ result }) => result.outcome === "failed")) return [];
  return runs.flatMap(({ attestation }) => (attestation === null ? [] : [attestation]));
}

function demandPlaceToWrite(subjects: readonly VerifySubject[], options: VerifyOptions): void {
  const homeless = options.write ? subjects.find(({ registryRoot }) => registryRoot === null) : undefined;
  if (homeless === undefined) return;
  throw new IpmError("USAGE", `--write: ${homeless.name} does not come from a registry's folder`, {
    hint: "name a registry's folder with --all, or a manifest in one; else use --output DIR",
  });
}

/**
 * Verify targets in clean rooms, each method on its own, and write attestations for the versions whose methods all held,
 * each as soon as it is through. What fails keeps nothing else from being verified. Nothing of this machine's installation
 * is touched.
 * @throws IpmError USAGE, NOTHING_TO_INSTALL, SANDBOX_UNAVAILABLE, those of look-ups, with one method whatever broke
 *   its run, and the abort's own error; what does not hold is in the report
 */
export async function verify(
  context: Context,
  targets: readonly string[],
  options: VerifyOptions,
): Promise<VerifyReport> {
  const { host } = context;
  const started = host.monotonicMs();
  const lookUp: PlanOptions = {
    allowUnverified: true,
    noSandbox: false,
    noFallback: true,
    offline: options.offline,
    jobs: 1,
    keepGoing: false,
    yes: true,
    dryRun: true,
  };
  const subjects = await selectSubjects(context, targets, options, lookUp);
  demandPlaceToWrite(subjects, options);
  const isolation = await demandSandbox(context);
  await removeAbandonedRooms(context);
  const planned = subjects.flatMap((subject) => itemsOf(context, subject, options.method));
  // Of a whole registry they are left out.
  const idle = planned.length === 0 ? subjects.find(({ manifest }) => methodsOf(manifest).length === 0) : undefined;
  if (idle !== undefined) {
    const what = idle.manifest.kind === "library" ? "a library" : "an entry without methods";
    throw new IpmError("NOTHING_TO_INSTALL", `${idle.name} is ${what}: there is nothing to verify`, {
      hint: `ipm lint, and ipm show ${idle.name}`,
      data: { name: idle.name },
    });
  }
  const written: string[] = [];
  const finished = subjects.map((): MethodRun[] => []);
  const ofSubject = (subject: VerifySubject): MethodRun[] => finished[subjects.indexOf(subject)] ?? [];
  const expected = (subject: VerifySubject): number => planned.filter(({ item }) => item.subject === subject).length;
  const verifyOne = async ({ item, why }: (typeof planned)[number]): Promise<MethodRun> => {
    if (why !== null) return skipped(context, item, why);
    try {
      return await verifyItem(context, item, options);
    } catch (error) {
      host.signal.throwIfAborted();
      if (planned.length === 1 || !isIpmError(error)) throw error;
      return broke(context, item, error);
    }
  };
  const outcomes = await inParallel(
    planned,
    options.jobs,
    async (one): Promise<MethodRun> => {
      const run = await verifyOne(one);
      const own = ofSubject(one.item.subject);
      own.push(run);
      // As soon as a version is through: what comes after it can take hours, and be stopped.
      if (own.length === expected(one.item.subject)) {
        const attestations = heldBy(own);
        if (attestations.length > 0) written.push(...(await write(context, one.item.subject, attestations, options)));
      }
      return run;
    },
    true,
  );
  const runs: MethodRun[] = [];
  for (const outcome of outcomes) {
    if (outcome.ok) runs.push(outcome.value);
    else if (isIpmError(outcome.error) || outcome.error instanceof Error) throw outcome.error;
  }
  host.signal.throwIfAborted();
  const complete = subjects.every((subject) => ofSubject(subject).some(({ attestation }) => attestation !== null));
  return {
    ok: complete && runs.every(({ result }) => result.outcome !== "failed"),
    platform: platformId(host.facts.platform),
    distribution: host.facts.distribution,
    isolation,
    methods: runs.map(({ result }) => result),
    written,
    ms: Math.round(host.monotonicMs() - started),
  };
}
