import { isIpmError } from "../core/errors.ts";
import type { CommitSha, ToolName } from "../core/ids.ts";
import type { Finding } from "../manifest/finding.ts";
import { compileIndex } from "./compile-index.ts";
import { type GitTree, openGitTree } from "./git-tree.ts";
import { IndexDamaged } from "./index-file.ts";
import { keyOf } from "./index-key.ts";
import type { IndexMeta } from "./index-records.ts";
import { openSet, readSet } from "./index-set.ts";
import { keepLayers } from "./keep-layers.ts";
import type { FetchedState } from "./open-git.ts";
import { type ConfiguredRegistry, checkId } from "./read-config.ts";
import type { RegistryContext } from "./registry-context.ts";
import type { RegistryIndex } from "./registry-index.ts";
import { fetchedFile } from "./registry-places.ts";
import { updateIndex } from "./update-index.ts";

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
  const { location } = registry;
  const tree = await openGitTree(context, location, commit);
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
