import { expect, test } from "vitest";
import { type GenerationEntry, currentTarget, parseGeneration } from "../../../src/store/generations.ts";
import { findLauncherConflict } from "../../../src/store/profiles.ts";
import { changesBetween } from "../../../src/usecases/generation-changes.ts";

const ENTRY: GenerationEntry = {
  name: "alpha",
  version: "1.0.0",
  entry: "alpha/1.0.0-0123456789ab",
  method: "copy",
  trust: "reviewed",
  bins: ["alpha"],
  held: false,
  registry: "main",
  target: "main:alpha@1.0.0",
  installed: "2026-11-20T00:00:00.000Z",
};
const GENERATION = {
  schema: 1,
  number: 4,
  created: "2026-11-20T00:00:00.000Z",
  command: "ipm install alpha",
  previous: 3,
  restores: 2,
  entries: [ENTRY],
};

function parse(changes: object, number = 4): string {
  return parseGeneration(JSON.stringify({ ...GENERATION, ...changes }), number).state;
}

test("a generation is what it says, and keys of later versions of this schema are no harm", () => {
  expect(parseGeneration(JSON.stringify(GENERATION), 4)).toEqual({ state: "complete", generation: GENERATION });
  expect(parse({ more: 1 })).toBe("complete");
  expect(parse({ previous: null, restores: null, entries: [] })).toBe("complete");
});

test.each<[string, object]>([
  ["another number than its folder", { number: 5 }],
  ["no schema", { schema: undefined }],
  ["a text for a schema", { schema: "1" }],
  ["a previous one that is not before it", { previous: 4 }],
  ["a previous one below one", { previous: 0 }],
  ["a restored one after it", { restores: 9 }],
  ["an entry of another tool", { entries: [{ ...ENTRY, entry: "bravo/1.0.0-0123456789ab" }] }],
  ["an entry outside of the store", { entries: [{ ...ENTRY, entry: "alpha/../../x" }] }],
  ["a command that is a path", { entries: [{ ...ENTRY, bins: ["../alpha"] }] }],
  ["a tool twice", { entries: [ENTRY, ENTRY] }],
  ["a hold that is a text", { entries: [{ ...ENTRY, held: "no" }] }],
  ["entries that are no list", { entries: {} }],
])("%s is damage", (_, changes) => {
  expect(parse(changes)).toBe("damaged");
});

test("a newer one is told from a damaged one, and read as far as it can be", () => {
  const found = parseGeneration(JSON.stringify({ ...GENERATION, schema: 2, colour: "red" }), 4);
  expect(found).toMatchObject({ state: "newer", generation: { entries: [ENTRY] } });
  expect(parseGeneration(JSON.stringify({ schema: 2, tools: [] }), 4)).toEqual({ state: "newer", generation: null });
});

test.each(["", "{", "null", "[]", "4", '"x"', "{}"])("%j is damage", (text) => {
  expect(parseGeneration(text, 4).state).toBe("damaged");
});

test("current leads to a folder beside it", () => {
  expect(currentTarget(12)).toBe("profiles/12");
});

test("one command of two tools is a conflict that names both and the way out", () => {
  expect(findLauncherConflict([ENTRY, { name: "bravo", bins: ["bravo"] }])).toBeUndefined();
  expect(findLauncherConflict([ENTRY, { name: "bravo", bins: ["x", "alpha"] }])).toMatchObject({
    code: "LAUNCHER_CONFLICT",
    message: "bravo and alpha both provide the command alpha",
    hint: "ipm uninstall alpha",
  });
  // Both are asked for at once, and neither is there.
  expect(findLauncherConflict([ENTRY, { name: "bravo", bins: ["alpha"] }], new Set())?.hint).toBe(
    "ipm install alpha, or bravo",
  );
});

test("changes are told by name; another build of one version is a change as well", () => {
  const other = { ...ENTRY, entry: "alpha/1.0.0-0123456789ab.1" };
  const bravo = { ...ENTRY, name: "bravo", entry: "bravo/2-0123456789ab", version: "2" };
  expect(changesBetween([ENTRY], [ENTRY])).toEqual([]);
  expect(changesBetween([ENTRY], [other])).toEqual([{ name: "alpha", from: "1.0.0", to: "1.0.0" }]);
  expect(changesBetween([bravo], [ENTRY])).toEqual([
    { name: "alpha", from: null, to: "1.0.0" },
    { name: "bravo", from: "2", to: null },
  ]);
});
