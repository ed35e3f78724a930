import { describe, expect, test } from "vitest";
import { matchPattern } from "../../../src/execute/match-pattern.ts";
import { compare } from "../../../src/execute/run-tests.ts";
import { testOf } from "../../helpers/execution-fixture.ts";

const SEEN = { exit: 0, signal: null, stdout: "rc 2.1\nready\n", stderr: "note\n" };

describe("compare", () => {
  test("nothing to say when everything is as expected", () => {
    expect(compare(testOf("rc", { stdout: "^rc 2\\.1$", stderr: "note", output: "ready\nnote" }), SEEN)).toEqual([]);
  });

  test("patterns have the flags m and u: lines have ends, a dot is a character", () => {
    expect(compare(testOf("rc", { stdout: "^ready$" }), SEEN)).toEqual([]);
    expect(compare(testOf("rc", { stdout: "^.$" }), { ...SEEN, stdout: "😀" })).toEqual([]);
  });

  test("says what was expected and what was seen, for each that differs", () => {
    expect(compare(testOf("rc", { exit: 1, stdout: "^rc 3" }), SEEN)).toEqual([
      { what: "exit", expected: "1", actual: "0" },
      { what: "stdout", expected: "/^rc 3/", actual: "rc 2.1\nready" },
    ]);
  });

  test("names the signal that ended it", () => {
    expect(compare(testOf("rc"), { ...SEEN, exit: null, signal: "SIGSEGV" })).toEqual([
      { what: "exit", expected: "0", actual: "SIGSEGV" },
    ]);
  });

  test("A15: what is shown holds no control sequence", () => {
    const [mismatch] = compare(testOf("rc", { stdout: "x" }), { ...SEEN, stdout: "\u001b]0;owned\u0007\n" });
    expect(mismatch?.actual).toBe("\\x1b]0;owned\\x07");
  });

  test("long output is cut", () => {
    const [mismatch] = compare(testOf("rc", { stdout: "x" }), { ...SEEN, stdout: "y".repeat(100_000) });
    expect(mismatch?.actual.length).toBeLessThan(2100);
  });
});

describe("matchPattern", () => {
  test("gives up on a pattern that backtracks without end", () => {
    expect(matchPattern("^(a+)+$", `${"a".repeat(40)}b`, 50)).toBe("too-slow");
  });

  test("tells a pattern that is none", () => {
    expect(matchPattern("(", "x")).toBe("invalid");
    expect(matchPattern("\\u{110000}", "x")).toBe("invalid");
  });

  test("texts are texts: nothing in them is code", () => {
    expect(matchPattern("^1$", "1'); throw new Error('x")).toBe("no-match");
  });
});
