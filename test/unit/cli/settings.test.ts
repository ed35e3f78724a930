import { describe, expect, test } from "vitest";
import { splitArguments } from "../../../src/cli/arguments.ts";
import { type Settings, chooseSettings, widthOf } from "../../../src/cli/settings.ts";
import { fakeOutput, fakeStreams } from "../../helpers/fake-streams.ts";

const UTF8 = { LANG: "en_GB.UTF-8", TERM: "xterm-256color" };

function choose(argv: readonly string[], env: Record<string, string>, columns?: number): Settings {
  return chooseSettings(splitArguments(argv).globals, env, fakeStreams(columns));
}

describe("the reporter", () => {
  test("is tty at a terminal, plain elsewhere", () => {
    expect(choose([], UTF8, 80).reporter).toBe("tty");
    expect(choose([], UTF8).reporter).toBe("plain");
  });

  test("is plain in CI and on a dumb terminal", () => {
    expect(choose([], { ...UTF8, CI: "true" }, 80).reporter).toBe("plain");
    expect(choose([], { ...UTF8, CI: "false" }, 80).reporter).toBe("tty");
    expect(choose([], { ...UTF8, TERM: "dumb" }, 80).reporter).toBe("plain");
  });

  test("is what the flag says, then what --json says", () => {
    expect(choose(["--json"], UTF8, 80).reporter).toBe("json");
    expect(choose(["--json", "--reporter", "ndjson"], UTF8, 80).reporter).toBe("ndjson");
    expect(choose(["--reporter", "tty"], { ...UTF8, CI: "1" }).reporter).toBe("tty");
  });
});

describe("colour", () => {
  test("is there at a terminal and not in a pipe", () => {
    expect(choose([], UTF8, 80).color).toEqual({ stdout: true, stderr: true });
    expect(choose([], UTF8).color).toEqual({ stdout: false, stderr: false });
  });

  test("goes by NO_COLOR, TERM=dumb and --no-color", () => {
    for (const [argv, env] of [
      [[], { NO_COLOR: "1" }],
      [[], { TERM: "dumb" }],
      [["--no-color"], {}],
      [["--no-color"], { FORCE_COLOR: "1" }],
    ] as const) {
      expect(choose(argv, { ...UTF8, ...env }, 80).color.stdout).toBe(false);
    }
    expect(choose([], { ...UTF8, NO_COLOR: "" }, 80).color.stdout).toBe(true);
  });

  test("comes by FORCE_COLOR, also in a pipe and against NO_COLOR", () => {
    expect(choose([], { ...UTF8, FORCE_COLOR: "1" }).color.stdout).toBe(true);
    expect(choose([], { ...UTF8, FORCE_COLOR: "", NO_COLOR: "1" }).color.stdout).toBe(true);
    expect(choose([], { ...UTF8, FORCE_COLOR: "0" }, 80).color.stdout).toBe(false);
  });
});

test("symbols are ASCII where the locale or the terminal knows no more", () => {
  expect(choose([], UTF8, 80).unicode).toBe(true);
  expect(choose([], { LANG: "C.UTF-8" }, 80).unicode).toBe(true);
  expect(choose([], { LANG: "en_GB.UTF-8", LC_ALL: "C" }, 80).unicode).toBe(false);
  expect(choose([], {}, 80).unicode).toBe(false);
  expect(choose([], { ...UTF8, TERM: "linux" }, 80).unicode).toBe(false);
});

test("nobody is asked without a terminal, in CI, with --json, --yes, ndjson or silent", () => {
  expect(choose([], UTF8, 80).canAsk).toBe(true);
  expect(choose(["--reporter", "plain"], UTF8, 80).canAsk).toBe(true);
  expect(choose([], UTF8).canAsk).toBe(false);
  for (const argv of [["--json"], ["--yes"], ["--reporter", "ndjson"], ["--reporter", "silent"]]) {
    expect(choose(argv, UTF8, 80).canAsk).toBe(false);
  }
  expect(choose([], { ...UTF8, CI: "1" }, 80).canAsk).toBe(false);
});

test("the width is the terminal's, else COLUMNS, else 80, and never too small to read", () => {
  expect(widthOf(fakeOutput(132), { COLUMNS: "50" })).toBe(132);
  expect(widthOf(fakeOutput(), { COLUMNS: "50" })).toBe(50);
  expect(widthOf(fakeOutput(), { COLUMNS: "many" })).toBe(80);
  expect(widthOf(fakeOutput(), {})).toBe(80);
  expect(widthOf(fakeOutput(5), {})).toBe(20);
});
