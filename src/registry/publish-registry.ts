import path from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { sha256Hex } from "../core/canonical-json.ts";
import { IpmError } from "../core/errors.ts";
import type { Files } from "../core/host.ts";
import type { ToolName } from "../core/ids.ts";
import { isRecord } from "../core/is-record.ts";
import { type Finding, formatFinding } from "../manifest/finding.ts";
import { type CompileOptions, compileIndex } from "./compile-index.ts";
import { decompressInto } from "./fetch-static.ts";
import type { FileRecord } from "./index-records.ts";
import { readBuildMemory, writeBuildMemory } from "./build-memory.ts";
import { type TreeChange, updateIndex } from "./update-index.ts";
import { IndexDamaged, IndexFile, bytesAsFile } from "./index-file.ts";
import { RegistryIndex } from "./registry-index.ts";
import {
  MANIFEST_FILE,
  PACKAGES,
  REGISTRY_FILE,
  type RegistryTree,
  type TreeFile,
  findRegistryRoot,
  folderTree,
} from "./registry-tree.ts";
import {
  type ContentFile,
  type LayerPart,
  MAX_FILE_BYTES,
  PART_BYTES,
  ROOT_FILE,
  type StaticLayer,
  type StaticRoot,
  contentPath,
  formatRoot,
  parseRoot,
} from "./static-root.ts";

export interface PublishOptions {
  /** Number of the publication; default: one more than the last, or `sequence` of registry.yaml, whichever is larger. */
  readonly sequence?: number;
  /**
   * Absolute path of a file outside of both folders that remembers what the registry's files looked like, so that the next
   * build reads only those that look different, and the clock. Default: all are read.
   */
  readonly memory?: { readonly file: string; readonly now: () => Date };
}

export interface PublishedRegistry {
  readonly id: ToolName;
  readonly name: string;
  /** Absolute folder to upload. */
  readonly out: string;
  readonly entries: number;
  readonly sequence: number;
  /** False: the folder was up to date, and nothing was written. */
  readonly changed: boolean;
  /** Entries that differ from the publication before; null for the first one. */
  readonly changes: PublicationChanges | null;
  /** Files that were added to the folder, and their bytes. */
  readonly written: number;
  readonly bytes: number;
  /** Bytes that a first copy takes, and that somebody takes who has the publication before. */
  readonly firstCopy: number;
  readonly update: number;
  /** Warnings; errors refuse the build. */
  readonly findings: readonly Finding[];
}

export interface PublicationChanges {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

const compress = promisify(gzip);

/** Files in memory at a time. */
const BATCH = 500;
/** Lines of the change log, the newest ones. */
const MAX_CHANGE_LINES = 1_000;
/** Names in one line of the change log; of more, only how many. */
const MAX_CHANGE_NAMES = 1_000;
/** The folder that is being written: content goes in under its digest, once. */
class Publication {
  written = 0;
  bytes = 0;
  readonly #files: Files;
  readonly #out: string;
  readonly #referenced = new Set<string>();
  readonly #present = new Map<string, Set<string>>();

  private constructor(files: Files, out: string) {
    this.#files = files;
    this.#out = out;
  }

  /** @param out absolute folder, which need not be there */
  static async open(files: Files, out: string): Promise<Publication> {
    const publication = new Publication(files, out);
    for (const folder of await files.list(path.join(out, "files")))
      publication.#present.set(folder, new Set(await files.list(path.join(out, "files", folder))));
    return publication;
  }

  /** Keep a file that is in the folder already. */
  keep(sha256: string): void {
    this.#referenced.add(sha256);
  }

  /**
   * Whether what a file of the registry held is in the folder still. Of a manifest the name is enough: clients take it from
   * the index, and never fetch it.
   */
  async holds(file: string, content: ContentFile): Promise<boolean> {
    const { sha256 } = content;
    if (!file.endsWith(`/${MANIFEST_FILE}`)) return this.has(content);
    return this.#present.get(sha256.slice(0, 2))?.has(sha256) === true;
  }

