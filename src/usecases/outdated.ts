import { isIpmError } from "../core/errors.ts";
import type { ManifestSource } from "../manifest/schema.ts";
import { type Registries, openRegistries } from "../registry/open-registries.ts";
import { readCurrent } from "../store/read-current.ts";
import { layoutOf } from "../store/layout.ts";
import type { GenerationEntry } from "../store/generations.ts";
import type { Context } from "./context.ts";
import { latestFor } from "./latest-for.ts";
import { readWorkspaces } from "./list.ts";
import { registryContext } from "./registry-context.ts";
import { findTrackedUpdates } from "./tracked-tools.ts";

export interface OutdatedTool {
  readonly name: string;
  readonly version: string;
  readonly latest: string;
  readonly held: boolean;
  /** Null: from a repository's branch, which has moved on. */
  readonly registry: string | null;
  /** The installed version was withdrawn: why; else null. */
  readonly withdrawn: string | null;
}

/** What is asked for newer versions: an installed tool, or a workspace. */
export type Upgradable = Pick<GenerationEntry, "name" | "version" | "held" | "registry"> & {
  /** The entry of the store, or null for a workspace. */
  readonly entry: string | null;
};

/** Everything that is installed, workspaces included, sorted by name. Those that were never ready are left out. */
export async function readUpgradable(context: Context): Promise<Upgradable[]> {
  const generation = await readCurrent(context.host, layoutOf(context.host.homes), context.emit);
  const workspaces = (await readWorkspaces(context)).filter(({ state }) => state === "ready" || state === "updating");
  const all: Upgradable[] = [
    ...(generation?.entries ?? []),
    ...workspaces.map(({ name, held, plan }) => ({
      name,
      held,
      version: plan.tool.version,
      registry: plan.origin.registry,
      entry: null,
    })),
  ];
  return all.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The entry that an installed tool came from, or undefined when no registry has it any more. */
export async function entryOf(registries: Registries, tool: Upgradable): Promise<ManifestSource | undefined> {
  if (tool.registry === null) return undefined;
  try {
    return (await registries.lookUpIn(tool.registry, tool.name)).entry;
  } catch (error) {
    if (
      isIpmError(error, "TOOL_NOT_FOUND") ||
      isIpmError(error, "REGISTRY_NOT_FOUND") ||
      isIpmError(error, "REGISTRY_NOT_UPDATED")
    )
      return undefined;
    throw error;
  }
}

/**
 * Installed tools with something newer: by the registries as they are on this machine (`ipm update` brings them up to
 * date), and, for tools that were installed from a repository's branch, by asking its server.
 * @param options.offline ask no server
 */
export async function outdated(
  context: Context,
  options: { offline: boolean } = { offline: false },
): Promise<{ tools: OutdatedTool[] }> {
  const entries = await readUpgradable(context);
  const tracked = options.offline ? new Map<string, never>() : await findTrackedUpdates(context, entries);
  const registries = await openRegistries(registryContext(context));
  try {
    const tools: OutdatedTool[] = [];
    for (const tool of entries) {
      const { name, version, held, registry } = tool;
      const entry = await entryOf(registries, tool);
      const latest = entry === undefined ? (tracked.get(name)?.latest ?? null) : latestFor(entry, version);
      if (latest === null) continue;
      const withdrawn = entry?.versions.find((known) => known.version === version)?.withdrawn ?? null;
      tools.push({ name, version, latest, held, registry, withdrawn });
    }
    return { tools };
  } finally {
    registries.close();
  }
}
