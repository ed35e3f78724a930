import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { readPlainYaml } from "../../../src/manifest/plain-yaml.ts";
import { readYamlDocument } from "../../../src/manifest/yaml-document.ts";
import { seededRandom } from "../../helpers/generated-registry.ts";
import { manifestYaml } from "../../helpers/registry-folder.ts";

const PACKAGES = path.resolve(import.meta.dirname, "../../../registry/packages");
const manifests = readdirSync(PACKAGES).map((name) => readFileSync(path.join(PACKAGES, name, "manifest.yaml"), "utf8"));
const SAMPLES = [
  ...manifests,
  manifestYaml({ name: "ripcat", more: "aliases: [rip-cat]\n" }),
  "a: { b: c, \"d\": [e, 'f', { g: h }], i: https://x.y/z }\n",
  "a:\n- b\n- c: d\n  e: f\n- g\nh:\n  i:\n    - j\n    - k: l\n",
  '{"a":"b","c":["d",{"e":"f"}]}',
  "a: b\nc:   d e\n# x\ne: \"q r\"\nf: 'x y'\ng: [a b, c-d, 1.0]\nh: {}\ni: []\n",
];
const SIGNIFICANT = " \n:-[]{},#&*!|>'\"%@`\\?~a1.=<$/\té";

function compare(text: string): boolean {
  const bytes = Buffer.from(text);
  const plain = readPlainYaml(bytes);
  if (plain === undefined) return false;
  const whole = readYamlDocument(bytes, "f");
  expect([text, whole.ok && whole.findings]).toEqual([text, []]);
  expect([text, whole.ok && whole.root.value]).toEqual([text, plain]);
  return true;
}

test("what it reads means the same to the full parser, in 6,000 texts of which most are damaged", () => {
  const random = seededRandom(5);
  const below = (limit: number): number => Math.floor(random() * limit);
  let read = 0;
  for (let round = 0; round < 6_000; round++) {
    const lines = (SAMPLES[below(SAMPLES.length)] ?? "").split("\n");
    const from = below(lines.length);
    const piece = lines.slice(from, from + 1 + below(8));
    const indent = /^ */u.exec(piece[0] ?? "")?.[0].length ?? 0;
    let text = piece.map((line) => (line.startsWith(" ".repeat(indent)) ? line.slice(indent) : line)).join("\n");
    for (let damage = below(4); damage > 0; damage--) {
      const at = below(text.length + 1);
      const sign = SIGNIFICANT[below(SIGNIFICANT.length)] ?? "";
      text = text.slice(0, at) + (random() < 0.7 ? sign : "") + text.slice(at + (random() < 0.5 ? 1 : 0));
    }
    if (compare(text)) read += 1;
  }
  expect(read).toBeGreaterThan(500);
});

test("it reads what manifests are mostly written in, and JSON", () => {
  for (const text of SAMPLES.slice(-5)) expect([text, compare(text)]).toEqual([text, true]);
  expect(readPlainYaml(Buffer.from("version: 2.10\nmore: [012, yes, '~']\n"))).toEqual({
    version: "2.10",
    more: ["012", "yes", "~"],
  });
});

test.each([
  ["an anchor", "a: &b c\n"],
  ["an alias", "a: *b\n"],
  ["a tag", "a: !!str b\n"],
  ["a merge key", "a: b\n<<: c\n"],
  ["a forbidden key", "__proto__: { a: b }\n"],
  ["a forbidden key in brackets", "a: { constructor: b }\n"],
  ["a key that is written twice", "a: b\na: c\n"],
  ["a value that is none", "a:\nb: c\n"],
  ["a null", "a: null\n"],
  ["a block text", "a: |\n  b\n"],
  ["a text on two lines", "a: b\n  c\n"],
  ["a comment behind a value", "a: b # c\n"],
  ["an escape", 'a: "\\x1b"\n'],
  ["a second document", "a: b\n---\nc: d\n"],
  ["a tab", "a:\tb\n"],
  ["a control character", "a: b\u001b\n"],
  ["anything but ASCII", "a: ü\n"],
  ["a space at the end of a line", "a: b \n"],
  ["brackets without an end", "a: [b\n"],
  ["brackets in brackets without end", `a: ${"[".repeat(10_000)}\n`],
  ["a list in a list", "- - a\n"],
  ["nothing", ""],
])("%s is left to the full parser", (_, text) => {
  expect(readPlainYaml(Buffer.from(text))).toBeUndefined();
});
