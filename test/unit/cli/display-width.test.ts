import fc from "fast-check";
import { expect, test } from "vitest";
import { cutToWidth, displayWidth, padToWidth, wrapText } from "../../../src/cli/render/display-width.ts";

test.each([
  ["ripcat", 6],
  ["", 0],
  ["ü", 1],
  ["u\u0308", 1],
  ["日本", 4],
  ["🎉", 2],
  ["a\u200db", 2],
  ["\u001b[1mbold\u001b[22m", 4],
])("%j takes %i cells", (text, cells) => {
  expect(displayWidth(text)).toBe(cells);
});

test("cutting never exceeds the width, whatever the text, and keeps what fits", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 0, max: 40 }), (text, width) => {
      const cut = cutToWidth(text, width, "…");
      expect(displayWidth(cut)).toBeLessThanOrEqual(width);
      expect(cut === text).toBe(displayWidth(text) <= width);
    }),
  );
});

test("a wide character is not cut in half", () => {
  expect(cutToWidth("日本語", 4, "…")).toBe("日…");
});

test("padding counts cells, not characters", () => {
  expect(padToWidth("日", 4)).toBe("日  ");
});

test("wrapping breaks at spaces and leaves a long path whole", () => {
  expect(wrapText("the log is /a/very/long/path/to/a.log now", 12)).toEqual([
    "the log is",
    "/a/very/long/path/to/a.log",
    "now",
  ]);
});
