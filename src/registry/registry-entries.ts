import { forgeUrl, sourceKey } from "../core/git-url.ts";
import { IpmError } from "../core/errors.ts";
import { isToolName } from "../core/ids.ts";
import { formatFinding, type Finding } from "../manifest/finding.ts";
import { parseManifest } from "../manifest/parse-manifest.ts";
import { parseRegistryFile } from "../manifest/registry-file.ts";
import type { ManifestSource, RegistryFile } from "../manifest/schema.ts";
import { selectVersion } from "../manifest/select-version.ts";
import { lockFilesOf } from "../plan/lock-files.ts";
import {
  type AttestationSummary,
  MAX_ATTESTATION_BYTES,
  parseAttestationFileName,
  parseAttestations,
  summarize,
} from "../trust/attestation.ts";
import type { BrokenRecord, EntryRecord, IndexRecord } from "./index-records.ts";
import type { KeyKind } from "./name-table.ts";
import {
  MANIFEST_FILE,
  PACKAGES,
  REGISTRY_FILE,
  type RegistryTree,
  type TreeFile,
  attestedEntry,
  manifestPath,
  stampsOf,
} from "./registry-tree.ts";
import type { SearchDocument } from "./search-text.ts";
import { treeFinding } from "./tree-finding.ts";

/** Findings of one entry that its record keeps: enough to mend it. */
const MAX_BROKEN_FINDINGS = 10;
/** Manifests in memory at a time, as read from the tree. */
const BATCH = 500;

export interface NeededFile {
  readonly path: string;
  readonly what: "bundle" | "lock";
}

export interface EntryKey {
  readonly kind: KeyKind;
  readonly key: string;
}

/** What is kept of a manifest until all names are known: its line, and what the tables need. */
export interface Candidate {
  readonly name: string;
  readonly line: Buffer;
  readonly keys: readonly EntryKey[];
  /** Other files of the registry that the entry needs: its bundle, the locks of its packages. */
  readonly needed: readonly NeededFile[];
  /** Paths of all its files but the manifest. */
  readonly files: readonly string[];
  readonly search: SearchDocument;
}

/** @throws IpmError REGISTRY_INVALID when the tree is no registry */
export async function readRegistryFile(tree: RegistryTree, listed: readonly TreeFile[]): Promise<RegistryFile> {
  const file = listed.find((each) => each.path === REGISTRY_FILE);
  if (file === undefined) {
    throw new IpmError("REGISTRY_INVALID", `${tree.where} is not a registry: it has no ${REGISTRY_FILE}`);
  }
  if (file.kind !== "file") {
    throw new IpmError(
      "REGISTRY_INVALID",
      `${tree.where}: ${REGISTRY_FILE} must be a plain file, and it is a ${file.kind}`,
    );
  }
  const [bytes = new Uint8Array()] = await tree.read([file]);
  const parsed = parseRegistryFile(bytes, `${tree.where}/${REGISTRY_FILE}`);
  if (parsed.ok) return parsed.registry;
  const { findings } = parsed;
  throw new IpmError("REGISTRY_INVALID", findings.map(formatFinding).join("\n"), {
    hint: `mend ${REGISTRY_FILE}, then run the command again`,
    data: { findings },
  });
}

/** What stands in the place of a manifest and is none, as a finding; undefined for one that can be read. */
function placeProblem(file: TreeFile): Finding | undefined {
  const [, name, last] = file.path.split("/");
  if (name === undefined) {
    return treeFinding("NOT_A_FILE", file.path, `\`${PACKAGES}\` must be a folder, and it is a ${file.kind}`);
  }
  if (last !== undefined) {
    if (file.kind === "file") return undefined;
    return treeFinding("NOT_A_FILE", file.path, `a manifest must be a plain file, and this is a ${file.kind}`);
  }
  return file.kind === "folder"
    ? treeFinding("MANIFEST_MISSING", file.path, `the folder has no ${MANIFEST_FILE}`)
    : treeFinding("NOT_A_FILE", file.path, `only folders belong into \`${PACKAGES}\`, and this is a ${file.kind}`);
}

/** Every text that finds an entry. */
function keysOf(manifest: ManifestSource): EntryKey[] {
  const keys: EntryKey[] = [{ kind: "name", key: manifest.name }];
  for (const alias of manifest.aliases ?? []) keys.push({ kind: "alias", key: alias });
  const source = manifest.source.git === undefined ? null : sourceKey(manifest.source.git);
  if (source !== null) keys.push({ kind: "source", key: source });
  for (const former of manifest.formerly ?? []) {
    if (!former.includes("/")) keys.push({ kind: "formerly", key: former });
    const url = forgeUrl(former);
    const key = url === null ? null : sourceKey(url);
    if (key !== null && key !== source) keys.push({ kind: "former-source", key });
  }
  return keys;
}

/** The version that a plain `install` takes, or null when there is none. */
function shownVersion(manifest: ManifestSource): string | null {
  const choice = selectVersion(manifest, null);
  return choice.ok ? choice.version.version : null;
}

