import { IpmError } from "../core/errors.ts";
import { type Generation, listGenerationNumbers, readGeneration } from "../store/generations.ts";
import { type Layout, layoutOf, parseEntryId } from "../store/layout.ts";
import { readReceipt } from "../store/receipts.ts";
import { openForWriting } from "../store/recover.ts";
import { switchGeneration } from "../store/store.ts";
import { type Context, storeOf } from "./context.ts";
import { type ToolChange, changesBetween } from "./generation-changes.ts";

export interface RollbackResult {
  /** The generation that was current, and the one whose tools are back. */
  readonly from: number;
  readonly to: number;
  /** The new generation that holds them: numbers never go back. */
  readonly generation: number;
  readonly changes: readonly ToolChange[];
}

async function demandGeneration(context: Context, layout: Layout, number: number): Promise<Generation> {
  const found = await readGeneration(context.host, layout, number);
  if (found.state !== "complete") {
    throw new IpmError("GENERATION_NOT_FOUND", `there is no generation ${number} any more`, {
      hint: "ipm history",
      data: { generation: number },
    });
  }
  for (const entry of found.generation.entries) {
    const id = parseEntryId(entry.entry);
    const state = id === undefined ? "absent" : (await readReceipt(context.host, layout, id)).state;
    if (state !== "complete") {
      throw new IpmError(
        "GENERATION_NOT_FOUND",
        `generation ${number} needs ${entry.name} ${entry.version}, ${state === "absent" ? "which has been collected" : "whose receipt cannot be read"}`,
        {
          hint: `ipm install ${entry.name}@${entry.version}`,
          data: { generation: number, entry: entry.entry },
        },
      );
    }
  }
  return found.generation;
}

/** A hold is a hard constraint, for going back as well. @throws IpmError HELD */
function demandHoldsKept(current: Generation, target: Generation): void {
  for (const { name, version, held } of current.entries) {
    const then = target.entries.find((entry) => entry.name === name);
    if (!held || then?.version === version) continue;
    const would = then === undefined ? "take it away" : `make it ${then.version}`;
    throw new IpmError("HELD", `${name} is held at ${version}, and generation ${target.number} would ${would}`, {
      hint: `ipm unhold ${name}`,
      data: { name, held: version, wanted: then?.version ?? null },
    });
  }
}

/** The generation that a plain rollback means: the one before what is current, also after other rollbacks. */
async function generationBefore(context: Context, layout: Layout, current: Generation): Promise<number | null> {
  if (current.restores === null) return current.previous;
  const restored = await readGeneration(context.host, layout, current.restores);
  if (restored.state === "complete") return generationBefore(context, layout, restored.generation);
  const older = (await listGenerationNumbers(context.host, layout)).filter(
    (number) => number < (current.restores ?? 0),
  );
  return older.at(-1) ?? null;
}

/**
 * Make the tools of an earlier generation current again, as a new generation.
 * @param number null: the generation before the current one
 * @throws IpmError GENERATION_NOT_FOUND, HELD
 */
export async function rollback(context: Context, number: number | null): Promise<RollbackResult> {
  const layout = layoutOf(context.host.homes);
  const store = storeOf(context);
  await openForWriting(store);
  let target: Generation | undefined;
  let before: Generation | undefined;
  const after = await switchGeneration(store, async (current) => {
    const wanted = number ?? (current === null ? null : await generationBefore(context, layout, current));
    if (current === null || wanted === null) {
      throw new IpmError("GENERATION_NOT_FOUND", "there is no generation to go back to", { hint: "ipm history" });
    }
    before = current;
    target = await demandGeneration(context, layout, wanted);
    demandHoldsKept(current, target);
    return { entries: target.entries, restores: target.number };
  });
  if (after === null || target === undefined || before === undefined)
    throw new TypeError("rollback made no generation");
  return {
    from: before.number,
    to: target.number,
    generation: after.number,
    changes: changesBetween(before.entries, target.entries),
  };
}
