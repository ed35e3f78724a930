import path from "node:path";
import { sha256Hex } from "../core/canonical-json.ts";
import { IpmError, isIpmError } from "../core/errors.ts";
import { type CommitSha, type ToolName, isCommitSha } from "../core/ids.ts";
import { storeOf } from "../source/git-store.ts";
import type { CompiledIndex, IndexMeta } from "./compile-index.ts";
import { INDEX_FORMAT, IndexFile, bytesAsFile } from "./index-file.ts";
import { type OpenRegistry, openFrom, openIndex, plainFile } from "./open-registry.ts";
import type { ConfiguredRegistry } from "./read-config.ts";
import type { RegistryContext } from "./registry-context.ts";
import { REGISTRY_FILE, findRegistryRoot, folderTree } from "./registry-tree.ts";

/** Below this age a file may change again without a sign: two writes in one tick of the clock look the same. */
const RACY_MS = 1_000;

/** Folder of the cache for one configured registry. */
export function registryCache(context: RegistryContext, id: ToolName): string {
  return path.join(context.host.homes.cache, "registries", id);
}

function checkId(registry: ConfiguredRegistry, meta: IndexMeta): void {
  if (meta.id === registry.id) return;
  throw new IpmError(
    "REGISTRY_INVALID",
    `the registry ${registry.id} (${registry.location}) now calls itself "${meta.id}"`,
    {
      hint: `ipm registry remove ${registry.id}, then add it again if that is right`,
      data: { id: registry.id, found: meta.id },
    },
  );
}

/**
 * Put an index into the cache and open it; a cache that cannot be written to is no reason to fail.
 * @throws IpmError REGISTRY_INVALID when it is the index of a registry with another id
 */
export async function keepIndex(
  context: RegistryContext,
  registry: ConfiguredRegistry,
  { meta, bytes }: CompiledIndex,
  key: string,
): Promise<IndexFile> {
  checkId(registry, meta);
  const { files } = context.host;
  const folder = registryCache(context, registry.id);
  const name = indexName(key);
  try {
    await files.createFolder(folder);
    await files.writeDurably(path.join(folder, name), bytes);
    for (const other of await files.list(folder)) {
      // Somebody who has an older one open goes on reading it; who opens it now builds it again.
      if (other.endsWith(".index") && other !== name) await files.remove(path.join(folder, other));
    }
  } catch (error) {
    if (!isIpmError(error, "IO_FAILED") && !isIpmError(error, "DISK_FULL")) throw error;
  }
  return new IndexFile(bytesAsFile(bytes));
}

function indexName(key: string): string {
  return `${key.slice(0, 24)}.index`;
}

/** What an index is made from, and by what: the name of the only index that fits. */
function keyOf(context: RegistryContext, state: string): string {
  return sha256Hex(`${INDEX_FORMAT}\n${context.build}\n${state}`);
}

/**
 * A registry that is a folder. Its index is in the cache under a digest of names, sizes and times; whatever changes in
 * the folder is seen by the next command.
 * @throws IpmError REGISTRY_INVALID when the folder is no registry, or one of another id
 */
export async function openFolder(context: RegistryContext, registry: ConfiguredRegistry): Promise<OpenRegistry> {
  const { files } = context.host;
  const root = await findRegistryRoot(files, registry.location);
  if (root === undefined) {
    throw new IpmError(
      "REGISTRY_INVALID",
      `the registry ${registry.id}: ${registry.location} has no ${REGISTRY_FILE}`,
      {
        hint: `ipm registry remove ${registry.id}`,
        data: { id: registry.id, path: registry.location },
      },
    );
  }
  const tree = folderTree(files, root);
  const listed = await tree.list();
  const key = keyOf(context, `${root}\n${listed.map((file) => `${file.path} ${file.stamp}\n`).join("")}`);
  const newest = Math.max(...listed.map((file) => file.changedMs));
  const compile = async (): Promise<IndexFile> => {
    const { compileIndex } = await import("./compile-index.ts");
    const compiled = await compileIndex(tree, key);
    if (Math.abs(context.host.now().getTime() - newest) >= RACY_MS) return keepIndex(context, registry, compiled, key);
    checkId(registry, compiled.meta);
    return new IndexFile(bytesAsFile(compiled.bytes));
  };
  return openFrom(
    {
      open: () => openIndex(files, path.join(registryCache(context, registry.id), indexName(key)), key),
      rebuild: compile,
    },
    {
      id: registry.id,
      kind: "folder",
      location: registry.location,
      file: async (file) => plainFile(files, root, file),
    },
  );
}

