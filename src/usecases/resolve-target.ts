import path from "node:path";
import { IpmError, isIpmError } from "../core/errors.ts";
import { escapeUntrusted, redactCredentials } from "../core/untrusted-text.ts";
import { type CommitSha, isCommitSha } from "../core/ids.ts";
import { completeRepositoryManifest, unreleasedVersion } from "../manifest/complete-repository-manifest.ts";
import { formatFinding } from "../manifest/finding.ts";
import type { ManifestSource, RepositoryManifestSource, VersionSource } from "../manifest/schema.ts";
import { parsePackageReference } from "../manifest/package-reference.ts";
import { selectVersion } from "../manifest/select-version.ts";
import { packageRecipeOf } from "../plan/expand-steps.ts";
import { type LookUp, type Registries, openRegistries } from "../registry/open-registries.ts";
import { type Target, parseTarget } from "../source/parse-target.ts";
import type { FetchedCommit, PackageRequest, SourceRequest } from "../source/source.ts";
import type { AttestationSummary } from "../trust/attestation.ts";
import type { Context, PlanOptions } from "./context.ts";
import { fetchSource } from "./fetch-source.ts";
import { findNearestVersion } from "./nearest-version.ts";
import { registryContext } from "./registry-context.ts";

/** A target that has been looked up: which version of which entry, and where its source is. */
export interface ResolvedTarget {
  /** As typed, without credentials. */
  readonly typed: string;
  /** A target that means exactly this again, from any folder. */
  readonly again: string;
  readonly entry: ManifestSource;
  readonly version: string;
  /** The user named this version (or a ref); otherwise it is the newest. */
  readonly explicitVersion: boolean;
  /** Registry id, or null for a repository, folder or file outside of any. */
  readonly registry: string | null;
  readonly embedded: boolean;
  /** Nobody wrote its manifest: it was drafted from the repository. */
  readonly drafted: boolean;
  /** What its registry has verified; nothing for a target outside of any, whatever its repository holds. */
  readonly attestations: readonly AttestationSummary[];
  /** Where the checkout comes from; null for a version that is pinned as a package alone. */
  readonly request: SourceRequest | null;
  /** The lock of the ecosystem's package; null for a version without. */
  readonly package: PackageRequest | null;
  /** The absolute path of a file beside the entry's manifest. @throws IpmError when it is not there */
  readonly entryFile: (file: string) => Promise<string>;
  /** The checkout, already opened where finding the manifest needed it. */
  readonly fetched: FetchedCommit | null;
  /** The tag that the steps see, where the manifest does not tell it. */
  readonly tag?: string | null;
  /** What the reader of the plan should know about how it was found. */
  readonly notices: readonly string[];
}

const MANIFEST_IN_REPOSITORY = "ipm.yaml";
const MAX_MANIFEST_BYTES = 1024 * 1024;

function pickVersion(entry: ManifestSource, wanted: string | null): VersionSource {
  const choice = selectVersion(entry, wanted);
  if (choice.ok) return choice.version;
  const suggestion = choice.suggestions[0];
  throw new IpmError(
    choice.reason === "withdrawn" ? "VERSION_WITHDRAWN" : "VERSION_NOT_FOUND",
    `${entry.name} ${escapeUntrusted(choice.message)}`,
    {
      hint: suggestion === undefined ? `ipm show ${entry.name}` : `ipm install ${entry.name}@${suggestion}`,
      data: { name: entry.name, wanted, suggestions: choice.suggestions },
    },
  );
}

type Requests = Pick<ResolvedTarget, "request" | "package">;

/**
 * Where the sources of a version are.
 * @param fileOf the absolute path of a file of the registry
 * @param entryFile the absolute path of a file beside the manifest
 */
