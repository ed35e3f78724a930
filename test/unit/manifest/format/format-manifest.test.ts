import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatManifest } from "../../../../src/manifest/format-manifest.ts";
import { LARGER_EXAMPLE, SMALLEST_EXAMPLE } from "../../../../src/manifest/manifest-reference.ts";
import { bytesOf, DIGITS, manifestOf, manifestYaml } from "../../../helpers/manifests.ts";

const PACKAGES = path.join(import.meta.dirname, "../../../../registry/packages");

function format(text: string): string {
  const result = formatManifest(bytesOf(text), "m.yaml");
  if (!result.ok) throw new Error(result.findings.map(({ message }) => message).join("\n"));
  return result.text;
}

describe("the canonical form", () => {
  test.each([
    ["the smallest example", SMALLEST_EXAMPLE],
    ["the larger example", LARGER_EXAMPLE],
    ...readdirSync(PACKAGES).map((name) => [
      `the entry of ${name}`,
      readFileSync(path.join(PACKAGES, name, "manifest.yaml"), "utf8"),
    ]),
  ])("%s is in it already", (_, text) => {
    expect(format(text)).toBe(text);
  });

  test("keys come in the schema's order on every level, and comments go with them", () => {
    const text = `# the editor's line
schema: ipm/v1
license: MIT # as the file says
# what people read
summary: Search text in archives
name: ripcat

source: { path: cli, git: "https://github.com/owner/ripcat.git" }
versions:
  # the newest
  - { tree: ${DIGITS}, commit: ${DIGITS}, version: 2.10 }
steps:
  - env: { B: "1", A: "2" } # of the user's
    uses: npm
`;
    expect(format(text)).toBe(`# the editor's line
schema: ipm/v1
name: ripcat
# what people read
summary: Search text in archives
license: MIT # as the file says

source: { git: "https://github.com/owner/ripcat.git", path: cli }
versions:
  # the newest
  - { version: 2.10, commit: ${DIGITS}, tree: ${DIGITS} }
steps:
  - uses: npm
    env: { B: "1", A: "2" } # of the user's
`);
  });

  test("a line break that is written as \\n stays so", () => {
    const text = manifestYaml({
      tests: String.raw`tests: [{ run: "printf 'name,size\nadam,7\nb,1200\n' | rc", expect: { stdout: "^name  size\n----  ----\nadam     7$" } }]`,
    });
    expect(format(text)).toContain(String.raw`"printf 'name,size\nadam,7\nb,1200\n' | rc"`);
    expect(format(text)).toContain(String.raw`"^name  size\n----  ----\nadam     7$"`);
  });

  test("indentation, line ends, spaces at the end, padding and a byte order mark are made equal", () => {
    const text = `\uFEFFschema: ipm/v1   \r\nname: ripcat\r\nkeywords: [ a,b ]\r\nsource: {git: https://github.com/owner/ripcat.git}\r\nsteps:\r\n- uses: npm\r\n\r\n\r\n`;
    expect(format(text)).toBe(
      "schema: ipm/v1\nname: ripcat\nkeywords: [a, b]\nsource: { git: https://github.com/owner/ripcat.git }\nsteps:\n  - uses: npm\n",
    );
  });

  test("texts keep their own spelling: 2.10, 012, quotes and blocks", () => {
    const text = `schema: ipm/v1
name: ripcat
notes: |
  two
    lines
versions:
  - { version: 2.10, commit: '${DIGITS}', tree: "012" }
`;
    expect(format(text)).toBe(text);
  });

  test("a text that is no YAML is left alone, with the finding", () => {
    const result = formatManifest(bytesOf("a: [b\n"), "m.yaml");
    expect(result).toMatchObject({ ok: false, findings: [{ code: "YAML_SYNTAX" }] });
  });
});

describe("properties", () => {
  const lines = manifestYaml()
    .split(/\n(?=[a-z])/u)
    .map((block) => block.trimEnd());
  const shuffled = fc.shuffledSubarray(lines, { minLength: lines.length, maxLength: lines.length });
  const comment = fc.constantFrom("", "# a comment\n", "\n", "\n# after a blank line\n");

  test("whatever the order, the meaning stays, and a second time changes nothing", () => {
    fc.assert(
      fc.property(
        shuffled,
        fc.array(comment, { minLength: lines.length, maxLength: lines.length }),
        (blocks, notes) => {
          const text = `${blocks.map((block, index) => `${notes[index]}${block}`).join("\n")}\n`;
          const once = format(text);
          expect(manifestOf(once)).toEqual(manifestOf(text));
          expect(format(once)).toBe(once);
          expect(once.match(/# a/gu)?.length ?? 0).toBe(text.match(/# a/gu)?.length ?? 0);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("any text gives an answer, and one that is formatted stays so", () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom("a", ":", " ", "\n", "-", "{", "}", "[", "]", ",", "#", '"', "'", "|", ">"),
        }),
        (text) => {
          const once = formatManifest(bytesOf(text), "m.yaml");
          if (!once.ok) return;
          const twice = formatManifest(bytesOf(once.text), "m.yaml");
          expect(twice.ok).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});
