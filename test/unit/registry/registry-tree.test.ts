import { expect, test } from "vitest";
import { MAX_PACKAGES, checkPackageCount } from "../../../src/registry/registry-tree.ts";

test("E102: a registry of a million packages is refused before they are looked at one by one", () => {
  expect(() => checkPackageCount(1_000_000, "https://example.org/r.git")).toThrow(
    expect.objectContaining({ code: "REGISTRY_INVALID" }) as Error,
  );
  expect(() => checkPackageCount(MAX_PACKAGES, "https://example.org/r.git")).not.toThrow();
});