async function requestsOf(
  entry: ManifestSource,
  version: VersionSource,
  fileOf: (file: string) => Promise<string>,
  entryFile: ResolvedTarget["entryFile"],
  named: boolean,
): Promise<Requests> {
  const { git, bundle, package: package_ } = entry.source;
  const { commit, tree, integrity, lock: place } = version;
  const ref = version.ref ?? null;
  const modules = entry.source.submodules === undefined ? {} : { submodules: entry.source.submodules };
  const requests: { request: SourceRequest | null; package: PackageRequest | null } = { request: null, package: null };
  if (commit !== undefined && tree !== undefined) {
    if (bundle !== undefined)
      requests.request = { kind: "bundle", file: await fileOf(bundle), name: bundle, ref, commit, tree, ...modules };
    else if (git !== undefined) requests.request = { kind: "git", url: git, ref, commit, tree, named, ...modules };
  }
  const reference = package_ === undefined ? undefined : parsePackageReference(package_);
  if (package_ !== undefined && reference !== undefined && integrity !== undefined && place !== undefined) {
    const lock: Record<string, string> = {};
    for (const name of packageRecipeOf(reference).lockFiles) lock[name] = await entryFile(`${place}/${name}`);
    requests.package = { kind: "package", package: package_, version: version.version, integrity, lock };
  }
  if (requests.request !== null || requests.package !== null) return requests;
  throw new IpmError("MANIFEST_INVALID", `${entry.name} ${version.version} has no pin to install`, {
    hint: `ipm show ${entry.name}`,
  });
}

async function fromRegistry(found: LookUp, typed: string, wanted: string | null): Promise<ResolvedTarget> {
  const version = pickVersion(found.entry, wanted);
  const library =
    found.entry.kind === "library" || (found.entry.methods === undefined && found.entry.steps === undefined);
  const entryFile = (file: string): Promise<string> =>
    found.bundleFile(`${path.posix.dirname(found.manifestFile)}/${file}`);
  return {
    typed,
    again: `${found.registry}:${found.entry.name}@${version.version}`,
    entry: found.entry,
    version: version.version,
    explicitVersion: wanted !== null,
    registry: found.registry,
    embedded: found.embedded,
    drafted: false,
    attestations: found.attestations,
    // A library needs no pin: it installs nothing.
    ...(library
      ? { request: null, package: null }
      : await requestsOf(found.entry, version, (file) => found.bundleFile(file), entryFile, !found.embedded)),
    entryFile,
    fetched: null,
    notices:
      found.how === "name"
        ? []
        : [
            `${escapeUntrusted(typed)} is ${found.how === "formerly" ? "now called" : found.how === "alias" ? "another name of" : "in the registry as"} ${found.entry.name}`,
          ],
  };
}

/** True for what `NAME@` may be followed by where an entry follows a branch: the newest commit, or any by its whole id. */
function isUnreleased(entry: ManifestSource, wanted: string | null): wanted is string {
  const { git, track } = entry.source;
  if (wanted === null || git === undefined || track === undefined) return false;
  return commitOf(wanted) !== undefined && entry.versions.every(({ version }) => version !== wanted);
}

/** `HEAD` is the newest commit (null), `HEAD-<40 hex>` what that once was, forty digits just a commit. */
function commitOf(wanted: string): CommitSha | null | undefined {
  if (wanted === "HEAD") return null;
  const id = wanted.replace(/^HEAD-/u, "");
  return isCommitSha(id) ? id : undefined;
}

/**
 * A commit of the branch that an entry follows, by the entry's own recipe: nobody has released it, and nobody has looked
 * at it, whatever the registry has verified of its versions.
 */
async function fromBranch(
  context: Context,
  found: LookUp,
  typed: string,
  wanted: string,
  options: PlanOptions,
): Promise<ResolvedTarget> {
  const { entry, registry, embedded } = found;
  const { git = "", track = "", submodules } = entry.source;
  const request: SourceRequest = {
    kind: "git",
    url: git,
    ref: `refs/heads/${track}`,
    commit: commitOf(wanted) ?? null,
    tree: null,
    named: !embedded,
    ...(submodules === undefined ? {} : { submodules }),
  };
  const fetched = await fetchSource(context, request, typed, options.offline);
  const { commit, tree } = fetched;
  const version = unreleasedVersion(commit);
  const released = await fromRegistry({ ...found, embedded: false, attestations: [] }, typed, null);
  return {
    ...released,
    again: `${registry}:${entry.name}@${wanted.startsWith("HEAD") ? "HEAD-" : ""}${commit}`,
    // The newest: what is for "this version and newer" is for it too.
    entry: { ...entry, versions: [{ version, ref: `refs/heads/${track}`, commit, tree }, ...entry.versions] },
    version,
    explicitVersion: true,
    request,
    package: null,
    fetched,
    notices: [
      ...released.notices,
      wanted === "HEAD"
        ? `unreleased: the newest commit of ${escapeUntrusted(track)}, which nobody has verified`
        : "unreleased: a commit that nobody has verified",
    ],
  };
}

