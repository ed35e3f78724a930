import path from "node:path";
import { isRecord } from "../core/is-record.ts";
import type { Host } from "../core/host.ts";
import { type CommitSha, isCommitSha, isPlanDigest, isToolName } from "../core/ids.ts";
import type { Plan } from "../plan/plan.ts";
import type { Layout } from "./layout.ts";
import { saysWhatItInstalls } from "./readable-plan.ts";
import { removeOwn } from "./remove-own.ts";

export const WORKSPACE_SCHEMA = 1;

/**
 * What ipm knows of a workspace: a clone in a folder of the user's. Its tree is no entry of the store and no generation
 * names it. `state`: `building` until it was ready once; `updating` while its steps run again, and after they failed;
 * `removing` while its folder is removed.
 */
export interface Workspace {
  readonly schema: typeof WORKSPACE_SCHEMA;
  readonly name: string;
  readonly state: "building" | "ready" | "updating" | "removing";
  /** Content of the clone's `.git/ipm`: by it the folder is known again. */
  readonly mark: string;
  /** Absolute and real. */
  readonly folder: string;
  /** ipm made the folder itself; otherwise it was there, empty. */
  readonly created: boolean;
  readonly plan: Plan;
  /** Every commit that ipm has checked out there: what they hold is in the source. */
  readonly pins: readonly CommitSha[];
  readonly held: boolean;
  /** ISO time at which it was last ready; of the beginning while it never was. */
  readonly installed: string;
  readonly ipm: string;
  /** What the steps left that git ignores: folders with a slash at the end. */
  readonly made: readonly string[];
}

export type WorkspaceState =
  | { readonly state: "complete"; readonly workspace: Workspace }
  | { readonly state: "absent" }
  | { readonly state: "newer" }
  | { readonly state: "damaged" };

/** One line of the log of workspaces. */
export interface WorkspaceEvent {
  /** ISO time. */
  readonly time: string;
  readonly command: string;
  readonly name: string;
  readonly folder: string;
  /** Versions before and after; null: it was not there. */
  readonly from: string | null;
  readonly to: string | null;
}

/** Paths of one workspace below the data home. */
export interface WorkspacePaths {
  readonly root: string;
  readonly record: string;
  readonly home: string;
  readonly tmp: string;
  readonly scratch: string;
}

export function workspacePaths(layout: Layout, name: string): WorkspacePaths {
  if (!isToolName(name)) throw new TypeError(`not a name: ${name}`);
  const root = path.join(layout.workspaces, name);
  return {
    root,
    record: path.join(root, "workspace.json"),
    home: path.join(root, "home"),
    tmp: path.join(root, "tmp"),
    scratch: path.join(root, "scratch"),
  };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/** A relative path in normal form that stays below where it starts. */
function isBelow(file: string): boolean {
  const normal = path.posix.normalize(file);
  return (
    file !== "" && !path.posix.isAbsolute(file) && normal === file && !file.startsWith("..") && !file.includes("\0")
  );
}

function isReadablePlan(plan: unknown, name: string): boolean {
  if (!isRecord(plan) || typeof plan["digest"] !== "string" || !isPlanDigest(plan["digest"])) return false;
  const { tool, what, requirements } = plan;
  const environment = isRecord(what) ? what["environment"] : undefined;
  return (
    saysWhatItInstalls(plan) &&
    isRecord(tool) &&
    tool["name"] === name &&
    isRecord(what) &&
    isRecord(what["source"]) &&
    typeof what["source"]["commit"] === "string" &&
    Array.isArray(requirements) &&
    requirements.every(isRecord) &&
    isRecord(environment) &&
    isTexts(environment["path"]) &&
    environment["path"].every(isBelow) &&
    isRecord(environment["variables"]) &&
    Object.values(environment["variables"]).every((folder) => typeof folder === "string" && isBelow(folder))
  );
}

const STATES: ReadonlySet<unknown> = new Set(["building", "ready", "updating", "removing"]);

function isWorkspace(value: Record<string, unknown>, name: string): value is Record<string, unknown> & Workspace {
  const { state, mark, folder, created, plan, pins, held, installed, made } = value;
  return (
    value["name"] === name &&
    STATES.has(state) &&
    typeof mark === "string" &&
    typeof folder === "string" &&
    path.isAbsolute(folder) &&
    path.normalize(folder) === folder &&
    typeof created === "boolean" &&
    isTexts(pins) &&
    pins.every(isCommitSha) &&
    typeof held === "boolean" &&
    typeof installed === "string" &&
    isTexts(made) &&
    isReadablePlan(plan, name)
  );
}

/** Read what ipm knows of a workspace. Never throws for its content: a damaged record is a value. */
export async function readWorkspace(host: Pick<Host, "files">, layout: Layout, name: string): Promise<WorkspaceState> {
  if (!isToolName(name)) return { state: "absent" };
  const text = await host.files.readText(workspacePaths(layout, name).record);
  if (text === undefined) return { state: "absent" };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { state: "damaged" };
  }
  if (!isRecord(value)) return { state: "damaged" };
  if (typeof value["schema"] === "number" && value["schema"] > WORKSPACE_SCHEMA) return { state: "newer" };
  if (value["schema"] !== WORKSPACE_SCHEMA || !isWorkspace(value, name)) return { state: "damaged" };
  return { state: "complete", workspace: value };
}

