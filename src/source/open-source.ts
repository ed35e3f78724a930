import { shownUrl } from "../core/untrusted-text.ts";
import path from "node:path";
import { IpmError } from "../core/errors.ts";
import type { GitResult } from "../core/host.ts";
import { type CommitSha, type TreeSha, isCommitSha, isTreeSha } from "../core/ids.ts";
import { fetchCommit, resolveRef } from "./fetch-commit.ts";
import { checkAddress, openLocalRemote, openRemote } from "./git-access.ts";
import { type GitStore, type SourceContext, hasPin, idsOf, prepareStore, readStore, storeOf } from "./git-store.ts";
import { inspectTree, listTree } from "./inspect-tree.ts";
import { advanceClone } from "./advance-clone.ts";
import { DEFAULT_LIMITS, type SourceLimits } from "./limits.ts";
import { type SourceModule, mergeModules, moduleOf, openSubmodules } from "./open-submodules.ts";
import { snapshotFolder } from "./snapshot-folder.ts";
import type { FetchedCommit, SourceRequest } from "./source.ts";
import { readListedFile, writeCheckout } from "./write-checkout.ts";

export interface OpenSourceOptions {
  /** `name@version`, for events. */
  readonly tool: string;
  /** Nothing may be asked of a network; what is in the store already is used. */
  readonly offline?: boolean;
  readonly limits?: Partial<SourceLimits>;
}

interface Opened {
  readonly store: GitStore;
  readonly commit: CommitSha;
  readonly tree: TreeSha;
  readonly ref: string | null;
  readonly dirty: boolean;
  /** git's listing of the tree, where it was begun already. */
  readonly listed?: Promise<GitResult> | undefined;
}

type Request<Kind extends SourceRequest["kind"]> = Extract<SourceRequest, { readonly kind: Kind }>;

interface Opening {
  readonly context: SourceContext;
  readonly tool: string;
  readonly offline: boolean;
  readonly limits: SourceLimits;
}

function offlineError(place: string, what: string): IpmError {
  return new IpmError("OFFLINE", `${what} of ${place} is not on this machine yet, and --offline was given`, {
    hint: "run the command once without --offline",
    data: { source: place },
  });
}

/** The tree of a pin that the store has, compared once more: a manifest may pin another tree to the same commit. */
async function pinnedTree(
  { context, limits }: Opening,
  store: GitStore,
  commit: CommitSha,
  tree: TreeSha | null,
  place: string,
): Promise<TreeSha> {
  const [found] = await idsOf(context, store, limits, [`${commit}^{tree}`]);
  if (found === undefined || !isTreeSha(found)) {
    throw new IpmError("STATE_DAMAGED", `the git store ${store.folder} lost the commit ${commit}`, {
      hint: `remove ${store.folder} and run the command again: it is a cache`,
      data: { store: store.folder, commit },
    });
  }
  if (tree !== null && found !== tree) {
    throw new IpmError("SOURCE_MISMATCH", `the tree of ${place} at ${commit} is pinned to ${tree} and is ${found}`, {
      hint: "do not install it; tell the registry's maintainers both values",
      data: { source: place, what: "the tree", pinned: tree, found },
    });
  }
  return found;
}

/**
 * Have git list a pinned tree while commit, tree and tag are still being compared: looked at only when they are right.
 * Undefined without a pin.
 */
function beginListing(
  { context, limits }: Opening,
  store: GitStore,
  tree: TreeSha | null,
): Promise<GitResult> | undefined {
  if (tree === null) return undefined;
  const listed = listTree(context, store, limits, tree);
  // When the comparison fails nobody waits for it.
  listed.catch(() => undefined);
  return listed;
}

async function openGit(opening: Opening, request: Request<"git">): Promise<Opened> {
  const { context, tool, limits, offline } = opening;
  const place = shownUrl(request.url);
  // Before the store is looked at: an address that may not be used is refused, fetched before or not.
  checkAddress(request.url, request.named);
  const store = storeOf(context, request.url);
  // Forty hex digits are a commit, even where a branch or tag has that name.
  const typed = request.ref !== null && isCommitSha(request.ref) ? request.ref : null;
  const pin = request.commit ?? typed;
  const known = typed === null ? request.ref : null;
  if (pin !== null && (await hasPin(context, store, pin))) {
    const listed = beginListing(opening, store, request.tree);
    const tree = await pinnedTree(opening, store, pin, request.tree, place);
    return { store, commit: pin, tree, ref: known, dirty: false, listed };
  }
  if (offline) throw offlineError(place, pin === null ? "the newest commit" : `commit ${pin}`);
  const remote = await openRemote(context, request.url, request.named, limits);
  const opened = context.lock(store.lock, async () => {
    let listed: Promise<GitResult> | undefined;
    const onReceived = (): void => {
      listed = beginListing(opening, store, request.tree);
    };
    const call = { context, store, remote, limits, tool, onReceived };
    let wanted = { commit: pin, ref: known };
    if (wanted.commit === null) {
      await prepareStore(context, store, place);
      wanted = await resolveRef(call, known);
    }
    const commit = wanted.commit;
    if (commit === null) throw new TypeError("a ref was resolved to nothing");
    // Somebody else may have fetched it while the lock was waited for.
    const tree = (await hasPin(context, store, commit))
      ? await pinnedTree(opening, store, commit, request.tree, place)
      : await fetchCommit(call, { commit, tree: request.tree, ref: wanted.ref }, true);
    return { store, commit, tree, ref: wanted.ref, dirty: false, listed };
  });
  // While the program of the lock runs. Whatever fails here fails again where it is needed.
  setImmediate(() => {
    context.host.git.prepare().catch(() => undefined);
  });
  return opened;
}

