import path from "node:path";
import { IpmError } from "../core/errors.ts";
import type { CommitSha } from "../core/ids.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { type CloneView, textOf, withCloneView } from "./clone-view.ts";
import { gitWords } from "./git-failure.ts";
import type { GitStore, SourceContext } from "./git-store.ts";
import type { SourceLimits } from "./limits.ts";
import { packCommit, writeRef } from "./write-checkout.ts";

/** A commit of a store, checked, and the clone that is to have it checked out. */
export interface AdvanceOrder {
  readonly store: GitStore;
  readonly limits: SourceLimits;
  readonly commit: CommitSha;
  /** Absolute folder of the clone. */
  readonly folder: string;
  readonly tag: string | null;
  /** Full name of the branch that the commit was found on, or null. */
  readonly branch: string | null;
}

function refused(folder: string, why: string): IpmError {
  return new IpmError("WORKSPACE_CHANGED", `${escapeUntrusted(folder)} cannot be moved: ${why}`, {
    hint: `git -C ${escapeUntrusted(folder)} status`,
    data: { folder },
  });
}

/** The commit's history ends with it unless all of its parents are in the clone. */
async function graftIfNeeded(context: SourceContext, view: CloneView, commit: CommitSha): Promise<void> {
  const { files } = context.host;
  const text = textOf(await view.run({ args: ["cat-file", "commit", commit] })) ?? "";
  const parents = [...(text.split("\n\n")[0] ?? "").matchAll(/^parent ([0-9a-f]{40})$/gmu)].map(
    (match) => match[1] ?? "",
  );
  const objects = path.join(view.git, "objects");
  for (const parent of parents) {
    const there = await view.run({ args: ["cat-file", "-e", `${parent}^{commit}`], alternateObjects: objects });
    if (there.exitCode === 0) continue;
    const file = path.join(view.git, "shallow");
    const lines = ((await files.readText(file)) ?? "").split("\n").filter((line) => line !== "");
    if (!lines.includes(commit)) await files.writeDurably(file, `${[...lines, commit].toSorted().join("\n")}\n`);
    return;
  }
}

/** See `FetchedSource.advance`. The files are moved by `git read-tree -m -u` in a view of ipm's own. */
export async function advanceClone(context: SourceContext, order: AdvanceOrder): Promise<void> {
  const { store, limits, commit, folder, tag, branch } = order;
  const { files } = context.host;
  const done = await withCloneView(context, folder, limits, [path.join(store.folder, "objects")], async (view) => {
    const { git, head, index } = view;
    // What only looks changed (times) is told apart first; a non-zero exit names what is changed, and read-tree refuses it.
    await view.run({ args: ["update-index", "-q", "--refresh"] });
    const object = await packCommit(context, { store, limits, commit, tag, git });
    const moved = await view.run({ args: ["read-tree", "-m", "-u", head.commit, commit] });
    if (moved.exitCode !== 0 || moved.stopped !== null) throw refused(folder, gitWords(moved.stderr));
    await graftIfNeeded(context, view, commit);
    const bytes = await files.readBytes(index);
    if (bytes === undefined) throw new TypeError("git read-tree left no index");
    await files.writeDurably(path.join(git, "index"), bytes);
    if (tag !== null) await writeRef(files, git, `refs/tags/${tag}`, object);
    if (branch !== null) await writeRef(files, git, branch.replace(/^refs\/heads\//u, "refs/remotes/origin/"), commit);
    const place = head.ref === null ? "HEAD" : head.ref;
    await files.writeDurably(path.join(git, place), `${commit}\n`);
    return true;
  });
  if (done === undefined) throw refused(folder, "its .git is of a form that ipm does not know");
}
