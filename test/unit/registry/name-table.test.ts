import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IndexDamaged, IndexFile, bytesAsFile, encodeIndexFile } from "../../../src/registry/index-file.ts";
import { type NameKey, encodeNameTable, findKey } from "../../../src/registry/name-table.ts";

function open({ slots, lines }: { slots: Uint8Array; lines: Uint8Array }): (key: string) => NameKey[] {
  const index = new IndexFile(
    bytesAsFile(
      encodeIndexFile(
        {},
        new Map([
          ["slots", slots],
          ["lines", lines],
        ]),
      ),
    ),
  );
  return (key) => findKey(index.section("slots"), index.section("lines"), key);
}

const key = fc.record<NameKey>({
  kind: fc.constantFrom(
    "name",
    "alias",
    "formerly",
    "source",
    "former-source",
    "broken",
    "removed",
    "replaced",
    "file",
  ),
  key: fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" }).filter((text) => !/[\t\n]/u.test(text)),
  record: fc.nat(),
});

describe("the table of names", () => {
  test("finds every key with all that is known under it, and nothing else", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(key, { selector: (item) => `${item.kind} ${item.key}`, maxLength: 300 }),
        fc.string(),
        (keys, other) => {
          const find = open(encodeNameTable(keys));
          for (const { key: text } of keys) {
            const wanted = keys.filter((item) => item.key === text).toSorted((a, b) => (a.kind < b.kind ? -1 : 1));
            expect(find(text).toSorted((a, b) => (a.kind < b.kind ? -1 : 1))).toEqual(wanted);
          }
          expect(find(other)).toHaveLength(keys.filter((item) => item.key === other).length);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("keys in another order give the same bytes", () => {
    fc.assert(
      fc.property(fc.array(key, { maxLength: 50 }), (keys) => {
        const once = encodeNameTable(keys);
        const again = encodeNameTable(keys.toReversed());
        expect(Buffer.compare(once.lines, again.lines) + Buffer.compare(once.slots, again.slots)).toBe(0);
      }),
    );
  });

  test("a hostile text to look up finds nothing", () => {
    const find = open(encodeNameTable([{ kind: "name", key: "tool", record: 0 }]));
    for (const text of ["", "tool\t0", "name\ttool", "\n", "tool\n", "__proto__", "\u0000", "x".repeat(100_000)]) {
      expect(find(text)).toEqual([]);
    }
  });

  test("foreign bytes are damage, not an answer", () => {
    const lines = Buffer.from("what\tever\t1\n");
    const slots = new Uint8Array(Uint32Array.from([0, lines.length]).buffer);
    expect(() => open({ slots, lines })("ever")).toThrow(IndexDamaged);
    expect(() => open({ slots: new Uint8Array(), lines })("ever")).toThrow(IndexDamaged);
    expect(() => open({ slots: slots.subarray(0, 6), lines })("ever")).toThrow(IndexDamaged);
    expect(() => open({ slots: new Uint8Array(Uint32Array.from([0, 999]).buffer), lines })("ever")).toThrow(
      IndexDamaged,
    );
  });
});
