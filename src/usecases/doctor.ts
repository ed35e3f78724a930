import path from "node:path";
import { isIpmError } from "../core/errors.ts";
import type { Requirement } from "../manifest/manifest.ts";
import { describeRequirement, identifyRequirement } from "../plan/requirements.ts";
import {
  type Generation,
  type GenerationEntry,
  newestComplete,
  readCurrentNumber,
  readGeneration,
} from "../store/generations.ts";
import { type Layout, entryPaths, formatEntryId, layoutOf, parseEntryId, profilePaths } from "../store/layout.ts";
import { renderLauncher } from "../store/launchers.ts";
import { acquireLockNow } from "../store/locks.ts";
import { launcherSpecs } from "../store/profiles.ts";
import { type Receipt, listEntryIds, readReceipt } from "../store/receipts.ts";
import { compareTree, readSealedFiles } from "../store/seal-tree.ts";
import { readCurrent } from "../store/read-current.ts";
import { openForWriting } from "../store/recover.ts";
import { switchGeneration } from "../store/store.ts";
import { type Context, storeOf } from "./context.ts";
import { profileOnPath } from "./find-on-path.ts";
import type { Plan } from "../plan/plan.ts";
import type { Workspace } from "../store/workspaces.ts";
import { isWorkspaceFolder, workspaceGone } from "./build-workspace.ts";
import { checkTarget } from "./doctor-target.ts";
import { findWithdrawn } from "./find-withdrawn.ts";
import { demandInstalled, listTools, readWorkspaces } from "./list.ts";
import { registryContext } from "./registry-context.ts";
import { readConfig } from "../registry/read-config.ts";
import { demandKnownLayout } from "../store/prepare-home.ts";
import { readPolicies } from "./read-policies.ts";
import { probeRequirements } from "./probe-requirements.ts";

export interface DoctorCheck {
  readonly id: string;
  readonly status: "ok" | "warning" | "failed" | "fixed";
  readonly title: string;
  readonly detail: string | null;
  /** The command that mends it, or null. */
  readonly fix: string | null;
}

export interface DoctorResult {
  /** No check failed; warnings are no failure. */
  readonly healthy: boolean;
  readonly checks: readonly DoctorCheck[];
}

const OLDEST_NODE = 20;

function ok(id: string, title: string, detail: string | null = null): DoctorCheck {
  return { id, status: "ok", title, detail, fix: null };
}

/** Checks whose failure to run is itself the finding. */
async function checkAll(id: string, title: string, work: () => Promise<DoctorCheck[]>): Promise<DoctorCheck[]> {
  try {
    return await work();
  } catch (error) {
    if (!isIpmError(error)) throw error;
    // Many an error advises to run the very command that is running.
    const fix = error.hint === "ipm doctor" ? null : (error.hint ?? null);
    return [{ id, status: "failed", title, detail: error.message, fix }];
  }
}

/** One of them. */
function check(id: string, title: string, work: () => Promise<DoctorCheck>): Promise<DoctorCheck[]> {
  return checkAll(id, title, async () => [await work()]);
}

/** The nearest folder above that is there, when its owner and mode say that this user can make nothing in it. */
async function closedParent(context: Context, folder: string): Promise<string | undefined> {
  const { files, facts } = context.host;
  const parent = path.dirname(folder);
  const found = await files.facts(parent);
  if (found === undefined) return parent === folder ? undefined : closedParent(context, parent);
  // A link is followed by whoever makes the folder; root may write whatever the mode says.
  if (found.kind === "link" || facts.uid === 0) return undefined;
  // Which groups the user is in is not known here: a folder that a group may write is given the benefit of the doubt.
  return (found.mode & (found.uid === facts.uid ? 0o200 : 0o022)) === 0 ? parent : undefined;
}

async function checkHome(context: Context, id: string, title: string, folder: string): Promise<DoctorCheck> {
  const { files, facts } = context.host;
  const failed = (detail: string, fix: string): DoctorCheck => ({ id, status: "failed", title, detail, fix });
  const found = await files.facts(folder);
  if (found === undefined) {
    const closed = await closedParent(context, folder);
    if (closed === undefined) return ok(id, title, "made when it is needed");
    return failed(
      `it cannot be made: you may not write in ${closed}`,
      "export IPM_HOME=/an/absolute/folder that you may write",
    );
  }
  if (found.kind !== "folder") return failed("it is not a folder", `move ${folder} away`);
  if (found.uid !== facts.uid)
    return failed(`it belongs to user ${found.uid}, not to you`, `chown -R ${facts.uid} ${folder}`);
  if ((found.mode & 0o022) !== 0)
    return failed(`others may write it (mode ${found.mode.toString(8)})`, `chmod go-w ${folder}`);
  return ok(id, title);
}

