import { IpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { GenerationEntry } from "../store/generations.ts";
import { entryPaths, layoutOf, parseEntryId } from "../store/layout.ts";
import { readCurrent } from "../store/read-current.ts";
import type { Context } from "./context.ts";

/** One installed tool; `bins` are its commands on PATH. Part of the JSON contract of `ipm list`. */
export interface InstalledTool {
  readonly name: string;
  readonly version: string;
  readonly method: string;
  readonly trust: string;
  readonly bins: readonly string[];
  readonly held: boolean;
  /** `<name>/<folder>` below the store. */
  readonly entry: string;
  readonly registry: string | null;
  /** ISO time. */
  readonly installed: string;
}

export function installedTool(entry: GenerationEntry): InstalledTool {
  const { name, version, method, trust, bins, held, registry, installed } = entry;
  return { name, version, method, trust, bins, held, entry: entry.entry, registry, installed };
}

/** What is installed, sorted by name: one small file is read, no lock taken, nothing written. */
export async function listTools(context: Context): Promise<InstalledTool[]> {
  const generation = await readCurrent(context.host, layoutOf(context.host.homes), context.emit);
  return (generation?.entries ?? []).map(installedTool);
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
    const id = parseEntryId(tool.entry);
    sized.push({ ...tool, bytes: id === undefined ? 0 : await measureTree(context.host, entryPaths(layout, id).root) });
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
