import { expect, test } from "vitest";
import { splitArguments } from "../../../src/cli/arguments.ts";

test("global flags are taken before and after the command", () => {
  for (const argv of [
    ["--json", "--offline", "show", "ripcat"],
    ["show", "ripcat", "--json", "--offline"],
    ["--json", "show", "--offline", "ripcat"],
  ]) {
    const { globals, rest } = splitArguments(argv);
    expect(rest).toEqual(["show", "ripcat"]);
    expect(globals).toMatchObject({ json: true, offline: true, yes: false });
  }
});

test("nothing after -- is ipm's", () => {
  const { globals, rest } = splitArguments(["run", "ripcat", "--", "--json", "--help", "--version"]);
  expect(rest).toEqual(["run", "ripcat", "--", "--json", "--help", "--version"]);
  expect(globals).toMatchObject({ json: false, help: false, version: false });
});

test.each([["--reporter", "plain"], ["--reporter=plain"]])("a reporter is chosen by %s %s", (...words) => {
  expect(splitArguments(["list", ...words]).globals.reporter).toBe("plain");
});

test("a flag is not taken for the name of a reporter", () => {
  const { globals, problem } = splitArguments(["list", "--reporter", "--json"]);
  expect(globals.json).toBe(true);
  expect(problem).toMatchObject({ code: "USAGE" });
});

test.each([[["--reporter", "fancy"]], [["--reporter="]], [["--reporter"]]])(
  "a reporter that does not exist is a problem: %j",
  (words) => {
    const { problem, globals } = splitArguments(["--json", "list", ...words]);
    expect(problem).toMatchObject({ code: "USAGE", message: expect.stringContaining("tty, plain, ndjson, silent") });
    // The problem can be told as JSON, because it is known by then that JSON was asked for.
    expect(globals.json).toBe(true);
  },
);
