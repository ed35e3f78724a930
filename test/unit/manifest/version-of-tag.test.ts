import { describe, expect, test } from "vitest";
import { compareVersions, isPrerelease } from "../../../src/manifest/compare-versions.ts";
import { newestVersion, taggedVersions, versionOfTag } from "../../../src/manifest/version-of-tag.ts";

describe("the version of a tag", () => {
  test.each([
    ["v1.2.0", "1.2.0"],
    ["1.2", "1.2"],
    ["5.02", "5.02"],
    ["ripcat-1.2.0", "1.2.0"],
    ["ripcat@1.2.0", "1.2.0"],
    ["@owner/ripcat@1.2.0", "1.2.0"],
    ["ripcat/v1.2.0", "1.2.0"],
    ["release-1.2.0", "1.2.0"],
    ["rel_1_2_0", "1.2.0"],
    ["v1.2.0-rc.1", "1.2.0-rc.1"],
    ["3.1a", "3.1a"],
    ["v2", "2"],
    ["latest", null],
    ["nightly-2024", null],
    ["other-1.2.0", null],
    ["v1.2.0/../x", null],
  ])("%s is %s", (tag, version) => {
    expect(versionOfTag(`refs/tags/${tag}`, "ripcat")).toBe(version);
  });

  test("a branch is none", () => {
    expect(versionOfTag("refs/heads/v1.0", "ripcat")).toBeNull();
  });
});

test("versions are ordered as people mean them", () => {
  const sorted = [
    "0.9",
    "1.0.0-alpha",
    "1.0.0-alpha.2",
    "1.0.0-alpha.10",
    "1.0.0-rc1",
    "1.0.0",
    "1.0.0.1",
    "1.2",
    "1.10",
    "2.0b3",
    "2.0",
    "3.1",
    "3.1c",
    "3.2",
  ];
  expect(sorted.toReversed().toSorted(compareVersions)).toEqual(sorted);
  expect(["1.0-rc.1", "2.0b3", "3.0.dev1", "1.0.0-SNAPSHOT"].filter((version) => !isPrerelease(version))).toEqual([]);
  expect(["1.0", "1.0.0+build", "5.02", "20241010"].filter(isPrerelease)).toEqual([]);
});

test("the newest release wins over newer prereleases and over tags that move", () => {
  const commits = new Map(
    ["v1", "v2", "v1.9.0", "v1.10.0", "v2.0.0-rc.1", "ripcat-v1.10.0", "main"].map((tag, index) => [
      `refs/tags/${tag}`,
      `c${index}`,
    ]),
  );
  const versions = taggedVersions(commits, "ripcat");
  expect(versions.map(({ version }) => version)).toEqual(["2.0.0-rc.1", "1.10.0", "1.9.0"]);
  expect(newestVersion(versions)).toEqual({
    version: "1.10.0",
    ref: "refs/tags/v1.10.0",
    commit: "c3",
    prerelease: false,
  });
  expect(newestVersion([])).toBeUndefined();
});
