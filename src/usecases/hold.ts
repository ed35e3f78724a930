import { IpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { openForWriting } from "../store/recover.ts";
import { switchGeneration } from "../store/store.ts";
import { type Context, storeOf } from "./context.ts";

export interface HoldResult {
  /** The generation that is current now; null when nothing had to change. */
  readonly generation: number | null;
  readonly tools: readonly { readonly name: string; readonly version: string; readonly held: boolean }[];
}

/**
 * Hold tools at their version, or let them go. Like every change of the set it makes a generation, so that it can be
 * rolled back. @throws IpmError NOT_INSTALLED
 */
export async function hold(context: Context, names: readonly string[], held: boolean): Promise<HoldResult> {
  const store = storeOf(context);
  await openForWriting(store);
  const wanted = new Set(names);
  let changed = false;
  const after = await switchGeneration(store, (current) => {
    const entries = current?.entries ?? [];
    for (const name of wanted) {
      if (!entries.some((entry) => entry.name === name)) {
        throw new IpmError("NOT_INSTALLED", `${escapeUntrusted(name)} is not installed`, {
          hint: "ipm list",
          data: { name },
        });
      }
    }
    changed = entries.some((entry) => wanted.has(entry.name) && entry.held !== held);
    return changed ? { entries: entries.map((entry) => (wanted.has(entry.name) ? { ...entry, held } : entry)) } : null;
  });
  const tools = (after?.entries ?? []).filter(({ name }) => wanted.has(name));
  return {
    generation: changed ? (after?.number ?? null) : null,
    tools: tools.map(({ name, version, held: now }) => ({ name, version, held: now })),
  };
}
