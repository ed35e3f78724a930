import { IpmError } from "../core/errors.ts";
import { type ToolName, isToolName } from "../core/ids.ts";
import { isRecord } from "../core/is-record.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { INDEX_FORMAT } from "./index-file.ts";

/**
 * The root of a static registry: one small file that names everything else by its content. All other files never change,
 * so that any web server or CDN can hand them out for ever.
 *
 *     ipm-registry.json            this file; the only one that is asked for again
 *     files/<aa>/<sha256>          everything else, aa being the first two digits
 */
export const ROOT_FILE = "ipm-registry.json";
export const ROOT_FORMAT = "ipm-registry/v1";

/** Most bytes of a root, and of what it may name: a server cannot fill a disk or a memory with more. */
export const MAX_ROOT_BYTES = 256 * 1024;
/** Bytes of an index in one part, before it is compressed. */
export const PART_BYTES = 8 * 1024 * 1024;
const COMPRESSED_MORE = 64 * 1024;
const MAX_LAYERS = 8;
const MAX_INDEX_BYTES = 2 * 1024 ** 3;
const MAX_ENTRIES = 1_000_000;
/** Most bytes of a file that an entry needs, such as a bundle. */
export const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** A file below `files/`. */
export interface ContentFile {
  readonly sha256: string;
  /** Bytes as they are sent. */
  readonly size: number;
}

/** A piece of a layer, compressed by gzip. */
export interface LayerPart extends ContentFile {
  /** Bytes once decompressed: `PART_BYTES` for all but the last. */
  readonly bytes: number;
}

/** A file of the index, in parts that are fetched one after the other. */
export interface StaticLayer {
  /** Of the whole file; names it. */
  readonly sha256: string;
  readonly bytes: number;
  readonly parts: readonly LayerPart[];
}

export interface StaticRoot {
  readonly id: ToolName;
  readonly name: string;
  /** Raised with every publication that differs from the one before. */
  readonly sequence: number;
  readonly entries: number;
  /** The index in this ipm's format, the lowest layer first. */
  readonly layers: readonly StaticLayer[];
  /** For people and tools: a line of JSON for each publication, the newest last. */
  readonly changes: ContentFile;
  /** For whoever builds the next publication: every file of the registry and what it holds, compressed. */
  readonly contents: LayerPart;
}

/** Path of a file below the root's folder or URL. */
export function contentPath(sha256: string): string {
  return `files/${sha256.slice(0, 2)}/${sha256}`;
}

/** The text of a root; equal values give equal text. */
export function formatRoot(root: StaticRoot): string {
  const { layers, changes, contents, ...rest } = root;
  const indexes = [{ format: INDEX_FORMAT, layers }];
  return `${JSON.stringify({ format: ROOT_FORMAT, ...rest, indexes, changes, contents }, null, 1)}\n`;
}

function isCount(value: unknown, most: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= most;
}

function isSha256(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{64}$/u.test(value);
}

/** True for what names a file below `files/`. */
export function isContentFile(value: unknown, most: number): value is ContentFile & Record<string, unknown> {
  return isRecord(value) && isSha256(value["sha256"]) && isCount(value["size"], most);
}

/** @param mostBytes once decompressed; compressed it is not larger by more than a little */
function isPart(value: unknown, mostBytes: number): value is LayerPart & Record<string, unknown> {
  return isContentFile(value, mostBytes + COMPRESSED_MORE) && isCount(value["bytes"], mostBytes);
}

function layerOf(value: unknown): StaticLayer | undefined {
  if (!isRecord(value)) return undefined;
  const { sha256, bytes, parts } = value;
  if (!isSha256(sha256) || !isCount(bytes, MAX_INDEX_BYTES) || !Array.isArray(parts)) return undefined;
  const read = parts.flatMap((part: unknown): LayerPart[] =>
    isPart(part, PART_BYTES) ? [{ sha256: part.sha256, size: part.size, bytes: part.bytes }] : [],
  );
  const sum = read.reduce((total, part) => total + part.bytes, 0);
  return read.length === parts.length && sum === bytes ? { sha256, bytes, parts: read } : undefined;
}

/**
 * Read the root of a static registry, of which nothing is believed: every size is bounded.
 * @param where its URL, for messages
 * @throws IpmError REGISTRY_NOT_DATA, REGISTRY_FORMAT_UNKNOWN
 */
export function parseRoot(text: string, where: string): StaticRoot {
  const refuse = (why: string): IpmError =>
    new IpmError("REGISTRY_NOT_DATA", `${escapeUntrusted(where)} ${why}`, {
      hint: text.trimStart().startsWith("<")
        ? "a login page of this network, or the wrong address? Open it in a browser, then run: ipm update"
        : "tell the registry's owner to build and upload it again: ipm registry build",
      data: { url: escapeUntrusted(where) },
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw text.trimStart().startsWith("<")
      ? refuse("is a web page, not the root of a registry")
      : new IpmError(refuse("").code, `${escapeUntrusted(where)} is cut off or garbled: it is no JSON`, {
          hint: "run the command again; if it stays so, tell the registry's owner",
          data: { url: escapeUntrusted(where) },
          cause: error,
        });
  }
  if (!isRecord(value) || typeof value["format"] !== "string") throw refuse("is not the root of a registry");
  const unknownFormat = (what: string): IpmError =>
    new IpmError("REGISTRY_FORMAT_UNKNOWN", `${escapeUntrusted(where)} ${what}`, {
      hint: "use a newer ipm, or ask the registry's owner to build it with this one",
      data: { url: escapeUntrusted(where) },
    });
  if (value["format"] !== ROOT_FORMAT)
    throw unknownFormat(`has the format ${escapeUntrusted(value["format"].slice(0, 60))}, not ${ROOT_FORMAT}`);
  const { id, name, sequence, entries, indexes, changes, contents } = value;
  if (typeof id !== "string" || !isToolName(id) || typeof name !== "string" || name.length > 200)
    throw refuse("has no valid id and name");
  if (!isCount(sequence, Number.MAX_SAFE_INTEGER) || !isCount(entries, MAX_ENTRIES))
    throw refuse("has no valid sequence and number of entries");
  if (!isContentFile(changes, MAX_FILE_BYTES) || !isPart(contents, MAX_FILE_BYTES) || !Array.isArray(indexes))
    throw refuse("does not say which files it is made of");
  const index: unknown = indexes.find((each: unknown) => isRecord(each) && each["format"] === INDEX_FORMAT);
  if (!isRecord(index)) throw unknownFormat(`has no index in the format that this ipm reads (${INDEX_FORMAT})`);
  const layers = Array.isArray(index["layers"]) ? index["layers"].map(layerOf) : [];
  const read = layers.filter((layer) => layer !== undefined);
  if (read.length === 0 || read.length > MAX_LAYERS || read.length !== layers.length)
    throw refuse("has an index whose parts or sizes cannot be right");
  return {
    id,
    name: escapeUntrusted(name),
    sequence,
    entries,
    layers: read,
    changes: { sha256: changes.sha256, size: changes.size },
    contents: { sha256: contents.sha256, size: contents.size, bytes: contents.bytes },
  };
}
