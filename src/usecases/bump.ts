import { IpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { addVersion } from "../manifest/add-version.ts";
import { tierOfChange } from "../manifest/change-tier.ts";
import { compareVersions } from "../manifest/compare-versions.ts";
import { newestVersion, taggedVersions } from "../manifest/version-of-tag.ts";
import { listRefs } from "../source/list-refs.ts";
import { type BumpResult } from "./bump-result.ts";
import { bumpPackage } from "./bump-package.ts";
import type { Context } from "./context.ts";
import { fetchSource } from "./fetch-source.ts";
import { demandOwnManifest, findOwnManifest } from "./own-manifest.ts";
import { sourceContext } from "./source-context.ts";

/**
 * Add the newest release of an entry's source (or a version that is named) to its manifest: one entry, nothing else. For
 * a package its ecosystem is asked, and the version's lock is written beside the manifest.
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
    added: { version: chosen.version, ref: chosen.ref, commit, tree, integrity: null, lock: null, packages: null },
    tier: tierOfChange(manifest, after),
    written: !dryRun,
    notices: [],
  };
}
