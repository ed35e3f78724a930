import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseToml, tomlAt, tomlTables, tomlText, tomlTexts } from "../../../src/recipes/toml.ts";

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

function read(text: string): unknown {
  const document = parseToml(text);
  return document === null ? null : plain(document.root);
}

describe("parseToml", () => {
  test.each<[string, string, unknown]>([
    ["a pair", 'a = "b"', { a: "b" }],
    ["dotted keys", '[project]\nscripts.pipx = "pipx.main:cli"', { project: { scripts: { pipx: "pipx.main:cli" } } }],
    ["quoted keys", `"a.b" = 'c'\n'd' = true`, { "a.b": "c", d: true }],
    [
      "numbers and dates as their own text",
      "a = 1.10\nb = 0x1F\nc = 1979-05-27 07:32:00Z",
      {
        a: "1.10",
        b: "0x1F",
        c: "1979-05-27 07:32:00Z",
      },
    ],
    ["lists over lines with comments", 'a = [ # one\n "x", # two\n [ "y" ],\n]', { a: ["x", ["y"]] }],
    ["inline tables", "a = { b = 'c', d.e = [1] }", { a: { b: "c", d: { e: ["1"] } } }],
    [
      "tables and lists of tables",
      "[a.b]\nc = 1\n[[d]]\ne = 2\n[[d]]\ne = 3\n[d.f]\ng = 4",
      {
        a: { b: { c: "1" } },
        d: [{ e: "2" }, { e: "3", f: { g: "4" } }],
      },
    ],
    ["escapes", String.raw`a = "\t\u00e9\U0001F600\"\\"`, { a: '\té😀"\\' }],
    [
      "long texts",
      'a = """\none\\\n   two"""\nb = \'\'\'\n\\x\'\'\'\nc = """"q""""',
      { a: "onetwo", b: "\\x", c: '"q"' },
    ],
    ["line ends of Windows and a byte order mark", "\uFEFFa = 1\r\n[b]\r\nc = 2\r\n", { a: "1", b: { c: "2" } }],
    [
      "a key called __proto__",
      "__proto__ = 1\n[constructor]\nx = 2",
      Object.fromEntries([
        ["__proto__", "1"],
        ["constructor", { x: "2" }],
      ]),
    ],
  ])("%s", (_name, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  test.each([
    "a",
    "a =",
    "a = 'b",
    "[a",
    "a = [1",
    "a = 1 b = 2",
    "a = 1\na = 2",
    'a = "\\q"',
    "a = {b=1",
    "[[a]",
    "= 1",
  ])("malformed: %s", (text) => {
    expect(parseToml(text)).toBeNull();
  });

  test("knows the lines of keys", () => {
    const document = parseToml('# one\n[project]\nname = "x"\nscripts.a = "b:c"\n[[bin]]\nname = "y"');
    expect(document?.lineOf("project", "scripts", "a")).toBe(4);
    expect(document?.lineOf("bin")).toBe(5);
    expect(document?.lineOf("nothing")).toBe(0);
  });

  test("reads at paths without inherited properties", () => {
    const root = parseToml("[a]\nb = ['c', 1]\n[[d]]\ne='f'")?.root ?? {};
    expect(tomlTexts(root, "a", "b")).toEqual(["c", "1"]);
    expect(tomlText(root, "a", "toString")).toBeNull();
    expect(tomlAt(root, "a", "b", "c")).toBeUndefined();
    expect(tomlTables(root, "d").map((table) => tomlText(table, "e"))).toEqual(["f"]);
  });

  test("ends on any text, deep nesting included", () => {
    expect(parseToml(`a = ${"[".repeat(100_000)}`)).toBeNull();
    expect(parseToml(`a${".b".repeat(10_000)} = 1`)).toBeNull();
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."[]{}=.,#\"'\\ab1 \n".split("")), maxLength: 60 }), (text) => {
        parseToml(text);
      }),
      { numRuns: 2000 },
    );
  });
});
