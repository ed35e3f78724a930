import type { GenerationEntry } from "../store/generations.ts";

/** What differs between two generations for one tool; null: not there. */
export interface ToolChange {
  readonly name: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** The difference between two sets of tools, by name; a rebuild of the same version is a change too. */
export function changesBetween(before: readonly GenerationEntry[], after: readonly GenerationEntry[]): ToolChange[] {
  const old = new Map(before.map((entry) => [entry.name, entry]));
  const now = new Map(after.map((entry) => [entry.name, entry]));
  const names = [...new Set([...old.keys(), ...now.keys()])].toSorted();
  return names.flatMap((name) => {
    const [from, to] = [old.get(name), now.get(name)];
    if (from?.entry === to?.entry) return [];
    return [{ name, from: from?.version ?? null, to: to?.version ?? null }];
  });
}
