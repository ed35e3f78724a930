import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { FINDING_CODES, formatFinding } from "../../../src/manifest/finding.ts";
import { LARGER_EXAMPLE, SMALLEST_EXAMPLE } from "../../../src/manifest/manifest-reference.ts";
import { parseManifest } from "../../../src/manifest/parse-manifest.ts";
import { bytesOf, codesOf, DIGITS, findingsOf, manifestOf, manifestYaml, placesOf } from "../../helpers/manifests.ts";

const FIXTURES = path.join(import.meta.dirname, "../../fixtures/manifests");

describe("a good manifest", () => {
  test("the smallest one is read as written, nothing filled in", () => {
    expect(manifestOf(readFileSync(path.join(FIXTURES, "smallest.yaml"), "utf8"))).toEqual({
      schema: "ipm/v1",
      name: "ripcat",
      summary: "Search text in archives",
      license: "MIT",
      source: { git: "https://github.com/owner/ripcat.git" },
      versions: [{ version: "2.10", ref: "refs/tags/v2.10", commit: DIGITS, tree: DIGITS }],
      steps: [{ uses: "npm" }],
      bin: ["rc"],
      tests: [{ run: "rc --version", expect: { stdout: "^rc {version}" } }],
    });
  });

  test("the examples of the reference page are without a finding", () => {
    expect(findingsOf(SMALLEST_EXAMPLE)).toEqual([]);
    expect(findingsOf(LARGER_EXAMPLE)).toEqual([]);
    expect(manifestOf(LARGER_EXAMPLE).versions.map(({ version }) => version)).toEqual(["2.2.0-rc.1", "2.1.0", "2.0.0"]);
  });

  test("true, false and numbers are converted where the schema says so, and nowhere else", () => {
    const manifest = manifestOf(
      manifestYaml({
        requires: "requires: [{ tool: node, optional: true }]",
        steps: "steps: [{ uses: npm, optional: false, env: { A: true }, with: { deep: [1, { b: true }] } }]",
        tests: "tests: [{ run: [rc, 1, true], expect: { exit: 3 } }]",
      }),
    );
    expect(manifest.requires?.[0]?.optional).toBe(true);
    expect(manifest.steps?.[0]).toEqual({
      uses: "npm",
      optional: false,
      env: { A: "true" },
      with: { deep: ["1", { b: "true" }] },
    });
    expect(manifest.tests?.[0]).toEqual({ run: ["rc", "1", "true"], expect: { exit: 3 } });
  });

  test("an entry that is only offered elsewhere needs no steps", () => {
    expect(codesOf({ steps: null, bin: null, tests: null, elsewhere: "elsewhere: { docker: owner/ripcat }" })).toEqual(
      [],
    );
  });

  test("a warning does not refuse the manifest", () => {
    const result = parseManifest(readFileSync(path.join(FIXTURES, "NEEDLESS_ENTRY.yaml")), "m.yaml");
    expect(result.ok && result.warnings.map(({ code, severity }) => `${severity} ${code}`)).toEqual([
      "warning NEEDLESS_ENTRY",
    ]);
  });
});

// Files of these codes would be made here, or come from the check of a whole registry.
const WITHOUT_FIXTURE = new Set(["FILE_TOO_LARGE", "TOO_MANY_PROBLEMS"]);
const OF_REGISTRIES = new Set([
  "NOT_A_FILE",
  "MANIFEST_MISSING",
  "NAME_MISMATCH",
  "NAME_TAKEN",
  "NAME_REMOVED",
  "NAME_SIMILAR",
  "BUNDLE_MISSING",
  "LOCK_MISSING",
  "LOCK_WRONG",
  "ATTESTATION_INVALID",
  "ATTESTATION_CONTRIBUTED",
]);

describe("every finding", () => {
  const fixtures = readdirSync(FIXTURES)
    .filter((file) => /^[A-Z0-9_]+\.yaml$/u.test(file))
    .map((file) => path.basename(file, ".yaml"));

  test("has a fixture", () => {
    const missing = Object.keys(FINDING_CODES).filter(
      (code) => !fixtures.includes(code) && !WITHOUT_FIXTURE.has(code) && !OF_REGISTRIES.has(code),
    );
    expect(missing).toEqual([]);
  });

  test.each(fixtures)("%s is the only finding of its fixture", (code) => {
    const findings = findingsOf(readFileSync(path.join(FIXTURES, `${code}.yaml`)));
    expect(new Set(findings.map((finding) => finding.code))).toEqual(new Set([code]));
    expect(findings).toHaveLength(1);
  });
});

