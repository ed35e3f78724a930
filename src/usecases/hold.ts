import { IpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { openForWriting } from "../store/recover.ts";
import { switchGeneration } from "../store/store.ts";
import { lockEntries } from "../store/store-context.ts";
import { readWorkspace, writeWorkspace } from "../store/workspaces.ts";
import { type Context, storeOf } from "./context.ts";
import { readWorkspaces } from "./list.ts";

export interface HoldResult {
  /** The generation that is current now; null when nothing had to change. */
  readonly generation: number | null;
  readonly tools: readonly { readonly name: string; readonly version: string; readonly held: boolean }[];
}

/** A workspace is in no generation: its own record says that it is held. @returns its version; null when it has just gone */
async function holdWorkspace(context: Context, name: string, held: boolean): Promise<string | null> {
  const store = storeOf(context);
  const lock = await lockEntries(store, name);
  try {
    const found = await readWorkspace(store.host, store.layout, name);
    if (found.state !== "complete") return null;
    if (found.workspace.held !== held) await writeWorkspace(store.host, store.layout, { ...found.workspace, held });
    return found.workspace.plan.tool.version;
  } finally {
    await lock.release();
  }
}

/**
 * Hold tools at their version, or let them go. Like every change of the set it makes a generation, so that it can be
 * rolled back. @throws IpmError NOT_INSTALLED
 */
export async function hold(context: Context, names: readonly string[], held: boolean): Promise<HoldResult> {
  const store = storeOf(context);
  await openForWriting(store);
  const wanted = new Set(names);
  const workspaces = new Map((await readWorkspaces(context)).map((workspace) => [workspace.name, workspace]));
  let changed = false;
  const after = await switchGeneration(store, (current) => {
    const entries = current?.entries ?? [];
    for (const name of wanted) {
      if (!workspaces.has(name) && !entries.some((entry) => entry.name === name)) {
        throw new IpmError("NOT_INSTALLED", `${escapeUntrusted(name)} is not installed`, {
          hint: "ipm list",
          data: { name },
        });
      }
    }
    changed = entries.some((entry) => wanted.has(entry.name) && entry.held !== held);
    return changed ? { entries: entries.map((entry) => (wanted.has(entry.name) ? { ...entry, held } : entry)) } : null;
  });
  const tools = (after?.entries ?? [])
    .filter(({ name }) => wanted.has(name))
    .map(({ name, version, held: now }) => ({ name, version, held: now }));
  for (const name of wanted) {
    if (!workspaces.has(name)) continue;
    const version = await holdWorkspace(context, name, held);
    if (version !== null) tools.push({ name, version, held });
  }
  return { generation: changed ? (after?.number ?? null) : null, tools };
}
