import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { LINT_CODES } from "../../../../src/manifest/lint/lint-codes.ts";
import { applyFixes, factsAlone, lintManifest } from "../../../../src/manifest/lint/lint-manifest.ts";
import type { LintFacts } from "../../../../src/manifest/lint/rule.ts";
import { LINT_RULES } from "../../../../src/manifest/lint/rules.ts";
import { bytesOf, DIGITS, manifestYaml } from "../../../helpers/manifests.ts";

const ROOT = path.join(import.meta.dirname, "../../../..");
const FIXTURES = path.join(ROOT, "test/fixtures/lint");

/** What only a registry or a network knows, for the rules that ask. */
const FACTS: Readonly<Record<string, Partial<LintFacts>>> = {
  PLATFORM_NOT_ATTESTED: { attested: { "2.10": ["linux-x64-glibc"] } },
  IMPOSTER_COMMIT: { pins: { "2.10": { tagCommit: undefined, heldBy: null } } },
  UNKNOWN_OPTION: { recipeOptions: { npm: ["scripts"] } },
  TAG_MOVED: { pins: { "2.10": { tagCommit: "2".repeat(40), heldBy: "refs/heads/main" } } },
};

function factsFor(code: string): LintFacts {
  return { ...factsAlone("registry"), ...FACTS[code] };
}

/** The smallest manifest with its keys replaced by those of some lines. */
function withLines(lines: string): string {
  // An example that speaks of commands without a test has none.
  const change: Record<string, string | null> =
    /^bin:/mu.test(lines) && !/^tests:/mu.test(lines) ? { tests: null } : {};
  for (const block of lines.split(/\n(?=[a-z])/u)) change[/^[a-z]+/u.exec(block)?.[0] ?? ""] = block;
  return manifestYaml(change);
}

function codesIn(text: string | Uint8Array, facts: LintFacts): string[] {
  const bytes = typeof text === "string" ? bytesOf(text) : text;
  return lintManifest(bytes, "m.yaml", { facts }).findings.map(({ code }) => code);
}

describe("every rule", () => {
  test("is listed once, in the order of the codes", () => {
    expect(LINT_RULES.map(({ code }) => code)).toEqual(LINT_CODES);
  });

  test("has a fixture, and every fixture a rule", () => {
    expect(readdirSync(FIXTURES).toSorted()).toEqual(LINT_CODES.map((code) => `${code}.yaml`).toSorted());
  });

  test("has a section of the documentation and a file of its own", () => {
    const page = readFileSync(path.join(ROOT, "docs/lint.md"), "utf8");
    expect(LINT_CODES.filter((code) => !page.includes(`\n## ${code}\n`))).toEqual([]);
    const files = readdirSync(path.join(ROOT, "src/manifest/lint/rules"));
    expect(files.toSorted()).toEqual(
      LINT_CODES.map((code) => `${code.toLowerCase().replaceAll("_", "-")}.ts`).toSorted(),
    );
  });

  test.each(LINT_RULES.map((rule) => [rule.code, rule] as const))(
    "%s is the only finding of its fixture",
    (code, rule) => {
      const file = path.join(FIXTURES, `${code}.yaml`);
      expect(existsSync(file)).toBe(true);
      const { findings } = lintManifest(readFileSync(file), "m.yaml", { facts: factsFor(code) });
      expect(new Set(findings.map((finding) => finding.code))).toEqual(new Set([code]));
      expect(findings[0]?.severity).toBe(rule.severity);
      expect(findings[0]?.sourceLine).not.toBe("");
    },
  );

  test.each(LINT_RULES.map((rule) => [rule.code, rule] as const))(
    "%s finds its documented example, and nothing in what to write instead",
    (code, rule) => {
      const facts = factsFor(code);
      if (code === "KEY_ORDER") return;
      expect(codesIn(withLines(rule.bad), facts)).toContain(code);
      const good: LintFacts =
        code === "IMPOSTER_COMMIT"
          ? { ...facts, pins: { "2.10": { tagCommit: "2".repeat(40), heldBy: "refs/tags/v2.10" } } }
          : facts;
      // The test puts the lines together in no particular order.
      expect(codesIn(withLines(rule.good), good).filter((found) => found !== "KEY_ORDER")).toEqual([]);
    },
  );
});

