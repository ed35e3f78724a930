import path from "node:path";
import { IpmError, isIpmError } from "../core/errors.ts";
import { isCommitSha } from "../core/ids.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { type Tier, tierOfChange } from "../manifest/change-tier.ts";
import type { Finding, FindingCode } from "../manifest/finding.ts";
import { applyFixes, factsAlone, lintManifest } from "../manifest/lint/lint-manifest.ts";
import type { LintFacts, LintSubject, PinFacts } from "../manifest/lint/rule.ts";
import { placeFinding } from "../manifest/place-finding.ts";
import { parseManifest } from "../manifest/parse-manifest.ts";
import { parsePackageReference } from "../manifest/package-reference.ts";
import type { ManifestSource } from "../manifest/schema.ts";
import { packageRecipeOf } from "../plan/expand-steps.ts";
import { recipeOptionNames } from "../recipes/option-names.ts";
import { compileIndex } from "../registry/compile-index.ts";
import { ATTESTATIONS, MANIFEST_FILE, PACKAGES, findRegistryRoot, folderTree } from "../registry/registry-tree.ts";
import { findSimilarNames } from "../registry/similar-names.ts";
import { treeFinding } from "../registry/tree-finding.ts";
import { findRefOfCommit } from "../source/find-ref.ts";
import { listRefs } from "../source/list-refs.ts";
import { parseAttestationFileName } from "../trust/attestation.ts";
import type { Context } from "./context.ts";
import { type ManifestFile, findManifests, shownPath } from "./manifest-files.ts";
import { sourceContext } from "./source-context.ts";

export interface LintOptions {
  /** Nothing is asked of a network: pins are not compared with their sources. */
  readonly offline: boolean;
  /** Mend what needs no judgement, in the files. */
  readonly fix: boolean;
  /** Folder of the registry as it was before a contribution: each changed entry gets its tier. */
  readonly base?: string;
}

/** What a contribution does to one entry. */
export interface LintChange {
  readonly file: string;
  readonly name: string;
  readonly tier: Tier | "removed";
}

export interface LintReport {
  /** Files that were looked at, as they are shown. */
  readonly files: readonly string[];
  /** What is left after fixing, by file and place. */
  readonly findings: readonly Finding[];
  readonly errors: number;
  readonly warnings: number;
  /** Files that `--fix` has changed. */
  readonly fixed: readonly string[];
  /** Only with `base`. */
  readonly changes: readonly LintChange[];
}

/** What compiling a registry finds that no manifest by itself can show. */
const OF_REGISTRIES: ReadonlySet<string> = new Set([
  "NOT_A_FILE",
  "MANIFEST_MISSING",
  "NAME_MISMATCH",
  "NAME_TAKEN",
  "NAME_REMOVED",
  "NAME_SIMILAR",
  "ATTESTATION_INVALID",
  "BUNDLE_MISSING",
  "LOCK_MISSING",
]);

/** More entries than this are not compared with their sources one by one. */
const MAX_PIN_CHECKS = 25;

/** Everything in an entry's folder of attestations, by name. */
async function attestationsOf(context: Context, root: string, name: string): Promise<Map<string, string>> {
  const { files } = context.host;
  const folder = path.join(root, PACKAGES, name, ATTESTATIONS);
  const found = new Map<string, string>();
  for (const file of await files.list(folder)) {
    const place = path.join(folder, file);
    found.set(file, (await files.facts(place))?.kind === "file" ? await files.sha256(place) : "no file");
  }
  return found;
}

