import type { PositionedFile } from "../core/host.ts";

/**
 * The container of a compiled registry: named sections of bytes in one file, so that a reader sees all of one build or
 * none of it. Every page of 1 KiB has a checksum of its own: what is read is checked, what is not read costs nothing.
 *
 *     begin    magic, length of the header, header (JSON: format, meta, sections, where the checksums are, file length)
 *     then     the sections, each from an 8-byte boundary on, the first from a page's begin on
 *     end      checksums, four bytes a page, little endian (FNV-1a by words)
 *
 * The checksum finds damage, not malice. The file is a cache in the user's own folder, made from the manifests there, or
 * what a static registry published: a hostile one must not get further than `IndexDamaged`.
 */

/** Raised whenever the layout of the file or of any section changes; a file of another format is rebuilt, never read. */
export const INDEX_FORMAT = 2;

const MAGIC = "ipm-index\n";
const HEADER_AT = MAGIC.length + 2;
const MAX_HEADER_PAGES = 8;
// Small: checking a page is most of what a look-up costs in a process that has just started.
const PAGE = 1024;
const ALIGNMENT = 8;
/** Checksums are read for so many pages at a time. */
const CHECKED_TOGETHER = 1024;
// Pages kept in memory while a file is open; a search with common words reads a few hundred.
const MAX_CACHED_PAGES = 8192;
// A longer read is used up at once, so its pages are not kept.
const MAX_KEPT_READ = 8 * PAGE;

/** The file is truncated, garbled, foreign or of another format: throw it away and build it again. */
export class IndexDamaged extends Error {
  constructor(reason: string) {
    super(`the index ${reason}`);
    this.name = "IndexDamaged";
  }
}

interface Header {
  readonly format: number;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly sections: Readonly<Record<string, readonly [offset: number, length: number]>>;
  readonly checksums: number;
  readonly length: number;
}

/**
 * FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/) by words of 32 bits in place of bytes: four times as fast, and as
 * each step is reversible, a change within one word is always noticed. The length is a multiple of four.
 */
function checksumOf(bytes: Uint8Array): number {
  const { buffer, byteOffset, length } = byteOffsetIsAligned(bytes) ? bytes : new Uint8Array(bytes);
  const words = new Int32Array(buffer, byteOffset, length / 4);
  let hash = 0x81_1c_9d_c5;
  // Not `for of`: this runs a few times in a fresh process, where calling an iterator costs more than the work.
  for (let index = 0; index < words.length; index++) hash = Math.imul(hash ^ (words[index] ?? 0), 0x01_00_01_93);
  return hash >>> 0;
}

