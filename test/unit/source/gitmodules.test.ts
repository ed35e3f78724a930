import { describe, expect, test } from "vitest";
import { submoduleEntries, submoduleUrl } from "../../../src/source/gitmodules.ts";

describe("the address of a submodule", () => {
  test.each([
    ["https://example.org/o/other.git", "https://example.org/o/main.git", "https://example.org/o/other.git"],
    ["../other.git", "https://example.org/o/main.git", "https://example.org/o/other.git"],
    ["../../p/other.git", "https://example.org/o/main.git", "https://example.org/p/other.git"],
    ["./other", "https://example.org/o/main.git", "https://example.org/o/main.git/other"],
    ["../other/", "ssh://git@example.org:2222/o/main.git", "ssh://git@example.org:2222/o/other"],
    ["../other.git", "git@example.org:o/main.git", "git@example.org:o/other.git"],
    ["../other", "file:///srv/git/main", "file:///srv/git/other"],
    // Never above the host: that would be another one.
    ["../../../evil.example/x", "https://example.org/o/main.git", undefined],
    ["../other.git", null, undefined],
    // Not relative: whether it may be used is for the check of addresses.
    ["ext::sh -c x", "https://example.org/o/main.git", "ext::sh -c x"],
  ])("%s in %s is %s", (written, base, url) => {
    expect(submoduleUrl(written, base)).toBe(url);
  });
});

test("names, branches and update commands of .gitmodules mean nothing", () => {
  const settings = [
    { key: "submodule.../../.git/hooks.path", value: "vendor/x" },
    { key: "submodule.../../.git/hooks.url", value: "https://example.org/x.git" },
    { key: "submodule.../../.git/hooks.update", value: "!touch /tmp/evil" },
    { key: "submodule.half.path", value: "vendor/y" },
    { key: "core.fsmonitor", value: "/tmp/evil" },
  ];
  expect(submoduleEntries(settings)).toEqual([{ path: "vendor/x", url: "https://example.org/x.git" }]);
});