async function checkHomes(context: Context): Promise<DoctorCheck[]> {
  const checks: DoctorCheck[] = [];
  for (const [name, folder] of Object.entries(context.host.homes)) {
    const [id, title] = [`home.${name}`, `the ${name} home is ${folder}`];
    checks.push(...(await check(id, title, () => checkHome(context, id, title, folder))));
  }
  return checks;
}

function checkPath(context: Context, layout: Layout): DoctorCheck {
  const bin = path.join(layout.current, "bin");
  if (profileOnPath(context.host).onPath) return ok("path", `${bin} is on PATH`);
  return {
    id: "path",
    status: "warning",
    title: `${bin} is not on PATH`,
    detail: "installed commands are not found by their names",
    fix: "ipm setup",
  };
}

function checkNode(context: Context): DoctorCheck {
  const { path: program, version } = context.host.facts.node;
  const major = Number(version.split(".")[0]);
  if (major >= OLDEST_NODE) return ok("node", `Node ${version}`, program);
  return {
    id: "node",
    status: "failed",
    title: `Node ${version} is too old`,
    detail: program,
    fix: "install Node 20.19 or newer",
  };
}

async function checkLocks(context: Context): Promise<DoctorCheck> {
  const lock = await acquireLockNow(
    context.host,
    path.join(context.host.homes.cache, "locks"),
    "doctor",
    context.command,
  );
  await lock?.release();
  return ok("locks", "kernel locks work");
}

async function checkSandbox(context: Context): Promise<DoctorCheck> {
  const sandbox = context.sandboxFor(false);
  const { state, cause, fix } = await sandbox.probe();
  if (state === "ok") return ok("sandbox", `steps are isolated by ${sandbox.kind}`);
  return { id: "sandbox", status: "warning", title: `no sandbox (${state})`, detail: cause, fix };
}

/** Each policy file as `install` would read it: what cannot be read refuses everything, so it is better known before. */
async function checkPolicy(context: Context): Promise<DoctorCheck> {
  const policies = await readPolicies(context);
  return ok(
    "policy",
    policies.length === 0 ? "no policy" : `the policy of ${policies.map(({ file }) => file).join(" and ")}`,
  );
}

/** A data home that a newer ipm has written is read and not written: every command that changes something is refused. */
async function checkLayout(context: Context, layout: Layout): Promise<DoctorCheck[]> {
  return checkAll("layout", "the data home", async () => {
    await demandKnownLayout(context.host, layout);
    return [];
  });
}

/** The configuration as every look-up reads it: while it cannot be read nothing can be found. */
async function checkConfig(context: Context): Promise<DoctorCheck> {
  const { registries } = await readConfig(registryContext(context));
  const ids = registries.map(({ id }) => id);
  return ok(
    "config",
    ids.length === 0 ? "no registry is configured" : `the registries ${ids.join(", ")} are configured`,
  );
}

async function checkGeneration(context: Context, layout: Layout): Promise<DoctorCheck> {
  const number = await readCurrentNumber(context.host, layout);
  if (number === null) {
    const kind = (await context.host.files.facts(layout.current))?.kind;
    const newest = await newestComplete(context.host, layout);
    if (kind === undefined && newest === null) return ok("generation", "nothing has been installed yet");
    return {
      id: "generation",
      status: "failed",
      title: `${layout.current} ${kind === undefined ? "is gone" : "leads nowhere"}`,
      detail: newest === null ? null : `no command is on PATH; generation ${newest.number} is the newest`,
      fix: kind === undefined || kind === "link" ? "ipm doctor --fix" : `mv ${layout.current} ${layout.current}.old`,
    };
  }
  const { state } = await readGeneration(context.host, layout, number);
  if (state === "complete") return ok("generation", `generation ${number} is current`);
  return {
    id: "generation",
    status: "failed",
    title: `generation ${number} is ${state}`,
    detail: profilePaths(layout, number).generation,
    fix: "ipm doctor --fix",
  };
}

