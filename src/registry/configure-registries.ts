import path from "node:path";
import { IpmError, isIpmError } from "../core/errors.ts";
import { forgeUrl, parseGitUrl } from "../core/git-url.ts";
import type { ToolName } from "../core/ids.ts";
import { escapeUntrusted, redactCredentials } from "../core/untrusted-text.ts";
import type { Finding } from "../manifest/finding.ts";
import { shownUrl } from "../source/git-failure.ts";
import { addToConfig, removeFromConfig } from "./edit-config.ts";
import { registryCache } from "./index-set.ts";
import { openFolder } from "./open-folder.ts";
import { compileCommit, openGit, readFetched, writeFetched } from "./open-git.ts";
import { type OpenRegistry, openEmbedded } from "./open-registry.ts";
import { type ConfiguredRegistry, configFile, readConfig } from "./read-config.ts";
import type { RegistryContext } from "./registry-context.ts";
import { REGISTRY_FILE, findRegistryRoot, folderTree } from "./registry-tree.ts";
import { fetchTip, unknownRegistry } from "./update-registries.ts";

export interface AddedRegistry {
  readonly id: ToolName;
  readonly name: string;
  readonly kind: ConfiguredRegistry["kind"];
  readonly location: string;
  readonly entries: number;
  readonly findings: readonly Finding[];
  /** The file that was changed. */
  readonly configFile: string;
}

/** Where a registry is: what was typed, as a URL in normal form or an absolute folder. @throws IpmError TARGET_INVALID */
function locate(context: RegistryContext, typed: string): Pick<ConfiguredRegistry, "kind" | "location"> {
  const { cwd, env } = context.host.facts;
  if (typed.trim() === "") {
    throw new IpmError("USAGE", "registry add needs a URL or a folder", { hint: "ipm registry add URL-OR-FOLDER" });
  }
  if (/^(?:\.{0,2}\/|\.{1,2}$)/u.test(typed)) return { kind: "folder", location: path.resolve(cwd, typed) };
  const home = env["HOME"];
  if ((typed === "~" || typed.startsWith("~/")) && home !== undefined) {
    return { kind: "folder", location: path.resolve(home, typed.slice(2)) };
  }
  const url = forgeUrl(typed) ?? typed;
  const parsed = parseGitUrl(url);
  if (parsed.ok) return { kind: "git", location: url };
  const { message, suggestion } = parsed.problem;
  throw new IpmError("TARGET_INVALID", `the URL ${escapeUntrusted(redactCredentials(typed))} ${message}`, {
    hint: `ipm registry add ${suggestion === undefined ? "https://HOST/PATH, or ./FOLDER" : redactCredentials(suggestion)}`,
    data: { target: redactCredentials(typed) },
  });
}

function checkNew(configured: readonly ConfiguredRegistry[], added: ConfiguredRegistry): void {
  const same = configured.find((registry) => registry.id === added.id);
  if (same === undefined) return;
  throw new IpmError("REGISTRY_EXISTS", `a registry "${added.id}" is configured already: ${shownUrl(same.location)}`, {
    hint: `ipm registry remove ${added.id}`,
    data: { id: added.id, location: shownUrl(same.location) },
  });
}

async function addFolder(context: RegistryContext, location: string): Promise<AddedRegistry> {
  const { files } = context.host;
  const root = await findRegistryRoot(files, location);
  if (root === undefined && (await files.realPath(location)) === undefined) {
    throw new IpmError("TARGET_INVALID", `the folder ${escapeUntrusted(location)} does not exist`, {
      hint: "name an existing folder, or a git URL",
      data: { path: location },
    });
  }
  if (root === undefined) {
    throw new IpmError("REGISTRY_INVALID", `${location} is not a registry: it has no ${REGISTRY_FILE}`, {
      hint: "give the folder that holds registry.yaml, or its parent",
      data: { path: location },
    });
  }
  const { compileIndex } = await import("./compile-index.ts");
  const { meta, findings } = await compileIndex(folderTree(files, root), { key: "" });
  const registry: ConfiguredRegistry = { id: meta.id, kind: "folder", location };
  checkNew((await readConfig(context)).registries, registry);
  await addToConfig(context, registry);
  return { ...registry, name: meta.name, entries: meta.entries, findings, configFile: configFile(context) };
}

