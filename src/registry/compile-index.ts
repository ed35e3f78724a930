import { sha256Hex } from "../core/canonical-json.ts";
import { IpmError } from "../core/errors.ts";
import { forgeUrl, sourceKey } from "../core/git-url.ts";
import { type ToolName, isToolName } from "../core/ids.ts";
import { formatFinding, type Finding } from "../manifest/finding.ts";
import { parseManifest } from "../manifest/parse-manifest.ts";
import { parseRegistryFile } from "../manifest/registry-file.ts";
import type { ManifestSource, RegistryFile } from "../manifest/schema.ts";
import { selectVersion } from "../manifest/select-version.ts";
import { lockFilesOf } from "../plan/lock-files.ts";
import { encodeIndexFile } from "./index-file.ts";
import { encodeNameTable, type KeyKind, type NameKey } from "./name-table.ts";
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
import { type IndexLayer, type RegistryIndex, ownerOf } from "./registry-index.ts";
import { buildSearchSections } from "./search-index.ts";
import type { SearchDocument } from "./search-text.ts";
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
  /** The version that a plain `install` takes, or null when there is none: what search shows. */
  readonly version: string | null;
  readonly manifest: ManifestSource;
  /** What the registry's verification has seen of its versions, in the order of their files; left out when nothing. */
  readonly attestations?: readonly AttestationSummary[];
  /** Of a folder: what its files looked like, so that one entry can be compared without looking at the others. */
  readonly stamp?: string;
}

/** The record of an entry whose manifest cannot be used: look-ups say why instead of "not found". */
export interface BrokenRecord {
  /** Path of the manifest, or of what is in its place, below the registry's root. */
  readonly file: string;
  readonly broken: readonly Finding[];
  readonly stamp?: string;
}

/** The record of a name that was taken out of the registry and is never given away again. */
export interface RemovedRecord {
  /** Why. */
  readonly removed: string;
}

/** The record of a file that an entry needs, where the registry's files lie under their content. */
export interface FileRecord {
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

export type IndexRecord = EntryRecord | BrokenRecord | RemovedRecord | FileRecord;

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

/** What an index says beside, for whoever brings it up to date. */
interface LayerMeta extends IndexMeta {
  /** Names of the entries that cannot be used, or null when they are too many to be looked at each time. */
  readonly broken: readonly string[] | null;
  /** Digest of the names that were taken out. */
  readonly removed: string;
}

export interface CompileOptions {
  /** What the index is made from, for `IndexMeta.key`. */
  readonly key: string;
  /** Records carry what their files looked like (`EntryRecord.stamp`). Default: false. */
  readonly stamps?: boolean;
  /** The index also says what the files that entries need hold; called with paths below the root. Default: it does not. */
  readonly describe?: (paths: readonly string[]) => Promise<ReadonlyMap<string, FileRecord>>;
}

export interface CompiledIndex {
  readonly meta: IndexMeta;
  readonly bytes: Uint8Array;
  /** Everything that is wrong, in the order of paths. Entries with errors are left out. */
  readonly findings: readonly Finding[];
  /** Paths of the bundles and locks that the entries need, sorted. */
  readonly needed: readonly string[];
  /** Every entry with its names, in the order of names. */
  readonly named: readonly NamedEntry[];
  readonly registry: RegistryFile;
}

/** Findings of one entry that its record keeps: enough to mend it. */
const MAX_BROKEN_FINDINGS = 10;
/** Manifests in memory at a time, as read from the tree. */
const BATCH = 500;
/** So many names fit into an index's header; with more broken entries than that every change is compiled as a whole. */
const MAX_BROKEN_NAMES = 64;
/** More make every look-up slower. */
const MAX_LAYERS = 4;
/** A layer with fewer records is made anew rather than added to: that takes milliseconds. */
const SMALL_LAYER = 500;
/** A layer is merged with the one above when it has not so many times its records. */
const MERGE_BELOW = 8;

interface NeededFile {
  readonly path: string;
  readonly what: "bundle" | "lock";
}

interface EntryKey {
  readonly kind: KeyKind;
  readonly key: string;
}

/** What is kept of a manifest until all names are known: its line, and what the tables need. */
interface Candidate {
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

function candidateOf(record: EntryRecord, line: Buffer): Candidate {
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

function jsonLine(record: IndexRecord): Buffer {
  return Buffer.from(`${JSON.stringify(record)}\n`);
}

const OWN_KINDS: readonly KeyKind[] = ["name", "alias", "formerly"];

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
        return treeFinding("NAME_REMOVED", manifestPath(candidate.name), message);
      }
      const holder = this.#own.has(key) ? key : this.#claimed.get(key);
      if (holder !== undefined && holder !== candidate.name) {
        const message = `\`${key}\` is already a name of the entry \`${holder}\``;
        return treeFinding("NAME_TAKEN", manifestPath(candidate.name), message);
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
    return treeFinding(code, manifestPath(name), `the ${what} \`${path}\` ${why}`);
  }
  return undefined;
}

/** The records, and under which keys each of them is found. */
class Records {
  readonly keys: NameKey[] = [];
  readonly #lines: Buffer[] = [];
  readonly #ends: number[] = [];
  #end = 0;

