import type { CommitSha } from "../core/ids.ts";
import { findContainingRef } from "./fetch-commit.ts";
import { openRemote } from "./git-access.ts";
import { type SourceContext, storeOf } from "./git-store.ts";
import type { OpenSourceOptions } from "./open-source.ts";
import { DEFAULT_LIMITS } from "./limits.ts";

/**
 * The branch or tag of a git source that holds a commit, or null for an imposter: a commit of a fork, or one that only
 * `refs/pull` knows. For a registry's verification; it costs the whole history of the source.
 * @throws IpmError as `openSource` for the address and the transfer
 */
export async function findRefOfCommit(
  context: SourceContext,
  source: { readonly url: string; readonly named: boolean },
  commit: CommitSha,
  options: OpenSourceOptions,
): Promise<string | null> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const remote = await openRemote(context, source.url, source.named, limits);
  const store = storeOf(context, `history:${source.url}`);
  return context.lock(store.lock, () =>
    findContainingRef({ context, store, remote, limits, tool: options.tool }, commit),
  );
}
