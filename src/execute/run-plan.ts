import path from "node:path";
import type { StepOutcome } from "../core/events.ts";
import { IpmError } from "../core/errors.ts";
import type { Host, ProcessResult } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { type Plan, type PlannedRun, isPackage } from "../plan/plan.ts";
import { type PackageFailure, findPackageFailure } from "../recipes/package-failure.ts";
import { type StepFolders, grantsOfStep, protect } from "../sandbox/grants.ts";
import type { NetworkAttempt } from "../sandbox/network-target.ts";
import { isInside } from "../sandbox/paths.ts";
import type { Toolchain } from "../sandbox/toolchain.ts";
import { copyStep } from "./copy-step.ts";
import { type ExecutionContext, type ExecutionPaths, findProgram, findToolchains, toolOf } from "./execution.ts";
import { givenInputs } from "../plan/given-inputs.ts";
import { cacheEnvironment, stepEnvironment } from "./step-environment.ts";
import { type Transcript, createTranscript } from "./transcript.ts";

/** More jobs than this only fill the memory. */
const MAX_JOBS = 16;
const MAX_ATTEMPTS = 200;
const MAX_STRAY = 20;
const MAX_STRAY_DEPTH = 6;
/** What package managers keep in HOME by themselves: no sign of a tool that was installed into the wrong place. */
const CACHES = new Set([".cache", ".npm", ".cargo", ".rustup", ".m2", ".gradle", ".config", ".node-gyp", "go"]);
const NO_NETWORK =
  /EAI_AGAIN|ENOTFOUND|ENETUNREACH|could not resolve host|temporary failure in name resolution|name or service not known|network is unreachable|failed to resolve/iu;

export interface PlanRun {
  /** Files that the steps left in their private HOME, besides caches: `~/.local/bin/rc`. At most 20. */
  readonly stray: readonly string[];
  /** Every place that a step asked for, once each, in the order of the first attempt. */
  readonly attempts: readonly NetworkAttempt[];
}

interface StepRun {
  readonly context: ExecutionContext;
  readonly plan: Plan;
  readonly folders: StepFolders;
  /** The checkout's folder that the manifest names, real. */
  readonly source: string;
  readonly workspace: ExecutionPaths["workspace"];
  readonly toolchains: readonly Toolchain[];
  readonly transcript: Transcript;
  readonly log: string;
  readonly attempts: NetworkAttempt[];
}

/**
 * Run the steps of a plan in their order, each in the sandbox, with output to the log and as `step.output` events.
 * @throws IpmError PACKAGE_NOT_FOUND, PACKAGE_MISMATCH, PACKAGE_UNREACHABLE, OFFLINE, STEP_FAILED, STEP_TIMEOUT (`data`: step, title, exitCode, signal, lastLines, log), SANDBOX_FAILED, and
 *   the abort's own error
 */
export async function runPlan(context: ExecutionContext, plan: Plan, paths: ExecutionPaths): Promise<PlanRun> {
  const { host } = context;
  for (const folder of [paths.prefix, paths.home, paths.tmp]) await host.files.createFolder(folder);
  const real = async (folder: string): Promise<string> => (await host.files.realPath(folder)) ?? folder;
  // What is bound into a sandbox must have its real path inside too, and a build records where it was made.
  const folders: StepFolders = {
    prefix: await real(paths.prefix),
    source: await real(paths.source),
    home: await real(paths.home),
    tmp: await real(paths.tmp),
    ...(paths.cache === undefined ? {} : { cache: await real(paths.cache) }),
  };
  const what = plan.what.source;
  const run: StepRun = {
    context,
    plan,
    folders,
    source: await workingFolder(host, folders.source, isPackage(what) ? null : what.path, "the checkout"),
    workspace: paths.workspace,
    toolchains: await findToolchains(host, plan, "build"),
    transcript: createTranscript(host.files, paths.log),
    log: paths.log,
    attempts: [],
  };
  const tool = toolOf(plan);
  const total = plan.what.steps.length;
  for (const [index, step] of plan.what.steps.entries()) {
    const title = escapeUntrusted(step.title);
    const started = host.monotonicMs();
    context.emit({ type: "step.started", tool, id: step.id, title, index, total });
    let outcome: StepOutcome = "failed";
    try {
      if (step.kind === "run") await runStep(run, step);
      else {
        // The last one takes the files out of a checkout that is removed next; a workspace is one.
        const isSpent = index === total - 1 && paths.workspace === undefined;
        const count = await copyStep(host.files, step, run.source, folders.prefix, isSpent);
        await run.transcript.begin(`step ${step.id}: ${step.title}`, () => undefined).finish(`${count} files copied`);
      }
      outcome = "done";
    } finally {
      context.emit({ type: "step.finished", tool, id: step.id, title, outcome, ms: host.monotonicMs() - started });
    }
    host.checkpoint(`step ${step.id} done`);
  }
  return { stray: await findStray(host, folders.home), attempts: run.attempts };
}

