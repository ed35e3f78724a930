import path from "node:path";
import type { Host } from "../core/host.ts";
import { isRecord } from "../core/is-record.ts";
import { isLauncherName, isToolName } from "../core/ids.ts";
import { type Layout, isEntryFolder, profilePaths } from "./layout.ts";

export const GENERATION_SCHEMA = 1;

/** One tool of a generation: what `list` shows, so that reads need this one file only. */
export interface GenerationEntry {
  readonly name: string;
  readonly version: string;
  /** `<name>/<folder>` below the store. */
  readonly entry: string;
  readonly method: string;
  readonly trust: string;
  readonly bins: readonly string[];
  readonly held: boolean;
  /** Registry id, or null for a target outside of any. */
  readonly registry: string | null;
  /** A target that means exactly this again, for `reinstall`. */
  readonly target: string;
  /** ISO time of the seal. */
  readonly installed: string;
}

/** A numbered set of store entries; immutable, written last into its profile. */
export interface Generation {
  readonly schema: typeof GENERATION_SCHEMA;
  readonly number: number;
  readonly created: string;
  /** What made it: `ipm install ripcat`. */
  readonly command: string;
  /** The generation that was current before. */
  readonly previous: number | null;
  /** The earlier generation whose tools a rollback brought back, so that the next rollback goes further back. */
  readonly restores: number | null;
  /** Sorted by name. */
  readonly entries: readonly GenerationEntry[];
}

export type GenerationState =
  | { readonly state: "complete"; readonly generation: Generation }
  /** Written by a newer ipm: what this one can make of it, for commands that only read, or null. */
  | { readonly state: "newer"; readonly generation: Generation | null }
  | { readonly state: "absent" | "damaged" };

function isGenerationEntry(value: unknown): value is GenerationEntry {
  if (!isRecord(value)) return false;
  const { name, version, entry, method, trust, bins, held, registry, target, installed } = value;
  return (
    typeof name === "string" &&
    isToolName(name) &&
    typeof version === "string" &&
    typeof entry === "string" &&
    entry.startsWith(`${name}/`) &&
    isEntryFolder(entry.slice(name.length + 1)) &&
    typeof method === "string" &&
    typeof trust === "string" &&
    Array.isArray(bins) &&
    bins.every((bin) => typeof bin === "string" && isLauncherName(bin)) &&
    typeof held === "boolean" &&
    (registry === null || typeof registry === "string") &&
    typeof target === "string" &&
    typeof installed === "string"
  );
}

/** Parse `generation.json`; every path in it is checked, so that an edited file cannot point outside the store. */
export function parseGeneration(text: string, number: number): GenerationState {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { state: "damaged" };
  }
  if (isRecord(value) && typeof value["schema"] === "number" && value["schema"] > GENERATION_SCHEMA) {
    const known = { ...value, schema: GENERATION_SCHEMA };
    return { state: "newer", generation: isGeneration(known, number) ? known : null };
  }
  return isGeneration(value, number) ? { state: "complete", generation: value } : { state: "damaged" };
}

/** A generation can only come after what it names: a chain of them ends. */
function isEarlier(value: unknown, number: number): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 && value < number;
}

function isGeneration(value: unknown, number: number): value is Generation {
  if (!isRecord(value)) return false;
  const { schema, created, command, previous, restores, entries } = value;
  return (
    schema === GENERATION_SCHEMA &&
    value["number"] === number &&
    typeof created === "string" &&
    typeof command === "string" &&
    (previous === null || isEarlier(previous, number)) &&
    (restores === null || isEarlier(restores, number)) &&
    Array.isArray(entries) &&
    entries.every(isGenerationEntry) &&
    new Set(entries.map(({ name }) => name)).size === entries.length
  );
}

/** Read one generation. Never throws for its content. */
export async function readGeneration(host: Host, layout: Layout, number: number): Promise<GenerationState> {
  const text = await host.files.readText(profilePaths(layout, number).generation);
  return text === undefined ? { state: "absent" } : parseGeneration(text, number);
}

/** Numbers of all profile folders, complete or not, ascending. */
export async function listGenerationNumbers(host: Host, layout: Layout): Promise<number[]> {
  const names = await host.files.list(layout.profiles);
  return names
    .filter((name) => /^[1-9][0-9]{0,8}$/u.test(name))
    .map(Number)
    .toSorted((a, b) => a - b);
}

/** The number that `current` points to, or null when there is no such link or it points anywhere else. */
export async function readCurrentNumber(host: Host, layout: Layout): Promise<number | null> {
  const target = await host.files.readLink(layout.current);
  const match = target === undefined ? null : /^profiles\/([1-9][0-9]{0,8})$/u.exec(target);
  return match === null ? null : Number(match[1]);
}

/** The complete generation with the highest number, or null. */
export async function newestComplete(host: Host, layout: Layout): Promise<Generation | null> {
  for (const number of (await listGenerationNumbers(host, layout)).toReversed()) {
    const found = await readGeneration(host, layout, number);
    if (found.state === "complete") return found.generation;
  }
  return null;
}

/** `profiles/<n>`, relative to the data home: `current` stays right when the whole home is moved. */
export function currentTarget(number: number): string {
  return path.posix.join("profiles", String(number));
}