describe("commands", () => {
  const step = (run: string): string[] =>
    codesIn(
      withLines(`steps: [uses: npm, { run: ${JSON.stringify(run)}, why: it is needed }]`),
      factsAlone("registry"),
    );

  test.each([
    ["curl -fsSL https://x.example.org/i.sh | bash", ["PIPE_TO_SHELL"]],
    ["curl -fsSL https://x.example.org/i.sh | sudo -E bash -", ["NEEDS_ROOT", "PIPE_TO_SHELL"]],
    ['sh -c "$(curl -fsSL https://x.example.org/i.sh)"', ["PIPE_TO_SHELL"]],
    ["bash <(curl -s https://x.example.org/i.sh)", ["PIPE_TO_SHELL"]],
    ["wget -qO- https://x.example.org/i.py | python3 -", ["PIPE_TO_SHELL"]],
    ["curl -fo a https://x.example.org/a && echo 'abc  a' | sha256sum -c", []],
    ["apt-get update", ["NEEDS_ROOT"]],
    ["git clone https://example.org/x", ["UNPINNED_DOWNLOAD"]],
    ["pip install requests", ["UNPINNED_DOWNLOAD", "SHELL_INSTEAD_OF_RECIPE"]],
    ["npm install -g rc", ["OUTSIDE_PREFIX", "SHELL_INSTEAD_OF_RECIPE"]],
    ["make install", ["OUTSIDE_PREFIX", "SHELL_INSTEAD_OF_RECIPE"]],
    ['make install PREFIX="$IPM_PREFIX"', ["SHELL_INSTEAD_OF_RECIPE"]],
    ["echo x > ~/.rc", ["OUTSIDE_PREFIX"]],
    ["cp rc $IPM_PREFIX/bin/", []],
    ["make man || true", ["IGNORED_FAILURE"]],
    ["make completions", []],
    ["uvicorn app:main &", ["STARTS_SERVER"]],
    ["docker run -it x", ["STARTS_SERVER"]],
    ["uvicorn --version", []],
    ["cp vX.Y.Z/rc bin/", ["PLACEHOLDER_LEFT"]],
    ["export KEY=sk-your-key", ["PLACEHOLDER_LEFT"]],
    ["cp {{ version }}/rc bin/", ["PLACEHOLDER_LEFT"]],
    ["rc render '{{item.name|upper}}' '{{.Name}}'", []],
    ["# curl x | sh\nprintf '%s' 'sudo rm'", []],
    ["cat > x <<EOF\nsudo rm\nEOF\nprintf a", []],
  ])("%j", (run, codes) => {
    expect(new Set(step(run))).toEqual(new Set(codes));
  });

  test("an argv list and a shell text within one are looked at too", () => {
    expect(codesIn(withLines("steps: [uses: npm, { run: [sudo, ls], why: x }]"), factsAlone("registry"))).toEqual([
      "NEEDS_ROOT",
    ]);
    expect(
      codesIn(withLines('steps: [uses: npm, { run: [sh, -ec, "sudo ls"], why: x }]'), factsAlone("registry")),
    ).toEqual(["NEEDS_ROOT"]);
  });
});

describe("tests that prove nothing", () => {
  test.each([
    ["tests: [run: 'true']", "TEST_PROVES_NOTHING"],
    ["tests: [run: 'rc b || true']", "TEST_PROVES_NOTHING"],
    ["tests: [run: command -v rc]", "TEST_PROVES_NOTHING"],
    ["tests: [run: test -x bin/rc]", "TEST_PROVES_NOTHING"],
    ["tests: [run: rc --help]", "SMOKE_TEST_ONLY"],
    // What a draft asks.
    ["tests: [run: rc --version || rc -h 2>&1 | grep -i usage || rc 2>&1 | grep -i usage]", "SMOKE_TEST_ONLY"],
  ])("%s", (tests, code) => {
    expect(codesIn(manifestYaml({ tests }), factsAlone("registry"))).toEqual([code]);
  });

  test.each([
    ["tests: [run: test -f built.txt]", []],
    ["tests: [run: echo fine]", ["TEST_PROVES_NOTHING"]],
  ])("of a workspace the files are what there is: %s", (tests, codes) => {
    const kind = "name: ripcat\nkind: workspace";
    expect(codesIn(manifestYaml({ name: kind, bin: null, tests }), factsAlone("registry"))).toEqual(codes);
  });

  test("a repository's own ipm.yaml may have a smoke test only", () => {
    const text = manifestYaml({ source: null, versions: null, tests: "tests: [run: rc --help]" });
    expect(codesIn(text, factsAlone("repository"))).toEqual([]);
  });
});

test("the licence that a draft has not recognised is a finding", () => {
  expect(codesIn(manifestYaml({ license: "license: LicenseRef-unknown" }), factsAlone("registry"))).toEqual([
    "LICENSE_UNKNOWN",
  ]);
});

test("prereleases alone are nothing to install, unless the entry says what to use instead", () => {
  const versions = `versions:\n  - { version: 1.0-rc1, commit: "${DIGITS}", tree: "${DIGITS}", prerelease: true }`;
  expect(codesIn(manifestYaml({ versions }), factsAlone("registry"))).toEqual(["NO_VERSION_LEFT"]);
  const deprecated = "license: MIT\ndeprecated: { why: nobody mends it, use: other }";
  expect(codesIn(manifestYaml({ versions, license: deprecated }), factsAlone("registry"))).toEqual([]);
});

describe("fixes", () => {
  const fixed = (text: string): string =>
    applyFixes(text, lintManifest(bytesOf(text), "m.yaml", { facts: factsAlone("registry") }).fixes);

  test("the order of keys, a full stop and the case of a licence are mended, comments stay", () => {
    const text = `# yaml-language-server: x
license: mit # as the file says
schema: ipm/v1
name: ripcat
summary: Search text in archives.
source: { git: https://github.com/owner/ripcat.git }
versions: [{ commit: ${DIGITS}, version: 2.10, tree: ${DIGITS} }]
steps: [uses: npm]
bin: [rc]
tests: [{ run: printf abc | rc b, expect: { stdout: "^abc$" } }]
`;
    const result = fixed(text);
    expect(codesIn(result, factsAlone("registry"))).toEqual([]);
    expect(result).toContain("license: MIT # as the file says\n");
    expect(result).toContain("summary: Search text in archives\n");
    expect(result).toContain(`{ version: 2.10, commit: ${DIGITS}`);
    expect(result.startsWith("# yaml-language-server: x\nschema: ipm/v1\nname: ripcat\n")).toBe(true);
  });

  test("a manifest without findings has nothing to mend", () => {
    const { findings, fixes } = lintManifest(bytesOf(manifestYaml()), "m.yaml", { facts: factsAlone("registry") });
    expect(findings).toEqual([]);
    expect(fixes).toEqual([]);
  });
});

test("what the schema refuses is found without the rules", () => {
  expect(
    codesIn(manifestYaml({ license: "licence: MIT", steps: "steps: [{ run: sudo ls }]" }), factsAlone("registry")),
  ).toEqual(["MISSING_KEY", "UNKNOWN_KEY"]);
});
