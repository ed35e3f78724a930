import path from "node:path";
import type { IndexSet } from "./index-set.ts";
import type { ConfiguredRegistry } from "./read-config.ts";
import type { RegistryContext } from "./registry-context.ts";
import { registryCache } from "./registry-places.ts";
import { type RegistryTree, type TreeFile, rootStamp, stampsOf } from "./registry-tree.ts";

// A search that finds nothing changed loads this and no more: what compiles is in folder-index.ts.

/** What all files of a folder looked like at one moment. */
export interface SeenFolder {
  /** When the look at them began, in milliseconds since 1970. */
  readonly atMs: number;
  readonly root: string;
  readonly listed: readonly TreeFile[];
  /** By entry. */
  readonly stamps: ReadonlyMap<string, string>;
}

export async function seeFolder(context: RegistryContext, tree: RegistryTree): Promise<SeenFolder> {
  const atMs = context.host.now().getTime();
  const root = await rootStamp(tree);
  const listed = await tree.list();
  return { atMs, root, listed, stamps: stampsOf(listed) };
}

/** Beside the layers: the stamp of every entry, a line each, for what has changed since. */
export function stampsFile(context: RegistryContext, registry: Pick<ConfiguredRegistry, "id">): string {
  return path.join(registryCache(context, registry.id), "stamps");
}

/** The text of that file. Its first line names the layers that it goes with, so that it is never taken for others. */
export function formatStamps(layers: readonly string[], stamps: ReadonlyMap<string, string>): string {
  const lines = [...stamps].map(([name, stamp]) => `${name}\t${stamp}\n`);
  return `${layers.join(" ")}\n${lines.join("")}`;
}

/** The stamps that go with some layers, or undefined when there are none that do. */
export async function readStamps(
  context: RegistryContext,
  registry: Pick<ConfiguredRegistry, "id">,
  { layers }: Pick<IndexSet, "layers">,
): Promise<string | undefined> {
  const text = await context.host.files.readText(stampsFile(context, registry));
  return text?.startsWith(formatStamps(layers, new Map())) === true ? text : undefined;
}
