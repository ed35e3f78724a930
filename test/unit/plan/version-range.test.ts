import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  compareVersions,
  parseNumbers,
  parseRange,
  readVersion,
  satisfiesRange,
} from "../../../src/plan/version-range.ts";

describe("ranges as package.json, pyproject.toml, Cargo.toml, go.mod and people write them", () => {
  test.each<[range: string, fits: readonly string[], not: readonly string[]]>([
    [">=20", ["20", "20.0.0", "20.19.5", "22.1", "100.0"], ["19.9.9", "18", "2.20"]],
    [">=20.19", ["20.19.0", "20.20.2", "21.0.0"], ["20.18.3", "20"]],
    [">= 14.0.0", ["14.0.0", "20.1"], ["13.9"]],
    [">=3.9,<4", ["3.9", "3.13.1"], ["3.8.20", "4.0", "2.7"]],
    [">=3.8, <3.13", ["3.8.0", "3.12.7"], ["3.13.0", "3.7"]],
    [">=3.8 <3.13", ["3.12"], ["3.13"]],
    ["~=3.9", ["3.9", "3.13"], ["4.0", "3.8"]],
    ["~=3.9.1", ["3.9.1", "3.9.18"], ["3.10.0", "3.9.0"]],
    [">3.8", ["3.9", "4"], ["3.8", "3.8.19"]],
    ["<=3.11", ["3.11", "3.11.9", "3.2"], ["3.12.0"]],
    ["<=3.11.2", ["3.11.2", "3.11.1"], ["3.11.3"]],
    ["==3.11.*", ["3.11.0", "3.11.9"], ["3.12", "3.10"]],
    ["==3.11.4", ["3.11.4"], ["3.11.5", "3.11"]],
    ["^18.0.0", ["18.0.0", "18.20.4"], ["19.0.0", "17.9"]],
    ["^18 || ^20 || >=22", ["18.2", "20.9", "22.0", "23.1"], ["19.1", "21.0", "17"]],
    ["^18.17.0||>=20.5.0", ["18.17.0", "18.20", "20.5", "21"], ["18.16", "19.9", "20.4"]],
    ["^0.12.3", ["0.12.3", "0.12.9"], ["0.13.0", "0.12.2", "1.0"]],
    ["^0.0.3", ["0.0.3"], ["0.0.4", "0.1.0"]],
    ["^1", ["1.0", "1.99"], ["2.0", "0.9"]],
    ["~1.2.3", ["1.2.3", "1.2.9"], ["1.3.0"]],
    ["~1.2", ["1.2.0", "1.2.9"], ["1.3.0"]],
    ["~1", ["1.0", "1.9.9"], ["2.0"]],
    ["~> 2.7", ["2.7", "2.9"], ["3.0", "2.6"]],
    ["18.x", ["18.0", "18.99.1"], ["19.0", "17.9"]],
    ["20.x || 22.x", ["20.1", "22.9"], ["21.0"]],
    ["18", ["18.0", "18.20.3"], ["19.0"]],
    ["1.75", ["1.75.0", "1.75.9"], ["1.76.0"]],
    ["1.75.0", ["1.75.0"], ["1.75.1"]],
    ["3.10 - 3.12", ["3.10", "3.11.4", "3.12.9"], ["3.13.0", "3.9.9"]],
    ["22.04+", ["22.04", "24.04"], ["20.04"]],
    ["*", ["0.0.1", "999"], []],
    ["", ["1"], []],
    ["x", ["1"], []],
    ["=1.2.3", ["1.2.3"], ["1.2.4"]],
    ["v1.2.3", ["1.2.3"], ["1.2.4"]],
    [">=v16", ["16.0.0"], ["15.9"]],
    [">=10.0.0-beta.1", ["10.0.0", "10.0.1"], ["9.9"]],
    [">=16.0.0 <17.0.0 || >=18.0.0", ["16.5", "18.0", "20"], ["17.1", "15"]],
    ["> 1.0", ["1.1"], ["1.0", "1.0.5"]],
  ])("%s", (range, fits, not) => {
    for (const version of fits) expect([version, satisfiesRange(version, range)]).toEqual([version, true]);
    for (const version of not) expect([version, satisfiesRange(version, range)]).toEqual([version, false]);
  });

  test.each([
    "latest",
    "lts/*",
    ">=abc",
    "^",
    "file:../x",
    "1.2.3 || latest",
    ">=1 &&  <2",
    "workspace:*",
    "git+https://x",
  ])("%s cannot be read, so nothing meets it", (range) => {
    expect(parseRange(range)).toBeNull();
    expect(satisfiesRange("99.0.0", range)).toBe(false);
  });
});

describe("versions as programs print them", () => {
  test.each<[string, string | null]>([
    ["v20.20.2\n", "20.20.2"],
    ["git version 2.39.5 (Apple Git-154)", "2.39.5"],
    ["Python 3.11.2", "3.11.2"],
    ["go version go1.22.5 linux/amd64", "1.22.5"],
    ["cargo 1.80.0 (376290515 2024-07-16)", "1.80.0"],
    ['openjdk version "17.0.12" 2024-07-16\nOpenJDK Runtime', "17.0.12"],
    ["GNU Make 4.3\nBuilt for x86_64", "4.3"],
    ["cmake version 3.25.1", "3.25.1"],
    ["ffmpeg version 5.1.6-0+deb12u1 Copyright (c) 2000-2024", "5.1.6"],
    ["10.9.0", "10.9.0"],
    ["tmux 3.3a", "3.3"],
    ["jq-1.6", "1.6"],
    ["less 590 (GNU regular expressions)", "590"],
    ["Apache Maven 3.8.7 (Red Hat 3.8.7)", "3.8.7"],
    ["no version here", null],
    ["", null],
  ])("%j", (output, version) => {
    expect(readVersion(output)).toBe(version);
  });

  test("a version that cannot be read meets no range", () => {
    expect(satisfiesRange("unknown", "*")).toBe(false);
    expect(parseNumbers("abc")).toBeNull();
  });
});

test("comparing is an order, and a missing part is zero", () => {
  const version = fc.array(fc.nat(99), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
      expect(compareVersions(a, [...a, 0])).toBe(0);
      // Transitive: sorted by it, every pair is in order.
      const sorted = [a, b, c].toSorted(compareVersions);
      expect(compareVersions(sorted[0]!, sorted[2]!)).toBeLessThanOrEqual(0);
    }),
  );
});

test("any text is a range or none, and is never slow", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), fc.string({ maxLength: 30 }), (range, version) => {
      expect(typeof satisfiesRange(version, range)).toBe("boolean");
    }),
    { numRuns: 2000 },
  );
});
