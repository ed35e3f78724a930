import path from "node:path";
import type { CommitSha } from "../core/ids.ts";
import { type CloneView, readRefs, textOf, withCloneView } from "./clone-view.ts";
import type { SourceContext } from "./git-store.ts";
import { DEFAULT_LIMITS } from "./limits.ts";

/** What a clone holds that is nowhere else. Paths and names are hostile text. */
export interface CloneState {
  readonly head: CommitSha;
  readonly branch: string | null;
  /** Tracked files that are changed, staged, deleted or hidden from git's eyes. */
  readonly changed: readonly string[];
  /** Files and folders that git does not know and does not ignore; folders end with a slash. */
  readonly untracked: readonly string[];
  readonly ignored: readonly string[];
  /** Branches, tags and HEAD with commits that no known commit leads to; each a full ref. */
  readonly unpushed: readonly string[];
  /** What else would be lost, one phrase each: a stash, a merge under way, further work trees, repositories of submodules. */
  readonly pending: readonly string[];
}

const UNDER_WAY: Readonly<Record<string, string>> = {
  MERGE_HEAD: "a merge under way",
  CHERRY_PICK_HEAD: "a cherry-pick under way",
  REVERT_HEAD: "a revert under way",
  BISECT_LOG: "a bisection under way",
  "rebase-merge": "a rebase under way",
  "rebase-apply": "a rebase under way",
  "refs/stash": "a stash",
};

/** Read `git status --porcelain=v2 -z`. */
export function parseStatus(output: string): Pick<CloneState, "changed" | "untracked" | "ignored"> {
  const changed: string[] = [];
  const untracked: string[] = [];
  const ignored: string[] = [];
  const fields = output.split("\0");
  for (let at = 0; at < fields.length; at++) {
    const line = fields[at] ?? "";
    const kind = line.slice(0, 2);
    if (kind === "? ") untracked.push(line.slice(2));
    else if (kind === "! ") ignored.push(line.slice(2));
    else if (kind === "1 ") changed.push(line.split(" ").slice(8).join(" "));
    else if (kind === "u ") changed.push(line.split(" ").slice(10).join(" "));
    else if (kind === "2 ") {
      changed.push(line.split(" ").slice(9).join(" "));
      // The name before a renaming is a field of its own.
      at++;
    }
  }
  return { changed, untracked, ignored };
}

/** Tracked files that git was told not to look at (assume-unchanged, skip-worktree): their changes would not be seen. */
function hiddenFiles(listing: string): string[] {
  return listing
    .split("\0")
    .filter((line) => /^[a-zS] /u.test(line))
    .map((line) => line.slice(2));
}

async function findPending(context: SourceContext, git: string): Promise<string[]> {
  const { files } = context.host;
  const pending: string[] = [];
  for (const [name, what] of Object.entries(UNDER_WAY))
    if ((await files.facts(path.join(git, name))) !== undefined) pending.push(what);
  if ((await files.list(path.join(git, "worktrees"))).length > 0) pending.push("further work trees");
  if ((await files.list(path.join(git, "modules"))).length > 0) pending.push("repositories of submodules");
  return [...new Set(pending)];
}

/** Refs with commits that are in no known commit's history; undefined when that cannot be told. */
async function findUnpushed(
  view: CloneView,
  refs: ReadonlyMap<string, CommitSha>,
  known: readonly CommitSha[],
): Promise<string[] | undefined> {
  const published = [...refs].filter(([ref]) => ref.startsWith("refs/remotes/")).map(([, id]) => id);
  const excluded = [...new Set([...published, ...known])].map((id) => `^${id}`);
  const own = new Map([...refs].filter(([ref]) => !ref.startsWith("refs/remotes/")));
  own.set(view.head.ref ?? "HEAD", view.head.commit);
  const found: string[] = [];
  for (const [ref, id] of own) {
    // A missing commit that is to be left out does no harm; one that is looked for must be there.
    const there = await view.run({ args: ["cat-file", "-e", `${id}^{commit}`] });
    if (there.exitCode !== 0) return undefined;
    const left = textOf(
      await view.run({
        args: ["rev-list", "--ignore-missing", "--max-count=1", "--stdin"],
        stdin: [id, ...excluded, ""].join("\n"),
      }),
    );
    if (left === undefined) return undefined;
    if (left.trim() !== "") found.push(ref);
  }
  return found;
}

/**
 * Look at a clone that somebody works in, without running anything of it: what it holds that is nowhere else.
 * @param known commits that are elsewhere for certain: the pins that it was made from
 * @returns undefined when that cannot be told, which counts as "there may be something"
 */
export async function inspectClone(
  context: SourceContext,
  folder: string,
  known: readonly CommitSha[],
): Promise<CloneState | undefined> {
  const limits = DEFAULT_LIMITS;
  const result = await withCloneView(context, folder, limits, [], async (view): Promise<CloneState | null> => {
    const status = textOf(
      await view.run({
        args: [
          "-c",
          "core.untrackedCache=false",
          "status",
          "--porcelain=v2",
          "-z",
          "--untracked-files=normal",
          "--ignored=traditional",
          // Nothing is run in a submodule, which has a configuration of its own.
          "--ignore-submodules=all",
          "--no-renames",
        ],
      }),
    );
    const listing = textOf(await view.run({ args: ["ls-files", "-v", "-z", "--cached"] }));
    const refs = await readRefs(context, view.git);
    const unpushed = await findUnpushed(view, refs, known);
    if (status === undefined || listing === undefined || unpushed === undefined) return null;
    const { changed, untracked, ignored } = parseStatus(status);
    return {
      head: view.head.commit,
      branch: view.head.ref,
      changed: [...new Set([...changed, ...hiddenFiles(listing)])],
      untracked,
      ignored,
      unpushed,
      pending: await findPending(context, view.git),
    };
  });
  return result ?? undefined;
}
