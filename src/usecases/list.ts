import { IpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { GenerationEntry } from "../store/generations.ts";
import { entryPaths, layoutOf, parseEntryId } from "../store/layout.ts";
import { readCurrent } from "../store/read-current.ts";
import type { Workspace } from "../store/workspaces.ts";
import type { Context } from "./context.ts";

/** One installed tool; `bins` are its commands on PATH. Part of the JSON contract of `ipm list`. */
export interface InstalledTool {
  readonly name: string;
  readonly version: string;
  readonly method: string;
  readonly trust: string;
  readonly bins: readonly string[];
  readonly held: boolean;
  /** `<name>/<folder>` below the store; null for a workspace. */
  readonly entry: string | null;
  readonly registry: string | null;
  /** ISO time. */
  readonly installed: string;
  /** Only of a workspace: its folder, and whether it can be worked in. */
  readonly workspace?: { readonly folder: string; readonly state: "ready" | "unfinished" };
}

/** A workspace as `list` shows it. */
export function installedWorkspace({ name, plan, held, installed, folder, state }: Workspace): InstalledTool {
  return {
    name,
    version: plan.tool.version,
    method: plan.method.id,
    trust: plan.trust.level,
    bins: [],
    held,
    entry: null,
    registry: plan.origin.registry,
    installed,
    workspace: { folder, state: state === "ready" ? "ready" : "unfinished" },
  };
}

export function installedTool(entry: GenerationEntry): InstalledTool {
  const { name, version, method, trust, bins, held, registry, installed } = entry;
  return { name, version, method, trust, bins, held, entry: entry.entry, registry, installed };
}

/** Workspaces whose record can be read; the others are warned of. */
export async function readWorkspaces(context: Context): Promise<Workspace[]> {
  const layout = layoutOf(context.host.homes);
  // Most people have none, and what reads them need not be loaded then.
  if ((await context.host.files.list(layout.workspaces)).length === 0) return [];
  const { listWorkspaces } = await import("../store/workspaces.ts");
  return listWorkspaces(context.host, layout, (name, state) => {
    const how = state === "newer" ? "was written by a newer ipm" : "cannot be read";
    const message = `what ipm knows of the workspace ${escapeUntrusted(name)} ${how}`;
    context.emit({ type: "warning", code: "STATE_DAMAGED", message, hint: `ipm uninstall ${escapeUntrusted(name)}` });
  });
}

/** What is installed, workspaces included, sorted by name: no lock is taken, nothing written. */
export async function listTools(context: Context): Promise<InstalledTool[]> {
  const generation = await readCurrent(context.host, layoutOf(context.host.homes), context.emit);
  const workspaces = await readWorkspaces(context);
  return [...(generation?.entries ?? []).map(installedTool), ...workspaces.map(installedWorkspace)].toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

/** An installed tool with the bytes of its tree. */
export interface SizedTool extends InstalledTool {
  readonly bytes: number;
}

/** What is installed with its sizes: the trees as they are on the disk now. */
export async function listToolSizes(context: Context): Promise<SizedTool[]> {
  const { measureTree } = await import("../store/seal-tree.ts");
  const layout = layoutOf(context.host.homes);
  const sized: SizedTool[] = [];
  for (const tool of await listTools(context)) {
    const id = tool.entry === null ? undefined : parseEntryId(tool.entry);
    const root = id === undefined ? tool.workspace?.folder : entryPaths(layout, id).root;
    sized.push({ ...tool, bytes: root === undefined ? 0 : await measureTree(context.host, root) });
  }
  return sized;
}

/** An entry of the current generation by its name. @throws IpmError NOT_INSTALLED */
export async function demandInstalled(context: Context, name: string): Promise<GenerationEntry> {
  const generation = await readCurrent(context.host, layoutOf(context.host.homes), context.emit);
  const entry = generation?.entries.find((candidate) => candidate.name === name);
  if (entry === undefined) {
    throw new IpmError("NOT_INSTALLED", `${escapeUntrusted(name)} is not installed`, {
      hint: "ipm list",
      data: { name },
    });
  }
  return entry;
}