/** Compare a registry with what it was before a contribution. */
async function compareWithBase(
  context: Context,
  root: string,
  typed: string,
): Promise<{ changes: LintChange[]; findings: Finding[] }> {
  const { files, facts } = context.host;
  const before = await findRegistryRoot(files, path.resolve(facts.cwd, typed));
  if (before === undefined) {
    throw new IpmError("TARGET_INVALID", `--base: ${escapeUntrusted(typed)} is no registry's folder`, {
      hint: "check the registry out as it was before, and name that folder",
    });
  }
  const changes: LintChange[] = [];
  const findings: Finding[] = [];
  const names = new Set([
    ...(await files.list(path.join(before, PACKAGES))),
    ...(await files.list(path.join(root, PACKAGES))),
  ]);
  for (const name of [...names].toSorted()) {
    const read = async (registry: string): Promise<ManifestSource | undefined> => {
      const bytes = await files.readBytes(path.join(registry, PACKAGES, name, MANIFEST_FILE));
      const parsed = bytes === undefined ? undefined : parseManifest(bytes, name);
      return parsed?.ok === true ? parsed.manifest : undefined;
    };
    const file = shownPath(facts.cwd, path.join(root, PACKAGES, name, MANIFEST_FILE));
    const [old, now] = [await read(before), await read(root)];
    const tier = now === undefined ? (old === undefined ? "none" : "removed") : tierOfChange(old, now);
    if (tier !== "none") changes.push({ file, name, tier });
    const [oldFiles, nowFiles] = [
      await attestationsOf(context, before, name),
      await attestationsOf(context, root, name),
    ];
    for (const attestation of new Set([...oldFiles.keys(), ...nowFiles.keys()])) {
      if (oldFiles.get(attestation) === nowFiles.get(attestation)) continue;
      const place = shownPath(facts.cwd, path.join(root, PACKAGES, name, ATTESTATIONS, attestation));
      findings.push(treeFinding("ATTESTATION_CONTRIBUTED", place, `${attestation} is not for a contribution to write`));
    }
  }
  return { changes, findings };
}

async function registryFindings(context: Context, root: string): Promise<Finding[]> {
  const { files, facts } = context.host;
  const { findings, named, registry } = await compileIndex(folderTree(files, root), { key: "lint" });
  const all = [
    ...findings.filter(({ code }) => OF_REGISTRIES.has(code)),
    ...findSimilarNames(named, registry.alike ?? []),
  ];
  return Promise.all(
    all.map(async (finding) => {
      const place = path.join(root, finding.file);
      const bytes = finding.about === undefined ? undefined : await files.readBytes(place);
      return placeFinding({ ...finding, file: shownPath(facts.cwd, place) }, bytes ?? new Uint8Array());
    }),
  );
}

/** The locks of an entry's versions, compared with what the manifest pins, where they are there at all. */
async function lockFindings(context: Context, file: ManifestFile, manifest: LintSubject): Promise<Finding[]> {
  const { files } = context.host;
  const reference = parsePackageReference(manifest.source?.package ?? "");
  const findings: Finding[] = [];
  if (reference === undefined) return findings;
  const recipe = packageRecipeOf(reference);
  const { lockFiles } = recipe;
  for (const { version, integrity, lock } of manifest.versions ?? []) {
    if (lock === undefined) continue;
    const folder = path.join(path.dirname(file.path), lock);
    const texts: Record<string, string> = {};
    for (const name of lockFiles) {
      const text = await files.readText(path.join(folder, name));
      if (text !== undefined) texts[name] = text;
    }
    const others = (await files.list(folder)).filter((name) => !lockFiles.includes(name));
    const add = (code: FindingCode, message: string): void =>
      void findings.push(treeFinding(code, file.shown, message));
    const lost = lockFiles.find((name) => texts[name] === undefined);
    if (lost !== undefined) {
      // In a registry its compilation says so.
      if (file.registry === null) add("LOCK_MISSING", `the lock \`${lock}/${lost}\` is not there`);
      continue;
    }
    if (others.length > 0) add("LOCK_WRONG", `\`${lock}\` holds \`${others[0] ?? ""}\`, which is no part of a lock`);
    try {
      const found = recipe.readLock(texts, reference, version);
      if (found.integrity !== integrity)
        add(
          "LOCK_WRONG",
          `${version} is pinned to \`${integrity ?? "nothing"}\`, and its lock to \`${found.integrity}\``,
        );
    } catch (error) {
      if (!isIpmError(error, "LOCK_INVALID")) throw error;
      add("LOCK_WRONG", error.message);
    }
  }
  return findings;
}

/** Platforms by version of which the registry holds an attestation. */
async function attestedPlatforms(context: Context, file: ManifestFile): Promise<LintFacts["attested"]> {
  if (file.registry === null) return null;
  const attested: Record<string, string[]> = {};
  for (const name of await context.host.files.list(path.join(path.dirname(file.path), ATTESTATIONS))) {
    const about = parseAttestationFileName(name);
    if (about !== null && about !== undefined) (attested[about.version] ??= []).push(about.platform);
  }
  return attested;
}

