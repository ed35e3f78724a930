import { expect, test } from "vitest";
import { escapeUntrusted, firstUnsafeCharacter } from "../../../src/core/untrusted-text.ts";

test("characters beyond the basic plane that show nothing are escaped: tags and variation selectors", () => {
  expect(escapeUntrusted("a\u{e0041}b\u{e0100}c")).toBe(String.raw`a\u{e0041}b\u{e0100}c`);
  expect(firstUnsafeCharacter("\u{e0041}")).toBe(String.raw`\u{e0041}`);
});

test("other characters beyond the basic plane are left alone", () => {
  expect(escapeUntrusted("\u{1f600} \u{20000}")).toBe("\u{1f600} \u{20000}");
});
