import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { type CommitSha, type TreeSha, isCommitSha, isTreeSha } from "../core/ids.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { isDotGit } from "./check-tree.ts";
import {
  type GitStore,
  type SourceContext,
  callStore,
  idsOf,
  keepPin,
  prepareStore,
  readStore,
  storeFailure,
} from "./git-store.ts";
import type { SourceLimits } from "./limits.ts";

/** A user's folder as a commit in a store of ipm's own. */
export interface Snapshot {
  readonly commit: CommitSha;
  readonly tree: TreeSha;
  /** False when the folder is exactly the commit that its repository has checked out. */
  readonly dirty: boolean;
  /** The branch that is checked out, when the folder is not dirty. */
  readonly ref: string | null;
}

/** What is needed of a folder's own repository, read as plain files: git never runs with its configuration. */
export interface Repository {
  /** Folder of HEAD and index. */
  readonly gitDir: string;
  /** Folder of refs and objects; the same but for linked work trees. */
  readonly common: string;
}

// The same content gives the same commit, wherever and whenever it is taken.
const IDENTITY = "ipm <ipm@localhost> 0 +0000";
const MAX_NESTED = 200;

/** Find the repository of a folder by `.git`, a folder or a file that names one (linked work trees, submodules). */
async function findRepository(context: SourceContext, folder: string): Promise<Repository | undefined> {
  const { files } = context.host;
  const dotGit = path.join(folder, ".git");
  const facts = await files.facts(dotGit);
  let gitDir = dotGit;
  if (facts?.kind === "file" && facts.size < 4_096) {
    const named = /^gitdir: (.+)$/mu.exec((await files.readText(dotGit)) ?? "")?.[1];
    if (named === undefined) return undefined;
    gitDir = path.resolve(folder, named);
  } else if (facts?.kind !== "folder") return undefined;
  const common = (await files.readText(path.join(gitDir, "commondir")))?.trim();
  return { gitDir, common: common === undefined ? gitDir : path.resolve(gitDir, common) };
}

/** The commit that a repository has checked out, and its branch; undefined when it has none or is of another kind. */
export async function readHead(
  context: SourceContext,
  repository: Repository,
): Promise<{ commit: CommitSha; ref: string | null } | undefined> {
  const { files } = context.host;
  const head = (await files.readText(path.join(repository.gitDir, "HEAD")))?.trim() ?? "";
  if (isCommitSha(head)) return { commit: head, ref: null };
  const ref = /^ref: (refs\/[^\s]+)$/u.exec(head)?.[1];
  if (ref === undefined || ref.split("/").includes("..")) return undefined;
  const loose = (await files.readText(path.join(repository.common, ref)))?.trim() ?? "";
  if (isCommitSha(loose)) return { commit: loose, ref };
  const packed = (await files.readText(path.join(repository.common, "packed-refs"))) ?? "";
  const line = packed.split("\n").find((candidate) => candidate.slice(41) === ref);
  const commit = line?.slice(0, 40) ?? "";
  return isCommitSha(commit) ? { commit, ref } : undefined;
}

interface Walk {
  readonly context: SourceContext;
  readonly store: GitStore;
  readonly limits: SourceLimits;
  readonly root: string;
}

/** Tracked and unignored files below a folder, as git lists them; repositories inside are named with a trailing slash. */
async function listFolder(walk: Walk, folder: string): Promise<string[]> {
  const { context, store, limits } = walk;
  const { files } = context.host;
  const repository = await findRepository(context, folder);
  // A copy: what the user's own git does to the file meanwhile must not matter.
  const index = path.join(store.folder, `index.${context.host.facts.pid}.list`);
  const own = repository === undefined ? undefined : await files.readBytes(path.join(repository.gitDir, "index"));
  await files.remove(index);
  if (own !== undefined) await files.write(index, own);
  const exclude = repository === undefined ? undefined : path.join(repository.common, "info", "exclude");
  const hasExclude = exclude !== undefined && (await files.facts(exclude))?.kind === "file";
  const call = {
    args: [
      "ls-files",
      "-z",
      "--cached",
      "--others",
      "--exclude-per-directory=.gitignore",
      ...(hasExclude ? [`--exclude-from=${exclude}`] : []),
    ],
    cwd: folder,
    workTree: folder,
    indexFile: index,
    maxOutput: limits.files * 200 + 1024 * 1024,
  };
  const result = await callStore(context, store, limits, call);
  await files.remove(index);
  if (result.stopped === "output") throw tooManyFiles(walk);
  if (result.exitCode !== 0) throw storeFailure(store, call, result);
  return [...new Set(Buffer.from(result.stdout).toString("utf8").split("\0"))].filter((name) => name !== "");
}

function tooManyFiles({ root, limits }: Walk): IpmError {
  return new IpmError("SOURCE_UNSAFE", `${escapeUntrusted(root)} holds more than ${limits.files} files`, {
    hint: "name the folder of one project; list what does not belong to it in .gitignore",
    data: { path: root, limit: limits.files },
  });
}

