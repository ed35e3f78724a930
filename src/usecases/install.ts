import path from "node:path";
import { IpmError, isIpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { RunText } from "../manifest/manifest.ts";
import { methodsOf } from "../manifest/methods-of.ts";
import { demandMethod } from "../manifest/resolve-manifest.ts";
import { secretInputs } from "../plan/given-inputs.ts";
import type { Plan } from "../plan/plan.ts";
import type { Generation, GenerationEntry } from "../store/generations.ts";
import { findMissingRequirement } from "../plan/missing-requirement.ts";
import { type EntryId, entryPaths, formatEntryId, layoutOf, parseEntryId } from "../store/layout.ts";
import type { HeldLock } from "../store/locks.ts";
import { seedState } from "../store/persist.ts";
import { findLauncherConflict } from "../store/profiles.ts";
import { generationEntryOf } from "../store/rebuild-generation.ts";
import { readCurrent } from "../store/read-current.ts";
import { openForWriting } from "../store/recover.ts";
import { lockEntries } from "../store/store-context.ts";
import { discardEntry, switchGeneration } from "../store/store.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { isInside } from "../sandbox/paths.ts";
import { type Workspace, readWorkspace } from "../store/workspaces.ts";
import { buildEntry } from "./build-entry.ts";
import { buildWorkspace, discardWorkspace, updateWorkspace } from "./build-workspace.ts";
import { placeOfWorkspace } from "./workspace-place.ts";
import { confirmPlan, sandboxOf } from "./confirm-plan.ts";
import { type Context, type PlanOptions, storeOf } from "./context.ts";
import { type FailedTool, failureOf } from "./failed-tool.ts";
import { inParallel } from "./in-parallel.ts";
import { isInstalledAlready } from "./installed-already.ts";
import { latestFor } from "./latest-for.ts";
import { type InstalledTool, installedTool, installedWorkspace, readWorkspaces } from "./list.ts";
import { planOf } from "./plan-of.ts";
import { type PreparedPlan, preparePlan } from "./prepare-plan.ts";
import { probeRequirements } from "./probe-requirements.ts";
import { requirementMissing } from "./requirement-missing.ts";
import { type ResolvedTarget, openTargets } from "./resolve-target.ts";
import { askSecrets, demandKnownInputs, keepInputs } from "./settle-inputs.ts";

export interface UnchangedTool {
  readonly name: string;
  readonly version: string;
  /** A newer version of its registry, or null. */
  readonly newer: string | null;
}

export interface ToolNote {
  readonly name: string;
  readonly notes: string | null;
  readonly start: { readonly run: RunText; readonly url: string | null } | null;
}

/** A method that failed, after which another one was tried. */
export interface FailedAttempt {
  readonly name: string;
  readonly version: string;
  readonly method: string;
  readonly code: string;
  readonly message: string;
  readonly log: string | null;
}

export interface InstallResult {
  /** The generation that is current now; null when nothing was ever installed. */
  readonly generation: number | null;
  readonly installed: readonly InstalledTool[];
  readonly unchanged: readonly UnchangedTool[];
  /** Only with `--keep-going`: what failed while others went through. */
  readonly failed: readonly FailedTool[];
  /** Methods that failed before another one went through. */
  readonly attempts: readonly FailedAttempt[];
  readonly plans: readonly Plan[];
  readonly dryRun: boolean;
  readonly notes: readonly ToolNote[];
}

/** How a caller bends the installation; `install` itself bends nothing. */
export interface InstallMode {
  /** Targets whose installed version is to be replaced although a plain `install` would leave it alone. */
  readonly replace: boolean;
  /** Build anew although a complete entry of the plan is there. */
  readonly fresh: boolean;
  /** What is built is run once and not installed. Default: false. */
  readonly oneOff?: boolean;
}

const PLAIN: InstallMode = { replace: false, fresh: false };

/** Failures after which another method of the manifest may still work. */
const METHOD_FAILURES = new Set([
  "STEP_FAILED",
  "STEP_TIMEOUT",
  "TEST_FAILED",
  "OUTPUT_INVALID",
  "PACKAGE_NOT_FOUND",
  "PACKAGE_UNREACHABLE",
]);

/** What is installed under a name, a tool or a workspace. */
interface Present {
  readonly name: string;
  readonly version: string;
  readonly method: string;
  readonly held: boolean;
  readonly registry: string | null;
  /** The entry of the store, or null for a workspace. */
  readonly entry: string | null;
  readonly workspace: Workspace | null;
}

/** A target that is to be installed, and what is there of it. */
interface Wanted {
  readonly typed: string;
  readonly target: ResolvedTarget;
  readonly there: Present | undefined;
}

/** What is installed keeps what it was given: a plain `install` changes nothing of it. */
function setOfInstalled(present: Pick<Present, "name" | "version">, set: Readonly<Record<string, string>>): IpmError {
  const flags = Object.keys(set).map((env) => `--set ${env}=VALUE`);
  return new IpmError("USAGE", `${present.name} ${present.version} is installed already, so --set changes nothing`, {
    hint: `ipm reinstall ${present.name} ${flags.join(" ")}`,
    data: { name: present.name },
  });
}

/** Nothing is built for what is installed, so a method that was asked for must be the one that it was built by. */
function demandInstalledMethod({ entry }: ResolvedTarget, present: Present, wanted: string | undefined): void {
  if (wanted === undefined || wanted === present.method) return;
  demandMethod(entry, wanted);
  const { name, version, method } = present;
  throw new IpmError("USAGE", `${name} ${version} is installed already by ${method}, so --method changes nothing`, {
    hint: `ipm reinstall ${name} --method ${wanted}`,
    data: { name, method },
  });
}

/** What the generation lists may have been deleted by hand: to say that it is installed would be a lie. */
async function demandEntry(context: Context, { name, version, entry }: Present): Promise<void> {
  const id = entry === null ? undefined : parseEntryId(entry);
  if (id === undefined) return;
  const { root, receipt } = entryPaths(layoutOf(context.host.homes), id);
  if ((await context.host.files.facts(receipt)) !== undefined) return;
  throw new IpmError("STATE_DAMAGED", `${name} ${version} is installed, but its files in ${root} are gone`, {
    hint: `ipm reinstall ${name}`,
    data: { path: root },
  });
}

/** A name is a tool's or a workspace's, never both. */
function demandKind(target: ResolvedTarget, current: Present | undefined): void {
  if (current === undefined) return;
  const { name, kind } = target.entry;
  if ((kind === "workspace") === (current.workspace !== null)) return;
  const what = current.workspace === null ? "a tool" : `a workspace in ${escapeUntrusted(current.workspace.folder)}`;
  throw new IpmError("WORKSPACE_EXISTS", `${name} is installed as ${what}`, {
    hint: `ipm uninstall ${name}`,
    data: { name },
  });
}

function demandNotHeld(current: Pick<Present, "name" | "version" | "held"> | undefined, version: string): void {
  if (current?.held === true && current.version !== version) {
    throw new IpmError("HELD", `${current.name} is held at ${current.version}, and this would make it ${version}`, {
      hint: `ipm unhold ${current.name}`,
      data: { name: current.name, held: current.version, wanted: version },
    });
  }
}

/** The entries as they would be, for the check of launchers before any work. */
function withPlans(
  current: readonly GenerationEntry[],
  plans: readonly Plan[],
): Pick<GenerationEntry, "name" | "bins">[] {
  const replaced = new Set<string>(plans.map(({ tool }) => tool.name));
  return [
    ...current.filter(({ name }) => !replaced.has(name)),
    ...plans.map((plan) => ({ name: plan.tool.name, bins: plan.launchers.map(({ name }) => name) })),
  ];
}

/** The first content of the data that a built tool keeps. @returns takes it back */
export async function seedPlan(
  context: Context,
  plan: Plan,
  id: EntryId,
  former: string | null = null,
): Promise<() => Promise<void>> {
  const layout = layoutOf(context.host.homes);
  return seedState(context.host, layout, plan.tool.name, entryPaths(layout, id), plan.what.persist ?? [], former);
}

/** A built target: what a generation lists of it, and its plan. */
export interface Built {
  readonly id: EntryId;
  /** Methods that failed before. */
  readonly attempts: readonly FailedAttempt[];
  readonly entry: GenerationEntry;
  readonly plan: Plan;
}

/** A workspace that is ready, and its plan; `before` is what was there when it was only moved or prepared again. */
interface BuiltWorkspace {
  readonly attempts: readonly FailedAttempt[];
  readonly workspace: Workspace;
  readonly before: Workspace | null;
  readonly plan: Plan;
}

/** Give back what was built for a generation that did not come about; what cannot be removed now is for `gc`. */
async function discardBuilt(context: Context, built: readonly EntryId[]): Promise<void> {
  const current = await readCurrent(context.host, layoutOf(context.host.homes), () => {}).catch(() => null);
  for (const id of built) {
    // The switch may have come about although something after it failed.
    if (current?.entries.some(({ entry }) => entry === formatEntryId(id)) === true) continue;
    await discardEntry(storeOf(context), id).catch((error: unknown) => {
      if (!isIpmError(error)) throw error;
    });
  }
}

/**
 * The plan of a target. What replaces an installed tool keeps the method that was chosen for it while that one can still be
 * used; otherwise it says which one takes its place.
 */
async function prepareTarget(
  context: Context,
  target: ResolvedTarget,
  options: PlanOptions,
  kept: string | undefined,
): Promise<PreparedPlan> {
  if (kept === undefined || options.method !== undefined || options.choose === true)
    return preparePlan(context, target, options);
  try {
    return await preparePlan(context, target, { ...options, method: kept });
  } catch (error) {
    // USAGE: a newer manifest may have no method of that name any more.
    if (!isIpmError(error) || !["METHOD_NOT_APPLICABLE", "REQUIREMENT_MISSING", "USAGE"].includes(error.code))
      throw error;
    const prepared = await preparePlan(context, target, options);
    const message = `${target.entry.name} was installed by ${kept}, which cannot be used any more (${error.message}); now by ${prepared.plan.method.id}`;
    context.emit({ type: "warning", code: error.code, message });
    return prepared;
  }
}

/**
 * Build one target, by the manifest's next method after a failed one. The caller holds the lock of the tool's entries.
 * @param fresh gets the entry, unless it was there before
 * @param given what the user gave, by variable
 */
export async function buildTarget(
  context: Context,
  target: ResolvedTarget,
  first: PreparedPlan,
  options: PlanOptions,
  mode: InstallMode,
  fresh: EntryId[],
  given: Readonly<Record<string, string>> = {},
): Promise<Built> {
  return withFallback(context, target, first, options, async (prepared, sandbox, watched) => {
    const built = await buildEntry(storeOf(watched), {
      offline: options.offline,
      ...prepared,
      sandbox,
      ipmVersion: context.ipmVersion,
      fresh: mode.fresh,
      oneOff: mode.oneOff ?? false,
      secrets: Object.fromEntries(
        secretInputs(prepared.plan.what).flatMap((env) => (given[env] === undefined ? [] : [[env, given[env]]])),
      ),
    });
    if (!built.reused) fresh.push(built.id);
    const { origin, trust } = prepared.plan;
    // What was built for another registry's entry with the same plan is used again, and is this one's from now on.
    const entry: GenerationEntry = {
      ...generationEntryOf(formatEntryId(built.id), built.receipt, false),
      registry: origin.registry,
      target: origin.again,
      trust: trust.level,
    };
    return { id: built.id, entry, plan: prepared.plan };
  });
}

/** Clone and prepare a workspace, or move or prepare again the one that is there. The caller holds the lock of the name. */
async function buildTargetWorkspace(
  context: Context,
  target: ResolvedTarget,
  first: PreparedPlan,
  options: PlanOptions,
  mode: InstallMode,
): Promise<BuiltWorkspace> {
  const layout = layoutOf(context.host.homes);
  return withFallback(context, target, first, options, async (prepared, sandbox, watched) => {
    const { source } = prepared;
    // The manifest's check lets a workspace have nothing but a checkout.
    if (!("commit" in source)) throw new TypeError(`${target.entry.name} has no checkout`);
    const input = { ...prepared, source, sandbox, offline: options.offline };
    // Under the lock: another process may have been faster.
    const found = await readWorkspace(context.host, layout, target.entry.name);
    const before = found.state === "complete" && found.workspace.state !== "building" ? found.workspace : null;
    if (before === null) return { workspace: await buildWorkspace(watched, input), before, plan: prepared.plan };
    if (before.state === "removing") {
      throw new IpmError("WORKSPACE_UNFINISHED", `${before.name} was being removed from ${before.folder}`, {
        hint: `ipm uninstall ${before.name}`,
      });
    }
    demandNotHeld({ name: before.name, version: before.plan.tool.version, held: before.held }, target.version);
    const workspace = await updateWorkspace(watched, before, input, !mode.fresh);
    return { workspace, before, plan: prepared.plan };
  });
}

function attemptOf({ tool, method }: Plan, error: IpmError): FailedAttempt {
  const { code, message, log } = failureOf(tool.name, error);
  return { name: tool.name, version: tool.version, method: method.id, code, message, log };
}

/** The failure of the last method with what went before it: every attempt, and its log. */
function withAttempts(error: IpmError, attempts: readonly FailedAttempt[]): IpmError {
  if (attempts.length === 0) return error;
  const before = attempts.map(
    ({ method, message, log }) =>
      `  before it, method ${method} failed: ${message.split("\n")[0] ?? ""}${log === null ? "" : `; log ${log}`}`,
  );
  return new IpmError(error.code, [error.message, ...before].join("\n"), {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    data: { ...error.data, attempts },
    cause: error,
  });
}

/** Build by a plan, and by the manifest's next method after a failed one. */
async function withFallback<T extends object>(
  context: Context,
  target: ResolvedTarget,
  first: PreparedPlan,
  options: PlanOptions,
  build: (prepared: PreparedPlan, sandbox: Sandbox, watched: Context) => Promise<T>,
): Promise<T & { readonly attempts: readonly FailedAttempt[] }> {
  let lines: string[] = [];
  const emit: Context["emit"] = (event) => {
    if (event.type === "step.output" && lines.push(event.line) > MAX_LINES) lines.shift();
    context.emit(event);
  };
  const failed = new Map<string, string>();
  const attempts: FailedAttempt[] = [];
  for (let prepared = first; ;) {
    lines = [];
    const sandbox = await sandboxOf(context, options);
    try {
      return { ...(await build(prepared, sandbox, { ...context, emit })), attempts };
    } catch (error) {
      if (!isIpmError(error) || !METHOD_FAILURES.has(error.code)) throw error;
      const advised = await withReason(context, prepared, lines, error);
      if (options.noFallback || options.method !== undefined) throw advised;
      const method = prepared.plan.method.id;
      failed.set(method, `failed: ${error.message.split("\n")[0] ?? ""}`);
      const all = withAttempts(advised, [...attempts]);
      attempts.push(attemptOf(prepared.plan, error));
      if (methodsOf(target.entry).length <= failed.size) throw all;
      // The source is here already, and so is what was given: only the plan is another.
      const again = "commit" in prepared.source ? { ...target, fetched: prepared.source } : target;
      const given = prepared.inputs.flatMap(({ env, value }) => (value === null ? [] : [[env, value] as const]));
      const set = { ...options.set, ...Object.fromEntries(given) };
      const next = await preparePlan(context, again, { ...options, set }, failed).catch((reason: unknown) => {
        // Somebody was asked and said no, or the command was interrupted: that is the end.
        if (isIpmError(reason, "DECLINED") || isIpmError(reason, "INTERRUPTED")) throw reason;
        return null;
      });
      if (next === null) throw all;
      context.emit({
        type: "warning",
        code: error.code,
        message: `method ${method} failed (${error.message}); trying ${next.plan.method.id}`,
      });
      await confirmPlan(context, next.plan, options);
      prepared = next;
    }
  }
}

/** Lines of the steps' output that are looked at for what is missing. */
const MAX_LINES = 2000;

/**
 * What a failed build lacked, where that can be told: a header, library or program that its output names and this machine
 * has not, or a version of a program that its authors support and is not the one here. That was advice until it failed,
 * and is now the likeliest reason.
 * @param lines output of the steps, made safe to show
 * @returns REQUIREMENT_MISSING with the failure as its cause, or the failure itself
 */
async function withReason(
  context: Context,
  { plan }: PreparedPlan,
  lines: readonly string[],
  error: IpmError,
): Promise<IpmError> {
  const named = error.code === "STEP_FAILED" ? findMissingRequirement(lines) : undefined;
  const probed = named === undefined ? [] : await probeRequirements(context.host, [named.requirement]);
  const unsupported = plan.requirements.filter(
    (one) => "tool" in one && one.optional && !one.met && one.version !== null && one.found !== null,
  );
  const lacks = [...probed.filter(({ met }) => !met), ...unsupported];
  if (lacks.length === 0) return error;
  const { name, version } = plan.tool;
  const missing = await requirementMissing(context.host, name, version, lacks, []);
  return new IpmError("REQUIREMENT_MISSING", `${missing.message}\n  without it ${error.message}`, {
    ...(missing.hint === undefined ? {} : { hint: missing.hint }),
    data: { ...error.data, ...missing.data },
    cause: error,
  });
}

/**
 * The entries with the built ones in place of the old; null when they are the same already, by another process.
 * @param former by its new name, the name under which a tool was installed
 */
function withBuilt(
  current: readonly GenerationEntry[],
  built: readonly Built[],
  former: ReadonlyMap<string, string>,
): { entries: GenerationEntry[] } | null {
  const before = new Map(current.map((entry) => [entry.name, entry]));
  const previous = (name: string): GenerationEntry | undefined =>
    before.get(name) ?? before.get(former.get(name) ?? name);
  // Once more under the lock: somebody may have held it in the meantime.
  for (const { entry } of built) demandNotHeld(previous(entry.name), entry.version);
  const isCurrent = ({ entry }: Built): boolean => {
    const now = before.get(entry.name);
    return now?.entry === entry.entry && now.registry === entry.registry && now.target === entry.target;
  };
  if (built.every(isCurrent)) return null;
  const names = new Set(built.map(({ entry }) => entry.name));
  const done = new Map([...former].filter(([name]) => names.has(name)));
  return {
    entries: [
      ...withoutFormer(current, done).filter(({ name }) => !names.has(name)),
      ...built.map(({ entry }) => ({ ...entry, held: previous(entry.name)?.held ?? false })),
    ],
  };
}

function withoutFormer(entries: readonly GenerationEntry[], former: ReadonlyMap<string, string>): GenerationEntry[] {
  const gone = new Set(former.values());
  return entries.filter(({ name }) => !gone.has(name));
}

/** What is installed of a target: under its name, or under the one that its entry had before in the same registry. */
function presentOf(present: ReadonlyMap<string, Present>, { entry, registry }: ResolvedTarget): Present | undefined {
  const own = present.get(entry.name);
  if (own !== undefined || registry === null) return own;
  const old = (entry.formerly ?? []).map((name) => present.get(name)).find((one) => one?.registry === registry);
  // The folder of a workspace belongs to its name.
  return old?.workspace === null ? old : undefined;
}

/** Data of the user's lies under the name that a tool had too: an older generation goes on using it. */
async function tellOfFormerData(context: Context, former: ReadonlyMap<string, string>): Promise<void> {
  const { state } = layoutOf(context.host.homes);
  for (const [name, old] of former) {
    if ((await context.host.files.list(path.join(state, old))).length === 0) continue;
    const [from, to] = [old, name].map((one) => path.join(state, one));
    const message = `${old} is called ${name} now: it goes on with a copy of its data, in ${to ?? ""}; for a rollback ${from ?? ""} stays`;
    context.emit({ type: "warning", code: "KEPT", message, hint: `ipm uninstall ${old} --purge` });
  }
}

/** Say that what is installed gives way to a tool of its name from somewhere else, which is another tool. */
async function warnOfAnotherOrigin(
  context: Context,
  { tool, origin, what }: Plan,
  there: Present | undefined,
): Promise<void> {
  if (there === undefined || (there.registry !== null && there.registry === origin.registry)) return;
  const before = await planOf(context, there);
  if (before === undefined || before.origin.source === origin.source) return;
  const from = ({ registry, source }: Plan["origin"]): string =>
    `${escapeUntrusted(source)}${registry === null ? "" : ` (registry ${registry})`}`;
  const data = what.persist === undefined ? "" : ", and goes on with its data";
  context.emit({
    type: "warning",
    code: "OTHER_ORIGIN",
    message: `${tool.name} ${there.version} is from ${from(before.origin)}; what takes its place is from ${from(origin)}${data}`,
  });
}

/** Say that nobody should begin to use what is being installed. */
function warnOfDeprecated(context: Context, { tool }: Plan): void {
  if (tool.deprecated === null) return;
  const { why, use } = tool.deprecated;
  context.emit({
    type: "warning",
    code: "DEPRECATED",
    message: `${tool.name} is deprecated: ${escapeUntrusted(why)}`,
    ...(use === null ? {} : { hint: `ipm install ${use}` }),
  });
}

/** Of targets that are installed under a former name: new name to that one. */
function formerNames(wanted: readonly Wanted[]): ReadonlyMap<string, string> {
  const names = wanted.map(({ target, there }): [string, string] => [
    target.entry.name,
    there?.name ?? target.entry.name,
  ]);
  return new Map(names.filter(([name, old]) => name !== old));
}

/** The locks of all tools, taken in one order by everybody, so that two commands can never wait for each other. */
async function lockTools(context: Context, names: readonly string[]): Promise<HeldLock[]> {
  const locks: HeldLock[] = [];
  try {
    for (const name of names.toSorted()) locks.push(await lockEntries(storeOf(context), name));
  } catch (error) {
    for (const lock of locks) await lock.release();
    throw error;
  }
  return locks;
}

/**
 * Run `work` for every target. Without `--keep-going` the first failure is thrown, after the others have ended.
 */
async function forEachTarget<In extends { readonly typed: string }, Out>(
  targets: readonly In[],
  options: PlanOptions,
  failed: FailedTool[],
  work: (target: In) => Promise<Out>,
): Promise<Out[]> {
  const outcomes = await inParallel(targets, options.jobs, work, !options.keepGoing);
  const done: Out[] = [];
  let firstError: unknown;
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.ok) done.push(outcome.value);
    else if (options.keepGoing && isIpmError(outcome.error))
      failed.push(failureOf(targets[index]?.typed ?? "", outcome.error));
    else firstError ??= outcome.error;
  }
  if (firstError !== undefined) throw firstError;
  return done;
}

