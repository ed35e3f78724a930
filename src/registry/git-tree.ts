import path from "node:path";
import { IpmError } from "../core/errors.ts";
import type { CommitSha } from "../core/ids.ts";
import { escapeUntrusted, shownUrl } from "../core/untrusted-text.ts";
import { callStore, hasPin, readStore, storeOf } from "../source/git-store.ts";
import { DEFAULT_LIMITS } from "../source/limits.ts";
import type { TreeChange } from "./update-index.ts";
import type { RegistryContext } from "./registry-context.ts";
import {
  MANIFEST_FILE,
  MAX_PACKAGES,
  PACKAGES,
  REGISTRY_FILE,
  attestedEntry,
  checkPackageCount,
  type RegistryTree,
  type TreeFile,
} from "./registry-tree.ts";

/** A manifest that is larger is not read at all; the parser would refuse it. */
const MAX_BLOB = 512 * 1024;
// `ls-tree -l` prints about 100 bytes a file.
const MAX_LISTING = MAX_PACKAGES * 512;
const READ_BYTES = 256 * 1024 * 1024;
/** More entries are not asked for by name: a command line is not endless, and a whole listing takes no longer. */
const MAX_NAMED = 500;

const KINDS: Readonly<Record<string, TreeFile["kind"]>> = { "100644": "file", "100755": "file", "120000": "link" };

interface BlobFile extends TreeFile {
  readonly oid: string;
}

function isBlobFile(file: TreeFile): file is BlobFile {
  return "oid" in file;
}

/** Lines of `ls-tree -z -l`: `mode type oid size TAB path`. */
function parseListing(output: string): BlobFile[] {
  const files: BlobFile[] = [];
  for (const entry of output.split("\0")) {
    const match = /^(?<mode>\d{6}) (?<type>\w+) (?<oid>[0-9a-f]{40}) +(?<size>\d+|-)\t(?<path>[^]+)$/u.exec(entry);
    const groups = match?.groups;
    if (groups === undefined) continue;
    const { mode = "", type, oid = "", size, path: file = "" } = groups;
    const kind = type === "tree" ? "folder" : (KINDS[mode] ?? "other");
    files.push({ path: file, kind, size: size === "-" ? 0 : Number(size), stamp: `${mode} ${oid}`, changedMs: 0, oid });
  }
  return files;
}

/** Blobs from the output of `cat-file --batch`: `oid type size LF content LF`, in the order asked for. */
function parseBlobs(output: Uint8Array, count: number): Uint8Array[] {
  const blobs: Uint8Array[] = [];
  let at = 0;
  while (blobs.length < count) {
    const lineEnd = output.indexOf(0x0a, at);
    const size = /^[0-9a-f]{40} blob (\d+)$/u.exec(Buffer.from(output.subarray(at, lineEnd)).toString("latin1"))?.[1];
    if (lineEnd < 0 || size === undefined)
      throw new IpmError("REGISTRY_INVALID", "git did not hand out a file of the registry");
    blobs.push(output.subarray(lineEnd + 1, lineEnd + 1 + Number(size)));
    at = lineEnd + 1 + Number(size) + 1;
  }
  return blobs;
}

/** The tree of a registry at one commit of a git store. */
export interface GitTree extends RegistryTree {
  /** What differs from an earlier commit of the store; undefined when that cannot be told. */
  changedSince(before: CommitSha): Promise<TreeChange | undefined>;
  /** Write a plain file into a folder, under a name by its content. @returns its path, or undefined when there is none */
  extract(file: string, into: string): Promise<string | undefined>;
}