/** Problems of the current profile's `bin` against what its entries' receipts say should stand there. */
async function profileProblems(context: Context, layout: Layout, generation: Generation): Promise<string[]> {
  const { files } = context.host;
  const profile = profilePaths(layout, generation.number);
  const expected = new Map<string, string>();
  const unjudged = new Set<string>();
  for (const entry of generation.entries) {
    const id = parseEntryId(entry.entry);
    const found = id === undefined ? undefined : await readReceipt(context.host, layout, id);
    // Without a receipt nobody can tell what should stand there; that it is lost is said of the entry.
    if (id === undefined || found?.state !== "complete") {
      for (const name of entry.bins) unjudged.add(name);
      continue;
    }
    for (const spec of launcherSpecs(layout, entryPaths(layout, id).prefix, found.receipt)) {
      const rendered = renderLauncher(spec, profile.libexec);
      expected.set(spec.name, rendered.kind === "link" ? rendered.target : rendered.text);
    }
  }
  const problems: string[] = [];
  for (const [name, content] of expected) {
    const file = path.join(profile.bin, name);
    const actual = (await files.readLink(file)) ?? (await files.readText(file));
    if (actual === undefined) problems.push(`${name} is missing`);
    else if (actual !== content) problems.push(`${name} was changed`);
  }
  for (const name of await files.list(profile.bin))
    if (!expected.has(name) && !unjudged.has(name)) problems.push(`${name} is not ipm's`);
  return problems;
}

function fileCount(number: number): string {
  return number === 1 ? "1 file" : `${number} files`;
}

function commandCount(number: number): string {
  return number === 1 ? "1 command" : `${number} commands`;
}

async function checkProfile(
  context: Context,
  layout: Layout,
  generation: Generation,
  title: string,
  fix: boolean,
): Promise<DoctorCheck> {
  const problems = await profileProblems(context, layout, generation);
  if (problems.length === 0)
    return ok("launchers", title, commandCount(generation.entries.reduce((sum, { bins }) => sum + bins.length, 0)));
  const detail = problems.join("; ");
  if (!fix) return { id: "launchers", status: "failed", title, detail, fix: "ipm doctor --fix" };
  const made = await switchGeneration(storeOf(context), (current) =>
    current === null ? null : { entries: current.entries },
  );
  const left = made === null ? problems : await profileProblems(context, layout, made);
  if (left.length > 0) return { id: "launchers", status: "failed", title, detail: left.join("; "), fix: null };
  return {
    id: "launchers",
    status: "fixed",
    title,
    detail: `${detail}; made anew as generation ${made?.number ?? "?"}`,
    fix: null,
  };
}

async function checkEntry(context: Context, layout: Layout, tool: GenerationEntry, fix: boolean): Promise<DoctorCheck> {
  const id = `entry.${tool.name}`;
  const title = `${tool.name} ${tool.version}`;
  const again = `ipm reinstall ${tool.name}`;
  const failed = (detail: string): DoctorCheck => ({ id, status: "failed", title, detail, fix: again });
  const entry = parseEntryId(tool.entry);
  if (entry === undefined) return failed("its entry is not one of the store");
  const receipt = await readReceipt(context.host, layout, entry);
  if (receipt.state !== "complete") return failed(`its receipt is ${receipt.state}`);
  const paths = entryPaths(layout, entry);
  if ((await context.host.files.facts(paths.prefix))?.kind !== "folder")
    return failed("its prefix is gone, or is no folder any more");
  const gone = await goneInterpreter(context, receipt.receipt);
  if (gone !== undefined) return failed(`${gone} is gone`);
  const lost = await lostState(context, layout, receipt.receipt);
  if (lost !== undefined) return failed(`its data ${lost} is gone`);
  const sealed = await readSealedFiles(context.host, paths.files, receipt.receipt.filesDigest);
  if (sealed === undefined) return failed("its list of files cannot be read");
  const differences = await compareTree(context.host, paths.prefix, sealed);
  const modes = differences.filter(({ what }) => what === "mode");
  const others = differences.filter(({ what }) => what !== "mode");
  if (others.length > 0) {
    const shown = others.slice(0, 5).map(({ path: file, what }) => `${file} ${what}`);
    return failed(
      `${shown.join(", ")}${others.length > shown.length ? ` and ${others.length - shown.length} more` : ""}`,
    );
  }
  if (modes.length === 0) return ok(id, title, `${fileCount(Object.keys(sealed).length)} as installed`);
  if (!fix)
    return { id, status: "failed", title, detail: `another mode: ${fileCount(modes.length)}`, fix: "ipm doctor --fix" };
  for (const { path: file } of modes) {
    const expected = sealed[file];
    if (expected?.kind === "file") await context.host.files.setMode(path.join(paths.prefix, file), expected.mode);
  }
  return { id, status: "fixed", title, detail: `the modes of ${fileCount(modes.length)}`, fix: null };
}