function byteOffsetIsAligned(bytes: Uint8Array): boolean {
  return bytes.byteOffset % 4 === 0;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function aligned(position: number): number {
  return Math.ceil(position / ALIGNMENT) * ALIGNMENT;
}

/**
 * The bytes of an index file. Equal input gives equal bytes: sections are laid out in the order of their names.
 * @param meta what a reader must know before it reads a section: plain JSON
 * @throws RangeError when meta and section names are larger than 8 KiB
 */
export function encodeIndexFile(
  meta: Readonly<Record<string, unknown>>,
  sections: ReadonlyMap<string, Uint8Array>,
): Uint8Array {
  const names = [...sections.keys()].toSorted();
  // The header says where everything is, and its own length moves everything: pages are added until it fits.
  for (let pages = 1; pages <= MAX_HEADER_PAGES; pages++) {
    const layout = layOut(meta, sections, names, pages);
    if (HEADER_AT + layout.header.length <= pages * PAGE) return fill(layout, sections, names);
  }
  throw new RangeError("the header of an index does not fit");
}

interface Layout {
  readonly header: Buffer;
  readonly places: Readonly<Record<string, readonly [offset: number, length: number]>>;
  readonly checksums: number;
  readonly length: number;
}

function layOut(
  meta: Readonly<Record<string, unknown>>,
  sections: ReadonlyMap<string, Uint8Array>,
  names: readonly string[],
  headerPages: number,
): Layout {
  const places: Record<string, [number, number]> = {};
  let position = headerPages * PAGE;
  for (const name of names) {
    const length = sections.get(name)?.length ?? 0;
    places[name] = [position, length];
    position = aligned(position + length);
  }
  const length = position + Math.ceil(position / PAGE) * 4;
  const header: Header = { format: INDEX_FORMAT, meta, sections: places, checksums: position, length };
  return { header: Buffer.from(JSON.stringify(header)), places, checksums: position, length };
}

function fill(
  { header, places, checksums, length }: Layout,
  sections: ReadonlyMap<string, Uint8Array>,
  names: readonly string[],
): Uint8Array {
  const pages = Math.ceil(checksums / PAGE);
  const file = Buffer.alloc(length);
  file.write(MAGIC, 0, "latin1");
  file.writeUInt16LE(header.length, MAGIC.length);
  header.copy(file, HEADER_AT);
  for (const name of names) file.set(sections.get(name) ?? new Uint8Array(), places[name]?.[0] ?? PAGE);
  for (let page = 0; page < pages; page++) {
    const end = Math.min((page + 1) * PAGE, checksums);
    file.writeUInt32LE(checksumOf(file.subarray(page * PAGE, end)), checksums + page * 4);
  }
  return file;
}

/** A shallow look: sections and meta are checked where they are used. */
function isHeader(value: unknown): value is Header {
  if (typeof value !== "object" || value === null) return false;
  if (!("format" in value && "meta" in value && "sections" in value && "checksums" in value && "length" in value))
    return false;
  const { format, meta, sections, checksums, length } = value;
  const isMap = (part: unknown): boolean => typeof part === "object" && part !== null;
  return (
    Number.isInteger(format) &&
    Number.isInteger(checksums) &&
    Number.isInteger(length) &&
    isMap(meta) &&
    isMap(sections)
  );
}

/** The header as it is, and where it ends; nothing has been compared with a checksum yet. */
function readHeader(file: PositionedFile): { header: Header; end: number } {
  if (file.size < PAGE) throw new IndexDamaged("is truncated");
  let bytes = asBuffer(file.read(0, PAGE));
  if (bytes.toString("latin1", 0, MAGIC.length) !== MAGIC) throw new IndexDamaged("is not a file of ipm");
  const end = HEADER_AT + bytes.readUInt16LE(MAGIC.length);
  if (end > PAGE) bytes = asBuffer(file.read(0, end));
  let header: unknown;
  try {
    header = JSON.parse(bytes.toString("utf8", HEADER_AT, end));
  } catch {
    throw new IndexDamaged("has a header that cannot be read");
  }
  if (!isHeader(header)) throw new IndexDamaged("has a header of another kind");
  if (header.format !== INDEX_FORMAT) throw new IndexDamaged(`has format ${header.format}, not ${INDEX_FORMAT}`);
  if (header.length !== file.size) throw new IndexDamaged(`has ${file.size} bytes, not ${header.length}`);
  if (!isPlace(header.checksums) || header.checksums + Math.ceil(header.checksums / PAGE) * 4 !== header.length)
    throw new IndexDamaged("has its checksums in the wrong place");
  return { header, end };
}

/** A position or a length: no fraction, not negative, and small enough to count with. */
function isPlace(value: unknown): value is number {
  return Number.isSafeInteger(value) && typeof value === "number" && value >= 0;
}

/** Bytes in memory as an open file. */
export function bytesAsFile(bytes: Uint8Array): PositionedFile {
  return {
    size: bytes.length,
    read: (position, length) => bytes.subarray(position, position + length),
    close: () => {},
  };
}

/** One named part of an open index file. Positions are relative to its begin. */
export interface Section {
  readonly length: number;
  /** Checked bytes. @throws IndexDamaged outside of the section and for a page with a wrong checksum */
  read(position: number, length: number): Buffer;
  /** The unsigned 32-bit number with this ordinal, for sections that are arrays of them. */
  u32(ordinal: number): number;
}

/** An index file that is open for reading; nothing but the header is read until something is asked for. */
export class IndexFile {
  readonly meta: Readonly<Record<string, unknown>>;
  readonly #file: PositionedFile;
  readonly #header: Header;
  readonly #pages = new Map<number, Buffer>();
  readonly #checksums = new Map<number, Buffer>();

  /** @throws IndexDamaged when the file is truncated, foreign, or its header is garbled; the file is closed then */
  constructor(file: PositionedFile) {
    this.#file = file;
    try {
      const { header, end } = readHeader(file);
      this.#header = header;
      // Its words were needed to find the checksums; now they are compared.
      this.#read(0, end);
    } catch (error) {
      file.close();
      throw error;
    }
    this.meta = this.#header.meta;
  }

  close(): void {
    this.#pages.clear();
    this.#file.close();
  }

  /** @throws IndexDamaged when there is no such section */
  section(name: string): Section {
    const place: unknown = Object.hasOwn(this.#header.sections, name) ? this.#header.sections[name] : undefined;
    if (!Array.isArray(place)) throw new IndexDamaged(`has no section "${name}"`);
    const [offset, length] = place as unknown[];
    if (!isPlace(offset) || !isPlace(length) || offset + length > this.#header.checksums)
      throw new IndexDamaged(`has a section "${name}" outside of itself`);
    const read = (position: number, count: number): Buffer => {
      if (!(position >= 0 && count >= 0 && position + count <= length)) {
        throw new IndexDamaged(`points outside of its section "${name}"`);
      }
      return this.#read(offset + position, count);
    };
    return {
      length,
      read,
      u32: (ordinal) => {
        const position = offset + ordinal * 4;
        // Sections begin at 8-byte boundaries, so a number never spans two pages.
        const page = this.#pages.get(Math.floor(position / PAGE));
        if (page === undefined || ordinal < 0 || ordinal * 4 + 4 > length) return read(ordinal * 4, 4).readUInt32LE(0);
        return page.readUInt32LE(position % PAGE);
      },
    };
  }

  #read(position: number, length: number): Buffer {
    if (length === 0) return Buffer.alloc(0);
    const first = Math.floor(position / PAGE);
    const last = Math.floor((position + length - 1) / PAGE);
    const kept = first === last ? this.#pages.get(first) : undefined;
    const pages = kept ?? this.#loadPages(first, last + 1);
    return pages.subarray(position - first * PAGE, position - first * PAGE + length);
  }

  /** Read and check the pages `from` (inclusive) to `to` (exclusive); returns their bytes. */
  #loadPages(from: number, to: number): Buffer {
    const begin = from * PAGE;
    const bytes = this.#exactly(begin, Math.min(to * PAGE, this.#header.checksums) - begin);
    if (this.#pages.size + to - from > MAX_CACHED_PAGES) this.#pages.clear();
    for (let page = from; page < to; page++) {
      const content = bytes.subarray((page - from) * PAGE, (page - from + 1) * PAGE);
      if (checksumOf(content) !== this.#expected(page)) throw new IndexDamaged(`is garbled in page ${page}`);
      if (bytes.length <= MAX_KEPT_READ) this.#pages.set(page, content);
    }
    return bytes;
  }

  /** The checksum that a page must have. */
  #expected(page: number): number {
    const group = Math.floor(page / CHECKED_TOGETHER);
    let checksums = this.#checksums.get(group);
    if (checksums === undefined) {
      const { checksums: at, length } = this.#header;
      const begin = at + group * CHECKED_TOGETHER * 4;
      checksums = this.#exactly(begin, Math.min(CHECKED_TOGETHER * 4, length - begin));
      this.#checksums.set(group, checksums);
    }
    return checksums.readUInt32LE((page % CHECKED_TOGETHER) * 4);
  }

  #exactly(position: number, length: number): Buffer {
    if (!(length >= 0 && position >= 0)) throw new IndexDamaged("points outside of itself");
    const bytes = this.#file.read(position, length);
    if (bytes.length !== length) throw new IndexDamaged("is truncated");
    return asBuffer(bytes);
  }
}