  async has({ sha256, size }: ContentFile): Promise<boolean> {
    const facts = await this.#files.facts(path.join(this.#out, contentPath(sha256)));
    return facts?.kind === "file" && facts.size === size;
  }

  async add(content: Uint8Array, sha256 = sha256Hex(content)): Promise<ContentFile> {
    this.keep(sha256);
    const file = { sha256, size: content.length };
    if (await this.has(file)) return file;
    const target = path.join(this.#out, contentPath(sha256));
    await this.#files.createFolder(path.dirname(target));
    // Plain writes: the whole folder is flushed before the root names any of them.
    await this.#files.write(`${target}.tmp`, content);
    await this.#files.rename(`${target}.tmp`, target);
    this.written += 1;
    this.bytes += content.length;
    return file;
  }

  async addCompressed(content: Uint8Array): Promise<LayerPart> {
    // Not brotli: a tenth smaller, but it takes clients half as long again to unpack.
    const sent = await compress(content);
    return { ...(await this.add(sent)), bytes: content.length };
  }

  /** A layer of the index, cut into parts. Two are compressed at a time. */
  async addLayer(bytes: Uint8Array): Promise<StaticLayer> {
    const parts: LayerPart[] = [];
    for (let from = 0; from < bytes.length; from += 2 * PART_BYTES) {
      const pair = [from, from + PART_BYTES].filter((begin) => begin < bytes.length);
      parts.push(
        ...(await Promise.all(pair.map((begin) => this.addCompressed(bytes.subarray(begin, begin + PART_BYTES))))),
      );
    }
    return { sha256: sha256Hex(bytes), bytes: bytes.length, parts };
  }

  /** @throws IpmError IO_FAILED when it is missing or has other bytes */
  async read({ sha256 }: ContentFile): Promise<Uint8Array> {
    const file = path.join(this.#out, contentPath(sha256));
    const content = await this.#files.readBytes(file);
    if (content !== undefined && sha256Hex(content) === sha256) return content;
    throw new IpmError("IO_FAILED", `${file} is missing or damaged`);
  }

  /** Take away what neither this publication nor the one before names; whoever fetches that one now can finish. */
  async tidy(): Promise<void> {
    for (const [folder, names] of this.#present) {
      for (const name of names) {
        if (!this.#referenced.has(name)) await this.#files.remove(path.join(this.#out, "files", folder, name));
      }
    }
  }
}

type Contents = ReadonlyMap<string, ContentFile>;

function formatContents(contents: Contents): Buffer {
  const lines = [...contents].toSorted(([left], [right]) => (left < right ? -1 : 1));
  return Buffer.from(lines.map(([file, { sha256, size }]) => `${sha256}\t${size}\t${file}\n`).join(""));
}

function parseContents(text: string): Map<string, ContentFile> {
  const contents = new Map<string, ContentFile>();
  for (const line of text.split("\n")) {
    const [sha256, size, file] = line.split("\t");
    if (sha256 !== undefined && file !== undefined) contents.set(file, { sha256, size: Number(size) });
  }
  return contents;
}

/** What the folder holds of the publication before. */
interface Previous {
  readonly root: StaticRoot;
  /** sha256 of the root's bytes. */
  readonly digest: string;
  readonly contents: Contents;
  /** The same as `formatContents` makes it. */
  readonly listing: Uint8Array;
  readonly index: RegistryIndex;
}

async function openLayer(publication: Publication, { parts }: StaticLayer): Promise<IndexFile> {
  const pieces: Uint8Array[] = [];
  for (const part of parts) {
    pieces.push(await decompressInto(await publication.read(part), part.bytes));
  }
  return new IndexFile(bytesAsFile(Buffer.concat(pieces)));
}

/** The root in the out folder, or undefined when the folder is missing or empty. @throws IpmError FOREIGN_FILE */
async function readRoot(files: Files, out: string): Promise<string | undefined> {
  const text = await files.readText(path.join(out, ROOT_FILE));
  if (text !== undefined) return text;
  // `files`: what a build left that was interrupted before it named anything. A branch's checkout has its `.git`.
  const first = (await files.list(out)).find((name) => name !== "files" && !name.startsWith("."));
  if (first === undefined) return undefined;
  throw new IpmError("FOREIGN_FILE", `${out} is neither empty nor a publication of a registry: it holds ${first}`, {
    hint: "ipm registry build DIR --out A-FOLDER-OF-ITS-OWN",
    data: { path: out },
  });
}

/** The publication that a root names. @throws IpmError IO_FAILED, REGISTRY_NOT_DATA, REGISTRY_FORMAT_UNKNOWN; IndexDamaged */
async function readPrevious(text: string, out: string, publication: Publication): Promise<Previous> {
  const root = parseRoot(text, path.join(out, ROOT_FILE));
  for (const { parts } of root.layers) for (const part of parts) publication.keep(part.sha256);
  publication.keep(root.changes.sha256);
  publication.keep(root.contents.sha256);
  const { bytes } = root.contents;
  const listing = await decompressInto(await publication.read(root.contents), bytes);
  const contents = parseContents(Buffer.from(listing).toString("utf8"));
  for (const { sha256 } of contents.values()) publication.keep(sha256);
  const layers: IndexFile[] = [];
  for (const layer of root.layers) layers.push(await openLayer(publication, layer));
  return { root, digest: sha256Hex(text), contents, listing, index: new RegistryIndex(layers) };
}

/** What has changed between two listings of a registry's files. */
function changeBetween(before: Contents, now: Contents): TreeChange {
  const names = new Set<string>();
  let all = false;
  const mark = (file: string): void => {
    const [folder, name] = file.split("/");
    if (folder === PACKAGES && name !== undefined) names.add(name);
    else if (file !== REGISTRY_FILE) all = true;
  };
  for (const [file, { sha256 }] of now) if (before.get(file)?.sha256 !== sha256) mark(file);
  for (const file of before.keys()) if (!now.has(file)) mark(file);
  return { names, all };
}

/** Every file that the compiler lists, and what else was published before, as they are now. */
async function readContents(
  tree: RegistryTree,
  publication: Publication,
  before: Contents,
  remembered: ReadonlyMap<string, string>,
): Promise<{ readonly contents: Map<string, ContentFile>; readonly readable: readonly TreeFile[] }> {
  const contents = new Map<string, ContentFile>();
  const listed = await tree.list();
  const known = new Set(listed.map((file) => file.path));
  const others = await Promise.all(
    [...before.keys()].filter((file) => !known.has(file)).map((file) => tree.find(file)),
  );
  const readable = [...listed, ...others.filter((file) => file !== undefined)].filter(
    ({ kind, size }) => kind === "file" && size <= MAX_FILE_BYTES,
  );
  const changed: TreeFile[] = [];
  for (const file of readable) {
    const same = remembered.get(file.path) === file.stamp ? before.get(file.path) : undefined;
    if (same !== undefined && (await publication.holds(file.path, same))) contents.set(file.path, same);
    else changed.push(file);
  }
  for (let from = 0; from < changed.length; from += BATCH) {
    const batch = changed.slice(from, from + BATCH);
    const bytes = await tree.read(batch);
    for (const [at, file] of batch.entries()) {
      const content = bytes[at] ?? new Uint8Array();
      contents.set(file.path, await publication.add(content));
    }
  }
  return { contents, readable };
}

function changesOf({ names }: TreeChange, before: RegistryIndex, now: RegistryIndex): PublicationChanges {
  const has = (index: RegistryIndex, name: string): boolean => index.find(name, ["name"]).length > 0;
  const sorted = [...names].toSorted();
  return {
    added: sorted.filter((name) => has(now, name) && !has(before, name)),
    changed: sorted.filter((name) => has(now, name) && has(before, name)),
    removed: sorted.filter((name) => !has(now, name) && has(before, name)),
  };
}

/** The change log with one line more. */
function addToLog(log: string, sequence: number, entries: number, changes: PublicationChanges | null): string {
  const few = (names: readonly string[]): readonly string[] | number =>
    names.length > MAX_CHANGE_NAMES ? names.length : names;
  const line =
    changes === null
      ? { sequence, entries }
      : { sequence, entries, added: few(changes.added), changed: few(changes.changed), removed: few(changes.removed) };
  const lines = [...log.split("\n").filter((each) => each !== ""), JSON.stringify(line)];
  return `${lines.slice(-MAX_CHANGE_LINES).join("\n")}\n`;
}

/** Of a root of any format: the number must grow though nothing else of it can be used. */
function lastSequence(text: string): number {
  try {
    const root: unknown = JSON.parse(text);
    return isRecord(root) && typeof root["sequence"] === "number" ? root["sequence"] : 0;
  } catch {
    return 0;
  }
}

function sequenceOf(options: PublishOptions, inFile: number, last: number): number {
  if (options.sequence === undefined) return Math.max(last + 1, inFile);
  if (options.sequence > last) return options.sequence;
  throw new IpmError("USAGE", `--sequence ${options.sequence} is not above ${last}, that of the publication before`, {
    hint: `leave it out, or give ${last + 1} or more`,
    data: { sequence: options.sequence, previous: last },
  });
}

function sizeOf(layers: readonly StaticLayer[]): number {
  return layers.reduce((sum, { parts }) => sum + parts.reduce((part, { size }) => part + size, 0), 0);
}

/** @throws IpmError REGISTRY_INVALID when any entry has an error: nothing is published that nobody could install */
function refuseErrors(findings: readonly Finding[]): void {
  const errors = findings.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return;
  throw new IpmError("REGISTRY_INVALID", errors.slice(0, 20).map(formatFinding).join("\n"), {
    hint: "mend them (ipm lint shows more), then build again; nothing was written that anybody is sent to",
    data: { findings: errors },
  });
}

/**
 * Write the folder that serves a registry from any web server: the index in layers, the files that entries need, the
 * manifests, a change log, all under the digest of their content, and last the root that names them. Built over the
 * publication before, only what has changed is parsed, compressed and added. Equal registries over equal folders give
 * equal bytes; with nothing to change the folder is left as it is.
 * @param registryFolder holds `registry.yaml`, or has a folder `registry/` that does
 * @param out absolute folder: new, empty, or of the publication before
 * @throws IpmError REGISTRY_INVALID (any finding of an error; the out folder is another registry's), FOREIGN_FILE, USAGE
 */
export async function publishRegistry(
  files: Files,
  registryFolder: string,
  out: string,
  options: PublishOptions = {},
): Promise<PublishedRegistry> {
  const folder = await findRegistryRoot(files, registryFolder);
  if (folder === undefined) {
    throw new IpmError("REGISTRY_INVALID", `${registryFolder} is not a registry: it has no ${REGISTRY_FILE}`, {
      hint: "give the folder that holds registry.yaml, or its parent",
      data: { path: registryFolder },
    });
  }
  const tree = folderTree(files, folder);
  const text = await readRoot(files, out);
  const publication = await Publication.open(files, out);
  const previous = text === undefined ? undefined : await previousOrNothing(text, out, publication);
  const { memory } = options;
  const beganMs = memory?.now().getTime() ?? 0;
  const remembered =
    memory === undefined || previous === undefined
      ? new Map<string, string>()
      : await readBuildMemory(files, memory.file, folder, previous.digest);
  const { contents, readable } = await readContents(tree, publication, previous?.contents ?? new Map(), remembered);
  const remember = async (digest: string): Promise<void> => {
    if (memory !== undefined) await writeBuildMemory(files, memory.file, folder, digest, readable, beganMs);
  };
  const compileOptions: CompileOptions = {
    key: "published",
    describe: async (paths) => {
      const records = new Map<string, FileRecord>();
      for (const file of paths) {
        const known = contents.get(file) ?? (await addFile(tree, publication, file));
        contents.set(file, known);
        records.set(file, { sha256: known.sha256, size: known.size });
      }
      return records;
    },
  };
  const change = previous === undefined ? undefined : changeBetween(previous.contents, contents);
  const updated =
    previous === undefined || change === undefined
      ? undefined
      : await updateIndex(tree, previous.index, change, compileOptions);
  const compiled = updated ?? { ...(await compileIndex(tree, compileOptions)), kept: 0 };
  const { meta, kept, bytes, findings } = compiled;
  refuseErrors(findings);
  if (previous !== undefined && previous.root.id !== meta.id) {
    throw new IpmError("REGISTRY_INVALID", `${out} holds the registry ${previous.root.id}, not ${meta.id}`, {
      hint: "ipm registry build DIR --out A-FOLDER-OF-ITS-OWN",
      data: { path: out, found: previous.root.id, id: meta.id },
    });
  }
  const about = { id: meta.id, name: meta.name, out, entries: meta.entries, findings };
  const listing = formatContents(contents);
  const isSame =
    previous !== undefined &&
    Buffer.compare(listing, previous.listing) === 0 &&
    (options.sequence === undefined || options.sequence === previous.root.sequence);
  if (isSame) {
    await remember(previous.digest);
    const { sequence } = previous.root;
    const nothing = { changed: false, changes: { added: [], changed: [], removed: [] }, update: 0 };
    return { ...about, ...nothing, sequence, written: 0, bytes: 0, firstCopy: sizeOf(previous.root.layers) };
  }

  const added = bytes === null ? [] : [await publication.addLayer(bytes)];
  const layers = [...(previous?.root.layers.slice(0, kept) ?? []), ...added];
  const sequence = sequenceOf(options, meta.sequence, text === undefined ? 0 : lastSequence(text));
  const top = bytes === null ? [] : [new IndexFile(bytesAsFile(bytes))];
  const now = new RegistryIndex([...(previous?.index.layers.slice(0, kept).map(({ index }) => index) ?? []), ...top]);
  const changes = previous === undefined || change === undefined ? null : changesOf(change, previous.index, now);
  const log = previous === undefined ? "" : Buffer.from(await publication.read(previous.root.changes)).toString("utf8");
  const root: StaticRoot = {
    id: meta.id,
    name: meta.name,
    sequence,
    entries: meta.entries,
    layers,
    changes: await publication.add(Buffer.from(addToLog(log, sequence, meta.entries, changes))),
    contents: await publication.addCompressed(listing),
  };
  const rootText = formatRoot(root);
  // What is written here has to be read by everybody.
  parseRoot(rootText, path.join(out, ROOT_FILE));
  await files.flushTree(out);
  await files.writeDurably(path.join(out, ROOT_FILE), rootText);
  await publication.tidy();
  await remember(sha256Hex(rootText));
  return {
    ...about,
    sequence,
    changed: true,
    changes,
    written: publication.written + 1,
    bytes: publication.bytes + rootText.length,
    firstCopy: sizeOf(layers) + rootText.length,
    update: sizeOf(added) + rootText.length,
  };
}

/** A folder whose publication is not whole any more, or is of another ipm, is built anew, under a higher number. */
async function previousOrNothing(text: string, out: string, publication: Publication): Promise<Previous | undefined> {
  try {
    return await readPrevious(text, out, publication);
  } catch (error) {
    const codes: readonly string[] = ["IO_FAILED", "REGISTRY_NOT_DATA", "REGISTRY_FORMAT_UNKNOWN"];
    if (error instanceof IndexDamaged || (error instanceof IpmError && codes.includes(error.code))) return undefined;
    throw error;
  }
}

async function addFile(tree: RegistryTree, publication: Publication, file: string): Promise<ContentFile> {
  const found = await tree.find(file);
  if (found?.kind !== "file" || found.size > MAX_FILE_BYTES) {
    throw new IpmError("REGISTRY_INVALID", `${tree.where}/${file} is no plain file of at most ${MAX_FILE_BYTES} bytes`);
  }
  const [content = new Uint8Array()] = await tree.read([found]);
  return publication.add(content);
}