/** A sub-folder that is really inside, by the kernel's own resolution: a step may have put a link there. */
async function workingFolder(host: Host, root: string, relative: string | null, what: string): Promise<string> {
  if (relative === null) return root;
  const folder = await host.files.realPath(path.resolve(root, relative));
  const facts = folder === undefined ? undefined : await host.files.facts(folder);
  if (folder === undefined || facts?.kind !== "folder" || !isInside(root, folder)) {
    throw new IpmError("STEP_FAILED", `${what} has no folder ${escapeUntrusted(relative)}, or it leads outside`, {
      hint: "tell the manifest's maintainers",
      data: { path: relative },
    });
  }
  return folder;
}

async function runStep(run: StepRun, step: PlannedRun): Promise<void> {
  const { context, plan, folders } = run;
  const { host } = context;
  const tool = toolOf(plan);
  const env = stepEnvironment(step, {
    paths: { ...folders, source: run.source },
    version: plan.tool.version,
    inputs: givenInputs(plan.what, "build"),
    // A recipe makes the environment, with the machine's own programs; what the manifest adds works in it.
    toolchains: [
      ...(step.recipe === null ? (run.workspace?.environment.path ?? []) : []),
      ...run.toolchains.map(({ bin }) => bin),
    ],
    caches: folders.cache === undefined ? {} : cacheEnvironment(plan.requirements, step.recipe, folders.cache),
    jobs: Math.max(1, Math.min(host.facts.cpus, MAX_JOBS)),
  });
  const cwd = await workingFolder(host, run.source, step.dir, `step ${step.id}: the checkout`);
  const output = run.transcript.begin(`step ${step.id}: ${step.title}`, (stream, line) =>
    context.emit({ type: "step.output", tool, id: step.id, stream, line }),
  );
  const refused = new Set<string>();
  let noted = 0;
  let closing = "stopped";
  let result: ProcessResult | undefined;
  try {
    const argv = await commandLine(run, step, env["PATH"] ?? "", cwd);
    result = await context.sandbox.run({
      argv,
      cwd,
      env,
      timeoutMs: step.timeoutMs,
      signal: host.signal,
      onOutput: (stream, chunk) => output.output(stream, chunk),
      grants: protect(
        grantsOfStep(
          context.offline === true ? { ...step, network: [] } : step,
          folders,
          run.toolchains,
          context.credentials,
        ),
        run.workspace?.git,
      ),
      onAttempt: (attempt) => {
        if (attempt.outcome !== "connected" && noted < MAX_ATTEMPTS) {
          // A step may try without end: neither the log nor the memory is for that.
          noted++;
          const place = `${escapeUntrusted(attempt.host)}:${attempt.port}`;
          if (attempt.outcome === "refused") refused.add(`${place} (${attempt.why})`);
          output.note(`ipm: ${attempt.outcome}: ${place}: ${attempt.why}`);
        }
        const isSame = (known: NetworkAttempt): boolean =>
          known.host === attempt.host && known.port === attempt.port && known.outcome === attempt.outcome;
        if (run.attempts.length < MAX_ATTEMPTS && !run.attempts.some(isSame)) run.attempts.push(attempt);
      },
    });
    closing = describeEnd(result);
  } finally {
    await output.finish(closing);
  }
  if (result.leftBehind === true) {
    context.emit({
      type: "warning",
      code: "PROCESS_LEFT_BEHIND",
      message: `step ${step.id} (${escapeUntrusted(step.title)}) left processes running; they were ended`,
    });
  }
  if (result.exitCode !== 0 || result.timedOut) {
    throw stepError(run, step, result, output.lastLines(), [...refused]);
  }
  if (refused.size > 0) {
    // It went on without: a tool that phones home, or one that asks everywhere for updates.
    context.emit({
      type: "warning",
      code: "NETWORK_REFUSED",
      message: `step ${step.id} (${escapeUntrusted(step.title)}) was refused ${[...refused].slice(0, 3).join(", ")}`,
    });
  }
}

