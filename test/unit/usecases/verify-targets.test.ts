import { expect, test } from "vitest";
import { isInShard, parseShard } from "../../../src/usecases/verify-targets.ts";

test("a part is I/N, from 1 to N", () => {
  expect(parseShard("2/5")).toEqual({ index: 2, of: 5 });
  for (const text of ["0/5", "6/5", "1", "1/0", "a/b", "1/2/3", "-1/2", "1 /2"]) {
    expect(() => parseShard(text)).toThrow(/--shard takes I\/N/u);
  }
});

test("a tool's part depends on its name alone, and each tool is in exactly one", () => {
  const names = Array.from({ length: 200 }, (_, index) => `tool-${index}`);
  const partsOf = (name: string): number[] => [1, 2, 3, 4].filter((index) => isInShard(name, { index, of: 4 }));
  expect(names.every((name) => partsOf(name).length === 1)).toBe(true);
  const first = names.filter((name) => partsOf(name)[0] === 1).length;
  expect(first).toBeGreaterThan(25);
  // Written down, so that a change of the hash is seen: files of another part would be mixed up.
  expect(["ripcat", "lstm-demo", "alpha"].map((name) => partsOf(name)[0])).toEqual([3, 1, 2]);
});
