import { type Generation, listGenerationNumbers, readCurrentNumber, readGeneration } from "../store/generations.ts";
import { layoutOf } from "../store/layout.ts";
import { readWorkspaceLog } from "../store/workspaces.ts";
import type { Context } from "./context.ts";
import { type ToolChange, changesBetween } from "./generation-changes.ts";

export interface HistoryItem {
  /** Of the generation; null for a change of a workspace. */
  readonly number: number | null;
  /** ISO time. */
  readonly created: string;
  readonly command: string;
  readonly current: boolean;
  /** Against the generation that was current when it was made, as far as that one is still there. */
  readonly changes: readonly ToolChange[];
  readonly tools: number;
  /** Only of a workspace: its folder. */
  readonly workspace?: string;
}

/** What was done to workspaces, which no generation holds and no rollback touches; newest first. */
async function workspaceItems(context: Context): Promise<HistoryItem[]> {
  const events = await readWorkspaceLog(context.host, layoutOf(context.host.homes));
  return events.toReversed().map(({ time, command, name, folder, from, to }) => ({
    number: null,
    created: time,
    command,
    current: false,
    changes: [{ name, from, to }],
    tools: 0,
    workspace: folder,
  }));
}

/** Two lists, each newest first, as one. */
function merge(left: readonly HistoryItem[], right: readonly HistoryItem[]): HistoryItem[] {
  const items: HistoryItem[] = [];
  let at = 0;
  for (const item of left) {
    for (let other = right[at]; other !== undefined && other.created > item.created; other = right[++at])
      items.push(other);
    items.push(item);
  }
  return [...items, ...right.slice(at)];
}

/** The generations that are still here, and what was done to workspaces, newest first. */
export async function history(context: Context): Promise<HistoryItem[]> {
  const layout = layoutOf(context.host.homes);
  const current = await readCurrentNumber(context.host, layout);
  const generations: Generation[] = [];
  for (const number of await listGenerationNumbers(context.host, layout)) {
    const found = await readGeneration(context.host, layout, number);
    if (found.state === "complete") generations.push(found.generation);
  }
  const items = generations
    .map((generation): HistoryItem => {
      const before = generations.find(({ number }) => number === generation.previous);
      return {
        number: generation.number,
        created: generation.created,
        command: generation.command,
        current: generation.number === current,
        changes:
          before === undefined && generation.previous !== null
            ? []
            : changesBetween(before?.entries ?? [], generation.entries),
        tools: generation.entries.length,
      };
    })
    .toReversed();
  return merge(items, await workspaceItems(context));
}