/** What the last `ipm update` brought, beside the index. */
export interface FetchedState {
  readonly url: string;
  readonly ref: string;
  readonly commit: CommitSha;
  /** ISO time. */
  readonly fetched: string;
}

function fetchedFile(context: RegistryContext, id: ToolName): string {
  return path.join(registryCache(context, id), "fetched.json");
}

/** What has been fetched of a registry, or undefined when nothing has, or from another URL. */
export async function readFetched(
  context: RegistryContext,
  registry: ConfiguredRegistry,
): Promise<FetchedState | undefined> {
  const text = await context.host.files.readText(fetchedFile(context, registry.id));
  if (text === undefined) return undefined;
  let state: unknown;
  try {
    state = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof state !== "object" || state === null) return undefined;
  if (!("url" in state && "ref" in state && "commit" in state && "fetched" in state)) return undefined;
  const { url, ref, commit, fetched } = state;
  if (url !== registry.location || typeof ref !== "string" || typeof fetched !== "string") return undefined;
  return typeof commit === "string" && isCommitSha(commit) ? { url, ref, commit, fetched } : undefined;
}

/** Say what has been fetched; from now on look-ups use it. */
export async function writeFetched(context: RegistryContext, id: ToolName, state: FetchedState): Promise<void> {
  await context.host.files.writeDurably(fetchedFile(context, id), `${JSON.stringify(state)}\n`);
}

/** Compile what the store of a URL holds at a commit, and the key that its index has. */
export async function compileCommit(
  context: RegistryContext,
  url: string,
  commit: CommitSha,
): Promise<{ readonly compiled: CompiledIndex; readonly key: string }> {
  const { compileIndex } = await import("./compile-index.ts");
  const { openGitTree } = await import("./git-tree.ts");
  const key = keyOf(context, commit);
  const tree = await openGitTree(context, storeOf(context, url), commit, url);
  return { compiled: await compileIndex(tree, key), key };
}

/**
 * A registry that is a git repository, at the commit that the last update fetched. No network.
 * @throws IpmError REGISTRY_NOT_UPDATED when nothing has been fetched yet
 */
export async function openGit(context: RegistryContext, registry: ConfiguredRegistry): Promise<OpenRegistry> {
  const state = await readFetched(context, registry);
  if (state === undefined) {
    throw new IpmError("REGISTRY_NOT_UPDATED", `the registry ${registry.id} has never been fetched`, {
      hint: "ipm update",
      data: { id: registry.id },
    });
  }
  const folder = registryCache(context, registry.id);
  const key = keyOf(context, state.commit);
  return openFrom(
    {
      open: () => openIndex(context.host.files, path.join(folder, indexName(key)), key),
      rebuild: async () => {
        const { compiled, key: made } = await compileCommit(context, registry.location, state.commit);
        return keepIndex(context, registry, compiled, made);
      },
    },
    {
      id: registry.id,
      kind: "git",
      location: registry.location,
      file: async (file) => {
        const { openGitTree } = await import("./git-tree.ts");
        const tree = await openGitTree(context, storeOf(context, registry.location), state.commit, registry.location);
        return tree.extract(file, path.join(folder, "files"));
      },
    },
  );
}
