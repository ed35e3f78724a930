import { type Generation, listGenerationNumbers, readCurrentNumber, readGeneration } from "../store/generations.ts";
import { layoutOf } from "../store/layout.ts";
import type { Context } from "./context.ts";
import { type ToolChange, changesBetween } from "./generation-changes.ts";

export interface HistoryItem {
  readonly number: number;
  /** ISO time. */
  readonly created: string;
  readonly command: string;
  readonly current: boolean;
  /** Against the generation that was current when it was made, as far as that one is still there. */
  readonly changes: readonly ToolChange[];
  readonly tools: number;
}

/** The generations that are still here, newest first. */
export async function history(context: Context): Promise<HistoryItem[]> {
  const layout = layoutOf(context.host.homes);
  const current = await readCurrentNumber(context.host, layout);
  const generations: Generation[] = [];
  for (const number of await listGenerationNumbers(context.host, layout)) {
    const found = await readGeneration(context.host, layout, number);
    if (found.state === "complete") generations.push(found.generation);
  }
  return generations
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
}