async function commandLine(
  run: StepRun,
  step: PlannedRun,
  searchPath: string,
  cwd: string,
): Promise<readonly [string, ...string[]]> {
  if (typeof step.run === "string") return ["/bin/sh", "-eu", "-c", step.run, "step"];
  const [program, ...args] = step.run;
  const found = await findProgram(run.context.host, program, searchPath, cwd);
  if (found === undefined) {
    throw new IpmError(
      "STEP_FAILED",
      `step ${step.id} (${escapeUntrusted(step.title)}): ${escapeUntrusted(program)} is not on the step's PATH`,
      {
        hint: `add "requires: [{ tool: ${escapeUntrusted(program)} }]" to the manifest`,
        data: { step: step.id, title: step.title, exitCode: 127, signal: null, lastLines: [], log: run.log },
      },
    );
  }
  return [found, ...args];
}

function describeEnd(result: ProcessResult): string {
  if (result.timedOut) return `stopped after ${Math.round(result.ms)} ms (time limit)`;
  const how = result.signal === null ? `exit code ${result.exitCode}` : `ended by ${result.signal}`;
  return `${how} after ${Math.round(result.ms)} ms`;
}

function stepError(
  run: StepRun,
  step: PlannedRun,
  result: ProcessResult,
  lastLines: readonly string[],
  refused: readonly string[],
): IpmError {
  const name = `step ${step.id} (${escapeUntrusted(step.title)})`;
  const data = {
    step: step.id,
    title: escapeUntrusted(step.title),
    exitCode: result.exitCode,
    signal: result.signal,
    lastLines,
    log: run.log,
    ...(refused.length === 0 ? {} : { refused }),
  };
  if (result.timedOut) {
    const seconds = Math.round(step.timeoutMs / 1000);
    return new IpmError("STEP_TIMEOUT", `${name} took longer than ${seconds} s and was stopped`, {
      hint: `read ${run.log}`,
      data: { ...data, timeoutMs: step.timeoutMs },
    });
  }
  const failure = ofPackage(run, step, lastLines);
  if (failure !== undefined) {
    const { code, what } = failure;
    return new IpmError(code, `${name}: ${what}`, { hint: HINTS[code](run.plan.tool.name), data });
  }
  const how = result.signal === null ? `exit code ${result.exitCode}` : result.signal;
  return new IpmError("STEP_FAILED", `${name} failed with ${how}`, {
    hint: hintFor(run, step, lastLines, refused),
    data,
  });
}

/** What to do about a package's registry, by what went wrong with it. */
const HINTS: Readonly<Record<PackageFailure["code"], (name: string) => string>> = {
  PACKAGE_NOT_FOUND: (name) => `ipm show ${name} has other versions; ipm update brings what its registry says now`,
  PACKAGE_MISMATCH: () => "do not install it; tell the registry's maintainers, or mend the mirror in between",
  PACKAGE_UNREACHABLE: () => "check the network, the proxy and the mirror of the ecosystem's own tool, then try again",
  OFFLINE: () => "run the command once without --offline",
};

/** A recipe's own step that gets a locked package says in its client's words what is wrong with the registry. */
function ofPackage(run: StepRun, step: PlannedRun, lines: readonly string[]): PackageFailure | undefined {
  if (!isPackage(run.plan.what.source) || step.recipe === null || step.network.length === 0) return undefined;
  const failure = findPackageFailure(lines);
  const isCut = run.context.offline === true && failure?.code === "PACKAGE_UNREACHABLE";
  return isCut ? { code: "OFFLINE", what: "a package is not on this machine yet, and --offline was given" } : failure;
}

/** The likeliest reason first: what the step was not let do. */
function hintFor(run: StepRun, step: PlannedRun, lastLines: readonly string[], refused: readonly string[]): string {
  if (refused.length > 0)
    return `the step asked for ${refused.slice(0, 3).join(", ")}; the manifest must declare what it reaches`;
  if (step.network.length === 0 && lastLines.some((line) => NO_NETWORK.test(line))) {
    return "the step has no network; the manifest must declare what it reaches (network: …)";
  }
  return `read ${run.log}`;
}

/** What was put into HOME and is no cache: a tool that ended up there is lost when the installation ends. */
async function findStray(host: Host, home: string): Promise<string[]> {
  const found: string[] = [];
  const walk = async (folder: string, shown: string, depth: number): Promise<void> => {
    for (const name of await host.files.list(folder)) {
      if (found.length >= MAX_STRAY) return;
      if (depth === 0 && CACHES.has(name)) continue;
      const facts = await host.files.facts(path.join(folder, name));
      const at = `${shown}/${escapeUntrusted(name)}`;
      if (facts?.kind === "folder" && depth < MAX_STRAY_DEPTH) await walk(path.join(folder, name), at, depth + 1);
      else if (facts !== undefined) found.push(at);
    }
  };
  // A step may have left folders that cannot be listed; the list is only a help.
  await walk(home, "~", 0).catch(() => undefined);
  return found;
}
