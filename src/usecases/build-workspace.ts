import { randomBytes } from "node:crypto";
import path from "node:path";
import { IpmError, isIpmError } from "../core/errors.ts";
import type { Phase } from "../core/events.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { type ExecutionPaths, findToolchains, placeEnvironment } from "../execute/execution.ts";
import { runPlan } from "../execute/run-plan.ts";
import { runTests } from "../execute/run-tests.ts";
import type { Ecosystem } from "../manifest/ecosystems.ts";
import { WORKSPACE_PREFIX } from "../plan/expand-steps.ts";
import { type Plan, checkoutOf } from "../plan/plan.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { type CloneState, inspectClone } from "../source/inspect-clone.ts";
import type { FetchedCommit } from "../source/source.ts";
import { CLONE_MARK } from "../source/write-checkout.ts";
import type { StoreContext } from "../store/store-context.ts";
import {
  WORKSPACE_SCHEMA,
  type Workspace,
  clearWorkspaceFolders,
  forgetWorkspace,
  logWorkspace,
  readWorkspace,
  workspacePaths,
  writeWorkspace,
} from "../store/workspaces.ts";
import { type Context, storeOf } from "./context.ts";
import { placeDownloads } from "./place-downloads.ts";
import { sourceContext } from "./source-context.ts";
import { demandEmptyFolder } from "./workspace-folder.ts";

/** A plan of a workspace with everything that preparing it needs. */
export interface WorkspaceInput {
  readonly plan: Plan;
  readonly source: FetchedCommit;
  readonly tag: string | null;
  readonly credentials: readonly Ecosystem[];
  readonly sandbox: Sandbox;
  readonly offline: boolean;
}

/** Most lines that ipm adds to a clone's `.git/info/exclude`. */
const MAX_EXCLUDES = 200;

function folderOf(plan: Plan): string {
  if (plan.workspace === undefined) throw new TypeError(`${plan.tool.name} is no workspace`);
  return plan.workspace.folder;
}

/** The branch that a plan's commit was found on, where it is one. */
function branchOf(plan: Plan): string | null {
  return plan.tool.ref?.startsWith("refs/heads/") === true ? plan.tool.ref : null;
}

/** True when the folder is the very one that ipm made. */
export async function isWorkspaceFolder(
  context: Context,
  workspace: Pick<Workspace, "folder" | "mark">,
): Promise<boolean> {
  const { files } = context.host;
  if ((await files.facts(workspace.folder))?.kind !== "folder") return false;
  const git = path.join(workspace.folder, ".git");
  if ((await files.facts(git))?.kind !== "folder") return false;
  return (await files.readText(path.join(git, CLONE_MARK)))?.trim() === workspace.mark;
}

/** The error for a workspace whose folder is not there any more. */
export function workspaceGone({ name, folder }: Pick<Workspace, "name" | "folder">): IpmError {
  return new IpmError(
    "WORKSPACE_GONE",
    `the folder of ${name}, ${escapeUntrusted(folder)}, is gone or is another one`,
    {
      hint: `move it back, or: ipm uninstall ${name}`,
      data: { name, folder },
    },
  );
}

/** Time a phase and tell about it. */
async function phase<T>(store: StoreContext, plan: Plan, name: Phase, work: () => Promise<T>): Promise<T> {
  const tool = `${plan.tool.name}@${plan.tool.version}`;
  store.emit({ type: "phase.started", tool, phase: name });
  store.host.signal.throwIfAborted();
  const start = store.host.monotonicMs();
  const result = await work();
  store.emit({ type: "phase.finished", tool, phase: name, ms: Math.round(store.host.monotonicMs() - start) });
  return result;
}

