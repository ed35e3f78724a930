import path from "node:path";
import { IpmError, isIpmError } from "../core/errors.ts";
import { forgeUrl, parseGitUrl } from "../core/git-url.ts";
import type { ToolName } from "../core/ids.ts";
import { staticUrl } from "../core/static-url.ts";
import { escapeUntrusted, redactCredentials, shownUrl } from "../core/untrusted-text.ts";
import type { Finding } from "../manifest/finding.ts";
import { fetchRoot, fromFirstOf, refuseOffline } from "./fetch-static.ts";
import { openFolder } from "./open-folder.ts";
import { openGit, readFetched } from "./open-git.ts";
import { type OpenRegistry, openEmbedded } from "./open-registry.ts";
import { openStatic } from "./open-static.ts";
import { type ConfiguredRegistry, placesOf, readConfig } from "./read-config.ts";
import type { RegistryContext } from "./registry-context.ts";
import { configFile, registryCache } from "./registry-places.ts";
import { REGISTRY_FILE, findRegistryRoot, folderTree } from "./registry-tree.ts";
import { readStaticState } from "./static-state.ts";
import { unknownRegistry } from "./update-registries.ts";
import { updateStatic } from "./update-static.ts";

// A YAML parser is loaded when the configuration is written, and what compiles when there is something to compile.
async function addToConfig(context: RegistryContext, registry: ConfiguredRegistry): Promise<void> {
  const edit = await import("./edit-config.ts");
  await edit.addToConfig(context, registry);
}

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
  const published = staticUrl(typed);
  if (published !== undefined) return { kind: "static", location: published };
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
  const { readRegistryFile } = await import("./registry-entries.ts");
  const { indexFolder } = await import("./folder-index.ts");
  const { seeFolder } = await import("./see-folder.ts");
  const tree = folderTree(files, root);
  const { id } = await readRegistryFile(tree, await tree.list([]));
  const registry: ConfiguredRegistry = { id, kind: "folder", location };
  checkNew((await readConfig(context)).registries, registry);
  // Kept, so that the first look-up need not do it again.
  const { meta, findings, index } = await indexFolder(
    context,
    registry,
    tree,
    await seeFolder(context, tree),
    undefined,
  );
  index.close();
  await addToConfig(context, registry);
  return { ...registry, name: meta.name, entries: meta.entries, findings, configFile: configFile(context) };
}

/** @throws IpmError TARGET_INVALID */
function mirrorUrls(mirrors: readonly string[]): string[] {
  return mirrors.map((typed) => {
    const url = staticUrl(typed);
    if (url !== undefined) return url;
    throw new IpmError("TARGET_INVALID", `${escapeUntrusted(redactCredentials(typed))} is not the URL of a mirror`, {
      hint: "a mirror is an https address without a password",
    });
  });
}

async function addStatic(
  context: RegistryContext,
  location: string,
  mirrors: readonly string[],
): Promise<AddedRegistry> {
  refuseOffline(context, "the registry", "run the command without --offline");
  const unnamed = { kind: "static" as const, location, ...(mirrors.length === 0 ? {} : { mirrors }) };
  const { id } = await fromFirstOf(context, placesOf({ ...unnamed, id: "registry" }), async (place) => {
    const fetched = await fetchRoot(context, place, undefined);
    // Without a question there is always an answer.
    if (fetched === undefined) throw new TypeError("a root that was never fetched cannot be the same");
    return fetched.root;
  });
  const registry: ConfiguredRegistry = { id, ...unnamed };
  checkNew((await readConfig(context)).registries, registry);
  const { state } = await updateStatic(context, registry);
  await addToConfig(context, registry);
  const { name, entries } = state;
  return { ...registry, name, entries, findings: [], configFile: configFile(context) };
}

/** Answers of a server that is none of a static registry, but may be one of a git repository. */
const MAY_BE_GIT: ReadonlySet<string> = new Set(["FETCH_FAILED", "REGISTRY_NOT_DATA", "REGISTRY_REDIRECTED"]);

/** An https URL may be either; only those of git end with `.git`. */
async function addByAnswer(
  context: RegistryContext,
  location: string,
  mirrors: readonly string[],
): Promise<AddedRegistry> {
  const published = location.endsWith(".git") ? undefined : staticUrl(location);
  if (published === undefined) return addGit(context, location);
  try {
    return await addStatic(context, published, mirrors);
  } catch (error) {
    if (!isIpmError(error) || !MAY_BE_GIT.has(error.code) || mirrors.length > 0) throw error;
    return addGit(context, location);
  }
}

async function addGit(context: RegistryContext, location: string): Promise<AddedRegistry> {
  const { compileCommit, writeFetched } = await import("./compile-git.ts");
  const { fetchTip } = await import("./update-git.ts");
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
 * @param typed the URL of a git repository or of a static registry, `owner/repo` (the forge), or a folder (begins with
 *   `/`, `.` or `~`)
 * @param mirrors URLs that a static registry is served from as well
 * @throws IpmError USAGE, TARGET_INVALID, REGISTRY_INVALID, REGISTRY_EXISTS, FETCH_FAILED, SOURCE_REFUSED, CONFIG_INVALID, and
 *   those of `updateStatic`
 */
export async function addRegistry(
  context: RegistryContext,
  typed: string,
  mirrors: readonly string[] = [],
): Promise<AddedRegistry> {
  const { kind, location } = locate(context, typed);
  const others = mirrorUrls(mirrors);
  // A configuration that cannot be read is said before anything is fetched.
  await readConfig(context);
  if (kind === "folder") return addFolder(context, location);
  if (kind === "static") return addStatic(context, location, others);
  const isTyped = forgeUrl(typed) === null;
  return isTyped ? addByAnswer(context, location, others) : addGit(context, location);
}

/**
 * Take a registry out of `config.yaml`, and what the cache holds of it. What was installed from it stays.
 * @throws IpmError REGISTRY_NOT_FOUND, CONFIG_INVALID
 */
export async function removeRegistry(context: RegistryContext, id: string): Promise<ConfiguredRegistry> {
  const { registries } = await readConfig(context);
  const registry = registries.find((each) => each.id === id);
  if (registry === undefined) throw unknownRegistry(id, registries);
  const { removeFromConfig } = await import("./edit-config.ts");
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
    // A folder is compared as a whole only when something is read.
    await registry.read(() => undefined);
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
    const published = kind === "static" ? await readStaticState(context, registry) : undefined;
    const open = { git: openGit, folder: openFolder, static: openStatic }[kind];
    const one = await describe(() => open(context, registry), about);
    listed.push({ ...one, commit: state?.commit ?? null, fetched: (state ?? published)?.fetched ?? null });
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