async function openBundle(opening: Opening, request: Request<"bundle">): Promise<Opened> {
  const { context, tool, limits } = opening;
  const { file, commit, tree, ref } = request;
  if (!path.isAbsolute(file)) throw new TypeError(`a bundle needs an absolute path, not ${file}`);
  const store = storeOf(context, `bundle:${file}`);
  const known = (): Promise<TreeSha> => pinnedTree(opening, store, commit, tree, shownUrl(file));
  if (await hasPin(context, store, commit)) return { store, commit, tree: await known(), ref, dirty: false };
  if ((await context.host.files.facts(file))?.kind !== "file") {
    throw new IpmError("FETCH_FAILED", `the bundle ${shownUrl(file)} is not there`, {
      hint: "ipm update",
      data: { path: file },
    });
  }
  const found = await context.lock(store.lock, async () => {
    if (await hasPin(context, store, commit)) return known();
    const remote = await openLocalRemote(context, file, limits);
    return fetchCommit({ context, store, remote, limits, tool }, { commit, tree, ref }, false);
  });
  return { store, commit, tree: found, ref, dirty: false };
}

async function openFolder({ context, limits }: Opening, request: Request<"folder">): Promise<Opened> {
  const root = await context.host.files.realPath(request.path);
  if (root === undefined || (await context.host.files.facts(root))?.kind !== "folder") {
    throw new IpmError("TARGET_INVALID", `${shownUrl(request.path)} is not a folder`, {
      hint: "name an existing folder, a manifest file, a URL or a tool",
      data: { path: request.path },
    });
  }
  const store = storeOf(context, `folder:${root}`);
  const snapshot = await context.lock(store.lock, () => snapshotFolder(context, store, limits, root));
  return { store, ...snapshot };
}

function open(opening: Opening, request: SourceRequest): Promise<Opened> {
  if (request.kind === "git") return openGit(opening, request);
  return request.kind === "bundle" ? openBundle(opening, request) : openFolder(opening, request);
}

function placeOf(request: SourceRequest): string {
  if (request.kind === "git") return shownUrl(request.url);
  return shownUrl(request.kind === "bundle" ? request.file : request.path);
}

/**
 * Bring a source into ipm's own git store, compare commit and tree with the pin, list its files and refuse what may not
 * be written. A pin that the store has costs no network. Nothing is written outside ipm's cache until `checkout`.
 * @throws IpmError SOURCE_REFUSED (address), SOURCE_MISMATCH (pin; both values), SOURCE_UNSAFE (tree; first offenders),
 * FETCH_FAILED, OFFLINE, GIT_UNUSABLE, TARGET_INVALID (no such folder or ref name), INTERRUPTED
 */
export async function openSource(
  context: SourceContext,
  request: SourceRequest,
  options: OpenSourceOptions,
): Promise<FetchedCommit> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const opening: Opening = { context, tool: options.tool, offline: options.offline ?? false, limits };
  const { store, commit, tree, ref, dirty, listed } = await open(opening, request);
  const place = placeOf(request);
  const root: SourceModule = {
    ...(await inspectTree(context, store, limits, tree, place, listed)),
    path: "",
    store,
    commit,
    url: request.kind === "git" ? request.url : null,
    named: request.kind === "git" && request.named,
  };
  const submodules = request.kind === "folder" ? [] : (request.submodules ?? []);
  const modules = await openSubmodules(context, root, submodules, limits, (url, at, named) =>
    openGit(opening, { kind: "git", url, ref: null, commit: at, tree: null, named }),
  );
  const listing = modules.length === 1 ? root.listing : mergeModules(modules, limits, place);
  return {
    commit,
    tree,
    ref,
    dirty,
    listing,
    bytes: modules.reduce((sum, module) => sum + module.bytes, 0),
    readFile: (file, maxBytes) => {
      const { module, below } = moduleOf(modules, file);
      return readListedFile(context, { ...module, limits }, below, maxBytes);
    },
    checkout: async (into, tag, also = [], clone) => {
      await writeCheckout(context, { ...root, limits, into, tag, also, clone });
      await writeSubmodules(context, modules.slice(1), limits, into);
    },
    committedOn: () => commitDay(context, store, limits, commit),
    advance: (folder, tag, branch) => advanceClone(context, { store, limits, commit, folder, tag, branch }),
  };
}

async function commitDay(
  context: SourceContext,
  store: GitStore,
  limits: SourceLimits,
  commit: CommitSha,
): Promise<string | null> {
  const text = Buffer.from(await readStore(context, store, limits, { args: ["cat-file", "commit", commit] }));
  const seconds = Number(/^committer .*> (\d{1,10}) [+-]\d{4}$/mu.exec(text.toString("utf8"))?.[1] ?? Number.NaN);
  return Number.isNaN(seconds) ? null : new Date(seconds * 1000).toISOString().slice(0, 10);
}

/** Submodules in their places, each with a minimal `.git` of its own: tools ask there for their version too. */
async function writeSubmodules(
  context: SourceContext,
  modules: readonly SourceModule[],
  limits: SourceLimits,
  into: string,
): Promise<void> {
  try {
    for (const module of modules)
      await writeCheckout(context, { ...module, limits, into: path.join(into, module.path), tag: null });
  } catch (error) {
    for (const name of await context.host.files.list(into)) await context.host.files.remove(path.join(into, name));
    throw error;
  }
}
