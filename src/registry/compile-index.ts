import { sha256Hex } from "../core/canonical-json.ts";
import { IpmError } from "../core/errors.ts";
import { forgeUrl, sourceKey } from "../core/git-url.ts";
import { type ToolName, isToolName } from "../core/ids.ts";
import { formatFinding, type Finding } from "../manifest/finding.ts";
import { parseManifest } from "../manifest/parse-manifest.ts";
import { parseRegistryFile } from "../manifest/registry-file.ts";
import type { ManifestSource, RegistryFile } from "../manifest/schema.ts";
import { selectVersion } from "../manifest/select-version.ts";
import { encodeIndexFile } from "./index-file.ts";
import { encodeNameTable, type KeyKind, type NameKey } from "./name-table.ts";
import {
  MANIFEST_FILE,
  PACKAGES,
  REGISTRY_FILE,
  type RegistryTree,
  type TreeFile,
  attestedEntry,
} from "./registry-tree.ts";
import { buildSearchSections, type SearchEntry } from "./search-index.ts";
import {
  type AttestationSummary,
  MAX_ATTESTATION_BYTES,
  parseAttestationFileName,
  parseAttestations,
  summarize,
} from "../trust/attestation.ts";
import type { NamedEntry } from "./similar-names.ts";
import { treeFinding } from "./tree-finding.ts";

/** A record of the index: one line of JSON. */
export interface EntryRecord {
  /** Path of the manifest below the registry's root. */
  readonly file: string;
  /** sha256 of the manifest's bytes. */
  readonly digest: string;
  readonly manifest: ManifestSource;
  /** What the registry's verification has seen of its versions, in the order of their files; left out when nothing. */
  readonly attestations?: readonly AttestationSummary[];
}

/** The record of an entry whose manifest cannot be used: look-ups say why instead of "not found". */
export interface BrokenRecord {
  readonly file: string;
  readonly broken: readonly Finding[];
}

/** The record of a name that was taken out of the registry and is never given away again. */
export interface RemovedRecord {
  /** Why. */
  readonly removed: string;
}

export type IndexRecord = EntryRecord | BrokenRecord | RemovedRecord;

/** What every index says about its registry, readable without reading an entry. */
export interface IndexMeta {
  readonly id: ToolName;
  readonly name: string;
  /** Of two registries with the same id the one with the higher sequence is used. */
  readonly sequence: number;
  /** What the index was made from: it is of no use for anything else. */
  readonly key: string;
  readonly entries: number;
}

export interface CompiledIndex {
  readonly meta: IndexMeta;
  readonly bytes: Uint8Array;
  /** Everything that is wrong, in the order of paths. Entries with errors are left out. */
  readonly findings: readonly Finding[];
  /** Paths of the bundles that the entries need, sorted. */
  readonly bundles: readonly string[];
  /** Every entry with its names, in the order of names. */
  readonly named: readonly NamedEntry[];
  readonly registry: RegistryFile;
}

/** Findings of one entry that its record keeps: enough to mend it. */
const MAX_BROKEN_FINDINGS = 10;
/** Manifests in memory at a time, as read from the tree. */
const BATCH = 500;

interface EntryKey {
  readonly kind: KeyKind;
  readonly key: string;
}

/** What is kept of a manifest until all names are known: its line, and what the tables need. */
interface Candidate {
  readonly name: string;
  readonly file: string;
  readonly line: Buffer;
  readonly keys: readonly EntryKey[];
  readonly bundle: string | undefined;
  readonly search: SearchEntry;
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

function candidateOf(
  file: string,
  bytes: Uint8Array,
  manifest: ManifestSource,
  attestations: readonly AttestationSummary[],
): Candidate {
  const { name, aliases = [], keywords = [], summary, source } = manifest;
  return {
    name,
    file,
    line: jsonLine({
      file,
      digest: sha256Hex(bytes),
      manifest,
      ...(attestations.length === 0 ? {} : { attestations }),
    }),
    keys: keysOf(manifest),
    bundle: source.bundle,
    search: { name, aliases, keywords, summary, version: shownVersion(manifest) },
  };
}

function jsonLine(record: IndexRecord): Buffer {
  return Buffer.from(`${JSON.stringify(record)}\n`);
}

/** Several tools may come from one repository; every other key belongs to one entry. */
function isOwn(key: EntryKey): boolean {
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
        return treeFinding("NAME_REMOVED", candidate.file, message);
      }
      const holder = this.#own.has(key) ? key : this.#claimed.get(key);
      if (holder !== undefined && holder !== candidate.name) {
        return treeFinding("NAME_TAKEN", candidate.file, `\`${key}\` is already a name of the entry \`${holder}\``);
      }
    }
    for (const { key } of keys) this.#claimed.set(key, candidate.name);
    return undefined;
  }
}

async function bundleProblem(tree: RegistryTree, { file, bundle }: Candidate): Promise<Finding | undefined> {
  if (bundle === undefined) return undefined;
  const found = await tree.find(bundle);
  if (found?.kind === "file") return undefined;
  const what = found === undefined ? "is not there" : `must be a plain file, and it is a ${found.kind}`;
  return treeFinding("BUNDLE_MISSING", file, `the bundle \`${bundle}\` ${what}`);
}

/** The records, and under which keys each of them is found. */
class Records {
  readonly keys: NameKey[] = [];
  readonly #lines: Buffer[] = [];
  #offset = 0;

