import path from "node:path";
import { sha256Hex } from "../core/canonical-json.ts";
import { IpmError } from "../core/errors.ts";
import type { Emit } from "../core/events.ts";
import type { GitRequest, GitResult, Host } from "../core/host.ts";
import type { CommitSha } from "../core/ids.ts";
import { type GitAccess, buildGitConfig } from "./git-config.ts";
import { gitWords, saysDiskFull } from "./git-failure.ts";
import type { SourceLimits } from "./limits.ts";

/** What sources need of the outside. */
export interface SourceContext {
  readonly host: Pick<Host, "facts" | "homes" | "files" | "git" | "signal">;
  readonly emit: Emit;
  /** No server is asked; folders and bundles of this machine are. */
  readonly offline?: boolean;
  /** Hold the named kernel lock while `work` runs (`git-<store>`: one for each git store). */
  readonly lock: <T>(name: string, work: () => Promise<T>) => Promise<T>;
  /** Called once a transfer runs: the time to prepare what comes after it. */
  readonly meanwhile?: () => void;
}

/** One bare repository of ipm's own, below the cache. */
export interface GitStore {
  readonly folder: string;
  /** Name of its lock. */
  readonly lock: string;
}

/** What differs from call to call; the rest is the store's. */
export interface StoreCall extends Partial<Omit<GitRequest, "gitDir">> {
  readonly args: readonly string[];
}

const NO_ACCESS: GitAccess = { transports: [], safeDirectories: [], credentials: false, stallSeconds: 60 };

const STORE_CONFIG = `[core]
\trepositoryformatversion = 0
\tbare = true
\tfileMode = true
\tsymlinks = true
\tignoreCase = false
\tprecomposeUnicode = false
\tautocrlf = false
[gc]
\tauto = 0
`;

/** Takes every conversion away from \`.gitattributes\`: files are written as the very bytes of their blobs. */
export const RAW_ATTRIBUTES = "* -text !eol -crlf -ident !filter !working-tree-encoding -export-subst !export-ignore\n";

/** The store of a source; `identity` is what makes the source the same one (its URL, or a bundle's or folder's path). */
export function storeOf(context: SourceContext, identity: string): GitStore {
  const key = sha256Hex(identity).slice(0, 24);
  return { folder: path.join(context.host.homes.cache, "git", key), lock: `git-${key}` };
}

/** The path of a configuration file with exactly this text, written when it is missing or was changed. */
export async function configFileOf(context: SourceContext, text: string): Promise<string> {
  const { files, homes } = context.host;
  const folder = path.join(homes.cache, "git", "config");
  const file = path.join(folder, sha256Hex(text).slice(0, 24));
  if ((await files.readText(file)) === text) return file;
  await files.createFolder(folder);
  // A proxy's URL may hold a password.
  await files.writeDurably(file, text, 0o600);
  return file;
}

/** Run git in a store without network, without the user's settings. A non-zero exit is a result. */
export async function callStore(
  context: SourceContext,
  store: GitStore,
  limits: SourceLimits,
  call: StoreCall,
): Promise<GitResult> {
  const configFile = call.configFile ?? (await configFileOf(context, buildGitConfig(NO_ACCESS, [], "/")));
  return context.host.git.run({
    cwd: store.folder,
    gitDir: store.folder,
    timeoutMs: limits.localMs,
    signal: context.host.signal,
    ...call,
    configFile,
  });
}

/** Like `callStore`, for calls that cannot fail but by damage, a full disk or a limit. @returns standard output */
export async function readStore(
  context: SourceContext,
  store: GitStore,
  limits: SourceLimits,
  call: StoreCall,
): Promise<Uint8Array> {
  const result = await callStore(context, store, limits, call);
  if (result.exitCode === 0 && result.stopped === null) return result.stdout;
  throw storeFailure(store, call, result);
}

