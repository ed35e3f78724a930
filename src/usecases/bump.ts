import { IpmError } from "../core/errors.ts";
import { type CommitSha, type TreeSha, isCommitSha } from "../core/ids.ts";
import { escapeUntrusted, shownUrl } from "../core/untrusted-text.ts";
import { addVersion } from "../manifest/add-version.ts";
import { tierOfChange } from "../manifest/change-tier.ts";
import { compareVersions } from "../manifest/compare-versions.ts";
import { newestVersion, taggedVersions } from "../manifest/version-of-tag.ts";
import { listRefs } from "../source/list-refs.ts";
import { type BumpResult } from "./bump-result.ts";
import { bumpPackage } from "./bump-package.ts";
import type { Context } from "./context.ts";
import { fetchSource } from "./fetch-source.ts";
import { type OwnManifest, demandOwnManifest, findOwnManifest } from "./own-manifest.ts";
import { sourceContext } from "./source-context.ts";

/**
 * Add the newest release of an entry's source (or a version that is named) to its manifest: one entry, nothing else. For
 * a repository whose branch is followed it is the newest commit, by its day; for a package its ecosystem is asked, and the version's lock is written beside the manifest.
 * @param wanted a version of the source, or null for the newest
 * @throws IpmError MANIFEST_MISSING, MANIFEST_INVALID, VERSION_NOT_FOUND, those of fetches and of `askEcosystem`
 */
export async function bump(
  context: Context,
  typed: string,
  wanted: string | null,
  dryRun: boolean,
): Promise<BumpResult> {
  const own = await findOwnManifest(context, typed);
  const { manifest } = own;
  if (manifest.source.package !== undefined) return bumpPackage(context, own, wanted, dryRun);
  const url = manifest.source.git;
  if (url === undefined) {
    throw new IpmError("MANIFEST_INVALID", `${manifest.name} has no git repository to look for releases in`, {
      hint: `add the version to ${own.shown} by hand`,
    });
  }
  const named = own.registry === null;
  const { commits } = await listRefs(sourceContext(context), { url, named }, { tool: manifest.name });
  const { track } = manifest.source;
  if (track !== undefined)
    return bumpBranch(context, own, { url, ref: `refs/heads/${track}`, commits }, wanted, dryRun);
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
    return { name: manifest.name, file: own.shown, from, added: null, tier: "none", written: false, notices: [] };
  const request = { kind: "git", url, ref: chosen.ref, commit: chosen.commit, tree: null, named } as const;
  const { commit, tree } = await fetchSource(context, request, `${manifest.name}@${chosen.version}`, false);
  return addPin(context, own, { ...chosen, commit, tree }, dryRun);
}

interface NewPin {
  readonly version: string;
  readonly ref: string;
  readonly commit: CommitSha;
  readonly tree: TreeSha;
  readonly prerelease: boolean;
}

/** Write one more version into a manifest; nothing else of it changes. */
async function addPin(context: Context, own: OwnManifest, pin: NewPin, dryRun: boolean): Promise<BumpResult> {
  const { version, ref, commit, tree } = pin;
  const { manifest } = own;
  const entry = {
    version,
    ref,
    commit,
    tree,
    added: context.host.now().toISOString().slice(0, 10),
    ...(pin.prerelease ? { prerelease: "true" as const } : {}),
  };
  const text = addVersion(own.text, entry);
  const after = demandOwnManifest(text, own.shown, own.registry === null);
  if (!dryRun) await context.host.files.writeDurably(own.path, text);
  return {
    name: manifest.name,
    file: own.shown,
    from: manifest.versions[0]?.version ?? "",
    added: { version, ref, commit, tree, integrity: null, lock: null, packages: null },
    tier: tierOfChange(manifest, after),
    written: !dryRun,
    notices: [],
  };
}

/** `2026-11-20` as a version that is not taken: `2026.11.20`, then `2026.11.20.2`. */
function dateVersion(day: string, known: ReadonlySet<string>): string {
  const version = day.replaceAll("-", ".");
  for (let count = 1; ; count++) {
    const candidate = count === 1 ? version : `${version}.${count}`;
    if (!known.has(candidate)) return candidate;
  }
}

/** The newest commit of the branch that an entry follows, by the day on which it was made. */
async function bumpBranch(
  context: Context,
  own: OwnManifest,
  { url, ref, commits }: { url: string; ref: string; commits: ReadonlyMap<string, CommitSha> },
  wanted: string | null,
  dryRun: boolean,
): Promise<BumpResult> {
  const { name, versions } = own.manifest;
  const tip = wanted === null ? commits.get(ref) : isCommitSha(wanted) ? wanted : undefined;
  if (tip === undefined) {
    throw new IpmError(
      "VERSION_NOT_FOUND",
      wanted === null
        ? `${shownUrl(url)} has no branch ${escapeUntrusted(ref.replace("refs/heads/", ""))}`
        : `${name} follows a branch, and ${escapeUntrusted(wanted)} is no commit`,
      { hint: `git ls-remote --heads ${shownUrl(url)}`, data: { wanted } },
    );
  }
  if (versions.some(({ commit }) => commit === tip)) {
    const from = versions[0]?.version ?? "";
    return { name, file: own.shown, from, added: null, tier: "none", written: false, notices: [] };
  }
  const request = { kind: "git", url, ref, commit: tip, tree: null, named: own.registry === null } as const;
  const source = await fetchSource(context, request, `${name}@${tip.slice(0, 12)}`, false);
  const day = (await source.committedOn()) ?? context.host.now().toISOString().slice(0, 10);
  const version = dateVersion(day, new Set(versions.map((one) => one.version)));
  return addPin(context, own, { version, ref, commit: source.commit, tree: source.tree, prerelease: false }, dryRun);
}