/** Every workspace whose record can be read, sorted by name; `onDoubt` is told of the others. */
export async function listWorkspaces(
  host: Pick<Host, "files">,
  layout: Layout,
  onDoubt: (name: string, state: "newer" | "damaged") => void = () => {},
): Promise<Workspace[]> {
  const workspaces: Workspace[] = [];
  for (const name of await host.files.list(layout.workspaces)) {
    const found = await readWorkspace(host, layout, name);
    if (found.state === "complete") workspaces.push(found.workspace);
    else if (found.state !== "absent") onDoubt(name, found.state);
  }
  return workspaces;
}

/** Write a record: the old one or the new one is on the disk, whatever happens. */
export async function writeWorkspace(host: Host, layout: Layout, workspace: Workspace): Promise<void> {
  const { root, record } = workspacePaths(layout, workspace.name);
  await host.files.createFolder(root);
  await host.files.writeDurably(record, `${JSON.stringify(workspace, null, 2)}\n`);
  host.checkpoint(`workspace.${workspace.state}`);
}

/** Forget a workspace; its folder is not touched. */
export async function forgetWorkspace(host: Host, layout: Layout, name: string): Promise<void> {
  await removeOwn(host, layout, workspacePaths(layout, name).root);
}

/** Note what was done, for `ipm history`. */
export async function logWorkspace(host: Host, layout: Layout, event: WorkspaceEvent): Promise<void> {
  await host.files.append(layout.workspaceLog, `${JSON.stringify(event)}\n`);
}

function isNullableText(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}

function isEvent(value: unknown): value is Record<string, unknown> & WorkspaceEvent {
  if (!isRecord(value)) return false;
  const { time, command, name, folder, from, to } = value;
  return (
    [time, command, name, folder].every((text) => typeof text === "string") &&
    isNullableText(from) &&
    isNullableText(to)
  );
}

/** What was done to workspaces, oldest first; lines that cannot be read are left out. */
export async function readWorkspaceLog(host: Pick<Host, "files">, layout: Layout): Promise<WorkspaceEvent[]> {
  const events: WorkspaceEvent[] = [];
  for (const line of ((await host.files.readText(layout.workspaceLog)) ?? "").split("\n")) {
    if (line === "") continue;
    try {
      const value: unknown = JSON.parse(line);
      if (isEvent(value)) events.push(value);
    } catch {
      // Half a line, of a process that was killed.
    }
  }
  return events;
}

/** Forget the private folders of steps that an earlier run left. Only while the lock of the name is held. */
export async function clearWorkspaceFolders(host: Host, layout: Layout, name: string): Promise<void> {
  const { home, tmp, scratch } = workspacePaths(layout, name);
  for (const folder of [home, tmp, scratch]) await removeOwn(host, layout, folder);
}