function neededBy(manifest: ManifestSource): NeededFile[] {
  const { bundle } = manifest.source;
  const locks = manifest.versions.flatMap((version) => lockFilesOf(manifest, version));
  return [
    ...(bundle === undefined ? [] : [{ path: bundle, what: "bundle" as const }]),
    ...locks.map((lock) => ({ path: `${PACKAGES}/${manifest.name}/${lock}`, what: "lock" as const })),
  ];
}

export function candidateOf(record: EntryRecord, line: Buffer): Candidate {
  const { manifest, attestations = [] } = record;
  const { name, aliases = [], keywords = [], summary } = manifest;
  const needed = neededBy(manifest);
  const attested = new Set(attestations.flatMap(({ file }) => (file === null ? [] : [file])));
  return {
    name,
    line,
    keys: keysOf(manifest),
    needed,
    files: [...needed.map((file) => file.path), ...attested],
    search: { name, aliases, keywords, summary },
  };
}

function entryRecord(
  manifest: ManifestSource,
  attestations: readonly AttestationSummary[],
  stamp: string | undefined,
): EntryRecord {
  return {
    version: shownVersion(manifest),
    ...(stamp === undefined ? {} : { stamp }),
    manifest,
    ...(attestations.length === 0 ? {} : { attestations }),
  };
}

export function jsonLine(record: IndexRecord): Buffer {
  return Buffer.from(`${JSON.stringify(record)}\n`);
}

/** Several tools may come from one repository; every other key belongs to one entry. */
export function isOwn(key: EntryKey): boolean {
  return key.kind !== "source" && key.kind !== "former-source";
}

/** Who has which name: an entry's own name goes before what others call themselves, then the first one has it. */
class Names {
  readonly #own: ReadonlySet<string>;
  readonly #removed: ReadonlyMap<string, string>;
  readonly #claimed = new Map<string, string>();

  constructor(own: ReadonlySet<string>, removed: ReadonlyMap<string, string>) {
    this.#own = own;
    this.#removed = removed;
  }

  /** Why an entry may not have one of its names; undefined: it has them now. */
  claim(candidate: Candidate): Finding | undefined {
    const keys = candidate.keys.filter(isOwn);
    for (const { key } of keys) {
      const why = this.#removed.get(key);
      if (why !== undefined) {
        const message = `the name \`${key}\` was taken out of this registry and is not given away again: ${why}`;
        return treeFinding("NAME_REMOVED", manifestPath(candidate.name), message, { about: key });
      }
      const holder = this.#own.has(key) ? key : this.#claimed.get(key);
      if (holder !== undefined && holder !== candidate.name) {
        const message = `\`${key}\` is already a name of the entry \`${holder}\``;
        return treeFinding("NAME_TAKEN", manifestPath(candidate.name), message, { about: key });
      }
    }
    for (const { key } of keys) this.#claimed.set(key, candidate.name);
    return undefined;
  }
}

async function missingFile(tree: RegistryTree, { name, needed }: Candidate): Promise<Finding | undefined> {
  for (const { path, what } of needed) {
    const found = await tree.find(path);
    if (found?.kind === "file") continue;
    const why = found === undefined ? "is not there" : `must be a plain file, and it is a ${found.kind}`;
    const code = what === "bundle" ? "BUNDLE_MISSING" : "LOCK_MISSING";
    // A bundle is written from the registry's root, a lock's folder from beside the manifest.
    const about = what === "bundle" ? path : path.split("/").slice(2, -1).join("/");
    return treeFinding(code, manifestPath(name), `the ${what} \`${path}\` ${why}`, { about });
  }
  return undefined;
}

/** Attestations by entry. One that cannot be believed is as good as none: a finding, and the entry stays. */
async function readAttestations(
  tree: RegistryTree,
  listed: readonly TreeFile[],
): Promise<{ attestations: Map<string, AttestationSummary[]>; findings: Finding[] }> {
  const attestations = new Map<string, AttestationSummary[]>();
  const findings: Finding[] = [];
  const refuse = (file: TreeFile, why: string): void => {
    findings.push(treeFinding("ATTESTATION_INVALID", file.path, why, { severity: "warning" }));
  };
  const files = listed.filter((file) => attestedEntry(file.path) !== undefined);
  for (let from = 0; from < files.length; from += BATCH) {
    const batch = files.slice(from, from + BATCH).filter((file) => {
      if (file.kind === "file" && file.size <= MAX_ATTESTATION_BYTES) return true;
      refuse(file, file.kind === "file" ? "it is too large" : `it must be a plain file, and it is a ${file.kind}`);
      return false;
    });
    const contents = await tree.read(batch);
    for (const [index, file] of batch.entries()) {
      const name = attestedEntry(file.path) ?? "";
      const place = parseAttestationFileName(file.path.split("/").at(-1) ?? "");
      if (place === undefined) {
        refuse(file, "its name is not VERSION.PLATFORM.json");
        continue;
      }
      const parsed = parseAttestations(Buffer.from(contents[index] ?? new Uint8Array()).toString("utf8"), {
        name,
        ...place,
      });
      if (!parsed.ok) {
        refuse(file, parsed.why);
        continue;
      }
      const summaries = parsed.attestations.map((attestation) => summarize(attestation, file.path));
      attestations.set(name, [...(attestations.get(name) ?? []), ...summaries]);
    }
  }
  return { attestations, findings };
}

