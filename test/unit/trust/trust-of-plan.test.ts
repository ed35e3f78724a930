import { expect, test } from "vitest";
import type { PlanDigest } from "../../../src/core/ids.ts";
import { type AttestationSummary, summarize } from "../../../src/trust/attestation.ts";
import { type TrustInput, formatAge, trustOfPlan } from "../../../src/trust/trust-of-plan.ts";
import { sampleAttestation } from "../../helpers/sample-attestation.ts";

const ATTESTED = summarize(sampleAttestation(), "packages/ripcat/attestations/2.1.0.linux-x64-glibc.json");

function input(changes: Partial<TrustInput> = {}): TrustInput {
  return {
    digest: ATTESTED.digest,
    version: "2.1.0",
    method: "cargo",
    platform: { os: "linux", arch: "x64", libc: "glibc" },
    registry: "main",
    embedded: false,
    attestations: [],
    own: [],
    now: new Date("2026-11-20T12:00:00Z"),
    ...changes,
  };
}

const MAC: AttestationSummary = { ...ATTESTED, platform: "macos-arm64", file: "packages/ripcat/attestations/x" };
const OTHER_DIGEST = "e".repeat(64) as PlanDigest;

test("verified: the same plan on this platform, with its age and toolchains", () => {
  const trust = trustOfPlan(input({ attestations: [ATTESTED] }));
  expect(trust.level).toBe("verified");
  expect(trust.detail).toBe("verified on linux-x64 3 days ago (cargo 1.80, git 2.39)");
  expect(trust.attestation?.file).toBe(ATTESTED.file);
});

test("verified elsewhere: the same plan on another platform, or libc", () => {
  const trust = trustOfPlan(input({ attestations: [MAC] }));
  expect(trust.level).toBe("verified-elsewhere");
  expect(trust.detail).toBe("verified elsewhere: on macos-arm64 3 days ago (cargo 1.80, git 2.39), not on linux-x64");
  const musl = trustOfPlan(input({ platform: { os: "linux", arch: "x64", libc: "musl" }, attestations: [ATTESTED] }));
  expect(musl.level).toBe("verified-elsewhere");
});

test("this platform's attestation counts although another one's is newer", () => {
  const newer = { ...MAC, time: "2026-11-20T11:00:00.000Z" };
  expect(trustOfPlan(input({ attestations: [newer, ATTESTED] })).attestation?.platform).toBe("linux-x64-glibc");
});

test("another plan digest voids it, and the plan says so", () => {
  const trust = trustOfPlan(input({ digest: OTHER_DIGEST, attestations: [ATTESTED] }));
  expect(trust).toEqual({
    level: "unverified",
    detail: "not verified, from the registry main; what was verified on 2026-11-17 was another plan (dddddddddddd)",
  });
});

test("the embedded registry without a valid attestation is reviewed, anything else is not verified", () => {
  expect(trustOfPlan(input({ embedded: true }))).toMatchObject({ level: "reviewed" });
  expect(trustOfPlan(input({ embedded: true, digest: OTHER_DIGEST, attestations: [ATTESTED] })).level).toBe("reviewed");
  expect(trustOfPlan(input({ registry: null }))).toEqual({
    level: "unverified",
    detail: "not verified, from a repository or file outside of any registry",
  });
});

test("a machine's own run counts on its platform and says whose it is", () => {
  const own = { ...ATTESTED, file: null };
  expect(trustOfPlan(input({ registry: null, own: [own] })).detail).toBe(
    "verified on linux-x64 3 days ago (cargo 1.80, git 2.39), by this machine",
  );
  expect(trustOfPlan(input({ registry: null, own: [{ ...own, platform: "macos-arm64" }] })).level).toBe("unverified");
});

test.each([
  [-5_000, "just now"],
  [59_999, "just now"],
  [60_000, "1 minute ago"],
  [3 * 3_600_000, "3 hours ago"],
  [24 * 3_600_000, "1 day ago"],
  [59 * 86_400_000, "59 days ago"],
  [90 * 86_400_000, "3 months ago"],
])("an age of %i ms is %s", (ms, text) => {
  expect(formatAge(ms)).toBe(text);
});
