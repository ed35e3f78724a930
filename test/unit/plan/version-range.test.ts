import { describe, expect, test } from "vitest";
import { satisfiesRange } from "../../../src/plan/version-range.ts";

describe("ranges as the ecosystems write them", () => {
  test.each([
    ["3.11.7", ">=3.9,<4", true],
    ["3.11.7", ">=3.9, !=3.11.*", false],
    ["3.11.7", ">=3.9,!=3.11.6", true],
    ["3.9.0", ">=3.9,!=3.9.0", false],
    ["3.12.1", "!= 3.11", true],
    ["3.11.7", "===3.11.7", true],
    ["3.10.2", "~=3.10", true],
    ["4.0.0", "~=3.10", false],
    ["3.9.2", "^3.9", true],
    ["20.20.2", "^18.19 || >=20.0", true],
    ["19.1.0", "^18.19 || >=20.0", false],
    ["20.20.2", ">= 14", true],
    ["1.95.0", ">=1.88", true],
    ["1.26.8", ">=1.26.9", false],
    ["20.20.2", "latest", false],
  ])("%s in %s: %s", (version, range, expected) => {
    expect(satisfiesRange(version, range)).toBe(expected);
  });
});
