import { IndexDamaged, type IndexFile, type Section } from "./index-file.ts";

/** Items of different lengths in one section of an index, found by a section that says where each ends. */
export class IndexItems {
  readonly count: number;
  readonly #ends: Section;
  readonly #bytes: Section;

  /** @throws IndexDamaged when there are no such sections */
  constructor(index: IndexFile, ends: string, bytes: string) {
    this.#ends = index.section(ends);
    this.#bytes = index.section(bytes);
    this.count = this.#ends.length / 4;
    if (!Number.isInteger(this.count)) throw new IndexDamaged(`has a garbled section "${ends}"`);
  }

  /** Where an item ends, in bytes; 0 for -1, so that it is also where the next one begins. */
  end(ordinal: number): number {
    return ordinal < 0 ? 0 : this.#ends.u32(ordinal);
  }

  /** Where each of the items `from` (inclusive) to `to` (exclusive) ends. */
  ends(from: number, to: number): Uint32Array {
    // A copy, because the page may lie at any address.
    return new Uint32Array(new Uint8Array(this.#ends.read(from * 4, (to - from) * 4)).buffer);
  }

  /** Bytes of one item. */
  length(ordinal: number): number {
    return this.end(ordinal) - this.end(ordinal - 1);
  }

  /** An item that is an ascending list of numbers: varints of the differences (LEB128). */
  numbers(ordinal: number): Uint32Array {
    const bytes = this.bytes(ordinal);
    const values = new Uint32Array(bytes.length);
    let count = 0;
    let value = 0;
    for (let at = 0; at < bytes.length;) {
      let byte = bytes[at++] ?? 0;
      let difference = byte & 0x7f;
      for (let shift = 7; byte > 0x7f && at < bytes.length; shift += 7) {
        byte = bytes[at++] ?? 0;
        difference |= (byte & 0x7f) << shift;
      }
      value += difference;
      values[count++] = value;
    }
    return values.subarray(0, count);
  }

  /** The bytes of the items `from` (inclusive) to `to` (exclusive). */
  bytes(from: number, to = from + 1): Buffer {
    const begin = this.end(from - 1);
    return this.#bytes.read(begin, this.end(to - 1) - begin);
  }
}
