import { IpmError, isIpmError } from "../core/errors.ts";
import type { CommitSha, ToolName } from "../core/ids.ts";
import { escapeUntrusted, shownUrl } from "../core/untrusted-text.ts";
import type { Finding } from "../manifest/finding.ts";
import { openFolder } from "./open-folder.ts";
import { type ConfiguredRegistry, readConfig } from "./read-config.ts";
import type { RegistryContext } from "./registry-context.ts";

// What fetches is loaded for the kinds of registries that there are: parsing manifests takes longer to load than an update.

/** What an update did with one registry. */
export interface UpdatedRegistry {
  readonly id: ToolName;
  readonly kind: ConfiguredRegistry["kind"];
  /** The folder, or the URL as it may be shown. */
  readonly location: string;
  /** `failed`: what had been fetched before stays in use. A folder is never fetched: `unchanged`. */
  readonly outcome: "updated" | "unchanged" | "failed";
  /** Git only: the commit that is used from now on, and the one before; null for none. */
  readonly commit: CommitSha | null;
  readonly previous: CommitSha | null;
  /** Static only: the number of the publication, and of the one before; null for none. */
  readonly sequence: number | null;
  readonly previousSequence: number | null;
  /** Entries that can be found; null when it failed. */
  readonly entries: number | null;
  /** What is wrong with entries; those with errors are left out. */
  readonly findings: readonly Finding[];
  /** Why it failed. */
  readonly error: IpmError | null;
}

export interface UpdateResult {
  /** False when no registry is configured: there is nothing to update but ipm itself, which brings the embedded one. */
  readonly configured: boolean;
  readonly registries: readonly UpdatedRegistry[];
}

async function updateFolder(context: RegistryContext, registry: ConfiguredRegistry): Promise<Partial<UpdatedRegistry>> {
  const opened = await openFolder(context, registry);
  // Only what is read is compared with the files.
  await opened.read(() => undefined);
  opened.close();
  return { outcome: "unchanged", entries: opened.meta.entries };
}

async function updateFetched(
  context: RegistryContext,
  registry: ConfiguredRegistry,
): Promise<Partial<UpdatedRegistry>> {
  const { updateGit } = await import("./update-git.ts");
  return updateGit(context, registry);
}

async function updatePublished(
  context: RegistryContext,
  registry: ConfiguredRegistry,
): Promise<Partial<UpdatedRegistry>> {
  const { updateStatic } = await import("./update-static.ts");
  const { outcome, state, previous } = await updateStatic(context, registry);
  return { outcome, entries: state.entries, sequence: state.sequence, previousSequence: previous };
}

async function updateOne(context: RegistryContext, registry: ConfiguredRegistry): Promise<UpdatedRegistry> {
  const { id, kind, location } = registry;
  const blank: UpdatedRegistry = {
    id,
    kind,
    location: shownUrl(location),
    outcome: "failed",
    commit: null,
    previous: null,
    sequence: null,
    previousSequence: null,
    entries: null,
    findings: [],
    error: null,
  };
  try {
    const update = { git: updateFetched, folder: updateFolder, static: updatePublished }[kind];
    const done = await update(context, registry);
    return { ...blank, ...done };
  } catch (error) {
    // A signal, or a mistake of ours, ends the whole update.
    if (!isIpmError(error) || context.host.signal.aborted) throw error;
    return { ...blank, error };
  }
}

/** The error for an id that is not configured. */
export function unknownRegistry(id: string, configured: readonly ConfiguredRegistry[]): IpmError {
  const ids = configured.map((registry) => registry.id);
  const known = ids.length === 0 ? "none is" : `these are: ${ids.join(", ")}`;
  return new IpmError("REGISTRY_NOT_FOUND", `no registry "${escapeUntrusted(id)}" is configured; ${known}`, {
    hint: "ipm registry list",
    data: { id, configured: ids },
  });
}

/**
 * Fetch configured registries and compile their indexes. One that fails keeps what it had, and the others go on.
 * @param ids only these; all when empty
 * @throws IpmError CONFIG_INVALID, REGISTRY_NOT_FOUND, INTERRUPTED
 */
export async function updateRegistries(context: RegistryContext, ids: readonly string[] = []): Promise<UpdateResult> {
  const { registries } = await readConfig(context);
  const missing = ids.find((id) => !registries.some((registry) => registry.id === id));
  if (missing !== undefined) throw unknownRegistry(missing, registries);
  const wanted = ids.length === 0 ? registries : registries.filter((registry) => ids.includes(registry.id));
  const updated: UpdatedRegistry[] = [];
  for (const registry of wanted) updated.push(await updateOne(context, registry));
  return { configured: registries.length > 0, registries: updated };
}
