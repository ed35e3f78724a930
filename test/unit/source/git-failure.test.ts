import { shownUrl } from "../../../src/core/untrusted-text.ts";
import { describe, expect, test } from "vitest";
import { receivedBytes } from "../../../src/source/fetch-commit.ts";
import { fetchFailure, gitWords, lacksRef, refusesShallow } from "../../../src/source/git-failure.ts";
import { parseListing } from "../../../src/source/inspect-tree.ts";
import { DEFAULT_LIMITS } from "../../../src/source/limits.ts";

function failureOf(
  stderr: string,
  stopped: "timeout" | "output" | "asked" | null = null,
): { code: string; message: string } {
  const result = { exitCode: 128, stdout: new Uint8Array(), stderr, stopped };
  return fetchFailure("https://git.example/x", result, DEFAULT_LIMITS);
}

describe("git's words", () => {
  test("are its errors without the progress", () => {
    expect(gitWords("Receiving objects:  5% (1/20)\rReceiving objects: 10%\nfatal: early EOF\nerror: x\n")).toBe(
      "fatal: early EOF; error: x",
    );
  });

  test("are escaped, without credentials and bounded", () => {
    expect(gitWords("fatal: \u001b]52;c;x\u0007 https://me:secret@host/x \u202e")).toBe(
      "fatal: \\x1b]52;c;x\\x07 https://***@host/x \\u202e",
    );
    expect(gitWords(`fatal: ${"x".repeat(5_000)}`).length).toBeLessThan(700);
  });

  test("are its last lines when it names no error", () => {
    expect(gitWords("one\ntwo\nthree\nfour\n")).toBe("two; three; four");
  });

  test("a URL is shown without credentials", () => {
    expect(shownUrl("https://me:secret@host/x")).toBe("https://***@host/x");
  });
});

describe("failures", () => {
  test.each([
    [
      "fatal: could not read Username for 'https://git.example': terminal prompts disabled",
      "FETCH_FAILED",
      "asks for a password",
    ],
    ["fatal: Authentication failed for 'https://git.example/'", "FETCH_FAILED", "asks for a password"],
    ["fatal: unable to access 'x': The requested URL returned error: 403", "FETCH_FAILED", "asks for a password"],
    ["Host key verification failed.\nfatal: Could not read from remote repository.", "FETCH_FAILED", "host key"],
    ["git@git.example: Permission denied (publickey).", "FETCH_FAILED", "ssh key"],
    ["fatal: unable to access 'x': The requested URL returned error: 301", "SOURCE_REFUSED", "redirects"],
    ["fatal: transport 'http' not allowed", "SOURCE_REFUSED", "transport"],
    ["fatal: unable to access 'x': Could not resolve host: git.example", "FETCH_FAILED", "cannot be reached"],
    ["error: RPC failed; curl 28 Operation too slow. Less than 1 bytes/sec", "FETCH_FAILED", "stalled"],
    ["fatal: write error: No space left on device", "DISK_FULL", "no space"],
    [
      "error: object 0123456789012345678901234567890123456789: hasDotgit: contains '.git'\nfatal: fsck error in packed object",
      "SOURCE_UNSAFE",
      "git's own check",
    ],
    ["fatal: something new", "FETCH_FAILED", "something new"],
    ["", "FETCH_FAILED", "git ended with 128"],
  ])("%j", (stderr, code, words) => {
    expect(failureOf(stderr)).toMatchObject({ code, message: expect.stringContaining(words) });
  });

  test("of ipm's own limits", () => {
    expect(failureOf("", "timeout")).toMatchObject({
      code: "FETCH_FAILED",
      message: expect.stringContaining("1800 s"),
    });
    expect(failureOf("", "asked")).toMatchObject({ code: "SOURCE_UNSAFE" });
  });
});

test.each([
  ["fatal: remote error: upload-pack: not our ref 0123", true],
  ["error: Server does not allow request for unadvertised object 0123", true],
  ["fatal: dumb http transport does not support shallow capabilities", true],
  ["fatal: couldn't find remote ref refs/tags/v1", false],
])("refusesShallow %j: %s", (stderr, expected) => {
  expect(refusesShallow(stderr)).toBe(expected);
  expect(lacksRef(stderr)).toBe(!expected);
});

test.each([
  ["Receiving objects:  45% (9/20), 1.50 MiB | 3.00 MiB/s", 1_572_864],
  ["Receiving objects: 100% (20/20), 812 bytes | 812.00 KiB/s, done.", 812],
  ["Receiving objects:  45% (9/20)", undefined],
  ["Resolving deltas: 100% (3/3)", undefined],
])("receivedBytes %j: %s", (line, expected) => {
  expect(receivedBytes(line)).toBe(expected);
});

test("parseListing reads names with tabs and spaces, sizes, submodules and modes of old tools", () => {
  const oid = "a".repeat(40);
  const output = [
    `100644 blob ${oid}       5\ta b`,
    `100664 blob ${oid}      12\told`,
    `120000 blob ${oid}       1\tl\tx`,
    `160000 commit ${oid}       -\tsub`,
    "",
  ].join("\0");
  expect(parseListing(output)).toEqual([
    { path: "a b", mode: "100644", oid, size: 5 },
    { path: "old", mode: "100644", oid, size: 12 },
    { path: "l\tx", mode: "120000", oid, size: 1 },
    { path: "sub", mode: "160000", oid, size: null },
  ]);
});
