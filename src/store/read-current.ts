import { IpmError } from "../core/errors.ts";
import type { Emit } from "../core/events.ts";
import type { Host } from "../core/host.ts";
import {
  GENERATION_SCHEMA,
  type Generation,
  type GenerationEntry,
  newestComplete,
  readCurrentNumber,
  readGeneration,
} from "./generations.ts";
import { type Layout, profilePaths } from "./layout.ts";

/** What `current` leads to, and what can be made of it when that is not a complete generation. */
export type CurrentState =
  /** Nothing was ever installed. */
  | { readonly state: "none" }
  | { readonly state: "complete"; readonly generation: Generation }
  | { readonly state: "newer"; readonly number: number; readonly generation: Generation | null }
  /** Its profile is there and its `generation.json` is not, or cannot be read: the tools by their receipts. */
  | {
      readonly state: "damaged";
      readonly number: number;
      readonly entries: readonly GenerationEntry[];
      readonly unreadable: boolean;
    }
  /** `current` is missing or leads nowhere; the newest complete generation, if there is one. */
  | { readonly state: "lost"; readonly newest: Generation | null };

/** Look at `current` without changing anything. */
export async function inspectCurrent(host: Host, layout: Layout): Promise<CurrentState> {
  const number = await readCurrentNumber(host, layout);
  if (number !== null) {
    const found = await readGeneration(host, layout, number);
    if (found.state === "complete") return found;
    if (found.state === "newer") return { state: "newer", number, generation: found.generation };
    if ((await host.files.facts(profilePaths(layout, number).bin)) !== undefined) {
      const { rebuildEntries } = await import("./rebuild-generation.ts");
      const entries = await rebuildEntries(host, layout, number, await newestComplete(host, layout));
      return { state: "damaged", number, entries, unreadable: found.state === "damaged" };
    }
  }
  const newest = await newestComplete(host, layout);
  if (newest === null && (await host.files.facts(layout.current)) === undefined) return { state: "none" };
  return { state: "lost", newest };
}

/**
 * The current generation for commands that only read: no lock, nothing written. What is damaged is shown as well as it
 * can be, with a warning.
 * @returns null before the first installation
 * @throws IpmError STATE_NEWER for a generation of a newer ipm that this one cannot make sense of
 */
export async function readCurrent(host: Host, layout: Layout, emit: Emit): Promise<Generation | null> {
  const current = await inspectCurrent(host, layout);
  const warn = (message: string): void => {
    emit({ type: "warning", code: "STATE_DAMAGED", message, hint: "ipm doctor --fix" });
  };
  if (current.state === "none") return null;
  if (current.state === "complete") return current.generation;
  if (current.state === "lost") {
    const shown = current.newest === null ? "" : `; showing generation ${current.newest.number}`;
    warn(`${layout.current} does not lead to a generation${shown}`);
    return current.newest;
  }
  if (current.state === "newer") {
    const what = `generation ${current.number} was written by a newer ipm`;
    if (current.generation === null) throw new IpmError("STATE_NEWER", what, { hint: "use the newer ipm" });
    emit({ type: "warning", code: "STATE_NEWER", message: `${what}; this one only reads it` });
    return current.generation;
  }
  warn(`generation ${current.number} cannot be read; shown as the receipts of its tools tell`);
  return {
    schema: GENERATION_SCHEMA,
    number: current.number,
    created: host.now().toISOString(),
    command: "",
    previous: null,
    restores: null,
    entries: current.entries,
  };
}
