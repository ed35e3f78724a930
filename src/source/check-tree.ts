import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { SourceLimits } from "./limits.ts";
import type { TreeEntry } from "./source.ts";

/** One reason why a tree is not written to the disk. */
export interface TreeProblem {
  /** As in the tree: hostile text. */
  readonly path: string;
  /** Completes "<path> …"; already escaped. */
  readonly reason: string;
}

const MAX_LINK_HOPS = 40;
// Characters that HFS+ leaves out when it compares names: `.g<ZWNJ>it` is `.git` there.
const HFS_IGNORED = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/gu;
const BEYOND_ASCII = /[\u0080-\u{10ffff}]/u;
// No spelling of `.git` is without one of these; nearly all paths are.
const MAY_BE_DOT_GIT = /git|[\u0080-\u{10ffff}]/iu;
// oxlint-disable-next-line no-control-regex -- looking for them is the point
const CONTROL = /[\u0000-\u001f\u007f-\u009f\ufffd]/u;

/** True for `.git` in any spelling that some file system takes for it (git's own rules for HFS+ and NTFS). */
export function isDotGit(name: string): boolean {
  const plain = name.replace(HFS_IGNORED, "").toLowerCase();
  // NTFS drops trailing dots and spaces, knows short names, and opens streams after a colon.
  return plain.split("\\").some((part) => /^(?:\.git|git~\d+)[. ]*(?::.*)?$/su.test(part));
}

function byteLength(text: string): number {
  return BEYOND_ASCII.test(text) ? Buffer.byteLength(text) : text.length;
}

/** What is wrong with one path by itself, or undefined. */
function pathProblem(path: string, limits: SourceLimits): string | undefined {
  const control = CONTROL.exec(path)?.[0];
  if (control === "\ufffd") return "is not UTF-8";
  if (control !== undefined) return `holds ${escapeUntrusted(control === "\t" ? "\\t" : control)}`;
  const length = byteLength(path);
  if (length > limits.pathBytes) return `is ${length} bytes long; the limit is ${limits.pathBytes}`;
  const names = path.split("/");
  if (names.length - 1 > limits.depth) return `lies ${names.length - 1} folders deep; the limit is ${limits.depth}`;
  const mayBeDotGit = MAY_BE_DOT_GIT.test(path);
  for (const name of names) {
    if (name === "") return "is absolute or has an empty part";
    if (name === "." || name === "..") return `has "${name}" in it`;
    if (mayBeDotGit && isDotGit(name)) return "would write into git's own folder (.git)";
    const bytes = byteLength(name);
    if (bytes > limits.nameBytes) return `has a name of ${bytes} bytes; the limit is ${limits.nameBytes}`;
  }
  return undefined;
}

/** A path as a file system sees it that ignores case and Unicode composition. */
function fold(path: string): string {
  if (!BEYOND_ASCII.test(path)) return path.toLowerCase();
  return path.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}

/**
 * Follow a link within the tree as the kernel would: other links of the tree are followed, what does not exist may still be
 * made by a step and counts as a folder. Returns the reason when the way leaves the tree.
 * @param links targets by folded path
 */
function linkProblem(path: string, target: string, links: ReadonlyMap<string, string>): string | undefined {
  if (target === "") return "is a link to nothing";
  const way = path.split("/").slice(0, -1);
  const ahead = target.split("/").toReversed();
  if (target.startsWith("/")) return `is a link to ${escapeUntrusted(target)}, outside the tree`;
  let hops = 0;
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      if (way.pop() === undefined) return `is a link to ${escapeUntrusted(target)}, outside the tree`;
      continue;
    }
    if (isDotGit(name)) return `is a link to ${escapeUntrusted(target)}, into git's own folder`;
    way.push(name);
    const next = links.get(fold(way.join("/")));
    if (next === undefined) continue;
    if (next.startsWith("/")) return `is a link to ${escapeUntrusted(target)}, which leads outside the tree`;
    // A loop cannot leave.
    if (++hops > MAX_LINK_HOPS) return undefined;
    way.pop();
    ahead.push(...next.split("/").toReversed());
  }
  return undefined;
}

function sizeProblems(listing: readonly TreeEntry[], limits: SourceLimits): TreeProblem[] {
  const problems: TreeProblem[] = [];
  if (listing.length > limits.files) {
    problems.push({ path: ".", reason: `holds ${listing.length} files; the limit is ${limits.files}` });
  }
  let bytes = 0;
  for (const { path, size } of listing) {
    bytes += size ?? 0;
    if (size === null || size <= limits.fileBytes) continue;
    problems.push({ path, reason: `is ${size} bytes large; the limit is ${limits.fileBytes}` });
  }
  if (bytes > limits.bytes) {
    problems.push({ path: ".", reason: `holds ${bytes} bytes; the limit is ${limits.bytes}` });
  }
  return problems;
}

/** Names that meet on a file system without case, and paths that lead through a file or a link. */
function collisions(listing: readonly TreeEntry[]): TreeProblem[] {
  const problems: TreeProblem[] = [];
  const files = new Map<string, TreeEntry>();
  const spellings = new Map<string, string>();
  for (const entry of listing) {
    if (files.has(entry.path)) problems.push({ path: entry.path, reason: "is there twice" });
    files.set(entry.path, entry);
  }
  for (const { path } of listing) {
    for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
      const prefix = path.slice(0, end);
      const folded = fold(prefix);
      const known = spellings.get(folded);
      if (known === undefined) spellings.set(folded, prefix);
      else if (known === prefix && end < path.length && !files.has(prefix)) break;
      else if (known !== prefix) {
        problems.push({ path, reason: `collides with ${escapeUntrusted(known)} where case or composition is ignored` });
        break;
      }
      if (end < path.length && files.has(prefix)) {
        const what = files.get(prefix)?.mode === "120000" ? "the link" : "the file";
        problems.push({ path, reason: `leads through ${what} ${escapeUntrusted(prefix)}` });
        break;
      }
    }
  }
  return problems;
}

/**
 * Everything about a tree that could write outside of it, hide something, or fill the disk: sizes, `..`, `.git` in any
 * spelling, control characters, names that collide on some file system, paths through links, links that leave.
 * Empty for a tree that may be written.
 * @param targets what each link (mode 120000) of the listing points to, by its path
 */
export function checkTree(
  listing: readonly TreeEntry[],
  targets: ReadonlyMap<string, string>,
  limits: SourceLimits,
): TreeProblem[] {
  const problems = sizeProblems(listing, limits);
  if (problems.length > 0) return problems;
  for (const { path } of listing) {
    const reason = pathProblem(path, limits);
    if (reason !== undefined) problems.push({ path, reason });
  }
  if (problems.length > 0) return problems;
  problems.push(...collisions(listing));
  // Folded, because a link that is named in another case is still followed on some file systems.
  const links = new Map([...targets].map(([path, target]) => [fold(path), target]));
  for (const { path, mode } of listing) {
    if (mode !== "120000") continue;
    const reason = linkProblem(path, targets.get(path) ?? "", links);
    if (reason !== undefined) problems.push({ path, reason });
  }
  return problems;
}