/** A place of the user's data that is not there any more; building again makes it as it was at first. */
async function lostState(context: Context, layout: Layout, { plan }: Receipt): Promise<string | undefined> {
  for (const place of plan.what.persist ?? []) {
    const item = path.join(layout.state, plan.tool.name, place);
    if ((await context.host.files.facts(item)) === undefined) return item;
  }
  return undefined;
}

/** The interpreter or program that a launcher carries and this machine has no more. */
async function goneInterpreter(context: Context, receipt: Receipt): Promise<string | undefined> {
  for (const { interpreter, run } of receipt.launchers) {
    const program = interpreter?.[0] ?? run?.[0];
    if (program !== undefined && (await context.host.files.realPath(program)) === undefined) return program;
  }
  return undefined;
}

/** What the next command that writes would clear away. */
async function checkGarbage(context: Context, layout: Layout): Promise<DoctorCheck> {
  const unfinished: string[] = [];
  for (const id of await listEntryIds(context.host, layout)) {
    const { state } = await readReceipt(context.host, layout, id);
    if (state === "absent") unfinished.push(formatEntryId(id));
  }
  if (unfinished.length === 0) return ok("leftovers", "nothing is half done");
  return {
    id: "leftovers",
    status: "warning",
    title: "unfinished builds",
    detail: unfinished.join(", "),
    fix: "ipm doctor --fix",
  };
}

async function checkRequirements(context: Context, plan: Plan): Promise<DoctorCheck[]> {
  const wanted: Requirement[] = plan.requirements.filter((requirement) => requirement.for !== "build");
  const resolved = await probeRequirements(context.host, wanted);
  return resolved.map((requirement) => {
    const { kind, name } = identifyRequirement(requirement);
    const id = kind === "tool" ? `requirement.${name}` : `requirement.${kind}.${name}`;
    const title = describeRequirement(requirement);
    if (requirement.met) return ok(id, title);
    // A variable, a service or a device is looked for anew at each start: nothing has to be built again.
    const fix = requirement.advice ?? `ipm reinstall ${plan.tool.name}`;
    return { id, status: requirement.optional ? "warning" : "failed", title, detail: requirement.why, fix };
  });
}

/** A workspace: its folder, its state, and what its environment stands on. Work of the user's in it is no problem. */
async function checkWorkspace(context: Context, workspace: Workspace): Promise<DoctorCheck> {
  const { name, folder, state, plan } = workspace;
  const id = `workspace.${name}`;
  const title = `${name} ${plan.tool.version} in ${folder}`;
  const failed = (detail: string, fix: string): DoctorCheck => ({ id, status: "failed", title, detail, fix });
  if (state === "building") return failed("it was never finished", `ipm install ${name}`);
  if (state === "removing") return failed("its removal was interrupted", `ipm uninstall ${name}`);
  if (!(await isWorkspaceFolder(context, workspace))) {
    const { message, hint } = workspaceGone(workspace);
    return failed(message, hint ?? "");
  }
  const again = `ipm reinstall ${name}`;
  if (state === "updating") return failed("its environment is not finished", again);
  for (const below of Object.values(plan.what.environment?.variables ?? {})) {
    const place = path.join(folder, below);
    if ((await context.host.files.realPath(place)) === undefined) return failed(`${below} is gone`, again);
    // A virtual environment whose interpreter was removed or replaced has links that lead nowhere.
    for (const file of await context.host.files.list(path.join(place, "bin")))
      if ((await context.host.files.realPath(path.join(place, "bin", file))) === undefined)
        return failed(`${path.join(below, "bin", file)} leads nowhere`, again);
  }
  return ok(id, title, "ready");
}

