import { chownSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { Installation } from "../../../src/cli/command.ts";
import { main } from "../../../src/cli/main.ts";
import { type FakeStreams, fakeStreams } from "../../helpers/fake-streams.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

const INSTALLATION: Installation = {
  version: "1.2.3",
  root: path.resolve(import.meta.dirname, "../../.."),
  platform: process.platform,
};

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Situation {
  readonly env?: Record<string, string>;
  readonly columns?: number;
  readonly installation?: Partial<Installation>;
  readonly streams?: FakeStreams;
}

async function ipm(words: readonly string[], situation: Situation = {}): Promise<Outcome> {
  const streams = situation.streams ?? fakeStreams(situation.columns);
  const env = { HOME: temporaryFolder(), PATH: "/usr/bin:/bin", LANG: "C.UTF-8", ...situation.env };
  const exitCode = await main(words, streams, env, { ...INSTALLATION, ...situation.installation });
  return { exitCode, stdout: streams.stdout.text(), stderr: streams.stderr.text() };
}

describe("answers that need nothing", () => {
  test.each([[["--version"]], [["-V"]], [["install", "--version"]]])("%j is the version", async (words) => {
    expect(await ipm(words)).toEqual({ exitCode: 0, stdout: "1.2.3\n", stderr: "" });
  });

  test("they are JSON when JSON was asked for", async () => {
    expect(JSON.parse((await ipm(["--version", "--json"])).stdout)).toEqual({ ok: true, result: { version: "1.2.3" } });
    const help = JSON.parse((await ipm(["install", "--help", "--json"])).stdout) as { result: { help: string } };
    expect(help.result.help).toContain("ipm install lstm-demo");
  });

  test("help is an answer, on stdout", async () => {
    for (const words of [[], ["--help"], ["help"], ["install", "-h"], ["registry"], ["self", "--help"]]) {
      const outcome = await ipm(words);
      expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
      expect(outcome.stdout).toContain("ipm");
    }
  });

  test("an empty list is an answer, too", async () => {
    const outcome = await ipm(["list"]);
    expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
    expect(JSON.parse((await ipm(["list", "--json"])).stdout)).toEqual({ ok: true, result: [] });
  });
});

describe("failures", () => {
  test("are on stderr for people", async () => {
    expect(await ipm(["instal"])).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: 'error[USAGE]: there is no command "instal"\n\n  next  ipm install\n',
    });
  });

  test("are one document on stdout with --json, also when the command line is not understood", async () => {
    for (const words of [
      ["instal"],
      ["install"],
      ["list", "--frobnicate"],
      ["list", "--reporter", "x"],
      ["which", "nothing"],
    ]) {
      const { exitCode, stdout, stderr } = await ipm(["--json", ...words]);
      expect(exitCode).not.toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({
        ok: false,
        error: { code: expect.any(String), message: expect.any(String), data: expect.any(Object) },
      });
      expect(stderr).toBe("");
    }
  });

  test("are the last event with ndjson", async () => {
    const { stdout, exitCode } = await ipm(["which", "nothing", "--reporter", "ndjson"]);
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; ok?: boolean });
    expect(events[0]).toEqual({ type: "run.started", v: 1, command: "which" });
    expect(events.at(-1)).toMatchObject({ type: "run.finished", ok: false, error: { code: "COMMAND_NOT_PROVIDED" } });
    expect(exitCode).toBe(7);
  });

  test("are told even by the silent reporter", async () => {
    const { exitCode, stdout, stderr } = await ipm(["which", "nothing", "--reporter", "silent"]);
    expect([exitCode, stdout]).toEqual([7, ""]);
    expect(stderr).toMatch(/^error\[COMMAND_NOT_PROVIDED\]/u);
  });

  test("A109: Windows is refused with one sentence", async () => {
    const outcome = await ipm(["list"], { installation: { platform: "win32" } });
    expect(outcome).toMatchObject({ exitCode: 2, stdout: "" });
    expect(outcome.stderr).toBe("error[PLATFORM_UNSUPPORTED]: ipm does not run on Windows yet: use it inside WSL\n");
    expect((await ipm(["--version"], { installation: { platform: "win32" } })).exitCode).toBe(0);
  });

  test("of ipm itself end with 70 and all that a report needs", async () => {
    const streams = fakeStreams();
    let isFirst = true;
    const broken: FakeStreams = {
      ...streams,
      stdout: {
        ...streams.stdout,
        write: (text) => {
          if (isFirst) {
            isFirst = false;
            throw new RangeError("unforeseen \u001b[2J");
          }
          streams.stdout.write(text);
        },
      },
    };
    const { exitCode, stderr } = await ipm(["list"], { streams: broken });
    expect(exitCode).toBe(70);
    expect(stderr).toContain(String.raw`error[BUG]: unforeseen \x1b[2J`);
    expect(stderr).toContain("main.test.ts");
    expect(stderr).toContain(`ipm 1.2.3, node ${process.versions.node}, ${process.platform}-${process.arch}`);
    expect(stderr).toContain("issue tracker");
  });

  test("of HOME are told before anything is done", async () => {
    for (const HOME of ["", "relative", "/does/not/exist"]) {
      expect(await ipm(["list", "--json"], { env: { HOME } })).toMatchObject({ exitCode: 2 });
    }
  });
});

