import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { isRefName } from "../core/git-url.ts";
import type { Files } from "../core/host.ts";
import type { CommitSha } from "../core/ids.ts";
import { type GitStore, RAW_ATTRIBUTES, type SourceContext, idsOf, readStore, seenRef } from "./git-store.ts";
import { readBlobs } from "./inspect-tree.ts";
import type { SourceLimits } from "./limits.ts";
import { renderSetting } from "./git-config.ts";
import type { CloneOrder, TreeEntry } from "./source.ts";

/** A commit of a store, checked, and where it is to be written. */
export interface CheckoutOrder {
  readonly store: GitStore;
  readonly limits: SourceLimits;
  readonly commit: CommitSha;
  readonly listing: readonly TreeEntry[];
  /** Absolute; empty or missing. */
  readonly into: string;
  /** Short name of the version's tag, or null. */
  readonly tag: string | null;
  /** Further tags for the commit. */
  readonly also?: readonly string[];
  /** Make it a clone to work in: with a remote, its own settings and attributes, and a mark. */
  readonly clone?: CloneOrder | undefined;
}

const CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfileMode = true\n\tbare = false\n\tlogAllRefUpdates = false\n";
/** File of a clone's `.git` by which ipm knows the folder again. */
export const CLONE_MARK = "ipm";
const FILE_MODES = { "100644": 0o644, "100755": 0o755 } as const;

/** The object that the tag is to point to: the source's own annotated tag where it was seen, else the commit. */
async function tagObject(
  context: SourceContext,
  order: Pick<CheckoutOrder, "store" | "limits" | "commit" | "tag">,
): Promise<string> {
  const { store, limits, commit, tag } = order;
  const seen = await context.host.files.readText(path.join(store.folder, seenRef(`refs/tags/${tag}`)));
  const object = seen?.trim();
  if (object === undefined || object === commit || !/^[0-9a-f]{40}$/u.test(object)) return commit;
  const [peeled] = await idsOf(context, store, limits, [`${object}^{commit}`]);
  return peeled === commit ? object : commit;
}

/** Write `.git`: the commit, its trees and blobs in a pack of its own, nothing that leads back to ipm's store. */
async function writeRepository(context: SourceContext, order: CheckoutOrder): Promise<void> {
  const { store, limits, commit, into, tag } = order;
  const { files } = context.host;
  const git = path.join(into, ".git");
  for (const folder of ["objects/pack", "objects/info", "refs/heads", "refs/tags", "info"]) {
    await files.createFolder(path.join(git, folder));
  }
  const object = await packFirst(context, { store, limits, commit, tag, git });
  // The parents are not here. Git accepts the line for a commit without parents too.
  await files.write(path.join(git, "shallow"), `${commit}\n`);
  if (tag !== null) await writeRef(files, git, `refs/tags/${tag}`, object);
  for (const other of order.also ?? []) await writeRef(files, git, `refs/tags/${other}`, commit);
  if (order.clone !== undefined) {
    await writeClone(files, git, commit, order.clone);
    return;
  }
  await files.write(path.join(git, "config"), CONFIG);
  // What ipm wrote are the blobs' own bytes; without this a tool's `git status` could call them changed.
  await files.write(path.join(git, "info", "attributes"), RAW_ATTRIBUTES);
  await files.write(path.join(git, "HEAD"), `${commit}\n`);
}

/** Where a ref is written: `git` is the repository's folder. */
export async function writeRef(files: Files, git: string, ref: string, object: string): Promise<void> {
  const file = path.join(git, ref);
  await files.createFolder(path.dirname(file));
  await files.write(file, `${object}\n`);
}

