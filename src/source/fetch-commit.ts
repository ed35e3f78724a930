import { IpmError } from "../core/errors.ts";
import type { GitResult } from "../core/host.ts";
import { type CommitSha, type TreeSha, isCommitSha, isTreeSha } from "../core/ids.ts";
import { isRefName } from "../core/git-url.ts";
import { escapeUntrusted, shownUrl } from "../core/untrusted-text.ts";
import type { Remote } from "./git-access.ts";
import { fetchFailure, lacksRef, refusesShallow } from "./git-failure.ts";
import {
  type GitStore,
  type SourceContext,
  callStore,
  idsOf,
  keepPin,
  prepareStore,
  seenRef,
  tidyStore,
} from "./git-store.ts";
import type { SourceLimits } from "./limits.ts";

/** A commit to have in a store afterwards, and what it must be. */
export interface Wanted {
  readonly commit: CommitSha;
  /** Null when nobody pinned it. */
  readonly tree: TreeSha | null;
  /** Full name of the ref that it was found under, or null. A tag is compared. */
  readonly ref: string | null;
}

/** What a ref of a remote points to. */
export interface ResolvedRef {
  readonly ref: string;
  readonly commit: CommitSha;
}

interface FetchCall {
  readonly context: SourceContext;
  readonly store: GitStore;
  readonly remote: Remote;
  readonly limits: SourceLimits;
  /** `name@version`, for events. */
  readonly tool: string;
  /** Called once a wanted commit has arrived, before it is compared with its pin. */
  readonly onReceived?: () => void;
}

