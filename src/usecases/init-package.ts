import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { factsAlone, lintManifest } from "../manifest/lint/lint-manifest.ts";
import { PACKAGE_RECIPES, formatPackageReference, parsePackageReference } from "../manifest/package-reference.ts";
import { draftPackage, nameOfPackage } from "../recipes/draft-manifest.ts";
import { MANIFEST_FILE, PACKAGES, findRegistryRoot } from "../registry/registry-tree.ts";
import { askEcosystem } from "./ask-ecosystem.ts";
import { lockFolder, writeLock } from "./bump-package.ts";
import type { Context } from "./context.ts";
import { type InitOptions, type InitResult, demandFree, knownBy, verifyPlace } from "./init-draft.ts";
import { shownPath } from "./manifest-files.ts";

/** `npm:@biomejs/biome@2.0.0` apart: an `@` after the name's first character begins a version. */
function parseTyped(typed: string): { package: string; version: string | null } {
  const at = typed.lastIndexOf("@");
  const isScope = at <= typed.indexOf(":") + 1;
  return isScope ? { package: typed, version: null } : { package: typed.slice(0, at), version: typed.slice(at + 1) };
}

/**
 * Draft a manifest for an ecosystem's package, with its lock: into the registry that is stood in, else into a folder of
 * the entry's name.
 * @param typed `npm:ripcat` or `npm:ripcat@2.1.0`
 * @throws IpmError TARGET_INVALID, FOREIGN_FILE, those of `askEcosystem`
 */
export async function initPackage(context: Context, typed: string, options: InitOptions): Promise<InitResult> {
  const { files, facts } = context.host;
  const target = parseTyped(typed);
  const reference = parsePackageReference(target.package);
  if (reference === undefined || options.ref !== null) {
    throw new IpmError("TARGET_INVALID", `${escapeUntrusted(typed)} is no package of an ecosystem`, {
      hint: "write npm:NAME, pypi:NAME, crates:NAME, go:MODULE or maven:GROUP:ARTIFACT, with @VERSION where it is not the newest",
    });
  }
  const answer = await askEcosystem(context, reference, target.version);
  const { version, integrity, prerelease } = answer;
  const name = nameOfPackage(reference.name, answer.bins);
  const lock = lockFolder(reference, version);
  const recipe = PACKAGE_RECIPES[reference.ecosystem];
  const added = context.host.now().toISOString().slice(0, 10);
  const { about, bins, notices } = answer;
  const pinned = { package: formatPackageReference(reference), version, integrity, lock, added, prerelease };
  const draft = draftPackage({ ...pinned, recipe, about, bins, notices }, name);
  const folder = path.resolve(facts.cwd, options.output ?? ".");
  const isFile = /\.ya?ml$/u.test(folder);
  const registry = isFile ? undefined : await findRegistryRoot(files, folder);
  const place = isFile
    ? folder
    : path.join(...(registry === undefined ? [folder] : [registry, PACKAGES]), name, MANIFEST_FILE);
  if (!options.dryRun) {
    await demandFree(context, place, options.force);
    await files.createFolder(path.dirname(place));
    if (draft.kind === "tool") await writeLock(context, place, lock, answer.lock);
    await files.writeDurably(place, draft.text);
  }
  const attempts =
    options.verify && !options.dryRun && draft.kind === "tool"
      ? [await verifyPlace(context, place, recipe, false)]
      : [];
  const known = await knownBy(context, null, name);
  const shown = shownPath(facts.cwd, place);
  const { findings } = lintManifest(new TextEncoder().encode(draft.text), shown, {
    facts: factsAlone("registry"),
    named: true,
  });
  return {
    draft,
    version: { version, integrity, lock },
    written: options.dryRun ? null : shown,
    findings,
    attempts,
    known,
  };
}
