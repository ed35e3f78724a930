import { isIpmError } from "../core/errors.ts";
import type { CommitSha } from "../core/ids.ts";
import { isCommitSha } from "../core/ids.ts";
import { type RemoteRefs, listRefs } from "../source/list-refs.ts";
import { type Target, parseTarget } from "../source/parse-target.ts";
import { type Plan, isPackage } from "../plan/plan.ts";
import { unreleasedVersion } from "../manifest/complete-repository-manifest.ts";
import type { ManifestSource } from "../manifest/schema.ts";
import type { Context } from "./context.ts";
import type { Upgradable } from "./outdated.ts";
import { inParallel } from "./in-parallel.ts";
import { planOf } from "./plan-of.ts";
import { sourceContext } from "./source-context.ts";

/** What the branch of a tool that is in no registry leads to now. */
export interface TrackedUpdate {
  readonly name: string;
  /** `0.0.0-<12 hex>`, as an installation of that commit would be called. */
  readonly latest: string;
  /** The target that installs it. */
  readonly target: string;
}

/** Servers are asked for their refs by at most this many processes at once. */
const PARALLEL = 4;

interface Tracked {
  readonly name: string;
  readonly typed: string;
  readonly url: string;
  /** A branch; null: the remote's HEAD. */
  readonly ref: string | null;
  readonly commit: CommitSha;
}

/** The git target that an installed tool came from, or undefined for a folder, a file, and whatever names a fixed commit. */
async function trackedOf(
  context: Context,
  entry: Upgradable,
  known: ManifestSource | undefined,
): Promise<Tracked | undefined> {
  const isReleased = known?.versions.some(({ version }) => version === entry.version) ?? false;
  if (entry.registry !== null && (known === undefined || isReleased)) return undefined;
  const plan = await planOf(context, entry);
  if (plan === undefined) return undefined;
  const { origin, what } = plan;
  if (known !== undefined && entry.registry !== null) return unreleasedOf(entry, known, plan);
  let target: Target;
  try {
    target = parseTarget(origin.target);
  } catch (error) {
    if (isIpmError(error)) return undefined;
    throw error;
  }
  if (target.kind !== "git" || isPackage(what.source) || (target.ref !== null && isCommitSha(target.ref)))
    return undefined;
  return { name: entry.name, typed: origin.target, url: target.url, ref: target.ref, commit: what.source.commit };
}

/** What was installed as `NAME@HEAD`, from the branch that its entry follows. */
function unreleasedOf(
  { name, registry }: Upgradable,
  { source }: ManifestSource,
  { origin, what }: Plan,
): Tracked | undefined {
  const { git, track } = source;
  if (
    git === undefined ||
    track === undefined ||
    isPackage(what.source) ||
    !/@HEAD(?:-[0-9a-f]{40})?$/u.test(origin.target)
  )
    return undefined;
  return { name, typed: `${registry ?? ""}:${name}@HEAD`, url: git, ref: track, commit: what.source.commit };
}

/** The commit of the tracked branch; undefined for a tag, which is not to move, and for a branch that has gone. */
function tipOf({ ref }: Tracked, refs: RemoteRefs): CommitSha | undefined {
  const branch = ref ?? refs.head;
  if (branch === null) return undefined;
  return refs.commits.get(branch.startsWith("refs/heads/") ? branch : `refs/heads/${branch}`);
}

/**
 * Ask the servers of tools that were installed from a repository's branch what that branch leads to now: one `git
 * ls-remote` each, a few at a time. A server that does not answer is a warning and no failure.
 * @param known the entry of each in its registry, where it has one: what was installed as `NAME@HEAD` follows its branch
 * @returns only those that have moved, by name
 */
export async function findTrackedUpdates(
  context: Context,
  entries: readonly Upgradable[],
  known: ReadonlyMap<string, ManifestSource | undefined>,
): Promise<ReadonlyMap<string, TrackedUpdate>> {
  const candidates = await Promise.all(entries.map((entry) => trackedOf(context, entry, known.get(entry.name))));
  const tracked = candidates.filter((candidate) => candidate !== undefined);
  const outcomes = await inParallel(
    tracked,
    PARALLEL,
    async (tool) => ({
      tool,
      refs: await listRefs(sourceContext(context), { url: tool.url, named: true }, { tool: tool.name }),
    }),
    false,
  );
  const updates = new Map<string, TrackedUpdate>();
  for (const [index, outcome] of outcomes.entries()) {
    if (!outcome.ok) {
      if (!isIpmError(outcome.error) || context.host.signal.aborted) throw outcome.error;
      const message = `${tracked[index]?.name ?? "a tool"} could not be asked for: ${outcome.error.message}`;
      context.emit({ type: "warning", code: outcome.error.code, message });
      continue;
    }
    const { tool, refs } = outcome.value;
    const tip = tipOf(tool, refs);
    if (tip === undefined || tip === tool.commit) continue;
    updates.set(tool.name, { name: tool.name, latest: unreleasedVersion(tip), target: tool.typed });
  }
  return updates;
}