/** Every file to take, relative to the root; repositories inside count as plain folders. */
async function listFiles(walk: Walk): Promise<{ paths: string[]; bytes: number }> {
  const { context, limits, root } = walk;
  const paths: string[] = [];
  const folders = [""];
  let nested = 0;
  let bytes = 0;
  for (let below = folders.pop(); below !== undefined; below = folders.pop()) {
    for (const name of await listFolder(walk, path.join(root, below))) {
      const relative = path.join(below, name).replace(/\/$/u, "");
      if (relative.split("/").some(isDotGit)) continue;
      const facts = await context.host.files.facts(path.join(root, relative));
      // Tracked and deleted, or a socket, which is nothing that could be copied.
      if (facts === undefined || facts.kind === "other") continue;
      if (facts.kind === "folder") {
        if (++nested > MAX_NESTED) throw tooManyFiles(walk);
        folders.push(relative);
        continue;
      }
      if (relative.includes("\ufffd")) {
        throw new IpmError(
          "SOURCE_UNSAFE",
          `${escapeUntrusted(path.join(root, relative))} has a name that is not UTF-8`,
          {
            hint: "rename it, or list it in .gitignore",
          },
        );
      }
      bytes += facts.size;
      if (paths.push(relative) > limits.files) throw tooManyFiles(walk);
      if (bytes > limits.bytes) {
        throw new IpmError("SOURCE_UNSAFE", `${escapeUntrusted(root)} holds more than ${limits.bytes} bytes`, {
          hint: "list what does not belong to the project in .gitignore",
          data: { path: root, limit: limits.bytes },
        });
      }
    }
  }
  return { paths, bytes };
}

async function writeTree(walk: Walk, paths: readonly string[]): Promise<TreeSha> {
  const { context, store, limits, root } = walk;
  const index = path.join(store.folder, `index.${context.host.facts.pid}.add`);
  await context.host.files.remove(index);
  try {
    if (paths.length > 0) {
      const call = {
        args: ["-c", "core.fsync=none", "update-index", "--verbose", "--add", "-z", "--stdin"],
        cwd: root,
        workTree: root,
        indexFile: index,
        stdin: paths.map((file) => `${file}\0`).join(""),
      };
      const result = await callStore(context, store, limits, call);
      if (result.exitCode !== 0 && /permission denied|cannot open|could not open/iu.test(result.stderr)) {
        const unreadable = /open\("([^"]*)"\)/u.exec(result.stderr)?.[1] ?? "a file";
        throw new IpmError(
          "IO_FAILED",
          `cannot read ${escapeUntrusted(path.join(root, unreadable))}: permission denied`,
          {
            hint: "make it readable, or list it in .gitignore",
            data: { path: path.join(root, unreadable) },
          },
        );
      }
      if (result.exitCode !== 0) throw storeFailure(store, call, result);
    }
    const tree = Buffer.from(await readStore(context, store, limits, { args: ["write-tree"], indexFile: index }))
      .toString("utf8")
      .trim();
    if (!isTreeSha(tree)) throw new TypeError(`git write-tree printed ${tree}`);
    return tree;
  } finally {
    await context.host.files.remove(index);
  }
}

/** Write a commit's own bytes into the store. */
async function writeCommit(walk: Walk, content: string | Uint8Array): Promise<CommitSha> {
  const { context, store, limits } = walk;
  const call = { args: ["hash-object", "-t", "commit", "-w", "--stdin"], stdin: content };
  const commit = Buffer.from(await readStore(context, store, limits, call))
    .toString("utf8")
    .trim();
  if (!isCommitSha(commit)) throw new TypeError(`git hash-object printed ${commit}`);
  return commit;
}

/** The commit that the folder has checked out, copied into the store, if its tree is exactly the one given. */
async function adoptHead(walk: Walk, tree: TreeSha): Promise<{ commit: CommitSha; ref: string | null } | undefined> {
  const { context, store, limits, root } = walk;
  const repository = await findRepository(context, root);
  const head = repository === undefined ? undefined : await readHead(context, repository);
  if (repository === undefined || head === undefined) return undefined;
  // Only the objects are looked at; ipm's store stays the repository, and its configuration the only one.
  const result = await callStore(context, store, limits, {
    args: ["cat-file", "commit", head.commit],
    alternateObjects: path.join(repository.common, "objects"),
    maxOutput: 1024 * 1024,
  });
  if (result.exitCode !== 0 || result.stopped !== null) return undefined;
  if (!Buffer.from(result.stdout).toString("latin1").startsWith(`tree ${tree}\n`)) return undefined;
  const commit = await writeCommit(walk, result.stdout);
  return commit === head.commit ? { commit, ref: head.ref } : undefined;
}

/**
 * Take a folder that the user named as a commit: tracked and unignored files as they are now, `.gitignore` respected
 * whether or not it is a repository, repositories inside as plain folders. Git works in ipm's store with ipm's
 * configuration: what the folder's `.git/config` says (fsmonitor, filters, hooks) is never read.
 * Only while the store's lock is held.
 * @param root absolute path of the folder
 * @throws IpmError SOURCE_UNSAFE (too large), IO_FAILED (a file cannot be read)
 */
export async function snapshotFolder(
  context: SourceContext,
  store: GitStore,
  limits: SourceLimits,
  root: string,
): Promise<Snapshot> {
  await prepareStore(context, store, root);
  const walk: Walk = { context, store, limits, root };
  const { paths } = await listFiles(walk);
  const tree = await writeTree(walk, paths);
  const head = await adoptHead(walk, tree);
  const commit =
    head?.commit ??
    (await writeCommit(walk, `tree ${tree}\nauthor ${IDENTITY}\ncommitter ${IDENTITY}\n\nContent of a folder\n`));
  const [found] = await idsOf(context, store, limits, [`${commit}^{tree}`]);
  if (found !== tree) throw new TypeError(`the commit of a folder has the tree ${found ?? "none"}, not ${tree}`);
  await keepPin(context, store, commit);
  return { commit, tree, dirty: head === undefined, ref: head?.ref ?? null };
}