  add(line: Buffer, keys: readonly EntryKey[]): void {
    for (const { kind, key } of keys) {
      this.keys.push({ kind, key, offset: this.#offset, length: line.length - 1 });
    }
    this.#lines.push(line);
    this.#offset += line.length;
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#lines);
  }
}

/** Attestations by entry. One that cannot be believed is as good as none: a finding, and the entry stays. */
async function readAttestations(
  tree: RegistryTree,
  listed: readonly TreeFile[],
): Promise<{ attestations: Map<string, AttestationSummary[]>; findings: Finding[] }> {
  const attestations = new Map<string, AttestationSummary[]>();
  const findings: Finding[] = [];
  const refuse = (file: TreeFile, why: string): void => {
    findings.push(treeFinding("ATTESTATION_INVALID", file.path, why, "warning"));
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

/** Read every manifest; `reject` hears what is wrong and says whether the entry can be used all the same. */
async function readCandidates(
  tree: RegistryTree,
  listed: readonly TreeFile[],
  attestations: ReadonlyMap<string, readonly AttestationSummary[]>,
  reject: (name: string, file: string, problems: readonly Finding[]) => boolean,
): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  const readable: TreeFile[] = [];
  for (const file of listed) {
    const problem = placeProblem(file);
    if (problem === undefined) readable.push(file);
    else reject(file.path.split("/")[1] ?? "", file.path, [problem]);
  }
  for (let from = 0; from < readable.length; from += BATCH) {
    const batch = readable.slice(from, from + BATCH);
    const contents = await tree.read(batch);
    for (const [index, file] of batch.entries()) {
      const folder = file.path.split("/")[1] ?? "";
      const bytes = contents[index] ?? new Uint8Array();
      const parsed = parseManifest(bytes, file.path);
      const problems = [...(parsed.ok ? parsed.warnings : parsed.findings)];
      if (parsed.ok && parsed.manifest.name !== folder) {
        const message = `the manifest is named \`${parsed.manifest.name}\` and stands in the folder \`${folder}\``;
        problems.push(treeFinding("NAME_MISMATCH", file.path, message));
      }
      const usable = !reject(folder, file.path, problems);
      if (usable && parsed.ok) {
        candidates.push(candidateOf(file.path, bytes, parsed.manifest, attestations.get(folder) ?? []));
      }
    }
  }
  return candidates.toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

/**
 * Compile a registry's tree into the bytes of an index file. Equal trees and keys give equal bytes.
 * An entry with an error is left out, with findings; it never keeps the others from being found.
 * @param key what the index is made from, for `IndexMeta.key`
 * @throws IpmError REGISTRY_INVALID when there is no valid `registry.yaml`
 */
export async function compileIndex(tree: RegistryTree, key: string): Promise<CompiledIndex> {
  const listed = await tree.list();
  const registry = await readRegistryFile(tree, listed);
  const removed = new Map(Object.entries(registry.removed ?? {}));
  const findings: Finding[] = [];
  const broken = new Map<string, BrokenRecord>();
  const reject = (name: string, file: string, problems: readonly Finding[]): boolean => {
    findings.push(...problems);
    const errors = problems.filter((finding) => finding.severity === "error");
    // A folder may have any name; only those that can be asked for become keys of the table.
    if (errors.length > 0 && isToolName(name)) broken.set(name, { file, broken: errors.slice(0, MAX_BROKEN_FINDINGS) });
    return errors.length > 0;
  };

  const { attestations, findings: doubts } = await readAttestations(tree, listed);
  findings.push(...doubts);
  const manifests = listed.filter((file) => file.path !== REGISTRY_FILE && attestedEntry(file.path) === undefined);
  const candidates = await readCandidates(tree, manifests, attestations, reject);
  const names = new Names(new Set(candidates.map((candidate) => candidate.name)), removed);
  const accepted: Candidate[] = [];
  for (const candidate of candidates) {
    const problem = names.claim(candidate) ?? (await bundleProblem(tree, candidate));
    if (problem === undefined) accepted.push(candidate);
    else reject(candidate.name, candidate.file, [problem]);
  }

  const records = new Records();
  for (const { line, keys } of accepted) records.add(line, keys);
  for (const [name, record] of [...broken].toSorted(([left], [right]) => (left < right ? -1 : 1))) {
    records.add(jsonLine(record), [{ kind: "broken", key: name }]);
  }
  for (const [name, why] of [...removed].toSorted(([left], [right]) => (left < right ? -1 : 1))) {
    records.add(jsonLine({ removed: why }), [{ kind: "removed", key: name }]);
  }
  const table = encodeNameTable(records.keys);
  const { id, name, sequence = 0 } = registry;
  const meta: IndexMeta = { id, name, sequence, key, entries: accepted.length };
  const sections = new Map([
    ["records", records.bytes()],
    ["name-slots", table.slots],
    ["name-lines", table.lines],
    ...buildSearchSections(accepted.map((candidate) => candidate.search)),
  ]);
  const bundles = new Set(accepted.flatMap(({ bundle }) => (bundle === undefined ? [] : [bundle])));
  return {
    meta,
    bytes: encodeIndexFile({ ...meta }, sections),
    findings: findings.toSorted((left, right) =>
      left.file === right.file ? left.line - right.line || left.column - right.column : left.file < right.file ? -1 : 1,
    ),
    bundles: [...bundles].toSorted(),
    named: accepted.map(({ name, file, search }) => ({ file, names: [name, ...search.aliases] })),
    registry,
  };
}
