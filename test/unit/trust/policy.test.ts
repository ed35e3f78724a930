import { describe, expect, test } from "vitest";
import { IpmError } from "../../../src/core/errors.ts";
import type { Plan } from "../../../src/plan/plan.ts";
import { parsePolicy } from "../../../src/trust/policy-file.ts";
import { type PolicyFacts, allowedCredentials, decidePolicy, isLicenseAllowed } from "../../../src/trust/policy.ts";
import { samplePlan } from "../../helpers/sample-plan.ts";

const NOW: PolicyFacts = { sandbox: "isolated", now: new Date("2026-11-20T12:00:00Z") };
const ATTESTED = {
  platform: "linux-x64-glibc",
  time: "2026-11-10T12:00:00.000Z",
  isolation: "bubblewrap",
  tools: {},
  file: "packages/ripcat/attestations/2.1.0.linux-x64-glibc.json",
};

function policy(lines: string, file = "policy.yaml"): ReturnType<typeof parsePolicy> {
  return parsePolicy(`schema: ipm-policy/v1\n${lines}\n`, file);
}

function refusals(lines: string, plan: Plan, facts: Partial<PolicyFacts> = {}): string[] {
  return decidePolicy([policy(lines)], plan, { ...NOW, ...facts }).refusals.map(({ rule, why }) => `${rule}: ${why}`);
}

const REVIEWED = samplePlan();
const UNVERIFIED = samplePlan({ trust: { level: "unverified", detail: "not verified, from the registry x" } });
const VERIFIED = samplePlan({ trust: { level: "verified", detail: "verified on linux-x64", attestation: ATTESTED } });

test("a policy that says nothing refuses nothing and allows nothing", () => {
  for (const plan of [REVIEWED, UNVERIFIED, VERIFIED]) {
    for (const sandbox of ["isolated", "unavailable", "switched-off"] as const) {
      expect(decidePolicy([policy("")], plan, { ...NOW, sandbox })).toEqual({
        refusals: [],
        allowUnverified: false,
        allowWithoutSandbox: false,
      });
    }
  }
});

describe("each rule refuses by its name, and lets the neighbour through", () => {
  const file = { ...REVIEWED, origin: { ...REVIEWED.origin, registry: null, source: "/home/somebody/ripcat" } };
  const bundle = { ...REVIEWED, origin: { ...REVIEWED.origin, source: "bundle ripcat.bundle" } };
  const risky = {
    ...REVIEWED,
    risks: [{ code: "download-to-shell", step: "1", what: "runs what curl downloads" } as const],
  };
  const unknownAge = { ...REVIEWED, tool: { ...REVIEWED.tool, added: null } };
  const dual = { ...REVIEWED, tool: { ...REVIEWED.tool, license: "GPL-3.0-only OR (MIT AND BSD-3-Clause)" } };
  test.each<[string, Plan, string, Plan, Partial<PolicyFacts>]>([
    ["trust: verified", REVIEWED, "trust", VERIFIED, {}],
    ["trust: verified-elsewhere", REVIEWED, "trust", VERIFIED, {}],
    ["trust: reviewed", UNVERIFIED, "trust", REVIEWED, {}],
    ["attestation-age: 9d", VERIFIED, "attestation-age", REVIEWED, {}],
    ["version-age: 30d", REVIEWED, "version-age", { ...REVIEWED, tool: { ...REVIEWED.tool, added: "2026-10-01" } }, {}],
    ["version-age: 1d", unknownAge, "version-age", REVIEWED, {}],
    [
      "registries: [ours]",
      REVIEWED,
      "registries",
      { ...REVIEWED, origin: { ...REVIEWED.origin, registry: "ours" } },
      {},
    ],
    ["registries: [main]", file, "registries", REVIEWED, {}],
    ["sources: ['https://github.com/our-org/*']", REVIEWED, "sources", bundle, {}],
    ["sources: ['https://example.org/*']", file, "sources", REVIEWED, {}],
    [
      "licenses: [Apache-2.0]",
      REVIEWED,
      "licenses",
      samplePlan({ tool: { ...REVIEWED.tool, license: "Apache-2.0" } }),
      {},
    ],
    ["licenses: [MIT]", dual, "licenses", REVIEWED, {}],
    ["hosts: [npm, '*.example.org']", REVIEWED, "hosts", { ...REVIEWED, what: { ...REVIEWED.what, steps: [] } }, {}],
    [
      "steps: [cargo, copy]",
      {
        ...REVIEWED,
        what: {
          ...REVIEWED.what,
          steps: REVIEWED.what.steps.map((step) => (step.kind === "run" ? { ...step, recipe: null } : step)),
        },
      },
      "steps",
      REVIEWED,
      {},
    ],
    ["refuse-risks: [download-to-shell]", risky, "refuse-risks", REVIEWED, {}],
  ])("%s", (lines, refused, rule, through, facts) => {
    expect(refusals(lines, refused, facts).map((line) => line.split(":")[0])).toEqual([rule]);
    expect(refusals(lines, through, facts)).toEqual([]);
  });

  test("sandbox: required refuses a machine that cannot isolate, and --no-sandbox", () => {
    expect(refusals("sandbox: required", VERIFIED)).toEqual([]);
    expect(refusals("sandbox: required", VERIFIED, { sandbox: "unavailable" })[0]).toMatch(/this machine cannot/u);
    expect(refusals("sandbox: required", VERIFIED, { sandbox: "switched-off" })[0]).toMatch(/--no-sandbox/u);
  });
});