/** Compare the pins with their source: the tag's commit by a listing, and the whole history only where no tag has it. */
async function pinFacts(context: Context, subject: LintSubject, named: boolean): Promise<Record<string, PinFacts>> {
  const url = subject.source?.git;
  if (url === undefined) return {};
  const source = { url, named };
  const { commits } = await listRefs(sourceContext(context), source, { tool: subject.name });
  const pins: Record<string, PinFacts> = {};
  for (const { version, ref, commit } of subject.versions ?? []) {
    if (commit === undefined || !isCommitSha(commit)) continue;
    const tagCommit = ref !== undefined && ref.startsWith("refs/tags/") ? (commits.get(ref) ?? null) : undefined;
    const [found] = [...commits].find(([, other]) => other === commit) ?? [];
    const heldBy = found ?? (await findRefOfCommit(sourceContext(context), source, commit, { tool: subject.name }));
    pins[version] = { tagCommit, heldBy };
  }
  return pins;
}

async function pinsOrWarning(context: Context, file: ManifestFile, subject: LintSubject): Promise<LintFacts["pins"]> {
  try {
    return await pinFacts(context, subject, file.registry === null);
  } catch (error) {
    if (!isIpmError(error) || error.code === "INTERRUPTED") throw error;
    context.emit({
      type: "warning",
      code: "PINS_NOT_COMPARED",
      message: `${escapeUntrusted(file.shown)}: its pins could not be compared with their source: ${error.message}`,
      hint: "--offline leaves that out",
    });
    return {};
  }
}

/**
 * Look at manifests, a repository's `ipm.yaml`, folders of them and whole registries. Writes only with `fix`.
 * @param paths files and folders
 * @throws IpmError TARGET_INVALID, MANIFEST_MISSING, REGISTRY_INVALID, IO_FAILED
 */
export async function lint(context: Context, paths: readonly string[], options: LintOptions): Promise<LintReport> {
  const { files, facts: host } = context.host;
  const { manifests, registries } = await findManifests(files, host.cwd, paths);
  const findings: Finding[] = [];
  const fixed: string[] = [];
  const comparesPins = !options.offline && manifests.length <= MAX_PIN_CHECKS;
  for (const file of manifests) {
    let bytes = await files.readBytes(file.path);
    if (bytes === undefined) continue;
    const named = file.registry === null;
    const attested = await attestedPlatforms(context, file);
    const alone = { ...factsAlone(file.kind), attested, recipeOptions: recipeOptionNames() };
    let result = lintManifest(bytes, file.shown, { facts: alone, named });
    if (options.fix && result.fixes.length > 0) {
      await files.writeDurably(file.path, applyFixes(new TextDecoder().decode(bytes), result.fixes));
      fixed.push(file.shown);
      bytes = (await files.readBytes(file.path)) ?? bytes;
      result = lintManifest(bytes, file.shown, { facts: alone, named });
    }
    if (comparesPins && result.subject?.source?.git !== undefined) {
      const pins = await pinsOrWarning(context, file, result.subject);
      result = lintManifest(bytes, file.shown, { facts: { ...alone, pins }, named });
    }
    findings.push(...result.findings);
    if (result.subject !== undefined) findings.push(...(await lockFindings(context, file, result.subject)));
  }
  for (const root of registries) findings.push(...(await registryFindings(context, root)));
  // A manifest that was named by itself is still one of its registry: its names and its place are looked at too.
  const owners = new Set(manifests.flatMap(({ registry }) => registry ?? []));
  const shown = new Set(manifests.map((file) => file.shown));
  for (const root of owners) {
    if (registries.includes(root)) continue;
    findings.push(...(await registryFindings(context, root)).filter(({ file }) => shown.has(file)));
  }
  const changes: LintChange[] = [];
  if (options.base !== undefined) {
    for (const root of new Set([...registries, ...owners])) {
      const compared = await compareWithBase(context, root, options.base);
      changes.push(...compared.changes);
      findings.push(...compared.findings);
    }
  }
  const errors = findings.filter(({ severity }) => severity === "error").length;
  return {
    files: manifests.map((file) => file.shown),
    findings: findings.toSorted((a, b) =>
      a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1,
    ),
    errors,
    warnings: findings.length - errors,
    fixed,
    changes,
  };
}
