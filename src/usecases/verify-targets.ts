import { createHash } from "node:crypto";
import path from "node:path";
import { canonicalJson, sha256Hex } from "../core/canonical-json.ts";
import { IpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { formatFinding } from "../manifest/finding.ts";
import { parseManifest } from "../manifest/parse-manifest.ts";
import { lockFilesOf } from "../plan/lock-files.ts";
import { methodsOf } from "../manifest/methods-of.ts";
import type { ManifestSource, VersionSource } from "../manifest/schema.ts";
import { MANIFEST_FILE, PACKAGES, REGISTRY_FILE, findRegistryRoot, folderTree } from "../registry/registry-tree.ts";
import { buildGitConfig } from "../source/git-config.ts";
import { configFileOf } from "../source/git-store.ts";
import type { Context, PlanOptions } from "./context.ts";
import { type ResolvedTarget, openTargets } from "./resolve-target.ts";
import { sourceContext } from "./source-context.ts";

/** One version of one tool that is to be verified. */
export interface VerifySubject {
  readonly name: string;
  readonly version: string;
  /** As an installation is asked for it outside of a clean room. */
  readonly target: string;
  /** The entry, for a clean room's registry; null where only the target leads to the source. */
  readonly entry: ManifestSource | null;
  /** Its manifest, to choose methods from. */
  readonly manifest: ManifestSource;
  /** Absolute path of the entry's bundle, or null. */
  readonly bundle: string | null;
  /** Files of the locks: path below the entry's own folder to absolute path. */
  readonly locks: Readonly<Record<string, string>>;
  /** Root of the registry folder that its attestations belong into, or null. */
  readonly registryRoot: string | null;
}

/** `2/5`: the second of five parts. */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

export interface SelectOptions {
  readonly all: boolean;
  /** A commit, tag or branch of the registry's repository: only what has changed since. */
  readonly changed: string | null;
  readonly shard: Shard | null;
}

const GIT_TIMEOUT_MS = 60_000;

/** Read `I/N`. @throws IpmError USAGE */
export function parseShard(text: string): Shard {
  const [index = 0, of = 0] = /^[0-9]{1,5}\/[0-9]{1,5}$/u.test(text) ? text.split("/").map(Number) : [];
  if (index >= 1 && index <= of) return { index, of };
  throw new IpmError("USAGE", `--shard takes I/N with I from 1 to N, not ${JSON.stringify(text)}`, {
    hint: "--shard 1/4",
  });
}

/** True when a tool belongs to a part: by its name alone, so that adding one moves no other. */
export function isInShard(name: string, { index, of }: Shard): boolean {
  return Number.parseInt(sha256Hex(name).slice(0, 8), 16) % of === index - 1;
}

function isPinned(...pins: readonly (string | undefined)[]): boolean {
  return pins.every((pin) => pin !== undefined);
}

function pinOf({ commit, tree, integrity, lock }: VersionSource): string {
  return [commit, tree, integrity, lock].join(" ");
}

function isOffered(version: VersionSource): boolean {
  return (
    version.withdrawn === undefined &&
    (isPinned(version.commit, version.tree) || isPinned(version.integrity, version.lock))
  );
}

/**
 * Which versions a change of a manifest asks to verify: those that are new or pinned otherwise; all of them when anything
 * else that is run has changed.
 */
export function changedVersions(before: ManifestSource | undefined, after: ManifestSource): readonly string[] {
  const offered = after.versions.filter(isOffered);
  const rest = (manifest: ManifestSource): string =>
    canonicalJson(
      JSON.parse(
        JSON.stringify({
          source: manifest.source,
          steps: manifest.steps,
          methods: manifest.methods,
          bin: manifest.bin,
          tests: manifest.tests,
          requires: manifest.requires,
          platforms: manifest.platforms,
        }),
      ),
    );
  if (before === undefined || rest(before) !== rest(after)) return offered.map(({ version }) => version);
  const pins = new Map(before.versions.map((item) => [item.version, pinOf(item)]));
  return offered.filter((item) => pins.get(item.version) !== pinOf(item)).map(({ version }) => version);
}

function parseOwn(bytes: Uint8Array, file: string): ManifestSource {
  const parsed = parseManifest(bytes, file);
  if (parsed.ok) return parsed.manifest;
  throw new IpmError("MANIFEST_INVALID", parsed.findings.map(formatFinding).join("\n"), {
    hint: "correct the lines that are shown, then run the command again",
    data: { findings: parsed.findings },
  });
}

async function demandRegistry(context: Context, folder: string): Promise<string> {
  const absolute = path.resolve(context.host.facts.cwd, folder);
  const root = await findRegistryRoot(context.host.files, absolute);
  if (root !== undefined) return (await context.host.files.realPath(root)) ?? root;
  throw new IpmError("REGISTRY_INVALID", `${escapeUntrusted(folder)} is not a registry: it has no ${REGISTRY_FILE}`, {
    hint: "name the registry's folder: ipm verify --all ./registry",
  });
}

/** Every folder above a path, and the path itself. */
function withAncestors(folder: string): string[] {
  const parent = path.dirname(folder);
  return parent === folder ? [folder] : [...withAncestors(parent), folder];
}

/** The work tree that a registry's folder stands in: the nearest folder with `.git`, itself or above; or undefined. */
async function workTreeOf(context: Context, root: string): Promise<string | undefined> {
  for (const folder of withAncestors(root).toReversed()) {
    if ((await context.host.files.facts(path.join(folder, ".git"))) !== undefined) return folder;
  }
  return undefined;
}

/**
 * Git in the user's own checkout of a registry: only objects are read, so that nothing of the repository's configuration
 * (filters, hooks, monitors) ever runs. Undefined when it fails.
 */
async function readRepository(context: Context, top: string, args: readonly string[]): Promise<Buffer | undefined> {
  const { host } = context;
  const access = { transports: [], safeDirectories: withAncestors(top), credentials: false, stallSeconds: 60 };
  const result = await host.git.run({
    args,
    cwd: top,
    // A file `.git` (linked work trees) is as good as a folder to git.
    gitDir: path.join(top, ".git"),
    configFile: await configFileOf(sourceContext(context), buildGitConfig(access, [], "/")),
    timeoutMs: GIT_TIMEOUT_MS,
    signal: host.signal,
  });
  return result.exitCode === 0 ? Buffer.from(result.stdout) : undefined;
}

/** A registry as its repository had it at a commit. */
interface Before {
  /** Ids of blobs by path below the registry's root. */
  readonly blobs: ReadonlyMap<string, string>;
  read(blob: string): Promise<Buffer | undefined>;
}

/** @throws IpmError USAGE when there is no such commit */
async function openBefore(context: Context, root: string, base: string): Promise<Before> {
  const top = await workTreeOf(context, root);
  const listed =
    top === undefined
      ? undefined
      : await readRepository(context, top, ["ls-tree", "-r", "-z", "--end-of-options", base]);
  if (top === undefined || listed === undefined) {
    throw new IpmError("USAGE", `--changed: ${escapeUntrusted(base)} is no commit of the registry's repository`, {
      hint: "name a branch, tag or commit, in a checkout with its history: --changed origin/main",
    });
  }
  const prefix = top === root ? "" : `${path.relative(top, root)}/`;
  const blobs = new Map<string, string>();
  for (const line of listed.toString("utf8").split("\0")) {
    const [, blob, file] = /^[0-9]{6} blob ([0-9a-f]{40}|[0-9a-f]{64})\t(.+)$/su.exec(line) ?? [];
    if (blob !== undefined && file?.startsWith(prefix) === true) blobs.set(file.slice(prefix.length), blob);
  }
  return { blobs, read: (blob) => readRepository(context, top, ["cat-file", "blob", blob]) };
}

/** True when a file is not byte by byte what git has as this blob. */
function isChanged(content: Uint8Array, blob: string | undefined): boolean {
  if (blob === undefined) return true;
  const hash = createHash(blob.length === 40 ? "sha1" : "sha256");
  return hash.update(`blob ${content.length}\0`).update(content).digest("hex") !== blob;
}

/** The versions of an entry whose plans can have changed since a commit. */
async function versionsSince(
  before: Before,
  file: { readonly path: string; readonly bytes: Uint8Array },
  manifest: ManifestSource,
): Promise<readonly string[]> {
  const blob = before.blobs.get(file.path);
  // A bundle's versions are pinned like those of a repository: what else is in it changes nothing. A lock is written anew
  // with a new version only.
  if (!isChanged(file.bytes, blob)) return [];
  const text = blob === undefined ? undefined : await before.read(blob);
  const parsed = text === undefined ? undefined : parseManifest(text, file.path);
  return changedVersions(parsed?.ok === true ? parsed.manifest : undefined, manifest);
}

/** The subjects of a registry's folder. */
async function subjectsOfRegistry(context: Context, folder: string, options: SelectOptions): Promise<VerifySubject[]> {
  const root = await demandRegistry(context, folder);
  const tree = folderTree(context.host.files, root);
  const manifests = (await tree.list()).filter(
    ({ path: file, kind }) => kind === "file" && file.startsWith(`${PACKAGES}/`) && file.endsWith(`/${MANIFEST_FILE}`),
  );
  const before = options.changed === null ? null : await openBefore(context, root, options.changed);
  const subjects: VerifySubject[] = [];
  for (const file of manifests) {
    const folderName = file.path.split("/")[1] ?? "";
    if (options.shard !== null && !isInShard(folderName, options.shard)) continue;
    const [bytes = new Uint8Array()] = await tree.read([file]);
    const manifest = parseOwn(bytes, file.path);
    if (manifest.kind === "library" || methodsOf(manifest).length === 0) continue;
    const versions =
      before === null
        ? manifest.versions.filter(isOffered).map(({ version }) => version)
        : await versionsSince(before, { path: file.path, bytes }, manifest);
    const { bundle } = manifest.source;
    const folder = path.join(root, path.dirname(file.path));
    for (const version of versions) {
      subjects.push({
        name: manifest.name,
        version,
        target: `${manifest.name}@${version}`,
        entry: manifest,
        manifest,
        bundle: bundle === undefined ? null : path.join(root, bundle),
        locks: locksIn(manifest, folder),
        registryRoot: root,
      });
    }
  }
  return subjects;
}

/** Where every lock of an entry lies, by its path below the entry's folder. */
function locksIn(manifest: ManifestSource, folder: string): Record<string, string> {
  const files = manifest.versions.flatMap((version) => lockFilesOf(manifest, version));
  return Object.fromEntries(files.map((file) => [file, path.join(folder, file)]));
}

/** The locks of a target's entry, those of other versions too: a clean room upgrades from the version before. */
async function locksOf({ entry, entryFile }: ResolvedTarget): Promise<Record<string, string>> {
  const locks: Record<string, string> = {};
  for (const file of entry.versions.flatMap((version) => lockFilesOf(entry, version)))
    locks[file] = await entryFile(file);
  return locks;
}

/** The registry that a manifest file stands in, or null. */
async function registryOf(context: Context, target: ResolvedTarget): Promise<string | null> {
  if (target.registry !== null || path.basename(target.again) !== MANIFEST_FILE) return null;
  const packages = path.resolve(target.again, "..", "..");
  const root = path.dirname(packages);
  const isRegistry = (await context.host.files.facts(path.join(root, REGISTRY_FILE)))?.kind === "file";
  return path.basename(packages) === PACKAGES && isRegistry ? root : null;
}

async function subjectOfTarget(context: Context, target: ResolvedTarget): Promise<VerifySubject> {
  const { request, entry } = target;
  // What a registry may hold can stand in a clean room's own; the rest is asked for as it was typed.
  const fits =
    target.fetched === null &&
    (request === null || request.kind === "bundle" || (request.kind === "git" && request.url.startsWith("https:")));
  return {
    name: entry.name,
    version: target.version,
    target: target.again,
    entry: fits ? entry : null,
    manifest: entry,
    bundle: request?.kind === "bundle" ? request.file : null,
    locks: fits ? await locksOf(target) : {},
    registryRoot: await registryOf(context, target),
  };
}

/**
 * What is to be verified: the targets, or everything (or everything that has changed) of one registry's folder, less what
 * other parts verify.
 * @throws IpmError USAGE, REGISTRY_INVALID, MANIFEST_INVALID, and those of look-ups
 */
export async function selectSubjects(
  context: Context,
  targets: readonly string[],
  options: SelectOptions,
  plan: PlanOptions,
): Promise<VerifySubject[]> {
  const { shard } = options;
  if (options.all || options.changed !== null) {
    const [folder, ...others] = targets;
    if (folder === undefined || others.length > 0) {
      throw new IpmError("USAGE", "--all and --changed take one registry's folder", {
        hint: "ipm verify --all ./registry",
      });
    }
    return subjectsOfRegistry(context, folder, options);
  }
  if (targets.length === 0) {
    throw new IpmError("USAGE", "nothing to verify was named", { hint: "ipm verify NAME, or ipm verify --all FOLDER" });
  }
  const resolved = await openTargets(context, targets, plan);
  const subjects: VerifySubject[] = [];
  for (const target of resolved) {
    if (shard === null || isInShard(target.entry.name, shard)) subjects.push(await subjectOfTarget(context, target));
  }
  return subjects;
}