/**
 * Install targets: look up, fetch and plan all of them, check launchers and trust before any work, build and test each
 * beside what is there, then make one generation. What fails leaves the current generation as it was.
 */
export async function install(
  context: Context,
  targets: readonly string[],
  options: PlanOptions,
  mode: InstallMode = PLAIN,
): Promise<InstallResult> {
  const store = storeOf(context);
  const layout = layoutOf(context.host.homes);
  if (!options.dryRun) await openForWriting(store);
  const current = await readCurrent(context.host, layout, context.emit);
  const present = await readPresent(context, current);
  const failed: FailedTool[] = [];
  const resolved = await openTargets(
    context,
    [...new Set(targets)],
    options,
    options.keepGoing ? (typed, error) => failed.push(failureOf(typed, error)) : undefined,
  );
  demandDistinct(resolved);
  const unchanged: UnchangedTool[] = [];
  const wanted: Wanted[] = [];
  for (const target of resolved) {
    const there = presentOf(present, target);
    try {
      demandKind(target, there);
      if (!mode.replace && there !== undefined && isInstalledAlready(target, there)) {
        if (options.set !== undefined && Object.keys(options.set).length > 0) throw setOfInstalled(there, options.set);
        demandInstalledMethod(target, there, options.method);
        await demandEntry(context, there);
        // Where it is to go is said only for one that is not there yet.
        if (options.into !== undefined) await placeOfWorkspace(context, target, options.into);
        unchanged.push({ name: there.name, version: there.version, newer: latestFor(target.entry, there.version) });
        continue;
      }
      demandNotHeld(there, target.version);
      wanted.push({ typed: target.typed, target, there });
    } catch (error) {
      if (!options.keepGoing || !isIpmError(error)) throw error;
      failed.push(failureOf(target.typed, error));
    }
  }
  const prepared = await forEachTarget(wanted, options, failed, async ({ typed, target, there }) => ({
    typed,
    target,
    there,
    ...(await prepareTarget(
      context,
      target,
      {
        ...options,
        ...(await optionalBefore(context, there)),
        ...(there === undefined || there.name === target.entry.name ? {} : { formerName: there.name }),
      },
      mode.replace ? there?.method : undefined,
    )),
  }));
  const plans = prepared.map(({ plan }) => plan);
  const former = formerNames(wanted);
  // What could not be planned may be what asks for it.
  if (failed.length === 0) demandKnownInputs(plans, options.set);
  demandOneFolderEach(plans);
  const conflict = findLauncherConflict(
    withPlans(withoutFormer(current?.entries ?? [], former), plans),
    new Set(present.keys()),
  );
  if (conflict !== undefined) throw conflict;
  for (const { plan, there } of prepared) await warnOfAnotherOrigin(context, plan, there);
  if (options.dryRun) {
    const number = current?.number ?? null;
    return { generation: number, installed: [], unchanged, failed, attempts: [], plans, dryRun: true, notes: [] };
  }
  for (const { plan } of prepared) {
    await confirmPlan(context, plan, options);
    warnOfDeprecated(context, plan);
  }
  const given = new Map<string, Readonly<Record<string, string>>>();
  for (const { plan, inputs } of prepared) given.set(plan.tool.name, await askSecrets(context, plan, inputs, options));
  const locks = await lockTools(context, [...plans.map(({ tool }) => tool.name), ...former.values()]);
  let built: Built[] = [];
  const fresh: EntryId[] = [];
  const workspaces: BuiltWorkspace[] = [];
  let generation: Generation | null = current;
  const takeBack: (() => Promise<void>)[] = [];
  try {
    const done = await forEachTarget(prepared, options, failed, async (item) => {
      if (item.plan.workspace === undefined)
        return buildTarget(context, item.target, item, options, mode, fresh, given.get(item.plan.tool.name));
      workspaces.push(await buildTargetWorkspace(context, item.target, item, options, mode));
      return null;
    });
    built = done.filter((one) => one !== null);
    for (const { plan } of [...built, ...workspaces])
      takeBack.push(await keepInputs(context, plan, given.get(plan.tool.name) ?? {}));
    for (const { plan, id } of built)
      takeBack.push(await seedPlan(context, plan, id, former.get(plan.tool.name) ?? null));
    await tellOfFormerData(context, former);
    if (built.length > 0) {
      generation = await switchGeneration(store, (now) => withBuilt(now?.entries ?? [], built, former));
    }
  } catch (error) {
    await discardBuilt(context, fresh);
    for (const undo of takeBack) await undo();
    // One that was there before stays as it is now: its folder is the user's.
    for (const { workspace, before } of workspaces)
      if (before === null) await discardWorkspace(context, workspace).catch(ignoreOwnErrors);
    throw error;
  } finally {
    for (const lock of locks) await lock.release();
  }
  return {
    generation: generation?.number ?? null,
    installed: [
      ...built.map(({ entry }) => installedTool(entry)),
      ...workspaces.map(({ workspace }) => installedWorkspace(workspace)),
    ],
    unchanged,
    failed,
    attempts: [...built, ...workspaces].flatMap((one) => one.attempts),
    plans: [...built, ...workspaces].map(({ plan }) => plan),
    dryRun: false,
    notes: [...built, ...workspaces].map(({ plan }) => ({
      name: plan.tool.name,
      notes: plan.tool.notes,
      start: plan.start,
    })),
  };
}

