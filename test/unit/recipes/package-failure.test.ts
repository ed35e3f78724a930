import { expect, test } from "vitest";
import { findPackageFailure } from "../../../src/recipes/package-failure.ts";

test.each([
  ["PACKAGE_MISMATCH", "npm error code EINTEGRITY"],
  ["PACKAGE_MISMATCH", "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."],
  ["PACKAGE_NOT_FOUND", "npm error code E404"],
  ["PACKAGE_NOT_FOUND", "npm error notarget No matching version found for ripcat@2.1.0."],
  ["PACKAGE_NOT_FOUND", "ERROR: No matching distribution found for ripcat==2.1.0"],
  ["PACKAGE_UNREACHABLE", "npm error code ECONNREFUSED"],
  ["PACKAGE_UNREACHABLE", "npm error network request to http://127.0.0.1:1/ripcat failed, reason: "],
  ["PACKAGE_UNREACHABLE", "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'"],
  ["OFFLINE", "npm error code ENOTCACHED"],
])("%s is read from %j", (code, line) => {
  expect(findPackageFailure(["npm error", line])?.code).toBe(code);
});

test("pip's last words after it could not reach PyPI are not taken for a release that is gone", () => {
  const lines = [
    "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(...)': /simple/ripcat/",
    "ERROR: Could not find a version that satisfies the requirement ripcat==2.1.0 (from versions: none)",
    "ERROR: No matching distribution found for ripcat==2.1.0",
  ];
  expect(findPackageFailure(lines)?.code).toBe("PACKAGE_UNREACHABLE");
});

test("a failure of another kind is none of a registry", () => {
  expect(findPackageFailure(["error: the compiler crashed"])).toBeUndefined();
});