test("an attestation that is young enough, a version on its day", () => {
  expect(refusals("attestation-age: 10d", VERIFIED)).toEqual([]);
  expect(refusals("version-age: 19d", REVIEWED)).toEqual([]);
  expect(refusals("version-age: 20d", REVIEWED)).toEqual([
    "version-age: a version must be 20 days old, and this one was added on 2026-11-01",
  ]);
});

test("hosts are named as the manifest names them; a pattern covers what is below it and not what looks alike", () => {
  const reaching = (network: string): Plan => ({
    ...REVIEWED,
    what: {
      ...REVIEWED.what,
      steps: REVIEWED.what.steps.map((step) => (step.kind === "run" ? { ...step, network: [network] } : step)),
    },
  });
  const hosts = "hosts: [crates, '*.example.org']";
  for (const host of ["crates", "dl.example.org", "a.b.example.org"])
    expect(refusals(hosts, reaching(host))).toEqual([]);
  for (const host of ["npm", "example.org", "badexample.org", "example.org.evil.net"])
    expect(refusals(hosts, reaching(host))).toHaveLength(1);
});

test("a source's pattern is text but for `*`", () => {
  const from = (source: string): Plan => ({ ...REVIEWED, origin: { ...REVIEWED.origin, source } });
  const lines = "sources: ['https://git.example.org/team/*']";
  expect(refusals(lines, from("https://git.example.org/team/tool.git"))).toEqual([]);
  for (const source of ["https://gitXexample.org/team/tool.git", "https://evil.net/https://git.example.org/team/x"])
    expect(refusals(lines, from(source))).toHaveLength(1);
});

test.each([
  ["MIT", true],
  ["GPL-3.0-only", false],
  ["MIT OR GPL-3.0-only", true],
  ["MIT AND GPL-3.0-only", false],
  ["GPL-3.0-only AND MIT OR Apache-2.0", true],
  ["GPL-3.0-only AND (MIT OR Apache-2.0)", false],
  ["(MIT AND Apache-2.0) OR GPL-3.0-only", true],
  ["Apache-2.0 WITH LLVM-exception", true],
  ["MIT Apache-2.0", false],
  ["", false],
  ["(MIT", true],
  ["MIT)", false],
])("a licence %j with MIT and Apache-2.0 allowed: %s", (expression, allowed) => {
  expect(isLicenseAllowed(expression, new Set(["MIT", "Apache-2.0"]))).toBe(allowed);
});

describe("two files", () => {
  const decide = (user: string, system: string): ReturnType<typeof decidePolicy> =>
    decidePolicy([policy(user, "user.yaml"), policy(system, "system.yaml")], UNVERIFIED, NOW);

  test("both apply: the stricter wins, and the refusal names file and line", () => {
    expect(decide("trust: unverified", "trust: verified").refusals).toEqual([
      {
        file: "system.yaml",
        line: 2,
        rule: "trust",
        why: "it must be verified, and it is unverified (not verified, from the registry x)",
      },
    ]);
    expect(decide("registries: [main, ours]", "registries: [ours]").refusals.map(({ file }) => file)).toEqual([
      "system.yaml",
    ]);
  });

  test("what one allows counts unless the other forbids it", () => {
    expect(decide("allow-unverified: true", "").allowUnverified).toBe(true);
    expect(decide("allow-unverified: true", "allow-unverified: false").allowUnverified).toBe(false);
    expect(decide("sandbox: preferred", "").allowWithoutSandbox).toBe(true);
    expect(decide("sandbox: preferred", "sandbox: required").allowWithoutSandbox).toBe(false);
  });
});

describe("a file that cannot be read says where", () => {
  test.each([
    ["trust: trusted", "2:8", "INVALID_VALUE"],
    ["minimum: verified", "2:1", "UNKNOWN_KEY"],
    ["attestation-age: 90", "2:18", "INVALID_DURATION"],
    ["licenses: [Apache 2]", "2:12", "INVALID_LICENSE"],
    ["steps: [runs]", "2:9", "INVALID_VALUE"],
    ["hosts: [http://x]", "2:9", "INVALID_VALUE"],
    ["sources: [github.com/x]", "2:11", "INVALID_URL"],
    ["credentials: [nmp]", "2:15", "INVALID_VALUE"],
    ["trust: verified\nallow-unverified: true", "3:1", "CONFLICTING_KEYS"],
    ["sandbox: yes", "2:10", "INVALID_VALUE"],
  ])("%s", (lines, place, code) => {
    let error: unknown;
    try {
      policy(lines);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(IpmError);
    expect((error as IpmError).code).toBe("POLICY_INVALID");
    expect((error as IpmError).message).toContain(`policy.yaml:${place}: ${code}:`);
  });

  test("an empty file is no policy either", () => {
    expect(() => parsePolicy("", "policy.yaml")).toThrow(/policy\.yaml:1:1/u);
  });
});

test.each<[string, string[], string[]]>([
  ["no file allows none", [], []],
  ["one that does not mention them allows none", ["trust: verified"], []],
  ["an empty list allows none", ["credentials: []"], []],
  ["a file allows what it names", ["credentials: [pypi, npm]"], ["npm", "pypi"]],
  ["of two files both must name it", ["credentials: [npm, go]", "credentials: [go, maven]"], ["go"]],
  ["the silence of one is a no", ["credentials: [npm]", "trust: reviewed"], []],
])("C47: credentials: %s", (_name, files, allowed) => {
  expect(allowedCredentials(files.map((lines) => policy(lines)))).toEqual(allowed);
});