/** The version of an entry that a ref of its repository means: its own name, its tag, or its commit. */
function versionOfRef(entry: ManifestSource, ref: string): string | undefined {
  return entry.versions.find(
    (version) =>
      version.version === ref || version.ref === ref || version.ref === `refs/tags/${ref}` || version.commit === ref,
  )?.version;
}

/** `v2.1.0` and `2.1.0` as the version that a tag stands for; anything else is not one. */
function versionOfTag(ref: string | null): string | null {
  return /^refs\/tags\/v?(\d+(?:\.\d+)*(?:[-.+][A-Za-z0-9.+-]+)?)$/u.exec(ref ?? "")?.[1] ?? null;
}

function demandManifest<Value>(
  result:
    | { ok: true; manifest: Value }
    | { ok: false; findings: Parameters<typeof formatFinding>[0][] | readonly Parameters<typeof formatFinding>[0][] },
): Value {
  if (result.ok) return result.manifest;
  throw new IpmError("MANIFEST_INVALID", result.findings.map(formatFinding).join("\n"), {
    hint: "correct the lines that are shown; docs/manifest.md describes each key",
    data: { findings: result.findings },
  });
}

/** The manifest of a repository: its own `ipm.yaml`, else what detection makes of it. */
interface RepositoryManifest {
  readonly manifest: RepositoryManifestSource;
  readonly drafted: boolean;
  /** Submodules that a drafted build needs. */
  readonly submodules: readonly string[];
  readonly notices: readonly string[];
}

async function manifestOfSource(
  fetched: FetchedCommit,
  where: string,
  options: PlanOptions,
): Promise<RepositoryManifest> {
  const bytes = await fetched.readFile(MANIFEST_IN_REPOSITORY, MAX_MANIFEST_BYTES);
  // Loaded where it is needed: it costs more than the rest of an installation from a registry, which has entries parsed.
  const { parseManifest } = await import("../manifest/parse-manifest.ts");
  if (bytes !== undefined) {
    return {
      manifest: demandManifest(parseManifest(bytes, MANIFEST_IN_REPOSITORY, { kind: "repository", named: true })),
      drafted: false,
      submodules: [],
      notices: [`its manifest is the repository's own ${MANIFEST_IN_REPOSITORY}`],
    };
  }
  const shown = escapeUntrusted(redactCredentials(where));
  const { draftSource, repositoryName } = await import("./draft.ts");
  const draft = await draftSource(fetched, { name: repositoryName(where), git: null, versions: [] });
  if (draft === undefined) {
    throw new IpmError(
      "MANIFEST_MISSING",
      `${shown} is in no registry, has no ${MANIFEST_IN_REPOSITORY}, and no recipe sees how to install it`,
      {
        hint: `write an ${MANIFEST_IN_REPOSITORY} into it (docs/manifest.md), or look for it: ipm search WORDS`,
        data: { source: redactCredentials(where) },
      },
    );
  }
  if (options.noSandbox && !options.allowUnverified) {
    throw new IpmError("UNVERIFIED", `a manifest drafted from ${shown} runs in the sandbox only`, {
      hint: "leave --no-sandbox out; if you trust the repository, add --allow-unverified",
      data: { source: redactCredentials(where) },
    });
  }
  const chosen = draft.candidates[draft.chosen];
  return {
    manifest: demandManifest(
      parseManifest(new TextEncoder().encode(draft.text), "draft.yaml", { kind: "repository", named: true }),
    ),
    drafted: true,
    submodules: draft.submodules,
    notices: [
      "drafted from the repository, not verified: it has no manifest",
      ...(chosen === undefined ? [] : [`seen: ${chosen.evidence.join(", ")}`, ...chosen.doubts]).map(escapeUntrusted),
    ],
  };
}