async function isInstalled(context: Context, name: string): Promise<boolean> {
  return (await listTools(context)).some((tool) => tool.name === name);
}

/** Versions that their registry has withdrawn since: who has one should know. */
async function checkWithdrawn(context: Context, name: string | null): Promise<DoctorCheck[]> {
  const tools = (await listTools(context)).filter((tool) => name === null || tool.name === name);
  const withdrawn = await findWithdrawn(context, tools).catch((error: unknown) => {
    if (isIpmError(error)) return [];
    throw error;
  });
  return withdrawn.map(([name, why]): DoctorCheck => {
    const version = tools.find((tool) => tool.name === name)?.version ?? "";
    return {
      id: `withdrawn.${name}`,
      status: "failed",
      title: `${name} ${version} was withdrawn`,
      detail: why,
      fix: `ipm upgrade ${name}`,
    };
  });
}

async function checkTool(context: Context, layout: Layout, name: string, fix: boolean): Promise<DoctorCheck[]> {
  const workspace = (await readWorkspaces(context)).find((one) => one.name === name);
  if (workspace !== undefined)
    return [
      await checkWorkspace(context, workspace),
      ...(await checkRequirements(context, workspace.plan)),
      ...(await checkWithdrawn(context, name)),
    ];
  if (!(await isInstalled(context, name))) return checkTarget(context, name);
  const tool = await demandInstalled(context, name);
  const checks = [await checkEntry(context, layout, tool, fix)];
  const id = parseEntryId(tool.entry);
  const receipt = id === undefined ? undefined : await readReceipt(context.host, layout, id);
  if (receipt?.state === "complete") checks.push(...(await checkRequirements(context, receipt.receipt.plan)));
  checks.push(...(await checkWithdrawn(context, name)));
  return checks;
}

/** What is installed: the current generation, its launchers, each tool and workspace, and what lies about. */
async function checkState(context: Context, layout: Layout, fix: boolean): Promise<DoctorCheck[]> {
  const checks = [await checkGeneration(context, layout), await checkGarbage(context, layout)];
  const generation = await readCurrent(context.host, layout, () => {});
  if (generation !== null) {
    const launchers = `the launchers of generation ${generation.number}`;
    checks.push(
      ...(await check("launchers", launchers, () => checkProfile(context, layout, generation, launchers, fix))),
    );
    for (const tool of generation.entries) {
      const title = `${tool.name} ${tool.version}`;
      checks.push(...(await check(`entry.${tool.name}`, title, () => checkEntry(context, layout, tool, fix))));
    }
  }
  for (const workspace of await readWorkspaces(context)) checks.push(await checkWorkspace(context, workspace));
  return [...checks, ...(await checkWithdrawn(context, null))];
}

/**
 * Look at this machine and at ipm's own state; with `fix`, mend what can be mended without building anything.
 * @param options.name look at this tool alone; one that is not installed is looked at for what it needs
 * @throws IpmError of look-up and fetch for a tool that is not installed
 */
export async function doctor(context: Context, options: { name: string | null; fix: boolean }): Promise<DoctorResult> {
  const layout = layoutOf(context.host.homes);
  const checks: DoctorCheck[] = [];
  if (options.fix) {
    const repairs = await openForWriting(storeOf(context));
    checks.push(
      ...repairs.map((what): DoctorCheck => ({ id: "repair", status: "fixed", title: what, detail: null, fix: null })),
    );
  }
  if (options.name !== null) checks.push(...(await checkTool(context, layout, options.name, options.fix)));
  else {
    checks.push(
      ...(await checkHomes(context)),
      checkPath(context, layout),
      checkNode(context),
      ...(await check("git", "git", async () => ok("git", `git ${await context.host.git.version()}`))),
      ...(await check("locks", "kernel locks", () => checkLocks(context))),
      await checkSandbox(context),
      ...(await checkLayout(context, layout)),
      ...(await check("config", "the configuration", () => checkConfig(context))),
      ...(await check("policy", "the policy", () => checkPolicy(context))),
      ...(await checkAll("state", "what is installed", () => checkState(context, layout, options.fix))),
    );
  }
  return { healthy: checks.every(({ status }) => status !== "failed"), checks };
}
