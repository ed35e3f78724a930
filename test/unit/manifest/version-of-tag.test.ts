import { describe, expect, test } from "vitest";
import { compareVersions, isPrerelease } from "../../../src/manifest/compare-versions.ts";
import {
  newestVersion,
  tagsForSteps,
  taggedVersions,
  versionAfter,
  versionOfTag,
} from "../../../src/manifest/version-of-tag.ts";

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
  expect(["1.0", "1.0.0+build", "5.02", "20241010", "1.0+4.g00000000b05"].filter(isPrerelease)).toEqual([]);
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

describe("a commit after a release", () => {
  const commit = "0123456789abcdef0123456789abcdef01234567";

  test("its version is above the release and below the next, and no prerelease", () => {
    const version = versionAfter("1.2.0", { distance: 5, commit });
    expect(version).toBe("1.2.0+5.g0123456789ab");
    expect(compareVersions(version ?? "", "1.2.0")).toBeGreaterThan(0);
    expect(compareVersions(version ?? "", "1.2.1")).toBeLessThan(0);
    expect(isPrerelease(version ?? "")).toBe(false);
    expect(versionAfter("1.2.0+linux", { distance: 5, commit })).toBe("1.2.0+linux.5.g0123456789ab");
    expect(versionAfter("1".repeat(60), { distance: 5, commit })).toBeNull();
  });

  test("steps see a tag made of it, which begins as the others do", () => {
    const version = { version: "1.2.0+5.g0123456789ab", ref: null, commit };
    expect(tagsForSteps(version, [])).toEqual(["v1.2.0+5.g0123456789ab", "1.2.0+5.g0123456789ab"]);
    expect(tagsForSteps(version, [{ version: "1.2.0", ref: "refs/tags/rc-1.2.0" }])).toEqual([
      "rc-1.2.0+5.g0123456789ab",
    ]);
    expect(tagsForSteps({ ...version, ref: "refs/heads/main" }, [])).toHaveLength(2);
  });

  test("a version's own tag is the one, and other versions and other commits have none", () => {
    expect(tagsForSteps({ version: "1.2.0", ref: "refs/tags/v1.2.0", commit }, [])).toEqual(["v1.2.0"]);
    expect(tagsForSteps({ version: "1.2.0", ref: null, commit }, [])).toEqual([]);
    expect(tagsForSteps({ version: "1.2.0+5.gffffffffffff", ref: null, commit }, [])).toEqual([]);
  });
});
