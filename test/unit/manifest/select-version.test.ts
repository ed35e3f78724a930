import { expect, test } from "vitest";
import { LARGER_EXAMPLE } from "../../../src/manifest/manifest-reference.ts";
import { selectVersion } from "../../../src/manifest/select-version.ts";
import { manifestOf } from "../../helpers/manifests.ts";

const source = manifestOf(LARGER_EXAMPLE);

test("without a wish it is the newest that is neither withdrawn nor a pre-release", () => {
  expect(selectVersion(source, null)).toMatchObject({ ok: true, version: { version: "2.1.0" } });
});

test("a pre-release is chosen when it is asked for", () => {
  expect(selectVersion(source, "2.2.0-rc.1")).toMatchObject({ ok: true, version: { version: "2.2.0-rc.1" } });
});

test("a withdrawn version is refused with the reason and what to take instead", () => {
  expect(selectVersion(source, "2.0.0")).toEqual({
    ok: false,
    reason: "withdrawn",
    message: "2.0.0 has been withdrawn: CVE-2026-1: use 2.1.0",
    suggestions: ["2.1.0"],
  });
});

test("an unknown version suggests the nearest, never takes it", () => {
  expect(selectVersion(source, "2.1.1")).toMatchObject({
    ok: false,
    reason: "unknown",
    suggestions: ["2.1.0"],
  });
  expect(selectVersion(source, "v2.1.0")).toMatchObject({ ok: false, reason: "unknown", suggestions: ["2.1.0"] });
});

test("a list without a release says what there is", () => {
  const [prerelease, , withdrawn] = source.versions;
  if (prerelease === undefined || withdrawn === undefined) throw new Error("the example has three versions");
  expect(selectVersion({ versions: [prerelease, withdrawn] }, null)).toEqual({
    ok: false,
    reason: "none",
    message: "has pre-releases only: name the version",
    suggestions: ["2.2.0-rc.1"],
  });
  expect(selectVersion({ versions: [withdrawn] }, null)).toMatchObject({
    ok: false,
    reason: "withdrawn",
    message: expect.stringContaining(withdrawn.withdrawn ?? "?"),
    suggestions: [],
  });
});
