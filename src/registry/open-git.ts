import path from "node:path";
import { IpmError, isIpmError } from "../core/errors.ts";
import { type CommitSha, type ToolName, isCommitSha } from "../core/ids.ts";
import type { Finding } from "../manifest/finding.ts";
import { storeOf } from "../source/git-store.ts";
import type { IndexMeta } from "./index-records.ts";
import type { GitTree } from "./git-tree.ts";
import { IndexDamaged } from "./index-file.ts";
import { keyOf } from "./index-key.ts";
import { keepLayers, openSet, readSet, registryCache } from "./index-set.ts";
import { checkId } from "./open-folder.ts";
import { type OpenRegistry, openFrom } from "./open-registry.ts";
import type { ConfiguredRegistry } from "./read-config.ts";
import type { RegistryContext } from "./registry-context.ts";
import type { RegistryIndex } from "./registry-index.ts";

/** What the last `ipm update` brought, beside the index. */
export interface FetchedState {
  readonly url: string;
  readonly ref: string;
  readonly commit: CommitSha;
  /** ISO time. */
  readonly fetched: string;
}

function fetchedFile(context: RegistryContext, id: ToolName): string {
  return path.join(registryCache(context, id), "fetched.json");
}

/** What has been fetched of a registry, or undefined when nothing has, or from another URL. */
export async function readFetched(
  context: RegistryContext,
  registry: ConfiguredRegistry,
): Promise<FetchedState | undefined> {
  const text = await context.host.files.readText(fetchedFile(context, registry.id));
  if (text === undefined) return undefined;
  let state: unknown;
  try {
    state = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof state !== "object" || state === null) return undefined;
  if (!("url" in state && "ref" in state && "commit" in state && "fetched" in state)) return undefined;
  const { url, ref, commit, fetched } = state;
  if (url !== registry.location || typeof ref !== "string" || typeof fetched !== "string") return undefined;
  return typeof commit === "string" && isCommitSha(commit) ? { url, ref, commit, fetched } : undefined;
}

/** Say what has been fetched; from now on look-ups use it. */
export async function writeFetched(context: RegistryContext, id: ToolName, state: FetchedState): Promise<void> {
  await context.host.files.writeDurably(fetchedFile(context, id), `${JSON.stringify(state)}\n`);
}

/**
 * Compile what the store of a URL holds at a commit into the cache. Where the index of an earlier commit is there, only what
 * has changed since is read.
 * @param registry its id is null when it is still to be learned
 * @param before the commit that the index in the cache was made of, if any
 * @param check called with the id before anything is written
 * @throws IpmError REGISTRY_INVALID when it is no registry, or one with another id
 */
export async function compileCommit(
  context: RegistryContext,
  registry: Omit<ConfiguredRegistry, "id"> & { readonly id: ToolName | null },
  commit: CommitSha,
  before: CommitSha | null,
  check: (id: ToolName) => void = () => undefined,
): Promise<{ readonly meta: IndexMeta; readonly findings: readonly Finding[]; readonly index: RegistryIndex }> {
  const { compileIndex } = await import("./compile-index.ts");
  const { openGitTree } = await import("./git-tree.ts");
  const { location } = registry;
  const tree = await openGitTree(context, storeOf(context, location), commit, location);
  const key = keyOf(context, commit);
  if (registry.id !== null && before !== null) {
    const updated = await updateFrom(context, registry.id, tree, before, key);
    if (updated !== undefined) return updated;
  }
  const { meta, bytes, findings } = await compileIndex(tree, { key });
  const id = registry.id ?? meta.id;
  checkId({ ...registry, id }, meta);
  check(id);
  return { meta, findings, index: await keepLayers(context, id, key, [], bytes) };
}

async function updateFrom(
  context: RegistryContext,
  id: ToolName,
  tree: GitTree,
  before: CommitSha,
  key: string,
): Promise<Awaited<ReturnType<typeof compileCommit>> | undefined> {
  const { updateIndex } = await import("./update-index.ts");
  const set = await readSet(context, id);
  if (set?.key !== keyOf(context, before)) return undefined;
  try {
    const previous = openSet(context, id, set);
    if (previous === undefined) return undefined;
    try {
      const change = await tree.changedSince(before);
      const updated = change === undefined ? undefined : await updateIndex(tree, previous, change, { key });
      if (updated === undefined) return undefined;
      const { meta, findings, kept, bytes } = updated;
      return { meta, findings, index: await keepLayers(context, id, key, set.layers.slice(0, kept), bytes) };
    } finally {
      previous.close();
    }
  } catch (error) {
    if (error instanceof IndexDamaged || isIpmError(error, "IO_FAILED")) return undefined;
    throw error;
  }
}

/**
 * A registry that is a git repository, at the commit that the last update fetched. No network.
 * @throws IpmError REGISTRY_NOT_UPDATED when nothing has been fetched yet
 */
export async function openGit(context: RegistryContext, registry: ConfiguredRegistry): Promise<OpenRegistry> {
  const state = await readFetched(context, registry);
  if (state === undefined) throw notUpdated(registry.id);
  const folder = registryCache(context, registry.id);
  const key = keyOf(context, state.commit);
  return openFrom(
    {
      open: async () => {
        const set = await readSet(context, registry.id);
        return set?.key === key ? openSet(context, registry.id, set) : undefined;
      },
      rebuild: async () => (await compileCommit(context, registry, state.commit, null)).index,
    },
    {
      id: registry.id,
      kind: "git",
      location: registry.location,
      file: async (file) => {
        const { openGitTree } = await import("./git-tree.ts");
        const tree = await openGitTree(context, storeOf(context, registry.location), state.commit, registry.location);
        return tree.extract(file, path.join(folder, "files"));
      },
    },
  );
}

export function notUpdated(id: ToolName): IpmError {
  return new IpmError("REGISTRY_NOT_UPDATED", `the registry ${id} has never been fetched`, {
    hint: "ipm update",
    data: { id },
  });
}
