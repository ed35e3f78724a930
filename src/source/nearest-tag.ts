import { IpmError } from "../core/errors.ts";
import type { CommitSha } from "../core/ids.ts";
import { openRemote } from "./git-access.ts";
import { type GitStore, type SourceContext, callStore, prepareStore, storeOf } from "./git-store.ts";
import { DEFAULT_LIMITS, type SourceLimits } from "./limits.ts";

/** A tag that a commit comes after. */
export interface NearestTag {
  /** Full name. */
  readonly ref: string;
  /** How many commits the commit has that the tag has not: what `git describe` counts. */
  readonly distance: number;
}

export interface NearestTagRequest {
  readonly url: string;
  /** The user typed or configured this URL. */
  readonly named: boolean;
  readonly commit: CommitSha;
  /** The tags to look for, in the order in which one of two equally near ones is taken. */
  readonly tags: ReadonlyMap<string, CommitSha>;
  readonly limits?: Partial<SourceLimits>;
}

/** How much history is asked for, in commits on each line of it: mostly the first is enough. */
const DEPTHS = [64, 1024, 8192];
const MAX_CANDIDATES = 8;
const MAX_LISTING = 64 * 1024 * 1024;

async function commitsOf(
  context: SourceContext,
  store: GitStore,
  limits: SourceLimits,
  words: readonly string[],
): Promise<string[]> {
  const result = await callStore(context, store, limits, { args: ["rev-list", ...words], maxOutput: MAX_LISTING });
  if (result.exitCode !== 0 || result.stopped !== null) return [];
  return Buffer.from(result.stdout).toString("utf8").split("\n").slice(0, -1);
}

/** Of the tags in the commit's history the one that lacks the fewest of its commits, as `git describe --tags` chooses. */
async function nearest(
  context: SourceContext,
  store: GitStore,
  limits: SourceLimits,
  { commit, tags }: NearestTagRequest,
  history: readonly string[],
): Promise<NearestTag | undefined> {
  const places = new Map(history.map((id, index) => [id, index]));
  const found = [...tags]
    .flatMap(([ref, id]) => (places.has(id) ? [{ ref, id, place: places.get(id) ?? 0 }] : []))
    .toSorted((a, b) => a.place - b.place)
    .slice(0, MAX_CANDIDATES);
  let best: NearestTag | undefined;
  for (const { ref, id } of found) {
    const distance = (await commitsOf(context, store, limits, [commit, `^${id}`])).length;
    if (best === undefined || distance < best.distance) best = { ref, distance };
  }
  return best;
}

/**
 * Find the tag that a commit comes after. Commits alone are fetched (a filter that nearly all servers know), step by
 * step, into a store of their own: the one of the sources keeps single commits.
 * @returns undefined when its history has none of the tags, or cannot be had: nothing depends on it
 */
export async function findNearestTag(
  context: SourceContext,
  request: NearestTagRequest,
): Promise<NearestTag | undefined> {
  const limits = { ...DEFAULT_LIMITS, ...request.limits };
  if (request.tags.size === 0 || context.offline === true) return undefined;
  const remote = await openRemote(context, request.url, request.named, limits);
  const store = storeOf(context, `history:${request.url}`);
  return context.lock(store.lock, async () => {
    try {
      await prepareStore(context, store, `history of ${remote.source}`);
      let known = 0;
      for (const depth of DEPTHS) {
        const result = await callStore(context, store, limits, {
          args: [
            "fetch",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--no-recurse-submodules",
            `--depth=${depth}`,
            "--filter=tree:0",
            "--end-of-options",
            remote.url,
            `+${request.commit}:refs/history/${request.commit}`,
          ],
          configFile: remote.configFile,
          env: remote.env,
          timeoutMs: limits.fetchMs,
        });
        if (result.exitCode !== 0 || result.stopped !== null) return undefined;
        const history = await commitsOf(context, store, limits, [request.commit]);
        const found = await nearest(context, store, limits, request, history);
        if (found !== undefined || history.length === known) return found;
        known = history.length;
      }
      return undefined;
    } catch (error) {
      if (error instanceof IpmError && error.code !== "INTERRUPTED") return undefined;
      throw error;
    }
  });
}
