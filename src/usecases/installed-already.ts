import { isIpmError } from "../core/errors.ts";
import { selectVersion } from "../manifest/select-version.ts";
import { type Registries, openRegistries } from "../registry/open-registries.ts";
import { type NameTarget, nameTarget } from "../source/name-target.ts";
import type { Generation, GenerationEntry } from "../store/generations.ts";
import { entryPaths, layoutOf, parseEntryId } from "../store/layout.ts";
import { inspectCurrent } from "../store/read-current.ts";
import type { Workspace } from "../store/workspaces.ts";
import type { Context } from "./context.ts";
import type { InstallResult, UnchangedTool } from "./install.ts";
import { latestFor } from "./latest-for.ts";
import { registryContext } from "./registry-context.ts";

/** What decides whether a target is what is installed. */
export interface FoundTarget {
  /** Registry id, or null for a target outside of any. */
  readonly registry: string | null;
  readonly version: string;
  /** The version was asked for; a plain name never upgrades. */
  readonly explicitVersion: boolean;
}

/** What is installed under the target's name; `workspace` is null for a tool. */
export interface InstalledTarget {
  readonly registry: string | null;
  readonly version: string;
  readonly workspace: Pick<Workspace, "state"> | null;
}

/** Whether a target means what is installed already: a plain name never upgrades, a version or another source replaces. */
export function isInstalledAlready(target: FoundTarget, current: InstalledTarget | undefined): boolean {
  if (current === undefined) return false;
  if (current.workspace !== null && current.workspace.state !== "ready") return false;
  if (target.registry === null || current.registry !== target.registry) return false;
  return !target.explicitVersion || current.version === target.version;
}

async function findUnchanged(
  registries: Registries,
  target: NameTarget,
  present: GenerationEntry,
): Promise<UnchangedTool | null> {
  const { entry, registry } =
    target.registry === null
      ? await registries.lookUp(target.name)
      : await registries.lookUpIn(target.registry, target.name);
  const choice = selectVersion(entry, target.version);
  if (entry.name !== present.name || !choice.ok) return null;
  const found = { registry, version: choice.version.version, explicitVersion: target.version !== null };
  if (!isInstalledAlready(found, { ...present, workspace: null })) return null;
  return { name: present.name, version: present.version, newer: latestFor(entry, present.version) };
}

/** The generation may list what somebody has deleted by hand. */
async function isThere({ host }: Context, { entry }: GenerationEntry): Promise<boolean> {
  const id = parseEntryId(entry);
  return id !== undefined && (await host.files.facts(entryPaths(layoutOf(host.homes), id).receipt)) !== undefined;
}

async function findAllUnchanged(
  context: Context,
  targets: readonly NameTarget[],
  { entries }: Generation,
): Promise<UnchangedTool[] | null> {
  const registries = await openRegistries(registryContext(context));
  try {
    const unchanged: UnchangedTool[] = [];
    for (const target of targets) {
      const present = entries.find(({ name }) => name === target.name);
      const tool = present === undefined ? null : await findUnchanged(registries, target, present);
      if (present === undefined || tool === null || !(await isThere(context, present))) return null;
      unchanged.push(tool);
    }
    return unchanged;
  } finally {
    registries.close();
  }
}

/**
 * What `ipm install NAME...` answers when all of it is installed: known from `generation.json` and the indexes of the
 * registries, so that neither a lock nor what builds tools is needed.
 * @returns null when there is something to do, to repair or to complain of; `install` finds out what it is
 */
export async function findInstalledAlready(context: Context, typed: readonly string[]): Promise<InstallResult | null> {
  try {
    const targets = [...new Set(typed)].map(nameTarget);
    const named = targets.filter((target) => target !== undefined);
    if (named.length < targets.length) return null;
    const current = await inspectCurrent(context.host, layoutOf(context.host.homes));
    if (current.state !== "complete") return null;
    const installed = new Set(current.generation.entries.map(({ name }) => name));
    if (named.some(({ name }) => !installed.has(name))) return null;
    const unchanged = await findAllUnchanged(context, named, current.generation);
    if (unchanged === null) return null;
    const { number } = current.generation;
    return {
      generation: number,
      installed: [],
      unchanged,
      failed: [],
      attempts: [],
      plans: [],
      dryRun: false,
      notes: [],
    };
  } catch (error) {
    if (isIpmError(error)) return null;
    throw error;
  }
}
