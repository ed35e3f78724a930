import path from "node:path";
import type { GitResult } from "../core/host.ts";
import { type CommitSha, isCommitSha } from "../core/ids.ts";
import { type GitStore, type SourceContext, type StoreCall, callStore, prepareStore, storeOf } from "./git-store.ts";
import type { SourceLimits } from "./limits.ts";
import { readHead } from "./snapshot-folder.ts";

/**
 * A look at a clone that others can write: a repository of ipm's own that borrows the clone's objects and has a copy of its
 * index, its ignore rules and its grafts. Git only ever runs here: what the clone's `.git/config` says (fsmonitor, filters,
 * hooks, includes) is never read, and nothing is written into the clone.
 */
export interface CloneView {
  /** Absolute folder of the clone, and of its `.git`. */
  readonly folder: string;
  readonly git: string;
  readonly head: { readonly commit: CommitSha; readonly ref: string | null };
  /** The copy of the index: calls that move files change it. */
  readonly index: string;
  /** Run git on the clone's files, with the view's own repository, configuration and index. */
  run(call: StoreCall): Promise<GitResult>;
}

/** True for a clone as ipm makes them: `.git` is a real folder, and it is still there. */
export async function isClone(context: SourceContext, folder: string): Promise<boolean> {
  return (await context.host.files.facts(path.join(folder, ".git")))?.kind === "folder";
}

async function copyWhere(context: SourceContext, from: string, to: string): Promise<void> {
  const { files } = context.host;
  await files.remove(to);
  if ((await files.facts(from))?.kind !== "file") return;
  const bytes = await files.readBytes(from);
  if (bytes !== undefined) await files.write(to, bytes);
}

/**
 * Open a view on a clone while `work` runs.
 * @param more further folders with objects, such as a store's that holds the commit to move to
 * @returns undefined when the clone is of a form that ipm cannot look at: no HEAD as a file, another format of refs
 */
export async function withCloneView<T>(
  context: SourceContext,
  folder: string,
  limits: SourceLimits,
  more: readonly string[],
  work: (view: CloneView) => Promise<T>,
): Promise<T | undefined> {
  const { files } = context.host;
  const git = path.join(folder, ".git");
  if (!(await isClone(context, folder))) return undefined;
  const head = await readHead(context, { gitDir: git, common: git });
  if (head === undefined) return undefined;
  const store: GitStore = storeOf(context, `workspace:${folder}`);
  return context.lock(store.lock, async () => {
    await files.remove(store.folder);
    try {
      await prepareStore(context, store, `a look at ${folder}`);
      await files.write(path.join(store.folder, "HEAD"), `${head.commit}\n`);
      const index = path.join(store.folder, "index");
      await copyWhere(context, path.join(git, "index"), index);
      await copyWhere(context, path.join(git, "shallow"), path.join(store.folder, "shallow"));
      await copyWhere(context, path.join(git, "info", "exclude"), path.join(store.folder, "info", "exclude"));
      // The store's own rules take every conversion away; a clone that people work in has its usual ones.
      await files.remove(path.join(store.folder, "info", "attributes"));
      const alternateObjects = [path.join(git, "objects"), ...more].join(":");
      return await work({
        folder,
        git,
        head,
        index,
        run: (call) =>
          callStore(context, store, limits, {
            cwd: folder,
            workTree: folder,
            indexFile: index,
            alternateObjects,
            ...call,
          }),
      });
    } finally {
      await files.remove(store.folder);
    }
  });
}

/** Text of a call that ended well, else undefined. */
export function textOf(result: GitResult): string | undefined {
  return result.exitCode === 0 && result.stopped === null ? Buffer.from(result.stdout).toString("utf8") : undefined;
}

/** Every ref of a clone by its full name, read as plain files; symbolic ones are left out. */
export async function readRefs(context: SourceContext, git: string): Promise<Map<string, CommitSha>> {
  const { files } = context.host;
  const refs = new Map<string, CommitSha>();
  for (const line of ((await files.readText(path.join(git, "packed-refs"))) ?? "").split("\n")) {
    const id = line.slice(0, 40);
    if (isCommitSha(id) && line[40] === " ") refs.set(line.slice(41), id);
  }
  const walk = async (below: string): Promise<void> => {
    for (const name of await files.list(path.join(git, below))) {
      const ref = `${below}/${name}`;
      const kind = (await files.facts(path.join(git, ref)))?.kind;
      if (kind === "folder") await walk(ref);
      if (kind !== "file") continue;
      const id = ((await files.readText(path.join(git, ref))) ?? "").trim();
      if (isCommitSha(id)) refs.set(ref, id);
    }
  };
  await walk("refs");
  return refs;
}
