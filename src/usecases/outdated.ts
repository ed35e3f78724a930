import { readCurrent } from "../store/read-current.ts";
import { layoutOf } from "../store/layout.ts";
import type { GenerationEntry } from "../store/generations.ts";
import type { Context } from "./context.ts";
import { entriesOf, warnOfEntry } from "./entries-of.ts";
import { latestFor } from "./latest-for.ts";
import { readWorkspaces } from "./list.ts";
import { findTrackedUpdates } from "./tracked-tools.ts";

export interface OutdatedTool {
  readonly name: string;
  readonly version: string;
  /** Null for a withdrawn version that nothing replaces. */
  readonly latest: string | null;
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
  const warn = warnOfEntry(context);
  const known = await entriesOf(context, entries, warn, warn);
  const tracked = options.offline ? new Map<string, never>() : await findTrackedUpdates(context, entries, known);
  const tools: OutdatedTool[] = [];
  for (const { name, version, held, registry } of entries) {
    const entry = known.get(name);
    const latest = tracked.get(name)?.latest ?? (entry === undefined ? null : latestFor(entry, version));
    const withdrawn = entry?.versions.find((item) => item.version === version)?.withdrawn ?? null;
    if (latest !== null || withdrawn !== null) tools.push({ name, version, latest, held, registry, withdrawn });
  }
  return { tools };
}