const FETCH = [
  "fetch",
  "--progress",
  "--no-tags",
  "--no-write-fetch-head",
  "--no-auto-maintenance",
  "--no-recurse-submodules",
];
const UNITS: Readonly<Record<string, number>> = { bytes: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** Bytes that git says it has received (`Receiving objects: 45% (9/20), 1.20 MiB | 3.00 MiB/s`), or undefined. */
export function receivedBytes(progress: string): number | undefined {
  const match = /Receiving objects:.*?, (\d+(?:\.\d+)?) (bytes|KiB|MiB|GiB)/u.exec(progress);
  const unit = UNITS[match?.[2] ?? ""];
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}

async function fetchRefs(call: FetchCall, options: readonly string[], refspecs: readonly string[]): Promise<GitResult> {
  const { context, store, remote, limits, tool } = call;
  const url = shownUrl(remote.source);
  return callStore(context, store, limits, {
    args: [...FETCH, ...options, "--end-of-options", remote.url, ...refspecs],
    configFile: remote.configFile,
    env: remote.env,
    timeoutMs: limits.fetchMs,
    ...(context.meanwhile === undefined ? {} : { onStarted: context.meanwhile }),
    onStderr: (text) => {
      let isTooLarge = false;
      for (const line of text.split(/[\r\n]+/u)) {
        const shown = escapeUntrusted(line.trim());
        if (shown !== "") context.emit({ type: "fetch.progress", tool, url, text: shown });
        isTooLarge ||= (receivedBytes(line) ?? 0) > limits.receivedBytes;
      }
      return isTooLarge;
    },
  });
}

function isDone(result: GitResult): boolean {
  return result.exitCode === 0 && result.stopped === null;
}

/** A shallow transfer of the one commit, and of its tag in the same request; undefined when the server will not. */
async function fetchShallow(call: FetchCall, wanted: Wanted): Promise<boolean> {
  const pin = `+${wanted.commit}:refs/incoming/${wanted.commit}`;
  const tag = isTag(wanted.ref) ? [`+${wanted.ref}:${seenRef(wanted.ref)}`] : [];
  let result = await fetchRefs(call, ["--depth=1"], [pin, ...tag]);
  if (!isDone(result) && tag.length > 0 && lacksRef(result.stderr)) {
    call.context.emit({
      type: "warning",
      code: "TAG_GONE",
      message: `${shownUrl(call.remote.source)} no longer has ${shownUrl(wanted.ref ?? "")}; the pinned commit is fetched by its id`,
    });
    result = await fetchRefs(call, ["--depth=1"], [pin]);
  }
  if (isDone(result)) return true;
  if (result.stopped === null && refusesShallow(result.stderr)) return false;
  throw fetchFailure(call.remote.source, result, call.limits);
}

/** Everything that the source has, for servers of the old protocol and for bundles. */
async function fetchAll(call: FetchCall, wanted: Wanted): Promise<void> {
  const everything = ["+refs/heads/*:refs/remote/heads/*", "+refs/tags/*:refs/remote/tags/*"];
  const tag = isTag(wanted.ref) ? [`+${wanted.ref}:${seenRef(wanted.ref)}`] : [];
  let result = await fetchRefs(call, [], [...everything, ...tag]);
  if (!isDone(result) && lacksRef(result.stderr)) result = await fetchRefs(call, [], everything);
  if (!isDone(result)) throw fetchFailure(call.remote.source, result, call.limits);
}

function isTag(ref: string | null): ref is string {
  return ref?.startsWith("refs/tags/") === true && isRefName(ref);
}

function mismatch(what: string, place: string, pinned: string, found: string): IpmError {
  return new IpmError("SOURCE_MISMATCH", `${what} of ${place} is pinned to ${pinned} and is ${found}`, {
    hint: "do not install it; tell the registry's maintainers both values",
    data: { source: place, what, pinned, found },
  });
}

/** Compare what came with what was pinned. @throws IpmError SOURCE_MISMATCH with both values; COMMIT_GONE when a pin is not there, FETCH_FAILED for a commit that was typed or is in no bundle */
async function compare(call: FetchCall, wanted: Wanted, isBundle: boolean): Promise<TreeSha> {
  const { context, store, limits } = call;
  const place = shownUrl(call.remote.source);
  const tag = isTag(wanted.ref) ? `${seenRef(wanted.ref)}^{commit}` : `${wanted.commit}^{commit}`;
  const [commit, tree, seen] = await idsOf(context, store, limits, [
    `${wanted.commit}^{commit}`,
    `${wanted.commit}^{tree}`,
    tag,
  ]);
  if (commit === undefined) {
    if (seen !== undefined) throw mismatch(`the tag ${shownUrl(wanted.ref ?? "")}`, place, wanted.commit, seen);
    const data = { url: place, commit: wanted.commit };
    // A bundle is the registry's own file: nobody rewrote a history. Without a tree nobody pinned it: somebody typed it.
    if (isBundle || wanted.tree === null) {
      throw new IpmError("FETCH_FAILED", `${place} has no commit ${wanted.commit}`, {
        hint: isBundle ? "ipm update" : `compare the id with those of ${place}`,
        data,
      });
    }
    throw new IpmError(
      "COMMIT_GONE",
      `${place} does not have the commit ${wanted.commit}, which is pinned: its history was rewritten, or it is another repository`,
      { hint: "install another version, and ask the manifest's maintainers for a new pin", data },
    );
  }
  // The id may be that of a tag's object, which is not what a pin is.
  if (commit !== wanted.commit) throw mismatch("the commit", place, wanted.commit, commit);
  if (tree === undefined || !isTreeSha(tree) || (wanted.tree !== null && tree !== wanted.tree)) {
    throw mismatch("the tree", place, wanted.tree ?? "a tree", tree ?? "none");
  }
  if (seen !== undefined && seen !== wanted.commit) {
    throw mismatch(`the tag ${shownUrl(wanted.ref ?? "")}`, place, wanted.commit, seen);
  }
  return tree;
}

/**
 * Bring one commit into a store: by its id and shallow where the server allows it, else with everything. It is kept
 * under `refs/pins` only after commit, tree and tag were compared. Only while the store's lock is held.
 * @param isShallow false for bundles, which know no shallow transfer
 */
export async function fetchCommit(call: FetchCall, wanted: Wanted, isShallow: boolean): Promise<TreeSha> {
  const { context, store, remote } = call;
  await prepareStore(context, store, shownUrl(remote.source));
  if (isTag(wanted.ref)) await context.host.files.remove(`${store.folder}/${seenRef(wanted.ref)}`);
  try {
    if (!isShallow || !(await fetchShallow(call, wanted))) await fetchAll(call, wanted);
    call.onReceived?.();
    const tree = await compare(call, wanted, !isShallow);
    await keepPin(context, store, wanted.commit);
    return tree;
  } catch (error) {
    // On a full disk the half of a pack would keep it full. What failed says more than a failure to tidy.
    await tidyStore(context, store).catch(() => undefined);
    throw error;
  } finally {
    await context.host.files.remove(`${store.folder}/refs/incoming/${wanted.commit}`);
  }
}

/**
 * Ask a remote what a ref points to. Forty hex digits are a commit and never a ref; a short name is a tag, then a branch.
 * @param ref as typed, or null for the remote's HEAD
 * @throws IpmError FETCH_FAILED when there is no such ref
 */
export async function resolveRef(call: FetchCall, ref: string | null): Promise<ResolvedRef> {
  const place = shownUrl(call.remote.source);
  if (ref !== null && !isRefName(ref)) {
    throw new IpmError("TARGET_INVALID", `${shownUrl(ref)} is not the name of a branch or tag`, {
      hint: "give a branch, a tag or a full commit id with --ref",
    });
  }
  const names =
    ref === null
      ? ["HEAD"]
      : ref.startsWith("refs/") || ref === "HEAD"
        ? [ref]
        : [`refs/tags/${ref}`, `refs/heads/${ref}`];
  const patterns = names.flatMap((name) => [name, `${name}^{}`]);
  const result = await callStore(call.context, call.store, call.limits, {
    args: ["ls-remote", "--symref", "--end-of-options", call.remote.url, ...patterns],
    configFile: call.remote.configFile,
    env: call.remote.env,
    timeoutMs: call.limits.fetchMs,
    maxOutput: 1024 * 1024,
  });
  if (!isDone(result)) throw fetchFailure(call.remote.source, result, call.limits);
  const { targets, head } = parseRemoteRefs(Buffer.from(result.stdout).toString("utf8"));
  for (const name of names) {
    const commit = targets.get(`${name}^{}`) ?? targets.get(name);
    if (commit !== undefined && isCommitSha(commit)) return { ref: name === "HEAD" ? (head ?? name) : name, commit };
  }
  throw new IpmError(
    "FETCH_FAILED",
    ref === null ? `${place} has no commit yet` : `${place} has no branch or tag ${shownUrl(ref)}`,
    {
      hint:
        ref !== null && /^[0-9a-f]{7,39}$/u.test(ref)
          ? "give all forty digits of the commit"
          : `git ls-remote ${place}`,
      data: { url: place, ref },
    },
  );
}

function parseRemoteRefs(output: string): { targets: ReadonlyMap<string, string>; head: string | undefined } {
  const targets = new Map<string, string>();
  let head: string | undefined;
  for (const line of output.split("\n")) {
    const [left = "", name = ""] = line.split("\t");
    if (left.startsWith("ref: ")) {
      if (name === "HEAD" && isRefName(left.slice(5))) head = left.slice(5);
    } else if (name !== "") targets.set(name, left);
  }
  return { targets, head };
}

/**
 * The branch or tag of a source that a commit is on, or null. Forges share objects between forks and hand out commits that
 * no branch or tag of the named repository holds; an install relies on the pin, a registry's own verification asks this.
 * All history is fetched. Only while the store's lock is held.
 * @param call its store is one for this question alone: a store with shallow commits does not know their history
 */
export async function findContainingRef(call: FetchCall, commit: CommitSha): Promise<string | null> {
  const { context, store, remote, limits } = call;
  await prepareStore(context, store, shownUrl(remote.source));
  const everything = ["+refs/heads/*:refs/remote/heads/*", "+refs/tags/*:refs/remote/tags/*"];
  // Not --filter=tree:0: git would write the address, and a password in it, into the store as a promisor.
  const result = await fetchRefs(call, ["--prune"], everything);
  if (!isDone(result)) throw fetchFailure(remote.source, result, limits);
  const found = await callStore(context, store, limits, {
    args: ["for-each-ref", `--contains=${commit}`, "--count=1", "--format=%(refname)", "refs/remote"],
  });
  const name = Buffer.from(found.stdout).toString("utf8").trim();
  // The commit is not even there: no ref leads to it.
  return found.exitCode === 0 && name !== "" ? name.replace("refs/remote/", "refs/") : null;
}
