import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { type CommitSha, type ToolName, isCommitSha } from "../core/ids.ts";
import { keyOf } from "./index-key.ts";
import { openSet, readSet } from "./index-set.ts";
import { type OpenRegistry, openFrom } from "./open-registry.ts";
import type { ConfiguredRegistry } from "./read-config.ts";
import type { RegistryContext } from "./registry-context.ts";
import { fetchedFile, registryCache } from "./registry-places.ts";

/** What the last `ipm update` brought, beside the index. */
export interface FetchedState {
  readonly url: string;
  readonly ref: string;
  readonly commit: CommitSha;
  /** ISO time. */
  readonly fetched: string;
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
      rebuild: async () => {
        const { compileCommit } = await import("./compile-git.ts");
        return (await compileCommit(context, registry, state.commit, null)).index;
      },
    },
    {
      id: registry.id,
      kind: "git",
      location: registry.location,
      file: async (file) => {
        const { openGitTree } = await import("./git-tree.ts");
        const tree = await openGitTree(context, registry.location, state.commit);
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