/** Settings, branch and mark of a clone that somebody is going to work in: what `git clone` would leave. */
async function writeClone(files: Files, git: string, commit: CommitSha, clone: CloneOrder): Promise<void> {
  const { remote, branch } = clone;
  const short = branch?.replace(/^refs\/heads\//u, "") ?? null;
  const config = [
    CONFIG.replace("logAllRefUpdates = false", "logAllRefUpdates = true"),
    ...(remote === null
      ? []
      : [
          renderSetting("remote", "origin", "url", remote),
          renderSetting("remote", "origin", "fetch", "+refs/heads/*:refs/remotes/origin/*"),
        ]),
    ...(remote === null || short === null
      ? []
      : [renderSetting("branch", short, "remote", "origin"), renderSetting("branch", short, "merge", branch)]),
  ];
  await files.write(path.join(git, "config"), config.join(""));
  if (branch !== null) {
    await writeRef(files, git, branch, commit);
    if (remote !== null) await writeRef(files, git, `refs/remotes/origin/${short}`, commit);
  }
  await files.write(path.join(git, "HEAD"), branch === null ? `${commit}\n` : `ref: ${branch}\n`);
}

/** A commit of a store and the repository's folder (`…/.git`) that gets it. */
interface PackOrder extends Pick<CheckoutOrder, "store" | "limits" | "commit" | "tag"> {
  readonly git: string;
}

/**
 * The name, without its ending, of the pack that holds the commit and nothing older: the one that a store's first shallow
 * transfer brought. Undefined when there is more in the store, or another history.
 */
async function onlyPack(
  files: Files,
  { store, commit }: Pick<PackOrder, "store" | "commit">,
): Promise<string | undefined> {
  if ((await files.readText(path.join(store.folder, "shallow"))) !== `${commit}\n`) return undefined;
  const objects = path.join(store.folder, "objects");
  const isLoose = (await files.list(objects)).some((name) => /^[0-9a-f]{2}$/u.test(name));
  const packs = (await files.list(path.join(objects, "pack"))).filter((name) => name.endsWith(".pack"));
  return isLoose || packs.length !== 1 ? undefined : packs[0]?.slice(0, -".pack".length);
}

/** Like `packCommit`, for a repository that has no objects yet: where the store has nothing else, its pack is copied. */
async function packFirst(context: SourceContext, order: PackOrder): Promise<string> {
  const { files } = context.host;
  const only = await onlyPack(files, order);
  if (only === undefined) return packCommit(context, order);
  for (const ending of ["idx", "pack"]) {
    const file = `objects/pack/${only}.${ending}`;
    await files.copyFile(path.join(order.store.folder, file), path.join(order.git, file));
  }
  return order.tag === null ? order.commit : tagObject(context, order);
}

/** Pack one commit with its trees and blobs, and its tag, into a repository. @returns the object that the tag is to name */
export async function packCommit(context: SourceContext, order: PackOrder): Promise<string> {
  const { store, limits, commit, tag, git } = order;
  const object = tag === null ? commit : await tagObject(context, order);
  await readStore(context, store, limits, {
    // The unfinished pack is a file of the objects folder: where the disk is full it goes with the checkout, and whoever
    // tidies the store meanwhile does not take it away.
    objects: path.join(git, "objects"),
    alternateObjects: path.join(store.folder, "objects"),
    // No search for new deltas: what the store has packed is copied.
    args: [
      "-c",
      "core.fsync=none",
      "pack-objects",
      "-q",
      "--revs",
      "--window=0",
      "--threads=1",
      path.join(git, "objects", "pack", "pack"),
    ],
    stdin: `--shallow ${commit}\n${[...new Set([commit, object])].join("\n")}\n`,
  });
  return object;
}

/** Write the files, and the index that lets tools see them as unchanged. */
async function writeFiles(context: SourceContext, order: CheckoutOrder): Promise<void> {
  const { store, limits, commit, listing, into } = order;
  if (listing.length === 0) return;
  await readStore(context, store, limits, {
    // With a path `checkout` moves no HEAD. Unlike read-tree (and with `--`) it prints a line, and so is spared the 50 ms
    // that simple-git waits after a silent call. The folder is empty: the commit's id cannot be taken for a file.
    args: ["-c", "core.fsync=none", "checkout", "--no-progress", commit, "."],
    cwd: into,
    workTree: into,
    indexFile: path.join(into, ".git", "index"),
  });
  await restoreModes(context, order);
}

/** Files are 0644 or 0755 and folders 0755, whatever the umask of the caller. */
async function restoreModes(context: SourceContext, { listing, into }: CheckoutOrder): Promise<void> {
  const { files } = context.host;
  const folders = new Set<string>([into]);
  for (const entry of listing) {
    for (let folder = path.dirname(entry.path); folder !== "."; folder = path.dirname(folder)) {
      folders.add(path.join(into, folder));
    }
  }
  const expected: (readonly [file: string, mode: number])[] = [...folders].map((folder) => [folder, 0o755]);
  for (const { path: file, mode } of listing) {
    if (mode === "100644" || mode === "100755") expected.push([path.join(into, file), FILE_MODES[mode]]);
  }
  // The umask is the same for all: one of each kind tells whether any is wrong.
  const samples = [0o644, 0o755].map((mode) => expected.findLast((entry) => entry[1] === mode));
  let isWrong = false;
  for (const sample of samples) {
    if (sample !== undefined) isWrong ||= (await files.facts(sample[0]))?.mode !== sample[1];
  }
  if (!isWrong) return;
  for (const [file, mode] of expected) await files.setMode(file, mode);
}

/** What git was to write is there, with the sizes of the tree: the last look before steps run. */
async function verifyFiles(context: SourceContext, { listing, into, store }: CheckoutOrder): Promise<void> {
  for (const { path: file, mode, size } of listing) {
    const facts = await context.host.files.facts(`${into}/${file}`);
    const kind = mode === "120000" ? "link" : mode === "160000" ? "folder" : "file";
    if (facts?.kind === kind && (kind !== "file" || facts.size === size)) continue;
    throw new IpmError("SOURCE_MISMATCH", `${path.join(into, file)} was not written as it is in the repository`, {
      hint: `remove ${store.folder} and run the command again: it is a cache`,
      data: { path: file },
    });
  }
}

/**
 * Write a checked commit into an empty or missing folder, byte for byte, with a minimal real `.git`: that one commit, the
 * version's tag, no remote, no hooks, no link to ipm's store. When it fails nothing of it stays.
 */
export async function writeCheckout(context: SourceContext, order: CheckoutOrder): Promise<void> {
  const { files } = context.host;
  const { into, tag } = order;
  if (!path.isAbsolute(into)) throw new TypeError(`a checkout needs an absolute folder, not ${into}`);
  const odd = [...(tag === null ? [] : [tag]), ...(order.also ?? [])].find((name) => !isRefName(name));
  if (odd !== undefined) throw new TypeError(`not a tag: ${odd}`);
  if ((await files.list(into)).length > 0) {
    throw new IpmError("FOREIGN_FILE", `${into} is not empty`, {
      hint: "name an empty or a new folder",
      data: { path: into },
    });
  }
  const isNew = (await files.facts(into)) === undefined;
  await files.createFolder(path.join(into, ".git"));
  try {
    // First: after a crash it tells that what is here is ipm's.
    if (order.clone !== undefined) await files.write(path.join(into, ".git", CLONE_MARK), `${order.clone.mark}\n`);
    const results = await Promise.allSettled([writeRepository(context, order), writeFiles(context, order)]);
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    await verifyFiles(context, order);
  } catch (error) {
    for (const name of await files.list(into)) await files.remove(path.join(into, name));
    if (isNew) await files.remove(into);
    throw error;
  }
}

/** One plain file of a listing, or undefined when it is not there, is no plain file or is larger than `maxBytes`. */
export async function readListedFile(
  context: SourceContext,
  order: Pick<CheckoutOrder, "store" | "limits" | "listing">,
  file: string,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const entry = order.listing.find(({ path: candidate }) => candidate === file);
  if (entry === undefined || !entry.mode.startsWith("100") || (entry.size ?? 0) > maxBytes) return undefined;
  return (await readBlobs(context, order.store, order.limits, [entry.oid])).get(entry.oid);
}