/** Ids of commits and trees by name (`<commit>^{tree}`), in order; undefined for one that is not there. */
export async function idsOf(
  context: SourceContext,
  store: GitStore,
  limits: SourceLimits,
  names: readonly string[],
): Promise<(string | undefined)[]> {
  const result = await callStore(context, store, limits, {
    args: ["cat-file", "--batch-check=%(objectname) %(objecttype)"],
    stdin: `${names.join("\n")}\n`,
  });
  const lines = Buffer.from(result.stdout).toString("utf8").split("\n");
  return names.map((_, index) => /^([0-9a-f]{40}) (?:commit|tree)$/u.exec(lines[index] ?? "")?.[1]);
}

/** The error for a call on a store that failed on this machine. */
export function storeFailure(store: GitStore, call: StoreCall, result: GitResult): IpmError {
  const words = gitWords(result.stderr);
  if (saysDiskFull(result.stderr)) {
    return new IpmError("DISK_FULL", `no space left for git's work in ${store.folder}: ${words}`, {
      hint: "free some space (ipm gc gives back what ipm no longer needs), then run the command again",
    });
  }
  const why = result.stopped === null ? words : `it was stopped (${result.stopped})`;
  return new IpmError("FETCH_FAILED", `git ${call.args[0] ?? ""} failed in ${store.folder}: ${why}`, {
    hint: `remove ${store.folder} and run the command again: it is a cache`,
    data: { store: store.folder, git: words },
  });
}

/** Make the store if it is not there, and take away what a killed git left in it. Only while its lock is held. */
export async function prepareStore(context: SourceContext, store: GitStore, description: string): Promise<void> {
  const { files } = context.host;
  const head = path.join(store.folder, "HEAD");
  if ((await files.facts(head)) === undefined) {
    for (const folder of ["objects/pack", "objects/info", "refs/pins", "info"]) {
      await files.createFolder(path.join(store.folder, folder));
    }
    await files.write(path.join(store.folder, "config"), STORE_CONFIG);
    await files.write(path.join(store.folder, "info", "attributes"), RAW_ATTRIBUTES);
    await files.write(path.join(store.folder, "description"), `${description}\n`);
    // Last: git takes a folder without HEAD for no repository, and so does the test above.
    await files.writeDurably(head, "ref: refs/heads/none\n");
    return;
  }
  await tidyStore(context, store);
}

/**
 * Take away what a git that was killed or that failed left in a store: locks and unfinished packs, which are as large as
 * what was received. Only while the store's lock is held.
 */
export async function tidyStore(context: SourceContext, store: GitStore): Promise<void> {
  await removeStale(context, store.folder, "");
}

async function removeStale(context: SourceContext, folder: string, below: string): Promise<void> {
  const { files } = context.host;
  for (const name of await files.list(folder)) {
    const target = path.join(folder, name);
    if (name.endsWith(".lock") || (below === "objects/pack" && name.startsWith("tmp_"))) {
      await files.remove(target);
      continue;
    }
    const inside = below === "" ? name : `${below}/${name}`;
    // Not into the 256 folders of loose objects: locks are never there.
    const isWatched = inside === "objects" || inside === "objects/pack" || /^(?:refs|info)(?:\/|$)/u.test(inside);
    if (isWatched && (await files.facts(target))?.kind === "folder") await removeStale(context, target, inside);
  }
}

function pinFile(store: GitStore, commit: CommitSha): string {
  return path.join(store.folder, "refs", "pins", commit);
}

/** True when the commit is in the store, complete and compared with what it had to be. One look at a file. */
export async function hasPin(context: SourceContext, store: GitStore, commit: CommitSha): Promise<boolean> {
  return (await context.host.files.readText(pinFile(store, commit))) === `${commit}\n`;
}

/** Keep a commit that has been compared with its pin. Only while the store's lock is held. */
export async function keepPin(context: SourceContext, store: GitStore, commit: CommitSha): Promise<void> {
  await context.host.files.createFolder(path.join(store.folder, "refs", "pins"));
  await context.host.files.writeDurably(pinFile(store, commit), `${commit}\n`);
}

/** Where the store keeps what a ref of the source pointed to when it was last fetched. */
export function seenRef(ref: string): string {
  return `refs/seen/${sha256Hex(ref).slice(0, 24)}`;
}