describe("findings", () => {
  test("all problems come at once, sorted by place", () => {
    const text = `schema: ipm/v1
nmae: ripcat
summary: |
  two
  lines
license:
source: { git: "http://github.com/owner/ripcat.git", track: main }
versions:
  - { version: 2.10, ref: main, commit: main, tree: ${DIGITS}, prerelease: yes }
  - { version: 2.10, commit: ${DIGITS}, tree: ${DIGITS} }
steps:
  - uses: npn
    with: { a: "{foo}" }
  - run: echo {version}
  - [a]
  - why: nothing to do
bin: [sudo, a b]
requires: [{ hardware: nvidia }, { tool: node, version: ">=x" }]
inputs: [{ env: X }]
kind: workspace
tests: [{ run: [], expect: { stdout: "(", exit: 999 } }, {}]
`;
    expect(placesOf(text)).toEqual([
      "1:1 MISSING_KEY",
      "2:1 UNKNOWN_KEY",
      "3:10 NOT_ONE_LINE",
      "6:1 EMPTY_VALUE",
      "7:16 INVALID_URL",
      "9:27 INVALID_REF",
      "9:41 INVALID_PIN",
      "9:107 WRONG_TYPE",
      "10:16 DUPLICATE_VERSION",
      "12:11 UNKNOWN_RECIPE",
      "13:16 UNKNOWN_PLACEHOLDER",
      "14:10 PLACEHOLDER_NOT_ALLOWED",
      "15:5 WRONG_TYPE",
      "16:5 MISSING_KEY",
      "17:1 CONFLICTING_KEYS",
      "17:7 PROTECTED_LAUNCHER",
      "17:13 INVALID_LAUNCHER",
      "18:57 INVALID_RANGE",
      "21:16 TOO_FEW",
      "21:38 INVALID_PATTERN",
      "21:49 WRONG_TYPE",
      "21:58 MISSING_KEY",
    ]);
  });

  test("a finding shows the line, points at the place and suggests the nearest key", () => {
    const [finding] = findingsOf(manifestYaml({ steps: "stpes: [uses: npm]", bin: null, tests: null }));
    expect(finding === undefined ? "" : formatFinding(finding)).toBe(
      [
        "m.yaml:8:1: UNKNOWN_KEY: unknown key `stpes`",
        "  8 | stpes: [uses: npm]",
        "    | ^^^^^",
        "    = did you mean `steps`?",
      ].join("\n"),
    );
  });

  test("a finding about the whole file shows no line; a warning says that it is one", () => {
    const [large] = findingsOf(new Uint8Array(300_000));
    expect(large === undefined ? "" : formatFinding(large)).toBe(
      "m.yaml:1:1: FILE_TOO_LARGE: the file has 300000 bytes; at most 262144 are read",
    );
    const [warning] = findingsOf(manifestYaml({ keywords: "keywords: [a, a]" }));
    expect(warning === undefined ? "" : formatFinding(warning).split("\n")[0]).toBe(
      "m.yaml:11:15: warning: NEEDLESS_ENTRY: `a` is listed twice",
    );
  });

  test("a misspelt key is not also called missing", () => {
    expect(codesOf({ steps: "stpes: [uses: npm]" })).toEqual(["UNKNOWN_KEY"]);
    expect(codesOf({ steps: "steps: [usse: npm]" })).toEqual(["UNKNOWN_KEY"]);
  });

  test("a refused value is not also called missing", () => {
    expect(codesOf({ steps: "steps: [uses: npn]" })).toEqual(["UNKNOWN_RECIPE"]);
    expect(codesOf({ source: "source: { git: no }" })).toEqual(["INVALID_URL"]);
  });

  test("suggestions look at the keys of the right place", () => {
    const hints = findingsOf(
      manifestYaml({
        steps: "methods: [{ step: [uses: npm], steps: [{ uses: npm, timout: 1m }], provides: { bni: [rc] } }]",
      }),
    ).map(({ hint }) => hint);
    expect(hints).toEqual(["did you mean `steps`?", "did you mean `timeout`?", "did you mean `bin`?"]);
  });

  test("a key that is like none lists the keys there are", () => {
    const [finding] = findingsOf(manifestYaml({ source: "source: { git: https://github.com/o/r.git, zzzzzz: 1 }" }));
    expect(finding?.hint).toBe("keys here: git, bundle, path, submodules, track, package");
  });

  test("a long line is shown around the place, and the caret points at it", () => {
    const words = Array.from({ length: 11 }, (_, index) => `word${index}`).join(", ");
    const [finding] = findingsOf(
      manifestYaml({ keywords: `keywords: [${words}, "-", ${words.replaceAll("w", "v")}]` }),
    );
    expect(finding?.sourceLine.length).toBeLessThan(110);
    expect(finding?.sourceLine.slice(finding.caret.start, finding.caret.start + finding.caret.length)).toBe('"-"');
  });

  test("CRLF files have the same places, and no CR in what is shown", () => {
    const text = manifestYaml({ license: "license: [MIT]" });
    const crlf = findingsOf(text.replaceAll("\n", "\r\n"));
    expect(crlf).toEqual(findingsOf(text));
    expect(crlf[0]?.sourceLine).toBe("license: [MIT]");
  });

  test("many problems are cut off and the list says so", () => {
    const variables = Array.from({ length: 50 }, (_, index) => `LD_${index}: x`).join(", ");
    const step = `  - { uses: npm, env: { ${variables} } }\n`;
    const findings = findingsOf(manifestYaml({ steps: `steps:\n${step.repeat(3)}` }));
    expect(findings).toHaveLength(101);
    expect(findings.at(-1)?.code).toBe("TOO_MANY_PROBLEMS");
    expect(findingsOf("\u0001".repeat(300)).at(-1)?.code).toBe("TOO_MANY_PROBLEMS");
  });

  test("a range without quotes, which YAML takes for a block, gets a hint", () => {
    const [finding] = findingsOf(manifestYaml({ requires: "requires:\n  - tool: node\n    version: >=20" }));
    expect(finding?.code).toBe("YAML_SYNTAX");
    expect(finding?.hint).toContain("quotes");
  });

  test("the file's name and a message cannot carry control characters to a terminal", () => {
    const result = parseManifest(bytesOf(manifestYaml({ name: 'name: "a\\e[2Jb"' })), "\u001b]0;x\u0007.yaml");
    const shown = result.ok ? "" : result.findings.map(formatFinding).join("\n");
    // oxlint-disable-next-line no-control-regex -- that is the point
    expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/u);
    expect(shown).toContain(String.raw`\x1b]0;x\x07.yaml:2:7`);
  });
});

