import fc from "fast-check";
import { Document } from "yaml";
import { expect, test } from "vitest";
import { firstUnsafeCharacter } from "../../../src/core/untrusted-text.ts";
import { FINDING_CODES, formatFinding } from "../../../src/manifest/finding.ts";
import { LARGER_EXAMPLE, SMALLEST_EXAMPLE } from "../../../src/manifest/manifest-reference.ts";
import { parseManifest } from "../../../src/manifest/parse-manifest.ts";
import { methodChoices, resolveManifest } from "../../../src/manifest/resolve-manifest.ts";
import { bytesOf, manifestOf } from "../../helpers/manifests.ts";

const PLATFORM = { os: "linux", arch: "x64", libc: "glibc" } as const;

/**
 * Whatever the bytes are: a value that resolves, or findings that can be shown. Never a throw.
 * @returns what is wrong with the answer
 */
function complaints(bytes: Uint8Array): string[] {
  const result = parseManifest(bytes, "m.yaml");
  if (result.ok) {
    for (const { version } of result.manifest.versions) {
      for (const { id, applies } of methodChoices(result.manifest, version, PLATFORM)) {
        if (applies) resolveManifest(result.manifest, { version, method: id, platform: PLATFORM });
      }
    }
    return [];
  }
  const { findings } = result;
  const shown = findings.map(formatFinding).join("\n").replaceAll("\n", "");
  return [
    ...(findings.length === 0 ? ["refused without a finding"] : []),
    ...(findings.length > 101 ? ["too many findings"] : []),
    ...findings.flatMap(({ code }) => (Object.hasOwn(FINDING_CODES, code) ? [] : [`unknown code ${code}`])),
    ...findings.flatMap(({ line, column }) => (line > 0 && column > 0 ? [] : [`place ${line}:${column}`])),
    ...(shown.includes("\t") || firstUnsafeCharacter(shown) !== undefined ? [`unsafe: ${JSON.stringify(shown)}`] : []),
  ];
}

const EXAMPLES = [SMALLEST_EXAMPLE, LARGER_EXAMPLE].map(bytesOf);
const example = fc.constantFrom(...EXAMPLES);

test("manifests with bytes changed, taken out and put in are read or refused", () => {
  const edit = fc.record({
    at: fc.nat(),
    remove: fc.nat({ max: 8 }),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc.constantFrom(..."{}[]:-,&*!|>#%?'\"\n\t ~@`\\".split("")).map(bytesOf),
      fc
        .constantFrom("---\n", "...\n", "\n- ", ": ", "<<: ", "__proto__: ", "\r\n", "\ufeff", "\u202e", "{prefix}")
        .map(bytesOf),
    ),
  });
  fc.assert(
    fc.property(example, fc.array(edit, { minLength: 1, maxLength: 4 }), (start, edits) => {
      let bytes: number[] = [...start];
      for (const { at, remove, insert } of edits) bytes = bytes.toSpliced(at % (bytes.length + 1), remove, ...insert);
      expect(complaints(Uint8Array.from(bytes))).toEqual([]);
    }),
    { numRuns: 800 },
  );
});

test("manifests with values replaced, moved and doubled are read or refused", () => {
  type Json = string | Json[] | { [key: string]: Json };
  const hostile = fc.constantFrom<Json>(
    "",
    "null",
    "true",
    "-1",
    "..",
    "/x",
    "{version}",
    "{x}",
    "${HOME}",
    "1.0",
    "npm",
    "\u0007",
    "a".repeat(5_000),
    [],
    {},
    [[]],
    [{}],
    { a: [] },
    ["x", ["y"]],
  );
  const value = fc.oneof(
    hostile,
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.array(fc.string({ maxLength: 6 }), { maxLength: 3 }),
  );

  /** Replace the n-th value, counted through the whole tree. */
  function replaced(data: Json, count: { left: number }, by: Json): Json {
    if (count.left-- === 0) return by;
    if (typeof data === "string") return data;
    if (Array.isArray(data)) return data.map((item) => replaced(item, count, by));
    return Object.fromEntries(Object.entries(data).map(([key, member]) => [key, replaced(member, count, by)]));
  }

  const sources = [SMALLEST_EXAMPLE, LARGER_EXAMPLE].map((text): Json => {
    // As written, with every scalar a text again.
    const texts: Json = JSON.parse(
      JSON.stringify(manifestOf(text), (_, member: unknown) =>
        typeof member === "number" || typeof member === "boolean" ? String(member) : member,
      ),
    );
    return texts;
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...sources),
      fc.array(fc.tuple(fc.nat({ max: 140 }), value), { minLength: 1, maxLength: 4 }),
      (source, edits) => {
        let data = source;
        for (const [at, by] of edits) data = replaced(data, { left: at }, by);
        expect(complaints(bytesOf(new Document(data).toString({ lineWidth: 0 })))).toEqual([]);
      },
    ),
    { numRuns: 500 },
  );
});

test("bytes without any form are read or refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(complaints(bytes)).toEqual([]);
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(..."[]{}-?:,&*!|>'\"# \n\tab~%@".split("")), maxLength: 120 }).map(bytesOf),
      (bytes) => {
        expect(complaints(bytes)).toEqual([]);
      },
    ),
    { numRuns: 1_000 },
  );
});