/** What was fetched with the submodules that its build needs, where they can be had; else as it is. */
async function withSubmodules(
  context: Context,
  request: SourceRequest,
  fetched: FetchedCommit,
  submodules: readonly string[],
  typed: string,
  options: PlanOptions,
): Promise<FetchedCommit> {
  if (request.kind !== "git" || submodules.length === 0) return fetched;
  const { commit, tree, ref } = fetched;
  try {
    return await fetchSource(context, { ...request, ref, commit, tree, submodules }, typed, options.offline);
  } catch (error) {
    if (!isIpmError(error) || error.code === "INTERRUPTED") throw error;
    // The plan says which folders stay empty; perhaps the build does without.
    context.emit({
      type: "warning",
      code: error.code,
      message: `its submodules cannot be had: ${error.message.split("\n")[0] ?? ""}`,
    });
    return fetched;
  }
}

async function fromSource(
  context: Context,
  request: SourceRequest,
  typed: string,
  options: PlanOptions,
): Promise<ResolvedTarget> {
  const where = request.kind === "git" ? request.url : request.kind === "folder" ? request.path : request.file;
  const bare = await fetchSource(context, request, typed, options.offline);
  const { manifest, drafted, submodules, notices } = await manifestOfSource(bare, where, options);
  const fetched = await withSubmodules(context, request, bare, submodules, typed, options);
  const entry = completeRepositoryManifest(manifest, {
    git: request.kind === "git" ? request.url : null,
    ...(fetched === bare ? {} : { submodules }),
    version: versionOfTag(fetched.ref),
    ref: fetched.ref,
    commit: fetched.commit,
    tree: fetched.tree,
  });
  const version = entry.versions[0]?.version ?? "";
  // Tools derive their version from tags, also between two of them.
  const nearest =
    request.kind === "git" && fetched.ref?.startsWith("refs/tags/") !== true && !options.offline
      ? await findNearestVersion(context, { url: request.url, commit: fetched.commit }, entry.name, typed)
      : undefined;
  return {
    tag: nearest?.tag ?? null,
    typed,
    again: request.kind === "git" ? `${request.url}@${fetched.commit}` : where,
    entry,
    version,
    explicitVersion: true,
    registry: null,
    embedded: false,
    drafted,
    attestations: [],
    request,
    package: null,
    entryFile: (file) => {
      throw new TypeError(`${where} is no registry to have ${file}`);
    },
    fetched,
    notices: [...notices, ...(fetched.dirty ? ["the folder holds changes that are in no commit"] : [])],
  };
}

async function fromRepository(
  context: Context,
  registries: Registries,
  { url, ref }: Extract<Target, { kind: "git" }>,
  typed: string,
  options: PlanOptions,
): Promise<ResolvedTarget> {
  const found = await registries.lookUpSource(url);
  if (found !== undefined) {
    const wanted = ref === null ? null : versionOfRef(found.entry, ref);
    if (wanted !== undefined) return fromRegistry(found, typed, wanted);
  }
  return fromSource(context, { kind: "git", url, ref, commit: null, tree: null, named: true }, typed, options);
}

/** A manifest file that the user named: everything a registry's entry is, without anybody's review. */
async function fromManifestFile(context: Context, file: string, typed: string): Promise<ResolvedTarget> {
  const bytes = await context.host.files.readBytes(file);
  if (bytes === undefined)
    throw new IpmError("TARGET_INVALID", `${escapeUntrusted(file)} does not exist`, { hint: "name an existing file" });
  const { parseManifest } = await import("../manifest/parse-manifest.ts");
  const entry = demandManifest(parseManifest(bytes, typed, { named: true }));
  // packages/<name>/manifest.yaml: a bundle's path counts from the registry's root.
  const root = path.resolve(path.dirname(file), "..", "..");
  const fileOf = async (wanted: string): Promise<string> => {
    const absolute = path.join(root, wanted);
    if ((await context.host.files.facts(absolute))?.kind === "file") return absolute;
    throw new IpmError(
      "TARGET_INVALID",
      `the file ${escapeUntrusted(wanted)} of ${escapeUntrusted(typed)} is not at ${escapeUntrusted(absolute)}`,
      {
        hint: "keep the manifest in packages/NAME/ of its registry, beside its locks",
      },
    );
  };
  const entryFile = (wanted: string): Promise<string> =>
    fileOf(path.relative(root, path.join(path.dirname(file), wanted)));
  const chosen = pickVersion(entry, null);
  return {
    typed,
    again: file,
    entry,
    version: chosen.version,
    explicitVersion: true,
    registry: null,
    embedded: false,
    drafted: false,
    attestations: [],
    ...(await requestsOf(entry, chosen, fileOf, entryFile, true)),
    entryFile,
    fetched: null,
    notices: ["its manifest is a file that you named"],
  };
}