/** Hears what is wrong with an entry, and says whether it cannot be used. */
type Reject = (name: string, file: string, problems: readonly Finding[]) => boolean;

/** Read manifests; the attestations and stamps of each entry are known. */
async function readCandidates(
  tree: RegistryTree,
  manifests: readonly TreeFile[],
  attestations: ReadonlyMap<string, readonly AttestationSummary[]>,
  stamps: ReadonlyMap<string, string>,
  reject: Reject,
): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  const readable: TreeFile[] = [];
  for (const file of manifests) {
    const problem = placeProblem(file);
    if (problem === undefined) readable.push(file);
    else reject(file.path.split("/")[1] ?? "", file.path, [problem]);
  }
  for (let from = 0; from < readable.length; from += BATCH) {
    const batch = readable.slice(from, from + BATCH);
    const contents = await tree.read(batch);
    for (const [index, file] of batch.entries()) {
      const folder = file.path.split("/")[1] ?? "";
      const parsed = parseManifest(contents[index] ?? new Uint8Array(), file.path);
      const problems = [...(parsed.ok ? parsed.warnings : parsed.findings)];
      if (parsed.ok && parsed.manifest.name !== folder) {
        const message = `the manifest is named \`${parsed.manifest.name}\` and stands in the folder \`${folder}\``;
        problems.push(treeFinding("NAME_MISMATCH", file.path, message, { about: parsed.manifest.name }));
      }
      const usable = !reject(folder, file.path, problems);
      if (usable && parsed.ok) {
        const record = entryRecord(parsed.manifest, attestations.get(folder) ?? [], stamps.get(folder));
        candidates.push(candidateOf(record, jsonLine(record)));
      }
    }
  }
  return candidates;
}

export function byName(left: Candidate, right: Candidate): number {
  return left.name < right.name ? -1 : 1;
}

function byPlace(left: Finding, right: Finding): number {
  if (left.file !== right.file) return left.file < right.file ? -1 : 1;
  return left.line - right.line || left.column - right.column;
}

/** What is wrong with a tree, and the entries that cannot be used for it. */
export class Complaints {
  readonly findings: Finding[] = [];
  readonly broken = new Map<string, BrokenRecord>();
  readonly #stamps: ReadonlyMap<string, string>;

  constructor(stamps: ReadonlyMap<string, string>) {
    this.#stamps = stamps;
  }

  readonly reject: Reject = (name, file, problems) => {
    this.findings.push(...problems);
    const errors = problems.filter((finding) => finding.severity === "error");
    // A folder may have any name; only those that can be asked for become keys of the table.
    if (errors.length > 0 && isToolName(name)) {
      const stamp = this.#stamps.get(name);
      const broken = errors.slice(0, MAX_BROKEN_FINDINGS);
      this.broken.set(name, { file, ...(stamp === undefined ? {} : { stamp }), broken });
    }
    return errors.length > 0;
  };

  sorted(): Finding[] {
    return this.findings.toSorted(byPlace);
  }
}

/** The candidates that can be used together: each name is given to one of them, and what they need is there. */
export async function accept(
  tree: RegistryTree,
  candidates: readonly Candidate[],
  removed: ReadonlyMap<string, string>,
  reject: Reject,
): Promise<Candidate[]> {
  const inOrder = candidates.toSorted(byName);
  const names = new Names(new Set(inOrder.map((candidate) => candidate.name)), removed);
  const accepted: Candidate[] = [];
  for (const candidate of inOrder) {
    const problem = names.claim(candidate) ?? (await missingFile(tree, candidate));
    if (problem === undefined) accepted.push(candidate);
    else reject(candidate.name, manifestPath(candidate.name), [problem]);
  }
  return accepted;
}

function isManifestPlace(file: TreeFile): boolean {
  return file.path !== REGISTRY_FILE && attestedEntry(file.path) === undefined;
}

/**
 * Read the listed entries.
 * @param withStamps records carry what their files looked like (`EntryRecord.stamp`)
 * @returns those that can be read, and what is wrong with the others
 */
export async function readEntries(
  tree: RegistryTree,
  listed: readonly TreeFile[],
  withStamps: boolean,
): Promise<{ readonly candidates: Candidate[]; readonly complaints: Complaints }> {
  const stamps = withStamps ? stampsOf(listed) : new Map<string, string>();
  const complaints = new Complaints(stamps);
  const { attestations, findings } = await readAttestations(tree, listed);
  complaints.findings.push(...findings);
  const manifests = listed.filter(isManifestPlace);
  const candidates = await readCandidates(tree, manifests, attestations, stamps, complaints.reject);
  return { candidates, complaints };
}