/** What was decided about the optional steps of what is installed, for what replaces it. */
async function optionalBefore(
  context: Context,
  there: Present | undefined,
): Promise<Pick<PlanOptions, "optionalBefore">> {
  if (there === undefined) return {};
  const { optional } = there.workspace?.plan ?? (await planOf(context, there)) ?? {};
  // Of a receipt only what is needed is believed.
  return Array.isArray(optional) ? { optionalBefore: optional } : {};
}

/** Everything that is installed, tools and workspaces, by name. */
async function readPresent(context: Context, current: Generation | null): Promise<ReadonlyMap<string, Present>> {
  const present = new Map<string, Present>();
  for (const { name, version, method, held, registry, entry } of current?.entries ?? [])
    present.set(name, { name, version, method, held, registry, entry, workspace: null });
  for (const workspace of await readWorkspaces(context)) {
    // One that was never ready is not there yet.
    if (workspace.state === "building") continue;
    const { tool, method, origin } = workspace.plan;
    const { name, held } = workspace;
    present.set(name, {
      name,
      version: tool.version,
      method: method.id,
      held,
      registry: origin.registry,
      entry: null,
      workspace,
    });
  }
  return present;
}

/** Two workspaces of one command must not meet: neither is there yet to be seen by the other. */
function demandOneFolderEach(plans: readonly Plan[]): void {
  const folders = plans.flatMap(({ tool, workspace }) =>
    workspace === undefined ? [] : [{ name: tool.name, folder: workspace.folder }],
  );
  for (const [at, one] of folders.entries()) {
    const other = folders
      .slice(0, at)
      .find(({ folder }) => isInside(folder, one.folder) || isInside(one.folder, folder));
    if (other === undefined) continue;
    throw new IpmError(
      "FOLDER_UNUSABLE",
      `${other.name} and ${one.name} cannot both go to ${escapeUntrusted(one.folder)}`,
      {
        hint: "install one after the other, each with its own --into DIR",
      },
    );
  }
}

function ignoreOwnErrors(error: unknown): void {
  if (!isIpmError(error)) throw error;
}

function demandDistinct(targets: readonly ResolvedTarget[]): void {
  const seen = new Map<string, string>();
  for (const { typed, entry } of targets) {
    const other = seen.get(entry.name);
    if (other !== undefined) {
      throw new IpmError(
        "TARGET_INVALID",
        `${escapeUntrusted(other)} and ${escapeUntrusted(typed)} are both ${entry.name}`,
        { hint: "name it once" },
      );
    }
    seen.set(entry.name, typed);
  }
}
