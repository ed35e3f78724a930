import { describe, expect, test } from "vitest";
import { findMissingRequirement } from "../../../src/plan/missing-requirement.ts";

describe("what a build says is missing", () => {
  test.each([
    ["src/main.c:3:10: fatal error: zlib.h: No such file or directory", { header: "zlib.h" }],
    ["main.c:1:10: fatal error: 'openssl/ssl.h' file not found", { header: "openssl/ssl.h" }],
    ["configure: error: curses.h not found", { header: "curses.h" }],
    ["No package 'libevent' found", { "pkg-config": "libevent" }],
    ["Package libevent was not found in the pkg-config search path.", { "pkg-config": "libevent" }],
    ["configure: error: Package requirements (libevent >= 2.0) were not met:", { "pkg-config": "libevent" }],
    ["  None of the required 'libevent>=2' found", { "pkg-config": "libevent" }],
    ['../meson.build:7:0: ERROR: Dependency "libevent" not found, tried pkgconfig', { "pkg-config": "libevent" }],
    ["  Could NOT find ZLIB (missing: ZLIB_LIBRARY ZLIB_INCLUDE_DIR)", { header: "zlib.h" }],
    ["/usr/bin/ld: cannot find -lncursesw: No such file or directory", { header: "ncurses.h" }],
    ["ld.lld: error: unable to find library -lz", { header: "zlib.h" }],
    ["/bin/sh: 1: cmake: not found", { tool: "cmake" }],
    ["make: autoreconf: No such file or directory", { tool: "autoreconf" }],
  ])("%s", (line, wanted) => {
    expect(findMissingRequirement(["cc -c main.c", line])?.requirement).toMatchObject(wanted);
  });

  test.each([
    ["src/main.c:3:10: fatal error: generated/tables.h: No such file or directory"],
    ["npm ERR! Package 'left-pad' not found"],
    ["make: *** No rule to make target 'zlib.h'"],
    ["./build.sh: line 3: my-own-script: command not found"],
  ])("nothing of the system: %s", (line) => {
    expect(findMissingRequirement([line])).toBeUndefined();
  });

  test("A7: a line made to be slow is read at once", () => {
    expect(findMissingRequirement([`configure: error: ${"a/".repeat(500_000)}`])).toBeUndefined();
  });
});