/** Open the tree of a registry at one commit of its store: read as blobs, nothing is ever checked out. */
export async function openGitTree(context: RegistryContext, url: string, commit: CommitSha): Promise<GitTree> {
  const store = storeOf(context, url);
  const call = (args: readonly string[], more: { stdin?: string; maxOutput?: number } = {}): Promise<Uint8Array> =>
    readStore(context, store, DEFAULT_LIMITS, { args, ...more });
  const list = async (paths: readonly string[], options: readonly string[] = []): Promise<BlobFile[]> => {
    const args = ["ls-tree", "-z", "-l", ...options, "--end-of-options", commit, ...paths];
    return parseListing(Buffer.from(await call(args, { maxOutput: MAX_LISTING })).toString("utf8"));
  };
  const roots = await list([REGISTRY_FILE, `registry/${REGISTRY_FILE}`]);
  const prefix = roots.some((file) => file.path === REGISTRY_FILE) ? "" : "registry/";
  const inside = (file: BlobFile): BlobFile => ({ ...file, path: file.path.slice(prefix.length) });
  const where = `${shownUrl(url)} at ${commit.slice(0, 12)}`;

  const find = async (file: string): Promise<BlobFile | undefined> => {
    // git looks a path up in trees only, so a link on the way finds nothing.
    const found = await list([`${prefix}${file}`]);
    return found.map(inside).find((each) => each.path === file);
  };
  return {
    where,
    find,
    list: async (only) => {
      const found: BlobFile[] = [];
      const registryFile = await find(REGISTRY_FILE);
      if (registryFile !== undefined) found.push(registryFile);
      const packages = await find(PACKAGES);
      if (packages === undefined) return found;
      if (packages.kind !== "folder") return [...found, packages];
      if (only?.length === 0) return found;
      const places =
        only === undefined || only.length > MAX_NAMED
          ? [`${prefix}${PACKAGES}/`]
          : only.map((name) => `${prefix}${PACKAGES}/${name}`);
      const wanted = only === undefined ? undefined : new Set(only);
      const below = (await list(places, ["-r", "-t"]))
        .map(inside)
        .filter((file) => wanted?.has(file.path.split("/")[1] ?? "") ?? true);
      const manifests = new Map<string, BlobFile>();
      const attestations: BlobFile[] = [];
      for (const file of below) {
        if (attestedEntry(file.path) !== undefined) attestations.push(file);
        const [, name, last, ...rest] = file.path.split("/");
        if (name === undefined || name.startsWith(".") || rest.length > 0) continue;
        if (last === undefined && !manifests.has(name)) manifests.set(name, file);
        if (last === MANIFEST_FILE) manifests.set(name, file);
      }
      checkPackageCount(manifests.size, where);
      return [...found, ...manifests.values(), ...attestations];
    },
    read: async (files) => {
      if (files.length === 0) return [];
      const wanted = files.filter(isBlobFile);
      const tooLarge = wanted.find((file) => file.size > MAX_BLOB);
      const readable = wanted.filter((file) => file.size <= MAX_BLOB);
      const stdin = readable.map((file) => `${file.oid}\n`).join("");
      const output =
        readable.length === 0
          ? new Uint8Array()
          : await call(["cat-file", "--batch"], { stdin, maxOutput: READ_BYTES });
      const blobs = parseBlobs(output, readable.length);
      if (tooLarge === undefined) return blobs;
      // The parser refuses it by its size and says so; what is in it does not matter.
      return wanted.map((file) =>
        file.size > MAX_BLOB ? new Uint8Array(MAX_BLOB) : (blobs.shift() ?? new Uint8Array()),
      );
    },
    changedSince: async (before) => {
      if (!(await hasPin(context, store, before))) return undefined;
      const args = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", "--end-of-options", before, commit];
      const result = await callStore(context, store, DEFAULT_LIMITS, { args, maxOutput: MAX_LISTING });
      if (result.exitCode !== 0 || result.stopped !== null) return undefined;
      const changed = Buffer.from(result.stdout).toString("utf8").split("\0");
      // The root may have moved between the two.
      if (changed.includes(prefix === "" ? `registry/${REGISTRY_FILE}` : REGISTRY_FILE)) return undefined;
      const below = changed.flatMap((file) => (file.startsWith(prefix) ? [file.slice(prefix.length)] : []));
      const names = below.flatMap((file) => (file.startsWith(`${PACKAGES}/`) ? [file.split("/")[1] ?? ""] : []));
      return {
        names: new Set(names.filter((name) => name !== "" && !name.startsWith("."))),
        all: below.some((file) => file.endsWith(".bundle") || file === PACKAGES),
      };
    },
    extract: async (file, into) => {
      const found = await find(file);
      if (found?.kind !== "file") return undefined;
      const target = path.join(into, `${found.oid}${path.extname(file)}`);
      const { files } = context.host;
      if ((await files.facts(target))?.size === found.size) return target;
      if (found.size > READ_BYTES) {
        throw new IpmError(
          "SOURCE_UNSAFE",
          `${escapeUntrusted(file)} of ${where} has ${found.size} bytes; at most ${READ_BYTES} are read`,
        );
      }
      await files.createFolder(into);
      await files.writeDurably(target, await call(["cat-file", "blob", found.oid], { maxOutput: READ_BYTES + 1 }));
      return target;
    },
  };
}