describe("a repository's own ipm.yaml", () => {
  const own = manifestYaml({ source: null, versions: null });

  test("has no source and no versions", () => {
    expect(findingsOf(own, { kind: "repository" })).toEqual([]);
    expect(placesOf(manifestYaml(), { kind: "repository" })).toEqual(["5:1 UNKNOWN_KEY", "6:1 UNKNOWN_KEY"]);
  });

  test("cannot say since or until", () => {
    expect(
      codesOf(
        { source: null, versions: null, steps: "methods: [{ since: 1.0, steps: [uses: npm] }]" },
        { kind: "repository" },
      ),
    ).toEqual(["CONFLICTING_KEYS"]);
  });
});

describe("several keys at once", () => {
  test.each([
    [
      "git and bundle",
      { source: "source: { git: https://github.com/o/r.git, bundle: sources/r.bundle }" },
      ["CONFLICTING_KEYS"],
    ],
    ["no source", { source: "source: { path: cli }" }, ["MISSING_KEY"]],
    ["no pin", { versions: "versions: [{ version: 1.0 }]" }, ["MISSING_KEY", "MISSING_KEY"]],
    [
      "versions that differ in case only",
      {
        versions: `versions: [{ version: 1.0-RC, commit: ${DIGITS}, tree: ${DIGITS} }, { version: 1.0-rc, commit: ${DIGITS}, tree: ${DIGITS} }]`,
      },
      ["DUPLICATE_VERSION"],
    ],
    ["steps and methods", { methods: "methods: [{ steps: [uses: copy] }]" }, ["CONFLICTING_KEYS"]],
    ["bin without steps", { steps: null, tests: null }, ["CONFLICTING_KEYS"]],
    ["a library with steps", { kind: "kind: library" }, ["CONFLICTING_KEYS"]],
    ["with without uses", { steps: "steps: [{ run: make, with: { a: b } }]" }, ["CONFLICTING_KEYS"]],
    ["a step that does nothing", { steps: "steps: [{ why: because }]" }, ["MISSING_KEY"]],
    ["a requirement of nothing", { requires: 'requires: [{ version: ">=1" }]' }, ["MISSING_KEY"]],
    ["output and stdout", { tests: "tests: [{ run: rc, expect: { output: a, stdout: b } }]" }, ["CONFLICTING_KEYS"]],
    ["a launcher with file and run", { bin: "bin: { rc: { file: bin/rc, run: [node, x] } }" }, ["CONFLICTING_KEYS"]],
    ["a command twice", { bin: "bin: [rc, RC]" }, ["DUPLICATE_NAME"]],
    ["an alias twice", { aliases: "aliases: [a, a]" }, ["DUPLICATE_NAME"]],
    [
      "until older than since",
      {
        versions: `versions: [{ version: 2.0, commit: ${DIGITS}, tree: ${DIGITS} }, { version: 1.0, commit: ${DIGITS}, tree: ${DIGITS} }]`,
        steps: "methods: [{ since: 2.0, until: 1.0, steps: [uses: npm] }]",
      },
      ["UNKNOWN_VERSION"],
    ],
    ["it replaces itself", { deprecated: "deprecated: { why: old, use: ripcat }" }, ["DUPLICATE_NAME"]],
    [
      "two methods of one recipe need ids",
      { steps: "methods: [{ steps: [uses: npm] }, { steps: [{ run: make }, { uses: npm }] }]" },
      ["DUPLICATE_METHOD"],
    ],
  ])("%s", (_, change: Record<string, string | null>, codes) => {
    expect(codesOf(change)).toEqual(codes);
  });

  test("a protected command is refused in a method too, whatever its case", () => {
    expect(
      codesOf({ bin: null, steps: "methods: [{ steps: [uses: npm], provides: { bin: { Git: bin/git } } }]" }),
    ).toEqual(["PROTECTED_LAUNCHER"]);
  });
});

