import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { addVersion } from "../manifest/add-version.ts";
import { type Tier, tierOfChange } from "../manifest/change-tier.ts";
import { compareVersions } from "../manifest/compare-versions.ts";
import { formatFinding } from "../manifest/finding.ts";
import { parseManifest } from "../manifest/parse-manifest.ts";
import type { ManifestSource } from "../manifest/schema.ts";
import { newestVersion, taggedVersions } from "../manifest/version-of-tag.ts";
import { MANIFEST_FILE, PACKAGES, findRegistryRoot } from "../registry/registry-tree.ts";
import { listRefs } from "../source/list-refs.ts";
import type { Context } from "./context.ts";
import { fetchSource } from "./fetch-source.ts";
import { shownPath } from "./manifest-files.ts";
import { sourceContext } from "./source-context.ts";

export interface BumpResult {
  readonly name: string;
  /** The manifest, as it is shown. */
  readonly file: string;
  /** What was newest before. */
  readonly from: string;
  /** The version that was added, or null when there is no newer one. */
  readonly added: {
    readonly version: string;
    readonly ref: string;
    readonly commit: string;
    readonly tree: string;
  } | null;
  readonly tier: Tier;
  readonly written: boolean;
}

/** A manifest that belongs to the person who runs the command: a file, or an entry of the registry they stand in. */
export interface OwnManifest {
  /** Absolute. */
  readonly path: string;
  readonly shown: string;
  readonly text: string;
  readonly manifest: ManifestSource;
  /** Root of the registry that it lies in, or null. */
  readonly registry: string | null;
}

/** Read a manifest of a registry or file; every problem is in the error. @throws IpmError MANIFEST_INVALID */
export function demandOwnManifest(text: string, shown: string, named: boolean): ManifestSource {
  const parsed = parseManifest(new TextEncoder().encode(text), shown, { named });
  if (parsed.ok) return parsed.manifest;
  throw new IpmError("MANIFEST_INVALID", parsed.findings.map(formatFinding).join("\n"), {
    hint: `ipm lint ${shown}`,
    data: { findings: parsed.findings },
  });
}

/**
 * The manifest that a name or a path means: a file, `packages/NAME/manifest.yaml` of the registry in the current folder,
 * or `NAME.yaml` in it.
 * @throws IpmError MANIFEST_MISSING, MANIFEST_INVALID
 */
export async function findOwnManifest(context: Context, typed: string): Promise<OwnManifest> {
  const { files, facts } = context.host;
  const registry = await findRegistryRoot(files, facts.cwd);
  const candidates = [
    path.resolve(facts.cwd, typed),
    ...(registry === undefined || /[/\\]/u.test(typed) ? [] : [path.join(registry, PACKAGES, typed, MANIFEST_FILE)]),
    path.resolve(facts.cwd, `${typed}.yaml`),
  ];
  for (const candidate of candidates) {
    const place = (await files.facts(candidate))?.kind === "folder" ? path.join(candidate, MANIFEST_FILE) : candidate;
    if ((await files.facts(place))?.kind !== "file") continue;
    const text = (await files.readText(place)) ?? "";
    const shown = shownPath(facts.cwd, place);
    const root = path.dirname(path.dirname(path.dirname(place)));
    const own =
      (await findRegistryRoot(files, root)) === root && path.basename(path.dirname(path.dirname(place))) === PACKAGES;
    return { path: place, shown, text, manifest: demandOwnManifest(text, shown, !own), registry: own ? root : null };
  }
  throw new IpmError("MANIFEST_MISSING", `there is no manifest of ${escapeUntrusted(typed)} here`, {
    hint: "stand in the registry's folder, or name the file",
    data: { name: typed },
  });
}

/**
 * Add the newest release of an entry's source (or a version that is named) to its manifest: one entry, nothing else.
 * @param wanted a version of the source's tags, or null for the newest
 * @throws IpmError MANIFEST_MISSING, MANIFEST_INVALID, VERSION_NOT_FOUND, those of fetches
 */
export async function bump(
  context: Context,
  typed: string,
  wanted: string | null,
  dryRun: boolean,
): Promise<BumpResult> {
  const own = await findOwnManifest(context, typed);
  const { manifest } = own;
  const url = manifest.source.git;
  if (url === undefined) {
    throw new IpmError("MANIFEST_INVALID", `${manifest.name} has no git repository to look for releases in`, {
      hint: `add the version to ${own.shown} by hand`,
    });
  }
  const named = own.registry === null;
  const { commits } = await listRefs(sourceContext(context), { url, named }, { tool: manifest.name });
  const tagged = taggedVersions(commits, manifest.name);
  const from = manifest.versions[0]?.version ?? "";
  const known = new Set<string>(manifest.versions.map(({ version }) => version));
  const newest = newestVersion(tagged);
  const chosen =
    wanted === null
      ? newest !== undefined && !known.has(newest.version) && compareVersions(newest.version, from) > 0
        ? newest
        : undefined
      : tagged.find(({ version, ref }) => version === wanted || ref === `refs/tags/${wanted}`);
  if (wanted !== null && (chosen === undefined || known.has(chosen.version))) {
    throw new IpmError(
      "VERSION_NOT_FOUND",
      chosen === undefined
        ? `${manifest.name} has no tag for ${escapeUntrusted(wanted)}`
        : `${manifest.name} ${chosen.version} is in ${own.shown} already`,
      { hint: `git ls-remote --tags ${url}`, data: { wanted, tags: tagged.slice(0, 5).map(({ version }) => version) } },
    );
  }
  if (chosen === undefined)
    return { name: manifest.name, file: own.shown, from, added: null, tier: "none", written: false };
  const request = { kind: "git", url, ref: chosen.ref, commit: chosen.commit, tree: null, named } as const;
  const { commit, tree } = await fetchSource(context, request, `${manifest.name}@${chosen.version}`, false);
  const entry = {
    version: chosen.version,
    ref: chosen.ref,
    commit,
    tree,
    added: context.host.now().toISOString().slice(0, 10),
    ...(chosen.prerelease ? { prerelease: "true" as const } : {}),
  };
  const text = addVersion(own.text, entry);
  const after = demandOwnManifest(text, own.shown, named);
  if (!dryRun) await context.host.files.writeDurably(own.path, text);
  return {
    name: manifest.name,
    file: own.shown,
    from,
    added: { version: chosen.version, ref: chosen.ref, commit, tree },
    tier: tierOfChange(manifest, after),
    written: !dryRun,
  };
}
