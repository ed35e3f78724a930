import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  attestationFile,
  formatAttestations,
  parseAttestationFileName,
  parseAttestations,
  summarize,
} from "../../../src/trust/attestation.ts";
import { sampleAttestation } from "../../helpers/sample-attestation.ts";

const PLACE = { name: "ripcat", version: "2.1.0", platform: "linux-x64-glibc" };

interface Statement {
  _type: string;
  subject: { name: string; digest: Record<string, string> }[];
  predicateType: string;
  predicate: Record<string, unknown> & { "urn:ipm:verification:1": Record<string, unknown> };
}

function changed(change: (statement: Statement) => void): string {
  const file = JSON.parse(formatAttestations([sampleAttestation()])) as { statements: Statement[] };
  for (const statement of file.statements) change(statement);
  return JSON.stringify(file);
}

test("a statement is an in-toto Statement v1 with a SLSA verification summary that passed", () => {
  const { statements } = JSON.parse(formatAttestations([sampleAttestation()])) as { statements: Statement[] };
  expect(statements).toHaveLength(1);
  expect(statements[0]).toMatchObject({
    _type: "https://in-toto.io/Statement/v1",
    subject: [
      { name: "plan", digest: { sha256: "d".repeat(64) } },
      { name: "source", digest: { gitCommit: "1".repeat(40), gitTree: "2".repeat(40) } },
    ],
    predicateType: "https://slsa.dev/verification_summary/v1",
    predicate: {
      verifier: { id: "urn:ipm:verify", version: { ipm: "0.1.0" } },
      timeVerified: "2026-11-17T10:00:00.000Z",
      resourceUri: "urn:ipm:tool:ripcat@2.1.0",
      policy: { uri: "urn:ipm:verify:checks:1" },
      verificationResult: "PASSED",
      verifiedLevels: ["IPM_VERIFIED"],
      "urn:ipm:verification:1": { method: "cargo", isolation: "bubblewrap", platform: "linux-x64-glibc" },
    },
  });
});

test("what is written is read again, methods in one order, whatever is beside the statements", () => {
  const both = [sampleAttestation({ method: "npm" }), sampleAttestation({ method: "cargo", reproducible: true })];
  const text = formatAttestations(both);
  expect(text).toBe(formatAttestations(both.toReversed()));
  expect(parseAttestations(text, PLACE)).toEqual({ ok: true, attestations: both.toReversed() });
  const signed = JSON.stringify({ ...(JSON.parse(text) as object), envelope: { payloadType: "x" } });
  expect(parseAttestations(signed, PLACE)).toEqual({ ok: true, attestations: both.toReversed() });
});

describe("A96: a statement that proves nothing is refused", () => {
  test.each<[string, (statement: Statement) => void, RegExp]>([
    ["another format", (it) => (it._type = "https://in-toto.io/Statement/v0.1"), /_type/u],
    ["another predicate", (it) => (it.predicateType = "https://slsa.dev/provenance/v1"), /predicateType/u],
    ["a run that failed", (it) => (it.predicate["verificationResult"] = "FAILED"), /verificationResult/u],
    ["another tool", (it) => (it.predicate["resourceUri"] = "urn:ipm:tool:other@2.1.0"), /resourceUri/u],
    ["another version", (it) => (it.predicate["resourceUri"] = "urn:ipm:tool:ripcat@2.1.1"), /resourceUri/u],
    ["another verifier", (it) => (it.predicate["verifier"] = { id: "https://example.org" }), /verifier/u],
    ["other checks", (it) => (it.predicate["policy"] = { uri: "urn:x" }), /policy/u],
    ["no level", (it) => (it.predicate["verifiedLevels"] = []), /verifiedLevels/u],
    ["another platform", (it) => (it.predicate["urn:ipm:verification:1"]["platform"] = "macos-arm64"), /platform/u],
    ["no sandbox", (it) => (it.predicate["urn:ipm:verification:1"]["isolation"] = "none"), /without a sandbox/u],
    ["a local time", (it) => (it.predicate["timeVerified"] = "2026-11-17 10:00"), /timeVerified/u],
    ["no such day", (it) => (it.predicate["timeVerified"] = "2026-13-77T10:00:00Z"), /timeVerified/u],
    ["no plan", (it) => it.subject.shift(), /exactly one subject "plan"/u],
    ["two plans", (it) => it.subject.push({ name: "plan", digest: { sha256: "e".repeat(64) } }), /exactly one/u],
    ["a short digest", (it) => (it.subject[0]!.digest = { sha256: "dd" }), /plan digest/u],
    [
      "terminal controls",
      (it) => (it.predicate["urn:ipm:verification:1"]["tools"] = { node: "\u001b[2J" }),
      /control character/u,
    ],
  ])("%s", (_, change, why) => {
    const result = parseAttestations(changed(change), PLACE);
    expect(result).toMatchObject({ ok: false });
    expect(result.ok ? "" : result.why).toMatch(why);
  });

  test("the same file in the place of another one", () => {
    const text = formatAttestations([sampleAttestation()]);
    for (const place of [
      { ...PLACE, name: "other" },
      { ...PLACE, version: "2.1.1" },
      { ...PLACE, platform: "linux-arm64-glibc" },
    ]) {
      expect(parseAttestations(text, place).ok).toBe(false);
    }
  });

  test("a method that is named twice", () => {
    const { statements } = JSON.parse(formatAttestations([sampleAttestation()])) as { statements: unknown[] };
    const text = JSON.stringify({ statements: [...statements, ...statements] });
    expect(parseAttestations(text, PLACE)).toEqual({ ok: false, why: "it names a method twice" });
  });
});

test("no bytes make it throw, and a changed valid file never becomes another subject", () => {
  const text = formatAttestations([sampleAttestation()]);
  const subjects = (content: string): string[] => {
    const result = parseAttestations(content, PLACE);
    return result.ok ? result.attestations.map(({ name, version, platform }) => `${name} ${version} ${platform}`) : [];
  };
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 5 }), (at, piece) => {
      const found = subjects(text.slice(0, at) + piece + text.slice(at + piece.length));
      expect(found.every((subject) => subject === "ripcat 2.1.0 linux-x64-glibc")).toBe(true);
    }),
  );
  fc.assert(
    fc.property(fc.json(), (json) => {
      expect(subjects(json)).toEqual([]);
    }),
  );
});

test("a file's name says version and platform, versions with dots and dashes too", () => {
  for (const [version, platform] of [
    ["2.1.0", "linux-x64-glibc"],
    ["0.0.0-0123456789ab", "macos-arm64"],
    ["1.0.0-rc.1", "linux-arm64-musl"],
  ] as const) {
    expect(parseAttestationFileName(attestationFile(version, platform))).toEqual({ version, platform });
  }
  for (const name of ["2.1.0.json", "linux-x64-glibc.json", "2.1.0.windows-x64.json", "2.1.0.linux-x64-glibc.txt"])
    expect(parseAttestationFileName(name)).toBeUndefined();
});

test("a summary keeps what decides and what is shown", () => {
  expect(summarize(sampleAttestation(), "packages/ripcat/attestations/x.json")).toEqual({
    version: "2.1.0",
    method: "cargo",
    digest: "d".repeat(64),
    platform: "linux-x64-glibc",
    distribution: { id: "debian", version: "12" },
    tools: { cargo: "1.80.0", git: "2.39.5", ipm: "0.1.0" },
    isolation: "bubblewrap",
    time: "2026-11-17T10:00:00.000Z",
    reproducible: null,
    file: "packages/ripcat/attestations/x.json",
  });
});