describe("inputs", () => {
  test.each([
    ["a value and a secret", "[{ env: SERVER, for: build, why: where it is }, { env: API_TOKEN, secret: true }]", []],
    ["a secret for the steps", "[{ env: API_TOKEN, secret: true, for: both }]", ["CONFLICTING_KEYS"]],
    ["a secret that is not said to be one", "[{ env: AWS_SECRET_ACCESS_KEY_ID }]", ["MISSING_KEY"]],
    ["one twice", "[{ env: SERVER }, { env: SERVER }]", ["DUPLICATE_NAME"]],
    ["a variable of the shell's", "[{ env: LD_PRELOAD }]", ["DENIED_ENV_NAME"]],
    ["no variable", "[{ secret: true }]", ["MISSING_KEY"]],
  ])("%s", (_, inputs, codes) => {
    expect(codesOf({ inputs: `inputs: ${inputs}` })).toEqual(codes);
  });
});

describe("what is the user's", () => {
  test.each([
    ["files and folders", "[etc/rc.conf, var/data]", []],
    ["a way out", "[../rc.conf]", ["INVALID_PATH"]],
    ["an absolute path", "[/etc/passwd]", ["INVALID_PATH"]],
    ["the prefix itself", "[.]", ["INVALID_PATH"]],
    ["one within another", "[var, var/data]", ["NEEDLESS_ENTRY"]],
    ["one twice, but for case", "[etc/rc.conf, etc/RC.conf]", ["NEEDLESS_ENTRY"]],
  ])("%s", (_, persist, codes) => {
    expect(codesOf({ persist: `persist: ${persist}` })).toEqual(codes);
  });

  test("no command is in it", () => {
    const changes = { bin: "bin: { rc: bin/rc, rd: { file: lib/rd } }" };
    expect(codesOf({ ...changes, persist: "persist: [bin]" })).toEqual(["CONFLICTING_KEYS"]);
    expect(codesOf({ ...changes, persist: "persist: [lib/rd]" })).toEqual(["CONFLICTING_KEYS"]);
    expect(codesOf({ ...changes, persist: "persist: [libexec]" })).toEqual([]);
  });
});

describe("tests beside the server", () => {
  const tests = "tests: [{ run: rc, during: start }]";
  test.each([
    ["with a server and its address", { tests, start: 'start: { run: rcd, url: "http://127.0.0.1:8080/" }' }, []],
    ["without a server", { tests }, ["MISSING_KEY"]],
    ["without an address", { tests, start: "start: { run: rcd }" }, ["MISSING_KEY"]],
    ["somewhere else", { tests, start: "start: { run: rcd, url: https://example.org/ }" }, ["INVALID_URL"]],
  ])("%s", (_, changes: Record<string, string>, codes) => {
    expect(codesOf(changes)).toEqual(codes);
  });
});

