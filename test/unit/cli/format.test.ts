import fc from "fast-check";
import { expect, test } from "vitest";
import {
  formatBytes,
  formatDuration,
  formatTime,
  safeJson,
  showRun,
  showRunLines,
  showWord,
} from "../../../src/cli/render/format.ts";
import { firstUnsafeCharacter } from "../../../src/core/untrusted-text.ts";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [131_072, "131 kB"],
  [999_600, "1.0 MB"],
  [2_500_000_000, "2.5 GB"],
])("%i bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [40, "0.0s"],
  [1234, "1.2s"],
  [9990, "10s"],
  [59_400, "59s"],
  [185_000, "3m 05s"],
])("%i ms are %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test("a time that is none is shown escaped, not trusted", () => {
  expect(formatTime("2026-11-20T08:40:12.000Z")).toBe("2026-11-20 08:40");
  expect(formatTime("\u001b]0;x\u0007")).toBe(String.raw`\x1b]0;x\x07`);
});

test("commands are shown so that they can be pasted", () => {
  expect(showRun(["npm", "run", "build it", "it's"])).toBe(String.raw`npm run 'build it' 'it'\''s'`);
  expect(showRun("make\n  make install\n")).toBe("make; make install");
  expect(showWord("--flag=a/b")).toBe("--flag=a/b");
});

test("JSON on a terminal can neither steer it nor hide text, and reads back the same", () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.oneof(
          fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
          fc.constantFrom("\u001b", "\u009b", "\u202e", "\u{e0041}", "\u2066"),
        ),
      }),
      (text) => {
        const json = safeJson({ text });
        expect(firstUnsafeCharacter(json)).toBeUndefined();
        expect(JSON.parse(json)).toEqual({ text });
        expect(JSON.parse(safeJson({ text }, 2))).toEqual({ text });
      },
    ),
  );
});

test("a script keeps its lines and their indentation, because joined it would be another", () => {
  expect(showRunLines("if true; then\n  echo \u001b[31mred\n\nfi\n")).toEqual([
    "if true; then",
    String.raw`  echo \x1b[31mred`,
    "fi",
  ]);
  expect(showRunLines(["make", "install it"])).toEqual(["make 'install it'"]);
});
