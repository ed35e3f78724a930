import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { type NewVersion, addVersion } from "../manifest/add-version.ts";
import { tierOfChange } from "../manifest/change-tier.ts";
import { compareVersions } from "../manifest/compare-versions.ts";
import { type PackageReference, parsePackageReference } from "../manifest/package-reference.ts";
import { taggedVersions } from "../manifest/version-of-tag.ts";
import { packageRecipeOf } from "../plan/expand-steps.ts";
import type { PackageAnswer } from "../recipes/package-recipe.ts";
import { listRefs } from "../source/list-refs.ts";
import { askEcosystem } from "./ask-ecosystem.ts";
import type { BumpResult } from "./bump-result.ts";
import type { Context } from "./context.ts";
import { fetchSource } from "./fetch-source.ts";
import { type OwnManifest, demandOwnManifest } from "./own-manifest.ts";
import { sourceContext } from "./source-context.ts";

/** Where a version's lock is kept, beside the manifest. */
export function lockFolder({ ecosystem }: PackageReference, version: string): string {
  return `locks/${version}.${ecosystem}`;
}

/** Write a lock beside a manifest: its files, and no others. @param manifest absolute path */
export async function writeLock(
  context: Context,
  manifest: string,
  folder: string,
  lock: Readonly<Record<string, string>>,
): Promise<void> {
  const { files } = context.host;
  const place = path.join(path.dirname(manifest), folder);
  await files.remove(place);
  await files.createFolder(place);
  for (const [name, text] of Object.entries(lock)) await files.writeDurably(path.join(place, name), text);
}

/** The commit of an entry's repository that has the same version, where it has a tag for it. */
async function commitOf(context: Context, own: OwnManifest, version: string): Promise<Partial<NewVersion>> {
  const { git: url } = own.manifest.source;
  if (url === undefined) return {};
  const named = own.registry === null;
  const { commits } = await listRefs(sourceContext(context), { url, named }, { tool: own.manifest.name });
  const tagged = taggedVersions(commits, own.manifest.name).find((one) => one.version === version);
  if (tagged === undefined) return {};
  const request = { kind: "git", url, ref: tagged.ref, commit: tagged.commit, tree: null, named } as const;
  const { commit, tree } = await fetchSource(context, request, `${own.manifest.name}@${version}`, false);
  return { ref: tagged.ref, commit, tree };
}

function demandSame(own: OwnManifest, answer: PackageAnswer): void {
  const known = own.manifest.versions.find(({ version }) => version === answer.version);
  if (known?.integrity === undefined || known.integrity === answer.integrity) return;
  throw new IpmError(
    "PACKAGE_MISMATCH",
    `${own.manifest.name} ${answer.version} is pinned to ${known.integrity}, and its registry has ${escapeUntrusted(answer.integrity)}`,
    { hint: "a released version never changes: find out why before anything is installed" },
  );
}

/**
 * Add the newest version of an entry's package (or one that is named) and its lock. A named version that the manifest has
 * already gets its lock anew, and nothing else changes.
 * @throws IpmError MANIFEST_INVALID, PACKAGE_MISMATCH, those of `askEcosystem`
 */
export async function bumpPackage(
  context: Context,
  own: OwnManifest,
  wanted: string | null,
  dryRun: boolean,
): Promise<BumpResult> {
  const { manifest } = own;
  const reference = parsePackageReference(manifest.source.package ?? "");
  if (reference === undefined) throw new TypeError(`${manifest.name} has no package`);
  const from = manifest.versions[0]?.version ?? "";
  const base = { name: manifest.name, file: own.shown, from } as const;
  const answer = await askEcosystem(context, reference, wanted);
  const { version, integrity, notices } = answer;
  const isKnown = manifest.versions.some((one) => one.version === version);
  if (wanted === null && (isKnown || (from !== "" && compareVersions(version, from) <= 0)))
    return { ...base, added: null, tier: "none", written: false, notices: [] };
  demandSame(own, answer);
  const lock = lockFolder(reference, version);
  const commit = isKnown ? {} : await commitOf(context, own, version);
  const text = isKnown
    ? own.text
    : addVersion(own.text, {
        version,
        ...commit,
        integrity,
        lock,
        added: context.host.now().toISOString().slice(0, 10),
        ...(answer.prerelease ? { prerelease: "true" as const } : {}),
      });
  const after = demandOwnManifest(text, own.shown, own.registry === null);
  if (!dryRun) {
    // The lock first: a manifest must not name one that is not there.
    await writeLock(context, own.path, lock, answer.lock);
    await context.host.files.writeDurably(own.path, text);
  }
  const { packages } = packageRecipeOf(reference).readLock(answer.lock, reference, version);
  const { ref = null, commit: sha = null, tree = null } = commit;
  return {
    ...base,
    added: { version, ref, commit: sha, tree, integrity, lock, packages },
    tier: tierOfChange(manifest, after),
    written: !dryRun,
    notices,
  };
}