describe.runIf(process.getuid?.() === 0)("as root", () => {
  test("a HOME of somebody else is refused", async () => {
    const HOME = temporaryFolder();
    chownSync(HOME, 12_345, 12_345);
    const { exitCode, stdout } = await ipm(["list", "--json"], { env: { HOME } });
    expect(exitCode).toBe(5);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: "HOME_NOT_OWNED", data: { home: HOME, owner: 12_345 } },
    });
    // With IPM_HOME it is that one that counts.
    const own = temporaryFolder();
    expect((await ipm(["list"], { env: { HOME, IPM_HOME: path.join(own, "new") } })).exitCode).toBe(0);
  });

  test("a command that writes says so in one line, one that reads does not", async () => {
    const HOME = temporaryFolder();
    const { stderr } = await ipm(["setup"], { env: { HOME } });
    expect(stderr).toMatch(/^warning\[ROOT\]: [^\n]*\n$/u);
    expect((await ipm(["list"], { env: { HOME } })).stderr).toBe("");
  });
});

describe("questions", () => {
  async function answered(input: string, words: readonly string[] = ["setup", "bash"]): Promise<Outcome> {
    const streams = fakeStreams(80);
    const running = ipm(words, { streams, env: { TERM: "xterm" } });
    streams.input.write(input);
    return running;
  }

  test.each([
    ["y\r", "puts it and your tools on PATH"],
    ["YES\r", "puts it and your tools on PATH"],
    // Return alone is the default, and nobody's rc file is edited by default.
    ["\r", "nothing was written"],
    ["n\r", "nothing was written"],
    ["perhaps\r", "nothing was written"],
  ])("the answer %j is understood", async (input, said) => {
    const outcome = await answered(input);
    expect(outcome.exitCode).toBe(0);
    expect(outcome.stdout).toContain(said);
    expect(outcome.stderr).toContain("Add these lines to");
    // What would be written is shown as it would be written, set in by two.
    expect(outcome.stderr).toMatch(/^ {2}if .*\r?\n {4}\. .*\r?\n {2}fi\r?$/mu);
  });

  test("Ctrl-C at a question ends with 130", async () => {
    const outcome = await answered("\u0003");
    expect(outcome.exitCode).toBe(130);
    expect(outcome.stderr).toContain("error[INTERRUPTED]");
  });

  test("the end of the input is a no", async () => {
    expect((await answered("\u0004")).stdout).toContain("nothing was written");
  });

  test("are not asked where nobody can answer", async () => {
    const env = { HOME: temporaryFolder(), SHELL: "/bin/bash" };
    for (const situation of [{ env }, { env: { ...env, CI: "true" }, columns: 80 }]) {
      const { stdout, stderr, exitCode } = await ipm(["setup"], situation);
      expect([exitCode, stderr.includes("?")]).toEqual([0, false]);
      expect(stdout).toContain("ipm setup --yes");
    }
  });
});

describe("completion", () => {
  async function candidates(...words: string[]): Promise<string[]> {
    return (await ipm(["__complete", "--", ...words])).stdout.split("\n").filter((word) => word !== "");
  }

  test("knows commands, groups, flags and values", async () => {
    expect(await candidates("inst")).toEqual(["install"]);
    expect(await candidates("")).toContain("uninstall");
    expect(await candidates("registry", "")).toEqual(["add", "build", "list", "remove"]);
    expect(await candidates("install", "--dr")).toEqual(["--dry-run"]);
    expect(await candidates("i", "--js")).toEqual(["--json"]);
    expect(await candidates("list", "--reporter", "n")).toEqual(["ndjson"]);
    expect(await candidates("shellenv", "")).toEqual(["bash", "fish", "sh", "zsh"]);
  });

  test("knows nothing of a tool's own arguments, and is quiet where nothing can be known", async () => {
    expect(await candidates("run", "ripcat", "--", "--js")).toEqual([]);
    expect(await candidates("uninstall", "")).toEqual([]);
    expect(await candidates("frobnicate", "x")).toEqual([]);
  });

  test.each(["bash", "zsh", "fish"])("the script for %s asks ipm", async (shell) => {
    expect((await ipm(["completion", shell])).stdout).toContain("ipm __complete --");
  });
});
