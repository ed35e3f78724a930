import { expect, test } from "vitest";
import { isCommitSha, isTreeSha } from "../../../src/core/ids.ts";
import { describeSource } from "../../../src/usecases/fetch-source.ts";

test("a bundle is shown by the name that its manifest gives it, not by that of a copy in the cache", () => {
  const id = "a".repeat(40);
  if (!isCommitSha(id) || !isTreeSha(id)) throw new TypeError("not an id");
  const bundle = { kind: "bundle", file: "/cache/0123abcd", name: "sources/rc.bundle", ref: null } as const;
  expect(describeSource({ ...bundle, commit: id, tree: id })).toBe("bundle rc.bundle");
});