async function addGit(context: RegistryContext, location: string): Promise<AddedRegistry> {
  const { ref, commit } = await fetchTip(context, location, "registry");
  const { registries } = await readConfig(context);
  const compiled = await compileCommit(context, { id: null, kind: "git", location }, commit, null, (id) =>
    checkNew(registries, { id, kind: "git", location }),
  );
  compiled.index.close();
  const { meta, findings } = compiled;
  const registry: ConfiguredRegistry = { id: meta.id, kind: "git", location };
  await writeFetched(context, registry.id, {
    url: location,
    ref,
    commit,
    fetched: context.host.now().toISOString(),
  });
  await addToConfig(context, registry);
  return {
    ...registry,
    location: shownUrl(location),
    name: meta.name,
    entries: meta.entries,
    findings,
    configFile: configFile(context),
  };
}

/**
 * Add a registry to `config.yaml`, under the id that its `registry.yaml` gives. A git registry is fetched.
 * @param typed a git URL, `owner/repo` (the forge), or a folder (begins with `/`, `.` or `~`)
 * @throws IpmError USAGE, TARGET_INVALID, REGISTRY_INVALID, REGISTRY_EXISTS, FETCH_FAILED, SOURCE_REFUSED, CONFIG_INVALID
 */
export async function addRegistry(context: RegistryContext, typed: string): Promise<AddedRegistry> {
  const { kind, location } = locate(context, typed);
  // A configuration that cannot be read is said before anything is fetched.
  await readConfig(context);
  return kind === "folder" ? addFolder(context, location) : addGit(context, location);
}

/**
 * Take a registry out of `config.yaml`, and what the cache holds of it. What was installed from it stays.
 * @throws IpmError REGISTRY_NOT_FOUND, CONFIG_INVALID
 */
export async function removeRegistry(context: RegistryContext, id: string): Promise<ConfiguredRegistry> {
  const { registries } = await readConfig(context);
  const registry = registries.find((each) => each.id === id);
  if (registry === undefined) throw unknownRegistry(id, registries);
  await removeFromConfig(context, id);
  await context.host.files.remove(registryCache(context, registry.id));
  return { ...registry, location: shownUrl(registry.location) };
}

export interface ListedRegistry {
  readonly id: ToolName;
  readonly kind: OpenRegistry["kind"];
  readonly location: string;
  /** Null for one that cannot be read. */
  readonly name: string | null;
  readonly entries: number | null;
  readonly sequence: number | null;
  /** Git only: what is used, and when it was fetched (ISO time). */
  readonly commit: string | null;
  readonly fetched: string | null;
  /** False when another registry of the same id is used in its place. One with a problem is still asked, and fails. */
  readonly used: boolean;
  /** Why it cannot be used; null for one that can. */
  readonly problem: IpmError | null;
}

async function describe(
  open: () => Promise<OpenRegistry>,
  about: Pick<ListedRegistry, "id" | "kind" | "location">,
): Promise<ListedRegistry> {
  const blank = { ...about, name: null, entries: null, sequence: null, commit: null, fetched: null, used: true };
  try {
    const registry = await open();
    registry.close();
    const { name, entries, sequence } = registry.meta;
    return { ...blank, name, entries, sequence, problem: null };
  } catch (error) {
    if (!isIpmError(error)) throw error;
    return { ...blank, problem: error };
  }
}

/**
 * Every registry, the embedded one first, then in the order of `config.yaml`. No network.
 * @throws IpmError CONFIG_INVALID
 */
export async function listRegistries(context: RegistryContext): Promise<ListedRegistry[]> {
  const { registries } = await readConfig(context);
  const listed: ListedRegistry[] = [];
  for (const registry of registries) {
    const { id, kind, location } = registry;
    const about = { id, kind, location: shownUrl(location) };
    const state = kind === "git" ? await readFetched(context, registry) : undefined;
    const open = (): Promise<OpenRegistry> =>
      kind === "git" ? openGit(context, registry) : openFolder(context, registry);
    const one = await describe(open, about);
    listed.push({ ...one, commit: state?.commit ?? null, fetched: state?.fetched ?? null });
  }
  if (context.embedded === null) return listed;
  const embedded = await openEmbedded(context.host.files, context.embedded);
  embedded.close();
  const { id, name, entries, sequence } = embedded.meta;
  const rival = listed.find((registry) => registry.id === id);
  const isReplaced = rival !== undefined && rival.sequence !== null && rival.sequence > sequence;
  const own: ListedRegistry = {
    id,
    kind: "embedded",
    location: context.embedded,
    name,
    entries,
    sequence,
    commit: null,
    fetched: null,
    used: !isReplaced,
    problem: null,
  };
  return [own, ...listed.map((each) => (each === rival ? { ...each, used: isReplaced } : each))];
}
