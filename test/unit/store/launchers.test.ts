import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type LauncherSpec, parseShebang, renderLauncher, shellQuote } from "../../../src/store/launchers.ts";

const SPEC: LauncherSpec = {
  name: "rc",
  tool: "ripcat@2.1.0",
  file: "/store/p/bin/rc",
  run: null,
  interpreter: null,
  env: {},
  inputs: {},
  secrets: null,
};

function text(changes: Partial<LauncherSpec>): string {
  const rendered = renderLauncher({ ...SPEC, ...changes }, "/profiles/1/libexec");
  return rendered.kind === "script" ? rendered.text : `link ${rendered.target}`;
}

test("a program that the kernel can start is a plain link", () => {
  expect(renderLauncher(SPEC, "/profiles/1/libexec")).toEqual({ kind: "link", target: "/store/p/bin/rc" });
});

test("what the user gave is a default, and a secret is read from its file, if that can be read", () => {
  const script = text({ inputs: { RC_SERVER: "it's" }, secrets: "/data/inputs/ripcat/values" });
  expect(script).toContain(String.raw`[ -n "${"$"}{RC_SERVER+x}" ] || export RC_SERVER='it'\''s'`);
  expect(script).toContain("if [ -r '/data/inputs/ripcat/values' ]; then . '/data/inputs/ripcat/values'; fi");
});

test("an interpreter, an environment and a command line are carried by a script", () => {
  const rendered = renderLauncher({ ...SPEC, interpreter: ["/usr/bin/node", "--no-warnings"] }, "/profiles/1/libexec");
  expect(rendered).toMatchObject({ kind: "script", libexecTarget: "/store/p/bin/rc" });
  expect(text({ interpreter: ["/usr/bin/node"] })).toContain(`exec '/usr/bin/node' '/profiles/1/libexec/rc' "$@"`);
  expect(text({ env: { RC: "a b" } })).toContain("export RC='a b'");
  expect(text({ file: null, run: ["/usr/bin/java", "-jar", "/store/p/rc.jar"] })).toContain(
    `exec '/usr/bin/java' '-jar' '/store/p/rc.jar' "$@"`,
  );
});

test("D106: whatever stands in a path is one word to a shell", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", maxLength: 40 }).filter((word) => !word.includes("\0")),
      (word) => {
        const ran = spawnSync("/bin/sh", ["-c", `printf %s ${shellQuote(word)}`]);
        expect(ran.stdout.toString()).toBe(Buffer.from(word).toString());
      },
    ),
    { numRuns: 60 },
  );
});

describe("interpreter lines", () => {
  test.each<[string, ReturnType<typeof parseShebang>]>([
    ["#!/bin/sh\n", { program: "/bin/sh", args: [], lookUp: false }],
    ["#! /bin/sh -eu\nx", { program: "/bin/sh", args: ["-eu"], lookUp: false }],
    // As the kernel does: the rest of the line is one argument.
    ["#!/usr/bin/perl -w -T\n", { program: "/usr/bin/perl", args: ["-w -T"], lookUp: false }],
    ["#!/usr/bin/env node\n", { program: "node", args: [], lookUp: true }],
    ["#!/usr/bin/env -S node --no-warnings\n", { program: "node", args: ["--no-warnings"], lookUp: true }],
    ["#!/usr/bin/env python3\r\n", { program: "python3", args: [], lookUp: true }],
    ["#!/bin/env /opt/x/bin/y\n", { program: "/opt/x/bin/y", args: [], lookUp: false }],
    ["#!/usr/bin/env -i node\n", null],
    ["#!/usr/bin/env A=b node\n", null],
    ["#!/usr/bin/env\n", null],
    ["#!\n", null],
    ["\u007fELF", null],
    ["", null],
    // What pip writes where the path is long or has a space; nothing in it is quoted.
    [
      `#!/bin/sh\n'''exec' "/a "b" $c/python" "$0" "$@"\n' '''\nimport sys`,
      { program: '/a "b" $c/python', args: [], lookUp: false },
    ],
    [`#!/bin/sh\n'''exec' /a'b/python "$0" "$@"\n' '''\n`, { program: "/a'b/python", args: [], lookUp: false }],
    [`#!/bin/sh\n'''exec' "$x/python" "$0" "$@"\n' '''\n`, { program: "/bin/sh", args: [], lookUp: false }],
    ["#!node", { program: "node", args: [], lookUp: true }],
  ])("%j", (head, shebang) => {
    expect(parseShebang(Buffer.from(head))).toEqual(shebang);
  });
});
