import { isRefName } from "../core/git-url.ts";
import { type CommitSha, isCommitSha } from "../core/ids.ts";
import { openRemote } from "./git-access.ts";
import { fetchFailure } from "./git-failure.ts";
import { type SourceContext, callStore, prepareStore, storeOf } from "./git-store.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import type { OpenSourceOptions } from "./open-source.ts";

/** What a git source has now: branches and tags with the commits that they lead to. */
export interface RemoteRefs {
  /** Full name of the branch that HEAD is, or null. */
  readonly head: string | null;
  /** `refs/heads/…` and `refs/tags/…` to the commit, annotated tags followed. */
  readonly commits: ReadonlyMap<string, CommitSha>;
}

const MAX_LISTING = 64 * 1024 * 1024;

/**
 * Ask a git source for its branches and tags; nothing of it is fetched.
 * @throws IpmError as `openSource` for the address and the transfer
 */
export async function listRefs(
  context: SourceContext,
  source: { readonly url: string; readonly named: boolean },
  options: Pick<OpenSourceOptions, "tool" | "limits">,
): Promise<RemoteRefs> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const remote = await openRemote(context, source.url, source.named, limits);
  const store = storeOf(context, source.url);
  return context.lock(store.lock, async () => {
    await prepareStore(context, store, source.url);
    const result = await callStore(context, store, limits, {
      args: ["ls-remote", "--symref", "--end-of-options", remote.url, "HEAD", "refs/heads/*", "refs/tags/*"],
      configFile: remote.configFile,
      env: remote.env,
      timeoutMs: limits.fetchMs,
      maxOutput: MAX_LISTING,
    });
    if (result.exitCode !== 0 || result.stopped !== null) throw fetchFailure(remote.source, result, limits);
    return parseRefs(Buffer.from(result.stdout).toString("utf8"));
  });
}

/** Read what `git ls-remote --symref` prints; lines of any other form are left out. */
export function parseRefs(output: string): RemoteRefs {
  const direct = new Map<string, CommitSha>();
  const peeled = new Map<string, CommitSha>();
  let head: string | null = null;
  for (const line of output.split("\n")) {
    const [left = "", name = ""] = line.split("\t");
    if (left.startsWith("ref: ") && name === "HEAD") head = isRefName(left.slice(5)) ? left.slice(5) : null;
    if (!isCommitSha(left)) continue;
    const bare = name.replace(/\^\{\}$/u, "");
    if (!/^refs\/(?:heads|tags)\//u.test(bare) || !isRefName(bare)) continue;
    (bare === name ? direct : peeled).set(bare, left);
  }
  return { head, commits: new Map([...direct, ...peeled]) };
}
