import path from "node:path";
import { readConfig } from "../registry/read-config.ts";
import { fetchedFile, publishedFile, setFile } from "../registry/registry-places.ts";
import type { Context } from "./context.ts";
import { entriesOf } from "./entries-of.ts";
import type { InstalledTool } from "./list.ts";
import { registryContext } from "./registry-context.ts";
import { type RememberedWithdrawn, type Withdrawn, withdrawnFile } from "./withdrawn.ts";
import { writeToCache } from "../registry/write-to-cache.ts";

type Asked = readonly Pick<InstalledTool, "name" | "version" | "registry">[];

/**
 * Ask the registries which installed versions were withdrawn.
 * @throws IpmError when a registry cannot be read
 */
export async function findWithdrawn(context: Context, tools: Asked): Promise<Withdrawn> {
  if (tools.length === 0) return [];
  const known = await entriesOf(context, tools, () => {});
  return tools.flatMap(({ name, version }): [string, string][] => {
    const why = known.get(name)?.versions.find((item) => item.version === version)?.withdrawn;
    return why === undefined ? [] : [[name, why]];
  });
}

/**
 * The files that say which index of the tools' registries is used, as they are now.
 * @returns null when one of the registries is a folder: nothing but its files tells what it says
 */
async function readSeen(context: Context, tools: Asked): Promise<RememberedWithdrawn["seen"] | null> {
  const { files, homes } = context.host;
  const ids = new Set(tools.map(({ registry }) => registry));
  const seen: [string, string | null][] = [];
  for (const { id, kind } of (await readConfig(registryContext(context))).registries) {
    if (!ids.has(id)) continue;
    if (kind === "folder") return null;
    const places = kind === "git" ? [fetchedFile(context, id), setFile(context, id)] : [publishedFile(context, id)];
    for (const file of places) seen.push([path.relative(homes.cache, file), (await files.readText(file)) ?? null]);
  }
  return seen;
}

/**
 * The same, and remember it; a cache that cannot be written to is no reason to fail.
 * @param basis what the answer depends on besides what the registries' files say
 * @throws IpmError when a registry cannot be read
 */
export async function findAndRemember(context: Context, tools: Asked, basis: string): Promise<Withdrawn> {
  const { files, homes } = context.host;
  // Looked at first: what changes meanwhile makes what is remembered useless, not wrong.
  const seen = await readSeen(context, tools);
  const withdrawn = await findWithdrawn(context, tools);
  if (seen === null) return withdrawn;
  const remembered: RememberedWithdrawn = { basis, seen, withdrawn };
  await writeToCache(async () => {
    await files.createFolder(homes.cache);
    await files.writeDurably(withdrawnFile(context), JSON.stringify(remembered), 0o600);
  });
  return withdrawn;
}
