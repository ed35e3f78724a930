import path from "node:path";
import { isIpmError } from "../core/errors.ts";
import { isRecord } from "../core/is-record.ts";
import { EMBEDDED_INDEX, configFile } from "../registry/registry-places.ts";
import type { Context } from "./context.ts";
import type { InstalledTool } from "./list.ts";

// `ipm list` comes through here each time, so nothing is imported that opens a registry.

/** What is installed, with what its registry says of the very version: for people, who want to know. */
export interface ListedTool extends InstalledTool {
  /** Why the registry has withdrawn this version; absent where it has not, or cannot be asked. */
  readonly withdrawn?: string;
}

/** Which tools have a version that was withdrawn, and why, by name. */
export type Withdrawn = readonly (readonly [name: string, why: string])[];

/** An answer of the registries, and all that it was found from: as long as that is the same, so is the answer. */
export interface RememberedWithdrawn {
  /** What is installed, `config.yaml`, this ipm and the registry that ships with it. */
  readonly basis: string;
  /** Texts of the files that say which index of a configured registry is used, by their path below the cache. */
  readonly seen: readonly (readonly [file: string, text: string | null])[];
  readonly withdrawn: Withdrawn;
}

/** Where the last answer is remembered. */
export function withdrawnFile({ host }: Pick<Context, "host">): string {
  return path.join(host.homes.cache, "withdrawn.json");
}

async function basisOf(context: Context, tools: readonly InstalledTool[]): Promise<string> {
  const { files } = context.host;
  const index = path.join(context.embeddedRegistry, EMBEDDED_INDEX);
  const facts = await files.facts(index);
  return JSON.stringify([
    context.ipmVersion,
    [index, facts?.size, facts?.modifiedMs, facts?.changedMs],
    await files.readText(configFile(context)),
    tools.map(({ name, version, registry }) => [name, version, registry]),
  ]);
}

function isPair(value: unknown): value is [string, string | null] {
  return Array.isArray(value) && typeof value[0] === "string" && (typeof value[1] === "string" || value[1] === null);
}

function parseRemembered(text: string): RememberedWithdrawn | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const { basis, seen, withdrawn } = value;
  if (typeof basis !== "string" || !Array.isArray(seen) || !Array.isArray(withdrawn)) return undefined;
  const whys = withdrawn.filter((pair): pair is [string, string] => isPair(pair) && pair[1] !== null);
  return seen.every(isPair) && whys.length === withdrawn.length ? { basis, seen, withdrawn: whys } : undefined;
}

/** What was remembered, where it still holds. A file that is damaged or cannot be read is as good as none. */
async function recall(context: Context, basis: string): Promise<Withdrawn | undefined> {
  const { files, homes } = context.host;
  try {
    const remembered = parseRemembered((await files.readText(withdrawnFile(context))) ?? "");
    if (remembered?.basis !== basis) return undefined;
    for (const [file, text] of remembered.seen)
      if ((await files.readText(path.join(homes.cache, file))) !== (text ?? undefined)) return undefined;
    return remembered.withdrawn;
  } catch (error) {
    if (isIpmError(error, "IO_FAILED")) return undefined;
    throw error;
  }
}

async function withdrawnOf(context: Context, tools: readonly InstalledTool[]): Promise<Withdrawn> {
  try {
    const basis = await basisOf(context, tools);
    const remembered = await recall(context, basis);
    if (remembered !== undefined) return remembered;
    const { findAndRemember } = await import("./find-withdrawn.ts");
    return await findAndRemember(context, tools, basis);
  } catch (error) {
    if (isIpmError(error)) return [];
    throw error;
  }
}

/**
 * What is installed, and which of it was withdrawn; a registry that cannot be read is asked no more than that. What the
 * registries said is remembered in the cache until they, or what is installed, change.
 */
export async function listWithWarnings<Tool extends InstalledTool>(
  context: Context,
  tools: readonly Tool[],
): Promise<readonly (Tool & ListedTool)[]> {
  if (tools.every(({ registry }) => registry === null)) return tools;
  const withdrawn = new Map(await withdrawnOf(context, tools));
  return tools.map((tool) => {
    const why = withdrawn.get(tool.name);
    return why === undefined ? tool : { ...tool, withdrawn: why };
  });
}
