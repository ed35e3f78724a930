import fc from "fast-check";
import path from "node:path";
import { expect, test } from "vitest";
import type { PlanDigest, ToolName } from "../../../src/core/ids.ts";
import {
  entryFolder,
  entryPaths,
  formatEntryId,
  layoutOf,
  parseEntryId,
  profilePaths,
} from "../../../src/store/layout.ts";

const LAYOUT = layoutOf({ data: "/d", cache: "/c", config: "/x" });
const DIGEST = `0123456789ab${"f".repeat(52)}` as PlanDigest;

test("an entry's folder is its version and digest; a rebuild stands beside", () => {
  expect(entryFolder("2.10", DIGEST)).toBe("2.10-0123456789ab");
  expect(entryFolder("2.10", DIGEST, 3)).toBe("2.10-0123456789ab.3");
  expect(() => entryFolder("../x", DIGEST)).toThrow(TypeError);
});

test.each([
  "a/1-0123456789ab",
  "ripcat/2.10-0123456789ab",
  "r/0.0.0-abc123abc123-0123456789ab",
  "a/1.0.0+b-0123456789ab.12",
])("%s is an entry", (text) => {
  const id = parseEntryId(text);
  expect(id === undefined ? undefined : formatEntryId(id)).toBe(text);
});

test.each([
  "",
  "a",
  "a/",
  "/a/1-0123456789ab",
  "a/1-0123456789ab/x",
  "../a/1-0123456789ab",
  "a/../1-0123456789ab",
  "a/..-0123456789ab",
  "A/1-0123456789ab",
  "a/1-0123456789AB",
  "a/1-0123456789a",
  "a/1-0123456789ab.0",
  "a/1 -0123456789ab",
  "a/-1-0123456789ab",
  "a\\1-0123456789ab",
  "a/1-0123456789ab\n",
  "a\0/1-0123456789ab",
])("%j is none", (text) => {
  expect(parseEntryId(text)).toBeUndefined();
});

test("no text that is taken for an entry leads out of the store", () => {
  const piece = fc.constantFrom("a", "..", ".", "/", "-", "0123456789ab", "1", "\0", "\\", "~", " ", "é");
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join("")),
      (text) => {
        const id = parseEntryId(text);
        const root = id === undefined ? "/d/store/a/b" : entryPaths(LAYOUT, id).root;
        expect(path.normalize(root)).toBe(root);
        expect(root.split("/").slice(0, 3)).toEqual(["", "d", "store"]);
        expect(root.split("/")).toHaveLength(5);
      },
    ),
    { numRuns: 5000 },
  );
});

test("every path of a profile and of an entry lies below its folder", () => {
  for (const place of Object.values(profilePaths(LAYOUT, 7))) expect(`${place}/`).toMatch(/^\/d\/profiles\/7\//u);
  const id = { name: "a" as ToolName, folder: entryFolder("1", DIGEST) };
  for (const place of Object.values(entryPaths(LAYOUT, id)))
    expect(`${place}/`).toMatch(/^\/d\/store\/a\/1-0123456789ab\//u);
});