/** A path as a line of `.git/info/exclude` that means exactly it (gitignore(5)); undefined when no line can. */
export function excludeLine(file: string): string | undefined {
  if (/[\n\r\ufffd]/u.test(file)) return undefined;
  const escaped = file.replaceAll(/[\\*?[\]!#]/gu, (character) => `\\${character}`).replace(/ $/u, "\\ ");
  return `/${escaped}`;
}

/**
 * What the steps made is none of the user's work: git is told not to show it. Files of the repository that they changed
 * stay visible, and so does a repository that one of them has put where a submodule belongs, which is refused.
 */
async function settleClone(
  context: Context,
  input: WorkspaceInput,
  pins: Workspace["pins"],
  before: CloneState | undefined,
): Promise<readonly string[]> {
  const { files } = context.host;
  const folder = folderOf(input.plan);
  for (const { path: file, mode } of input.source.listing) {
    // git would go into it, with its configuration, at the next `git status` of the user's.
    if (mode !== "160000" || (await files.facts(path.join(folder, file, ".git"))) === undefined) continue;
    throw new IpmError(
      "SOURCE_UNSAFE",
      `a step of ${input.plan.tool.name} made a repository in ${escapeUntrusted(file)}`,
      {
        hint: "tell the manifest's maintainers: submodules are listed in source.submodules",
        data: { path: file },
      },
    );
  }
  const after = await inspectClone(sourceContext(context), folder, pins);
  if (after === undefined) return [];
  const known = (list: "untracked" | "ignored" | "changed"): ReadonlySet<string> => new Set(before?.[list]);
  const isNew = (list: "untracked" | "ignored" | "changed"): readonly string[] =>
    after[list].filter((file) => !known(list).has(file));
  const made = isNew("untracked");
  const lines = made.flatMap((file) => excludeLine(file) ?? []).slice(0, MAX_EXCLUDES);
  const exclude = path.join(folder, ".git", "info", "exclude");
  const present = ((await files.readText(exclude)) ?? "").split("\n");
  const added = lines.filter((line) => !present.includes(line));
  if (added.length > 0) {
    await files.createFolder(path.dirname(exclude));
    await files.writeDurably(exclude, [...present.filter((line) => line !== ""), ...added, ""].join("\n"));
  }
  const changed = isNew("changed");
  if (changed.length > 0) {
    const shown = changed.slice(0, 3).map(escapeUntrusted).join(", ");
    context.emit({
      type: "warning",
      code: "WORKSPACE_CHANGED",
      message: `the steps changed files of the repository: ${shown}${changed.length > 3 ? ", …" : ""}`,
      hint: `git -C ${escapeUntrusted(folder)} diff`,
    });
  }
  return [...made, ...isNew("ignored")];
}

/** Run steps and tests in the folder, which holds the clone; then settle it. @returns what they made */
async function prepareEnvironment(
  context: Context,
  input: WorkspaceInput,
  pins: Workspace["pins"],
  isFresh: boolean,
): Promise<readonly string[]> {
  const store = storeOf(context);
  const { host, layout, emit } = store;
  const { plan } = input;
  const folder = folderOf(plan);
  const own = workspacePaths(layout, plan.tool.name);
  const time = host.now().toISOString().replaceAll(/[-:]/gu, "");
  const log = path.join(layout.logs, plan.tool.name, `${time}.log`);
  await host.files.createFolder(path.dirname(log));
  await clearWorkspaceFolders(host, layout, plan.tool.name);
  for (const place of [own.home, own.tmp]) await host.files.createFolder(place);
  await placeDownloads(store, plan, own.tmp, input.offline);
  const paths: ExecutionPaths = {
    prefix: path.join(folder, WORKSPACE_PREFIX),
    source: folder,
    home: own.home,
    tmp: own.tmp,
    scratch: own.scratch,
    log,
    workspace: {
      git: path.join(folder, ".git"),
      environment: placeEnvironment(plan.what.environment ?? { path: [], variables: {} }, folder),
    },
  };
  const execution = { host, emit, sandbox: input.sandbox, credentials: input.credentials, offline: input.offline };
  const before = isFresh ? undefined : await inspectClone(sourceContext(context), folder, pins);
  try {
    await phase(store, plan, "steps", () => runPlan(execution, plan, paths));
    if (plan.what.tests.length > 0) {
      const launchers = { bin: path.join(paths.prefix, "bin"), toolchains: await findToolchains(host, plan, "run") };
      await phase(store, plan, "tests", () => runTests(execution, plan, paths, launchers));
    }
    // Nothing was installed into it: then it is not there.
    if ((await host.files.list(paths.prefix)).length === 0) await host.files.remove(paths.prefix);
    return await settleClone(context, input, pins, before);
  } finally {
    await clearWorkspaceFolders(host, layout, plan.tool.name);
  }
}

function newWorkspace(context: Context, plan: Plan, created: boolean): Workspace {
  return {
    schema: WORKSPACE_SCHEMA,
    name: plan.tool.name,
    state: "building",
    mark: randomBytes(16).toString("hex"),
    folder: folderOf(plan),
    created,
    plan,
    pins: [checkoutOf(plan).commit],
    held: false,
    installed: context.host.now().toISOString(),
    ipm: context.ipmVersion,
    made: [],
  };
}

/** Steps may write for so long after the last thing that ipm noted of them. */
const STILL_OURS_MS = 60_000;

/**
 * What a folder that was never ready holds of its user's: whatever came after its preparation had ended.
 * @returns a phrase that names it, or null
 */
export async function workInUnfinished(context: Context, workspace: Workspace): Promise<string | null> {
  const { host, layout } = storeOf(context);
  const { files } = host;
  if (!(await isWorkspaceFolder(context, workspace))) return null;
  const { record, home, tmp, scratch } = workspacePaths(layout, workspace.name);
  const logs = path.join(layout.logs, workspace.name);
  const noted = [record, home, tmp, scratch, ...(await files.list(logs)).map((name) => path.join(logs, name))];
  const times = await Promise.all(noted.map(async (file) => (await files.facts(file))?.changedMs ?? 0));
  const end = Math.max(...times) + STILL_OURS_MS;
  const later: string[] = [];
  const look = async (folder: string, below: string): Promise<void> => {
    for (const name of await files.list(folder)) {
      if (below === "" && name === ".git") continue;
      const place = path.join(folder, name);
      const facts = await files.facts(place);
      if (facts?.kind === "folder") await look(place, `${below}${name}/`);
      else if (facts !== undefined && facts.changedMs > end) later.push(`${below}${name}`);
    }
  };
  await look(workspace.folder, "");
  if (later.length > 0)
    return `files that came later (${later.slice(0, 3).map(escapeUntrusted).join(", ")}${later.length > 3 ? ", …" : ""})`;
  // A clone that was not even complete holds no commit of anybody's.
  const state = await inspectClone(sourceContext(context), workspace.folder, workspace.pins).catch(() => undefined);
  if (state === undefined) return null;
  return state.pending[0] ?? (state.unpushed.length > 0 ? "commits of yours" : null);
}

/** @throws IpmError WORKSPACE_CHANGED when beginning anew would take what is its user's */
async function demandNothingLater(context: Context, workspace: Workspace): Promise<void> {
  const work = await workInUnfinished(context, workspace);
  if (work === null) return;
  const { name, folder } = workspace;
  throw new IpmError(
    "WORKSPACE_CHANGED",
    `${name} was never finished, and ${escapeUntrusted(folder)} holds ${work}, which beginning anew would remove`,
    { hint: `move that away; or: ipm uninstall ${name}, which leaves the folder`, data: { name, folder } },
  );
}

/**
 * Remove what ipm began in a folder that was never ready, and forget it. The folder was empty before, and is only touched
 * while it is the one that ipm made.
 */
export async function discardWorkspace(context: Context, workspace: Workspace): Promise<void> {
  const { host } = context;
  const { files } = host;
  const names = await files.list(workspace.folder);
  // The mark comes with the clone, which is made first: without one nothing of a step's can be there.
  const isOwn = await isWorkspaceFolder(context, workspace);
  const isBare = names.length === 0 || (names.length === 1 && names[0] === ".git");
  if ((await files.facts(workspace.folder))?.kind === "folder" && (isOwn || isBare)) {
    // Git's own folder goes last: by it the rest is known after a crash.
    for (const name of names.filter((one) => one !== ".git")) await files.remove(path.join(workspace.folder, name));
    await files.remove(path.join(workspace.folder, ".git"));
    if (workspace.created) await files.remove(workspace.folder);
  } else if (names.length > 0) {
    context.emit({
      type: "warning",
      code: "KEPT",
      message: `${escapeUntrusted(workspace.folder)} stays: it is not the folder that ipm began`,
    });
  }
  await forgetWorkspace(host, storeOf(context).layout, workspace.name);
}

/**
 * Clone a workspace into its folder and prepare its environment there. On any failure the folder is as it was, and the log
 * stays. The caller holds the lock of the name.
 * @throws IpmError those of steps and tests, FOLDER_UNUSABLE, DISK_FULL, IO_FAILED
 */
export async function buildWorkspace(context: Context, input: WorkspaceInput): Promise<Workspace> {
  const store = storeOf(context);
  const { host, layout } = store;
  const { plan } = input;
  const folder = folderOf(plan);
  const left = await readWorkspace(host, layout, plan.tool.name);
  if (left.state === "complete" && left.workspace.state === "building") {
    await demandNothingLater(context, left.workspace);
    await discardWorkspace(context, left.workspace);
  }
  await demandEmptyFolder(context, folder);
  const created = (await host.files.facts(folder)) === undefined;
  const workspace = newWorkspace(context, plan, created);
  await writeWorkspace(host, layout, workspace);
  try {
    await phase(store, plan, "prepare", async () => {
      await host.files.createFolder(folder);
      // Whoever was faster: the folder is looked at once more, now that it is there.
      await demandEmptyFolder(context, folder);
      const remote = plan.workspace?.remote ?? null;
      await input.source.checkout(folder, input.tag, [], { remote, branch: branchOf(plan), mark: workspace.mark });
    });
    host.checkpoint("workspace.cloned");
    const made = await prepareEnvironment(context, input, workspace.pins, true);
    const ready: Workspace = { ...workspace, state: "ready", installed: host.now().toISOString(), made };
    await writeWorkspace(host, layout, ready);
    await note(context, ready, null);
    return ready;
  } catch (error) {
    await discardWorkspace(context, workspace).catch((failure: unknown) => {
      // The record stays, and says what is to be done.
      if (!isIpmError(failure)) throw failure;
    });
    throw error;
  }
}

async function note(context: Context, { name, folder, plan }: Workspace, from: string | null): Promise<void> {
  const { host, layout } = storeOf(context);
  const time = host.now().toISOString();
  await logWorkspace(host, layout, { time, command: context.command, name, folder, from, to: plan.tool.version });
}

function demandMovable(workspace: Workspace, state: CloneState | undefined, plan: Plan): CloneState {
  const { name, folder } = workspace;
  const place = escapeUntrusted(folder);
  const to = escapeUntrusted(plan.tool.version);
  const refuse = (why: string, hint: string): IpmError =>
    new IpmError("WORKSPACE_CHANGED", `${name} stays at ${escapeUntrusted(workspace.plan.tool.version)}: ${why}`, {
      hint,
      data: { name, folder, to },
    });
  if (state === undefined) throw refuse("its repository cannot be looked at", `git -C ${place} status`);
  if (state.changed.length > 0) {
    const shown = state.changed.slice(0, 3).map(escapeUntrusted).join(", ");
    throw refuse(
      `${place} has changes (${shown}${state.changed.length > 3 ? ", …" : ""})`,
      `git -C ${place} stash, then ipm upgrade ${name}`,
    );
  }
  const busy = state.pending.find((what) => what.endsWith("under way"));
  if (busy !== undefined) throw refuse(`${place} has ${busy}`, `git -C ${place} status`);
  if (!workspace.pins.includes(state.head)) {
    const ref = plan.tool.ref?.replace(/^refs\/(?:tags|heads)\//u, "") ?? checkoutOf(plan).commit;
    throw refuse(
      `${place} has commits of yours`,
      `git -C ${place} fetch --tags origin, then git -C ${place} merge ${escapeUntrusted(ref)}`,
    );
  }
  return state;
}

/**
 * Move a workspace to another version, or prepare its environment anew where it is.
 * Files are moved only while nothing of the user's is in them: no change, and a commit of ipm's checked out.
 * @param moves false: the files stay as they are, whatever they are (`reinstall`)
 * @throws IpmError WORKSPACE_GONE, WORKSPACE_CHANGED, and those of steps and tests; after those the workspace counts as
 *   unfinished until `ipm reinstall NAME` has passed
 */
export async function updateWorkspace(
  context: Context,
  workspace: Workspace,
  input: WorkspaceInput,
  moves: boolean,
): Promise<Workspace> {
  const { host, layout } = storeOf(context);
  const { plan } = input;
  const { commit } = checkoutOf(plan);
  if (!(await isWorkspaceFolder(context, workspace))) throw workspaceGone(workspace);
  const pins = [...new Set([...workspace.pins, commit])];
  const updating: Workspace = { ...workspace, state: "updating", plan, pins };
  if (moves) {
    const found = await inspectClone(sourceContext(context), workspace.folder, workspace.pins);
    const state = demandMovable(workspace, found, plan);
    await writeWorkspace(host, layout, updating);
    if (state.head !== commit) await input.source.advance(workspace.folder, input.tag, branchOf(plan));
    host.checkpoint("workspace.moved");
  } else await writeWorkspace(host, layout, updating);
  try {
    const made = await prepareEnvironment(context, input, pins, false);
    const ready: Workspace = {
      ...updating,
      state: "ready",
      installed: host.now().toISOString(),
      ipm: context.ipmVersion,
      made: [...new Set([...workspace.made, ...made])],
    };
    await writeWorkspace(host, layout, ready);
    await note(context, ready, workspace.plan.tool.version);
    return ready;
  } catch (error) {
    context.emit({
      type: "warning",
      code: "WORKSPACE_UNFINISHED",
      message: `${workspace.name} has the files of ${escapeUntrusted(plan.tool.version)}; its environment is not finished`,
      hint: `ipm reinstall ${workspace.name}`,
    });
    throw error;
  }
}
