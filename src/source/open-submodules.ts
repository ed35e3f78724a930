import { randomBytes } from "node:crypto";
import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { type CommitSha, type TreeSha, isCommitSha } from "../core/ids.ts";
import { escapeUntrusted, shownUrl } from "../core/untrusted-text.ts";
import { checkTree } from "./check-tree.ts";
import { parseGitSettings } from "./git-config.ts";
import { gitWords } from "./git-failure.ts";
import type { GitStore, SourceContext } from "./git-store.ts";
import { type SubmoduleEntry, submoduleEntries, submoduleUrl } from "./gitmodules.ts";
import { type InspectedTree, inspectTree, refuseTree } from "./inspect-tree.ts";
import type { SourceLimits } from "./limits.ts";
import type { TreeEntry } from "./source.ts";
import { readListedFile } from "./write-checkout.ts";

const MAX_GITMODULES_BYTES = 64 * 1024;

/** A commit in a store, and what it holds; `path` is where it is in the whole source: empty for the source itself. */
export interface SourceModule extends InspectedTree {
  readonly path: string;
  readonly store: GitStore;
  readonly commit: CommitSha;
  /** Its address, for those that are relative to it; null for a bundle or a folder. */
  readonly url: string | null;
  /** The user typed or configured the address. */
  readonly named: boolean;
}

/** Brings the commit of a submodule into its own store, like any git source. */
type OpenCommit = (
  url: string,
  commit: CommitSha,
  named: boolean,
) => Promise<{ readonly store: GitStore; readonly tree: TreeSha }>;

/** What a tree's `.gitmodules` says, read by git's own parser as a file of nobody's repository. */
async function readGitmodules(
  context: SourceContext,
  module: SourceModule,
  limits: SourceLimits,
): Promise<readonly SubmoduleEntry[]> {
  const { host } = context;
  const place = shownUrl(module.url ?? module.store.folder);
  const bytes = await readListedFile(context, { ...module, limits }, ".gitmodules", MAX_GITMODULES_BYTES);
  if (bytes === undefined) return [];
  const file = path.join(module.store.folder, `gitmodules.${randomBytes(6).toString("hex")}`);
  try {
    await host.files.write(file, bytes);
    const result = await host.git.run({
      args: ["config", "--file", file, "--no-includes", "-z", "--list"],
      cwd: "/",
      configFile: "/dev/null",
      timeoutMs: limits.localMs,
      signal: host.signal,
    });
    if (result.exitCode === 0) return submoduleEntries(parseGitSettings(Buffer.from(result.stdout).toString("utf8")));
    throw new IpmError("SOURCE_UNSAFE", `the .gitmodules of ${place} cannot be read: ${gitWords(result.stderr)}`, {
      hint: "tell the tool's maintainers",
      data: { source: place },
    });
  } finally {
    await host.files.remove(file);
  }
}

function isBelow(folder: string, file: string): boolean {
  return folder === "" || file.startsWith(`${folder}/`);
}

function addressOf(
  entries: readonly SubmoduleEntry[],
  parent: SourceModule,
  below: string,
): { url: string; named: boolean } {
  const written = entries.findLast((entry) => entry.path === below)?.url;
  const url = written === undefined ? undefined : submoduleUrl(written, parent.url);
  if (written !== undefined && url !== undefined) {
    // Credentials go no further than the repository that the user named: an address of its own is just any address.
    return { url, named: parent.named && url !== written };
  }
  const why =
    written === undefined
      ? "has no address in .gitmodules"
      : `has the address ${shownUrl(written)}, which leads nowhere`;
  throw new IpmError("SOURCE_REFUSED", `the submodule ${escapeUntrusted(below)} ${why}`, {
    hint: "tell the tool's maintainers, or take it out of source.submodules",
    data: { path: below },
  });
}

/**
 * Open the listed submodules of a source, each at the very commit that the tree above it names, from the address in
 * `.gitmodules`. Names and update commands of `.gitmodules` mean nothing. One that a commit does not have is left out: a
 * list is for all versions of an entry.
 * @param root the source itself
 * @param wanted paths in the source, nested ones too
 * @returns the source and its submodules, outer ones first
 * @throws IpmError SOURCE_REFUSED (address), SOURCE_UNSAFE, and those of the transfer
 */
export async function openSubmodules(
  context: SourceContext,
  root: SourceModule,
  wanted: readonly string[],
  limits: SourceLimits,
  openCommit: OpenCommit,
): Promise<SourceModule[]> {
  const modules: SourceModule[] = [root];
  const known = new Map<SourceModule, readonly SubmoduleEntry[]>();
  for (const file of [...wanted].toSorted((a, b) => a.length - b.length)) {
    const { module: parent, below } = moduleOf(modules, file);
    const link = parent.listing.find((entry) => entry.path === below);
    if (link?.mode !== "160000" || !isCommitSha(link.oid)) continue;
    const entries = known.get(parent) ?? (await readGitmodules(context, parent, limits));
    known.set(parent, entries);
    const { url, named } = addressOf(entries, parent, below);
    const { store, tree } = await openCommit(url, link.oid, named);
    const inspected = await inspectTree(context, store, limits, tree, `the submodule ${escapeUntrusted(file)}`);
    modules.push({ ...inspected, path: file, store, commit: link.oid, url, named });
  }
  return modules;
}

/**
 * The listing of a source with its submodules in their places, checked as one tree: what is harmless in each may lead out
 * of the whole.
 * @throws IpmError SOURCE_UNSAFE
 */
export function mergeModules(modules: readonly SourceModule[], limits: SourceLimits, place: string): TreeEntry[] {
  const opened = new Set(modules.map(({ path: at }) => at));
  const listing: TreeEntry[] = [];
  const targets = new Map<string, string>();
  for (const module of modules) {
    const at = (file: string): string => (module.path === "" ? file : `${module.path}/${file}`);
    for (const entry of module.listing) {
      const whole = at(entry.path);
      if (entry.mode !== "160000" || !opened.has(whole)) listing.push({ ...entry, path: whole });
    }
    for (const [file, target] of module.targets) targets.set(at(file), target);
  }
  const problems = checkTree(listing, targets, limits);
  if (problems.length > 0) throw refuseTree(problems, place);
  return listing;
}

/** The module that a file of the merged listing is in, and its path there. */
export function moduleOf(modules: readonly SourceModule[], file: string): { module: SourceModule; below: string } {
  const module = modules.findLast(({ path: at }) => isBelow(at, file));
  if (module === undefined) throw new TypeError("a source without itself");
  return { module, below: module.path === "" ? file : file.slice(module.path.length + 1) };
}
