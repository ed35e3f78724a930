import { expect, test } from "vitest";
import {
  fillPlaceholders,
  fillPlaceholdersInPattern,
  fillPrefix,
  fillPrefixInPattern,
  quotePattern,
} from "../../../src/manifest/placeholders.ts";

const VALUES = { version: "{commit}.1", commit: "{prefix}" };

test("A19: a value is never looked at again", () => {
  expect(fillPlaceholders("{version} {commit} {prefix}", VALUES)).toBe("{commit}.1 {prefix} {prefix}");
  expect(fillPrefix("{prefix}/x", "/tmp/{version}/{prefix}")).toBe("/tmp/{version}/{prefix}/x");
  // `$&` and `$1` mean something to String.replace.
  expect(fillPrefix("{prefix}", "/tmp/$&$1$$")).toBe("/tmp/$&$1$$");
});

test("unknown placeholders and names of every object are left as they are", () => {
  expect(fillPlaceholders("{toString} {constructor} {other} {}", VALUES)).toBe("{toString} {constructor} {other} {}");
});

test("a prefix matches only itself in a pattern", () => {
  const prefix = "/home/a.b/(x)[y]{1}+*?^$|\\#-/é";
  const pattern = fillPrefixInPattern("^{prefix}/bin$", prefix);
  expect(new RegExp(pattern, "mu").test(`${prefix}/bin`)).toBe(true);
  expect(new RegExp(fillPrefixInPattern("^{prefix}$", "/a.b"), "mu").test("/axb")).toBe(false);
  expect(new RegExp(`^${quotePattern(prefix)}$`, "mu").test(prefix)).toBe(true);
});

test("escapes with braces in a pattern are no placeholders", () => {
  const pattern = String.raw`\p{version}\P{commit}\u{1f600}x{2,3}`;
  expect(fillPlaceholdersInPattern(pattern, { version: "1", commit: "2" })).toBe(pattern);
});