describe("requirements of the machine", () => {
  test.each([
    ["all three kinds", "[{ env: DISPLAY }, { service: docker }, { hardware: nvidia, version: '>=525' }]", []],
    ["services by their address", '[{ service: "localhost:8080" }, { service: /run/tool/tool.sock }]', []],
    ["a known service, misspelt", "[{ service: dokcer }]", ["INVALID_VALUE"]],
    ["another machine", '[{ service: "example.org:80" }]', ["INVALID_VALUE"]],
    ["a port that is none", '[{ service: "localhost:65536" }]', ["INVALID_VALUE"]],
    ["a way out of the folder", "[{ service: /run/../home/me/agent.sock }]", ["INVALID_VALUE"]],
    ["a socket of the user's", "[{ service: /home/me/.gnupg/S.gpg-agent }]", ["INVALID_VALUE"]],
    ["hardware that nobody knows", "[{ hardware: nvida }]", ["INVALID_VALUE"]],
    ["a name that is none", "[{ env: A-B }]", ["INVALID_ENV_NAME"]],
    ["a variable for the steps", "[{ env: DISPLAY, for: build }]", ["CONFLICTING_KEYS"]],
    ["a service for the steps", "[{ service: docker, for: both }]", ["CONFLICTING_KEYS"]],
    ["a version of a service", '[{ service: docker, version: ">=20" }]', ["CONFLICTING_KEYS"]],
    ["two kinds at once", "[{ service: docker, hardware: kvm }]", ["CONFLICTING_KEYS"]],
  ])("%s", (_, requires, codes) => {
    expect(codesOf({ requires: `requires: ${requires}` })).toEqual(codes);
  });
});

describe("a workspace", () => {
  const workspace = (more: Readonly<Record<string, string>>): readonly string[] =>
    codesOf({ kind: "kind: workspace", bin: "", ...more });

  test.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
    ["as it should be", {}, []],
    ["with a command", { bin: "bin: [rc]" }, ["CONFLICTING_KEYS"]],
    ["with data of its own", { persist: "persist: [etc/rc.conf]" }, ["CONFLICTING_KEYS"]],
    ["with a secret", { inputs: "inputs: [{ env: API_TOKEN, secret: true }]" }, ["CONFLICTING_KEYS"]],
    [
      "with submodules",
      { source: "source: { git: https://github.com/o/r.git, submodules: [vendor/x] }" },
      ["CONFLICTING_KEYS"],
    ],
    ["with provides", { steps: "methods: [{ steps: [uses: npm], provides: { bin: [rc] } }]" }, ["CONFLICTING_KEYS"]],
  ])("%s", (_, more, codes) => {
    expect([...new Set(workspace(more))]).toEqual(codes);
  });
});

describe("a branch that is followed", () => {
  const pin = `commit: ${"1".repeat(40)}, tree: ${"2".repeat(40)}`;
  const tracked = (
    version: string,
    ref = "refs/heads/main",
    source = "git: https://github.com/o/r.git",
  ): readonly string[] =>
    codesOf({
      source: `source: { ${source}, track: main }`,
      versions: `versions: [{ version: "${version}", ref: ${ref}, ${pin} }]`,
    });

  test.each<[string, readonly string[], readonly string[]]>([
    ["a date", tracked("2026.11.20"), []],
    ["the third commit of a day", tracked("2026.11.20.3"), []],
    ["a tag that came later", tracked("1.0.0", "refs/tags/v1.0.0"), []],
    ["a version that nobody gave", tracked("1.0.0"), ["INVALID_VERSION"]],
    ["no such month", tracked("2026.13.20"), ["INVALID_VERSION"]],
    ["another branch", tracked("2026.11.20", "refs/heads/dev"), ["INVALID_REF"]],
    ["a bundle", tracked("2026.11.20", "refs/heads/main", "bundle: a.bundle"), ["CONFLICTING_KEYS"]],
  ])("%s", (_, codes, expected) => {
    expect(codes).toEqual(expected);
  });
});

test("names that the writer chooses are no keys of the format", () => {
  expect(
    codesOf({
      steps: "steps: [{ uses: npm, with: { inputs: x, files: [a] }, env: { persist: x } }]",
      elsewhere: "elsewhere: { inputs: x }",
    }),
  ).toEqual([]);
});
