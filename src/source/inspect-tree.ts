import { IpmError } from "../core/errors.ts";
import type { GitResult } from "../core/host.ts";
import type { TreeSha } from "../core/ids.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { type TreeProblem, checkTree } from "./check-tree.ts";
import { type GitStore, type SourceContext, type StoreCall, callStore, readStore, storeFailure } from "./git-store.ts";
import type { SourceLimits } from "./limits.ts";
import type { TreeEntry } from "./source.ts";

const SHOWN_PROBLEMS = 5;
// PATH_MAX: a longer link could not be made anyway.
const MAX_LINK_BYTES = 4_096;
const MAX_ATTRIBUTES_BYTES = 256 * 1024;
// The specification of Git LFS bounds a pointer; those in use have about 130 bytes.
const MAX_LFS_POINTER_BYTES = 1_024;
const LFS_POINTER = /^version https:\/\/(?:git-lfs\.github\.com|hawser\.github\.com)\/spec\//u;
const MODES: readonly TreeEntry["mode"][] = ["100644", "100755", "120000", "160000"];

/** Read the output of `git ls-tree -r -l -z`. Modes of old tools (100664) are what git makes of them. */
export function parseListing(output: string): TreeEntry[] {
  const listing: TreeEntry[] = [];
  for (const line of output.split("\0")) {
    const tab = line.indexOf("\t");
    if (tab < 0) continue;
    const [mode = "", , oid = "", size = ""] = line.slice(0, tab).split(/ +/u);
    listing.push({
      path: line.slice(tab + 1),
      mode: MODES.find((known) => known === mode) ?? "100644",
      oid,
      size: /^\d+$/u.test(size) ? Number(size) : null,
    });
  }
  return listing;
}

/** Content of blobs by id, in one call of git. */
export async function readBlobs(
  context: SourceContext,
  store: GitStore,
  limits: SourceLimits,
  oids: readonly string[],
): Promise<Map<string, Uint8Array>> {
  const blobs = new Map<string, Uint8Array>();
  if (oids.length === 0) return blobs;
  const output = await readStore(context, store, limits, {
    args: ["cat-file", "--batch"],
    stdin: `${[...new Set(oids)].join("\n")}\n`,
    maxOutput: 512 * 1024 * 1024,
  });
  for (let position = 0; position < output.length;) {
    const end = output.indexOf(0x0a, position);
    if (end < 0) break;
    const [oid = "", type, size] = Buffer.from(output.subarray(position, end)).toString("latin1").split(" ");
    const length = type === "blob" ? Number(size) : undefined;
    if (length === undefined) {
      position = end + 1;
      continue;
    }
    blobs.set(oid, output.subarray(end + 1, end + 1 + length));
    position = end + 1 + length + 1;
  }
  return blobs;
}

/** The error for a tree that may not be written, with the first offenders. */
export function refuseTree(problems: readonly TreeProblem[], place: string): IpmError {
  const shown = problems.slice(0, SHOWN_PROBLEMS).map(({ path, reason }) => `${escapeUntrusted(path)} ${reason}`);
  const more = problems.length > shown.length ? `; and ${problems.length - shown.length} more` : "";
  return new IpmError("SOURCE_UNSAFE", `${place} is not safe to write: ${shown.join("; ")}${more}`, {
    hint: "tell the tool's maintainers; nothing was written",
    data: { source: place, problems: shown, count: problems.length },
  });
}

/** Files that hold a pointer of Git LFS instead of their content. */
async function lfsPointers(
  context: SourceContext,
  store: GitStore,
  limits: SourceLimits,
  listing: readonly TreeEntry[],
  attributes: readonly Uint8Array[],
): Promise<string[]> {
  // Without the attribute a pointer's text is just a file (a test of some LFS library).
  if (!attributes.some((content) => /\bfilter=lfs\b/u.test(Buffer.from(content).toString("utf8")))) return [];
  const small = listing.filter(
    ({ mode, size }) => mode.startsWith("100") && size !== null && size > 0 && size <= MAX_LFS_POINTER_BYTES,
  );
  const blobs = await readBlobs(
    context,
    store,
    limits,
    small.map(({ oid }) => oid),
  );
  return small
    .filter(({ oid }) => LFS_POINTER.test(Buffer.from(blobs.get(oid) ?? []).toString("utf8")))
    .map(({ path }) => path);
}

/** A tree that may be written. */
export interface InspectedTree {
  readonly listing: readonly TreeEntry[];
  /** What each link points to, by its path. */
  readonly targets: ReadonlyMap<string, string>;
  /** Sum of the sizes of all files. */
  readonly bytes: number;
}

function listingCall(limits: SourceLimits, tree: TreeSha): StoreCall {
  return {
    args: ["ls-tree", "-r", "-l", "-z", "--full-tree", tree],
    // A line has a mode, a type, an id, a size and a path; far more than the limit of files is not worth counting.
    maxOutput: limits.files * 4 * 80 + limits.pathBytes + 1024 * 1024,
  };
}

/** Have git list a tree, for `inspectTree`; a failure is a result. */
export function listTree(
  context: SourceContext,
  store: GitStore,
  limits: SourceLimits,
  tree: TreeSha,
): Promise<GitResult> {
  return callStore(context, store, limits, listingCall(limits, tree));
}

/**
 * List a tree and refuse it when it may not be written.
 * @param place the source as people are shown it
 * @param listed what `listTree` of it comes to, where that was begun before
 * @throws IpmError SOURCE_UNSAFE with the first offenders
 */
export async function inspectTree(
  context: SourceContext,
  store: GitStore,
  limits: SourceLimits,
  tree: TreeSha,
  place: string,
  listed: Promise<GitResult> = listTree(context, store, limits, tree),
): Promise<InspectedTree> {
  const result = await listed;
  if (result.stopped === "output")
    throw refuseTree([{ path: ".", reason: `holds more than ${limits.files} files` }], place);
  if (result.exitCode !== 0) throw storeFailure(store, listingCall(limits, tree), result);
  const listing = parseListing(Buffer.from(result.stdout).toString("utf8"));
  const read = listing.filter(
    ({ path, mode, size }) =>
      (mode === "120000" && (size ?? 0) <= MAX_LINK_BYTES) ||
      (/(?:^|\/)\.gitattributes$/u.test(path) && mode.startsWith("100") && (size ?? 0) <= MAX_ATTRIBUTES_BYTES),
  );
  const blobs = await readBlobs(
    context,
    store,
    limits,
    read.map(({ oid }) => oid),
  );
  const targets = new Map<string, string>();
  for (const { path, mode, oid } of listing) {
    // A link whose content was not read is longer than any path: to the check it is a link to nothing.
    if (mode === "120000") targets.set(path, Buffer.from(blobs.get(oid) ?? []).toString("utf8"));
  }
  const problems = checkTree(listing, targets, limits);
  if (problems.length > 0) throw refuseTree(problems, place);
  const attributes = read.filter(({ mode }) => mode !== "120000").map(({ oid }) => blobs.get(oid) ?? new Uint8Array());
  const pointers = await lfsPointers(context, store, limits, listing, attributes);
  if (pointers.length > 0) {
    throw refuseTree(
      pointers.map((path) => ({ path, reason: "is a pointer of Git LFS: its content is not in the repository" })),
      place,
    );
  }
  return { listing, targets, bytes: listing.reduce((sum, { size }) => sum + (size ?? 0), 0) };
}