async function fromPath(
  context: Context,
  target: string,
  typed: string,
  options: PlanOptions,
): Promise<ResolvedTarget> {
  const { files, facts: host } = context.host;
  // `~` alone and `~/` are the caller's home, also where no shell has replaced them.
  const home = host.env["HOME"];
  const expanded = home !== undefined && /^~(?:\/|$)/u.test(target) ? path.join(home, target.slice(1)) : target;
  const real = await files.realPath(path.resolve(host.cwd, expanded));
  const facts = real === undefined ? undefined : await files.facts(real);
  if (real === undefined || facts === undefined) {
    throw new IpmError("TARGET_INVALID", `${escapeUntrusted(target)} does not exist`, {
      hint: "name an existing folder or manifest file",
    });
  }
  if (facts.kind === "file") return fromManifestFile(context, real, typed);
  if (facts.kind !== "folder")
    throw new IpmError("TARGET_INVALID", `${escapeUntrusted(target)} is neither a folder nor a file`, {
      hint: "name a folder or manifest file",
    });
  const own = await files.facts(path.join(real, MANIFEST_IN_REPOSITORY));
  const entry = path.join(real, "manifest.yaml");
  if (own === undefined && (await files.facts(entry)) !== undefined) return fromManifestFile(context, entry, typed);
  if (own === undefined && (await files.facts(path.join(real, "registry.yaml"))) !== undefined) {
    throw new IpmError("TARGET_INVALID", `${escapeUntrusted(target)} is a registry, not a tool`, {
      hint: `ipm registry add ${typed}`,
    });
  }
  return fromSource(context, { kind: "folder", path: real }, typed, options);
}

async function resolve(
  context: Context,
  registries: Registries,
  target: Target,
  typed: string,
  options: PlanOptions,
): Promise<ResolvedTarget> {
  if (target.kind === "git") return fromRepository(context, registries, target, typed, options);
  if (target.kind === "path") return fromPath(context, target.path, typed, options);
  const found =
    target.registry === null
      ? await registries.lookUp(target.name)
      : await registries.lookUpIn(target.registry, target.name);
  return isUnreleased(found.entry, target.version)
    ? fromBranch(context, found, typed, target.version, options)
    : fromRegistry(found, typed, target.version);
}

/**
 * Look targets up, in their order. Registries are only read; a repository or folder that is in none is fetched into the
 * cache for its own `ipm.yaml`, or drafted a manifest for.
 * @param onFailure told of a target that cannot be looked up, which is then left out; without it that is thrown
 * @throws IpmError TARGET_INVALID, TOOL_NOT_FOUND, NAME_AMBIGUOUS, VERSION_NOT_FOUND, VERSION_WITHDRAWN, MANIFEST_MISSING, …
 */
export async function openTargets(
  context: Context,
  targets: readonly string[],
  options: PlanOptions,
  onFailure?: (typed: string, error: IpmError) => void,
): Promise<ResolvedTarget[]> {
  const parsed = targets.map((typed) => ({
    typed: redactCredentials(typed),
    target: parseTarget(typed, options.ref ?? null),
  }));
  const registries = await openRegistries(registryContext(context));
  try {
    const resolved: ResolvedTarget[] = [];
    for (const { typed, target } of parsed) {
      try {
        resolved.push(await resolve(context, registries, target, typed, options));
      } catch (error) {
        if (onFailure === undefined || !isIpmError(error)) throw error;
        onFailure(typed, error);
      }
    }
    return resolved;
  } finally {
    registries.close();
  }
}