  add(line: Buffer, keys: readonly EntryKey[]): void {
    for (const { kind, key } of keys) this.keys.push({ kind, key, record: this.#lines.length });
    this.#lines.push(line);
    this.#end += line.length;
    this.#ends.push(this.#end);
  }

  sections(): [string, Uint8Array][] {
    const { slots, lines } = encodeNameTable(this.keys);
    return [
      ["records", Buffer.concat(this.#lines)],
      ["record-ends", u32s(this.#ends)],
      ["name-slots", slots],
      ["name-lines", lines],
    ];
  }
}

function u32s(values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

function sorted<Value>(map: ReadonlyMap<string, Value>): [string, Value][] {
  return [...map].toSorted(([left], [right]) => (left < right ? -1 : 1));
}

/** What one layer says. */
interface LayerContent {
  /** Sorted by name. */
  readonly entries: readonly Candidate[];
  readonly broken: ReadonlyMap<string, BrokenRecord>;
  /** Names that were taken out, and why; of a higher layer none, because they are those of the layers below. */
  readonly removed: ReadonlyMap<string, string>;
  readonly files: ReadonlyMap<string, FileRecord>;
  /** Names of which nothing counts that the layers below have. */
  readonly replaced: ReadonlySet<string>;
}

/** The bytes of one layer. Equal content over equal layers gives equal bytes. */
function encodeLayer(content: LayerContent, meta: LayerMeta, below: readonly IndexLayer[]): Uint8Array {
  const { entries, broken, removed, files, replaced } = content;
  const records = new Records();
  for (const { line, keys } of entries) records.add(line, keys);
  for (const [name, record] of sorted(broken)) records.add(jsonLine(record), [{ kind: "broken", key: name }]);
  for (const [name, why] of sorted(removed)) records.add(jsonLine({ removed: why }), [{ kind: "removed", key: name }]);
  for (const [file, record] of sorted(files)) records.add(jsonLine(record), [{ kind: "file", key: file }]);
  for (const name of replaced) records.keys.push({ kind: "replaced", key: name, record: 0 });
  const hidden = below.map((layer, at): [string, Uint8Array] => {
    const ordinals = [...replaced].flatMap((name) =>
      layer.keys(name).flatMap(({ kind, record }) => (kind === "name" || kind === "broken" ? [record] : [])),
    );
    return [`hidden-${at}`, u32s(ordinals.toSorted((left, right) => left - right))];
  });
  const search = buildSearchSections(entries.map((entry) => entry.search));
  return encodeIndexFile({ ...meta }, new Map([...records.sections(), ...hidden, ...search]));
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
        problems.push(treeFinding("NAME_MISMATCH", file.path, message));
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

function byName(left: Candidate, right: Candidate): number {
  return left.name < right.name ? -1 : 1;
}

function byPlace(left: Finding, right: Finding): number {
  if (left.file !== right.file) return left.file < right.file ? -1 : 1;
  return left.line - right.line || left.column - right.column;
}

/** What is wrong with a tree, and the entries that cannot be used for it. */
class Complaints {
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
async function accept(
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

function layerMeta(
  registry: RegistryFile,
  options: CompileOptions,
  entries: number,
  broken: Iterable<string>,
): LayerMeta {
  const { id, name, sequence = 0 } = registry;
  const names = [...broken].toSorted();
  return {
    id,
    name,
    sequence,
    key: options.key,
    entries,
    broken: names.length > MAX_BROKEN_NAMES ? null : names,
    removed: digestOfRemoved(registry),
  };
}

function digestOfRemoved({ removed = {} }: RegistryFile): string {
  return sha256Hex(JSON.stringify(sorted(new Map(Object.entries(removed))))).slice(0, 16);
}

const NOTHING_TO_DESCRIBE: ReadonlyMap<string, FileRecord> = new Map();

async function describeFiles(
  { describe }: CompileOptions,
  candidates: readonly Candidate[],
): Promise<ReadonlyMap<string, FileRecord>> {
  const paths = new Set(candidates.flatMap(({ files }) => files));
  return describe === undefined || paths.size === 0 ? NOTHING_TO_DESCRIBE : describe([...paths].toSorted());
}

/**
 * Compile a registry's tree into the bytes of an index file: one layer with everything. Equal trees and keys give equal
 * bytes. An entry with an error is left out, with findings; it never keeps the others from being found.
 * @throws IpmError REGISTRY_INVALID when there is no valid `registry.yaml`
 */
export async function compileIndex(tree: RegistryTree, options: CompileOptions): Promise<CompiledIndex> {
  const listed = await tree.list();
  const registry = await readRegistryFile(tree, listed);
  const removed = new Map(Object.entries(registry.removed ?? {}));
  const stamps = options.stamps === true ? stampsOf(listed) : new Map<string, string>();
  const complaints = new Complaints(stamps);
  const { attestations, findings: doubts } = await readAttestations(tree, listed);
  complaints.findings.push(...doubts);
  const manifests = listed.filter(isManifestPlace);
  const candidates = await readCandidates(tree, manifests, attestations, stamps, complaints.reject);
  const entries = await accept(tree, candidates, removed, complaints.reject);
  const { broken } = complaints;
  const files = await describeFiles(options, entries);
  const meta = layerMeta(registry, options, entries.length, broken.keys());
  const needed = new Set(entries.flatMap((entry) => entry.needed.map((file) => file.path)));
  return {
    meta,
    bytes: encodeLayer({ entries, broken, removed, files, replaced: new Set() }, meta, []),
    findings: complaints.sorted(),
    needed: [...needed].toSorted(),
    named: entries.map(({ name, search }) => ({ file: manifestPath(name), names: [name, ...search.aliases] })),
    registry,
  };
}

/** What has changed in a tree since an index was made of it. */
export interface TreeChange {
  /** Entries of which any file was added, changed or removed. */
  readonly names: ReadonlySet<string>;
  /** Something else has changed too, such as a bundle: every entry is looked at again, though not parsed. */
  readonly all: boolean;
}

export interface UpdatedIndex {
  readonly meta: IndexMeta;
  /** How many of the previous layers stay, from the lowest on. */
  readonly kept: number;
  /** The layer that comes on top of them, or null for none. */
  readonly bytes: Uint8Array | null;
  /** What is wrong with the entries that were looked at. */
  readonly findings: readonly Finding[];
}

function isLayerMeta(meta: Readonly<Record<string, unknown>>): meta is LayerMeta & Record<string, unknown> {
  return typeof meta["entries"] === "number" && "broken" in meta && typeof meta["removed"] === "string";
}

/** The entries of one layer of an index that still count, but for those with some names. */
function carriedFrom(index: RegistryIndex, at: number, without: ReadonlySet<string>): Candidate[] {
  const layer = index.layers[at];
  const carried: Candidate[] = [];
  if (layer === undefined) return carried;
  for (let ordinal = 0; ordinal < layer.records; ordinal++) {
    const record = layer.record(ordinal);
    if (!("manifest" in record)) continue;
    if (!without.has(record.manifest.name) && !index.isReplaced(at, record))
      carried.push(candidateOf(record, Buffer.from(layer.line(ordinal))));
  }
  return carried;
}

/** Every name that one layer replaces in the layers below it. */
function replacedBy(index: RegistryIndex, at: number): string[] {
  const layer = index.layers[at];
  return index.layers.slice(0, at).flatMap((below, number) =>
    (layer?.hides(number) ?? []).flatMap((ordinal) => {
      const owner = ownerOf(below.record(ordinal));
      return owner === undefined ? [] : [owner];
    }),
  );
}

/**
 * Bring an index up to date: what has changed is read and parsed, whatever may clash with it is decided again by the same
 * rules, and the result, seen through its layers, is that of a full compilation. Small layers are merged into what they
 * lie on, so that there are few and a reader of the registry's publication has little to fetch.
 * @param previous every layer of the index as it was
 * @returns undefined when it has to be compiled as a whole
 * @throws IpmError REGISTRY_INVALID, IndexDamaged
 */
export async function updateIndex(
  tree: RegistryTree,
  previous: RegistryIndex,
  change: TreeChange,
  options: CompileOptions,
): Promise<UpdatedIndex | undefined> {
  const { meta: before } = previous;
  if (!isLayerMeta(before) || before.broken === null) return undefined;
  // What could not be used before may be usable now, whatever else changed.
  const closed = new Set([...change.names, ...before.broken]);
  const listed = await tree.list([...closed].toSorted());
  const registry = await readRegistryFile(tree, listed);
  if (registry.id !== before.id || digestOfRemoved(registry) !== before.removed) return undefined;
  const removed = new Map(Object.entries(registry.removed ?? {}));
  const stamps = options.stamps === true ? stampsOf(listed) : new Map<string, string>();
  const complaints = new Complaints(stamps);
  const { attestations, findings: doubts } = await readAttestations(tree, listed);
  complaints.findings.push(...doubts);
  const manifests = listed.filter(isManifestPlace);
  const candidates = await readCandidates(tree, manifests, attestations, stamps, complaints.reject);
  if (change.all) {
    for (const at of previous.layers.keys()) candidates.push(...carriedFrom(previous, at, closed));
    for (const { name } of candidates) closed.add(name);
  }
  // Whoever has one of their names may lose it to them, or keep it from them: decided anew, and so on.
  for (const candidate of candidates) {
    for (const { key } of candidate.keys.filter(isOwn)) {
      for (const { record } of previous.find(key, OWN_KINDS)) {
        if (!("manifest" in record) || closed.has(record.manifest.name)) continue;
        closed.add(record.manifest.name);
        candidates.push(candidateOf(record, jsonLine(record)));
      }
    }
  }
  const accepted = await accept(tree, candidates, removed, complaints.reject);
  const gone = [...closed].filter((name) => previous.find(name, ["name"]).length > 0).length;
  const { broken } = complaints;
  const meta = layerMeta(registry, options, before.entries - gone + accepted.length, broken.keys());
  const isSame = meta.name === before.name && meta.sequence === before.sequence;
  if (closed.size === 0 && isSame) return { meta, kept: previous.layers.length, bytes: null, findings: [] };

  const files = new Map(await describeFiles(options, accepted));
  const replaced = new Set(closed);
  const entries = [...accepted];
  let kept = change.all ? 0 : previous.layers.length;
  if (!change.all) {
    const isSmall = (layer: IndexLayer | undefined): boolean =>
      kept >= MAX_LAYERS || (layer?.records ?? 0) < Math.max(SMALL_LAYER, MERGE_BELOW * (entries.length + broken.size));
    while (kept > 0 && isSmall(previous.layers[kept - 1])) {
      kept -= 1;
      const carried = carriedFrom(previous, kept, closed);
      entries.push(...carried);
      for (const { name } of carried) replaced.add(name);
      for (const name of replacedBy(previous, kept)) replaced.add(name);
      if (options.describe === undefined) continue;
      for (const file of carried.flatMap((candidate) => candidate.files)) {
        const record = previous.find(file, ["file"]).at(-1)?.record;
        if (record !== undefined && "sha256" in record) files.set(file, record);
      }
    }
  }
  const content: LayerContent = {
    entries: entries.toSorted(byName),
    broken,
    removed: kept === 0 ? removed : new Map<string, string>(),
    files,
    replaced: kept === 0 ? new Set<string>() : replaced,
  };
  const bytes = encodeLayer(content, meta, previous.layers.slice(0, kept));
  return { meta, kept, bytes, findings: complaints.sorted() };
}
