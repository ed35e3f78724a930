import { isIpmError } from "../core/errors.ts";
import {
  GENERATION_SCHEMA,
  type Generation,
  type GenerationEntry,
  listGenerationNumbers,
  readCurrentNumber,
} from "./generations.ts";
import { profilePaths } from "./layout.ts";
import { releaseReserve } from "./prepare-home.ts";
import { buildProfile, switchCurrent } from "./profiles.ts";
import { removeOwn } from "./remove-own.ts";
import type { StoreContext } from "./store-context.ts";

/** The tools of the next generation. */
export interface GenerationChange {
  readonly entries: readonly GenerationEntry[];
  /** Set by a rollback: the generation that it brings back. */
  readonly restores?: number;
}

async function attempt(
  context: StoreContext,
  previous: number | null,
  { entries, restores }: GenerationChange,
): Promise<Generation> {
  const { host, layout } = context;
  const numbers = await listGenerationNumbers(host, layout);
  const generation: Generation = {
    schema: GENERATION_SCHEMA,
    number: Math.max(previous ?? 0, numbers.at(-1) ?? 0) + 1,
    created: host.now().toISOString(),
    command: context.command,
    previous,
    restores: restores ?? null,
    entries: entries.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  };
  try {
    for (const name of await buildProfile(host, layout, generation)) {
      context.emit({
        type: "warning",
        code: "STATE_DAMAGED",
        message: `the receipt of ${name} cannot be read; its launchers stay as they are`,
        hint: `ipm reinstall ${name}`,
      });
    }
    await switchCurrent(host, layout, generation.number);
  } catch (error) {
    // A full disk gets its space back at once; what cannot be removed now is garbage for the next command.
    if ((await readCurrentNumber(host, layout).catch(() => null)) !== generation.number)
      await removeOwn(host, layout, profilePaths(layout, generation.number).root).catch(() => {});
    throw error;
  }
  return generation;
}

/**
 * Build the next generation beside the others and point `current` to it, in one rename. Only while the lock of the
 * switch is held. On a full disk the reserve is given up for it.
 * @param previous the generation that is current now
 * @throws IpmError DISK_FULL, IO_FAILED, STATE_DAMAGED; the old generation is untouched then
 */
export async function makeGeneration(
  context: StoreContext,
  previous: number | null,
  change: GenerationChange,
): Promise<Generation> {
  let generation: Generation;
  try {
    generation = await attempt(context, previous, change);
  } catch (error) {
    if (!isIpmError(error, "DISK_FULL") || !(await releaseReserve(context.host, context.layout))) throw error;
    generation = await attempt(context, previous, change);
    context.emit({
      type: "warning",
      code: "DISK_FULL",
      message: "the disk is full; this used the space that ipm keeps aside for it",
      hint: "ipm gc --keep 0",
    });
  }
  context.emit({ type: "generation.switched", from: previous, to: generation.number });
  return generation;
}
