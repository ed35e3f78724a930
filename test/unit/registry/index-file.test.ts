import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IndexDamaged, IndexFile, bytesAsFile, encodeIndexFile } from "../../../src/registry/index-file.ts";

function open(bytes: Uint8Array): IndexFile {
  return new IndexFile(bytesAsFile(bytes));
}

const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, index) => (index * 31 + 7) & 0xff));
const SECTIONS = new Map([
  ["small", bytes(5)],
  ["empty", bytes(0)],
  ["large", bytes(10_000)],
]);

/** Read all there is; the sum keeps it from being for nothing. */
function readAll(file: Uint8Array): number {
  const index = open(file);
  let sum = 0;
  for (const [name, content] of SECTIONS) {
    for (const byte of index.section(name).read(0, content.length)) sum += byte;
  }
  return sum;
}

describe("an index file", () => {
  test("gives back every range of every section", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/u), fc.uint8Array({ maxLength: 20_000 }), { maxKeys: 5 }),
        fc.nat(20_000),
        fc.nat(20_000),
        (sections, from, to) => {
          const index = open(encodeIndexFile({ is: "meta" }, new Map(Object.entries(sections))));
          expect(index.meta).toEqual({ is: "meta" });
          for (const [name, content] of Object.entries(sections)) {
            const begin = Math.min(from, content.length);
            const end = Math.max(begin, Math.min(to, content.length));
            const read = index.section(name).read(begin, end - begin);
            expect(Buffer.compare(read, content.subarray(begin, end))).toBe(0);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  test("reads a section of numbers by ordinal, whether its page has been read or not", () => {
    const numbers = Uint32Array.from({ length: 3_000 }, (_, index) => index * 1_000_003);
    const section = open(encodeIndexFile({}, new Map([["n", new Uint8Array(numbers.buffer)]]))).section("n");
    for (const ordinal of [0, 2_999, 1, 1_023, 1_024, 1_025]) expect(section.u32(ordinal)).toBe(numbers[ordinal]);
    for (const ordinal of [-1, 3_000]) expect(() => section.u32(ordinal)).toThrow(IndexDamaged);
  });

  test("equal sections give equal bytes in whatever order they come", () => {
    const reversed = new Map([...SECTIONS].toReversed());
    expect(Buffer.compare(encodeIndexFile({}, SECTIONS), encodeIndexFile({}, reversed))).toBe(0);
  });

  test("cut off anywhere it is refused at once", () => {
    const file = encodeIndexFile({}, SECTIONS);
    for (let length = 0; length < file.length; length += 97) {
      expect(() => open(file.subarray(0, length))).toThrow(IndexDamaged);
    }
    expect(() => open(file.subarray(0, file.length - 1))).toThrow(IndexDamaged);
    expect(() => open(Buffer.concat([file, Buffer.alloc(1)]))).toThrow(IndexDamaged);
  });

  test("a changed bit anywhere is noticed before its page is used", () => {
    const file = encodeIndexFile({}, SECTIONS);
    const whole = readAll(file);
    expect(whole).toBeGreaterThan(0);
    for (let at = 0; at < file.length; at += 13) {
      const changed = Buffer.from(file);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      expect(() => readAll(changed)).toThrow(IndexDamaged);
    }
  });

  test("another format, and a file that is something else, are refused with the reason", () => {
    const file = Buffer.from(encodeIndexFile({}, SECTIONS));
    const newer = Buffer.from(file.toString("latin1").replace('"format":2', '"format":9'), "latin1");
    expect(() => open(newer)).toThrow(/has format 9, not 2/u);
    expect(() => open(Buffer.from("<html>".repeat(2_000)))).toThrow(/is not a file of ipm/u);
    expect(() => open(Buffer.alloc(0))).toThrow(/is truncated/u);
  });

  test("positions outside of a section are refused, and so are sections that are not there", () => {
    const index = open(encodeIndexFile({}, SECTIONS));
    const small = index.section("small");
    for (const [position, length] of [
      [0, 6],
      [5, 1],
      [-1, 1],
      [0, -1],
      [Number.NaN, 1],
      [0, Number.POSITIVE_INFINITY],
    ] as const) {
      expect(() => small.read(position, length)).toThrow(IndexDamaged);
    }
    expect(() => index.section("missing")).toThrow(/no section "missing"/u);
    expect(index.section("empty").read(0, 0)).toHaveLength(0);
  });

  test("is closed when it cannot be used, and by `close`", () => {
    const watched = (content: Uint8Array): { file: ReturnType<typeof bytesAsFile>; closed: () => number } => {
      let closed = 0;
      return { file: { ...bytesAsFile(content), close: () => void closed++ }, closed: () => closed };
    };
    const bad = watched(Buffer.from("bad"));
    expect(() => new IndexFile(bad.file)).toThrow(IndexDamaged);
    expect(bad.closed()).toBe(1);
    const good = watched(encodeIndexFile({}, SECTIONS));
    new IndexFile(good.file).close();
    expect(good.closed()).toBe(1);
  });
});
