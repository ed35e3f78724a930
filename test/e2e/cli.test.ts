import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test, vi } from "vitest";
import { IPM, ROOT, type RunOptions, runIpm, shellWord } from "../helpers/built-ipm.ts";
import { filesWith } from "../helpers/find-text.ts";
import { temporaryFolder } from "../helpers/temporary-folder.ts";

// oxlint-disable-next-line no-control-regex -- what must not be in a pipe
const TERMINAL_CODES = /[\u0000-\u0008\u000b-\u001f]/u;

/** The demo's versions, newest first, as its manifest lists them. */
const MANIFEST = readFileSync(path.join(ROOT, "registry/packages/lstm-demo/manifest.yaml"), "utf8");
const [DEMO = "", OLDER = ""] = [...MANIFEST.matchAll(/version: (\d+\.\d+\.\d+)/gu)].map(([, version = ""]) => version);

interface ToolOptions {
  /** The body of the tool's own shell script. */
  readonly body?: string;
  /** A shell text that the tool's second step runs. */
  readonly step?: string;
  readonly expect?: string;
  /** Further top-level lines of the manifest. */
  readonly more?: string;
}

/** A folder with an `ipm.yaml`: a target that nobody has verified. */
function toolFolder(
  home: string,
  name: string,
  { body = "echo hello", step, expect: pattern = "^hello", more = "" }: ToolOptions = {},
): string {
  const folder = path.join(home, name);
  mkdirSync(path.join(folder, "bin"), { recursive: true });
  writeFileSync(path.join(folder, "bin", name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  const steps = ["  - uses: copy", ...(step === undefined ? [] : [`  - run: ${JSON.stringify(step)}`])];
  writeFileSync(
    path.join(folder, "ipm.yaml"),
    [
      "schema: ipm/v1",
      `name: ${name}`,
      "summary: A tool of a test",
      "license: MIT",
      "steps:",
      ...steps,
      `bin: [${name}]`,
      `tests: [{ run: ${name}, expect: { stdout: ${JSON.stringify(pattern)} } }]`,
      more,
      "",
    ].join("\n"),
  );
  return folder;
}

/** Every path below a folder. */
function paths(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted();
}

/** The store entries of a tool, complete or not. */
function entriesOf(home: string, tool: string): string[] {
  const folder = path.join(home, ".local/share/ipm/store", tool);
  return existsSync(folder) ? readdirSync(folder) : [];
}

const currentBin = (home: string): string => path.join(home, ".local/share/ipm/current/bin");

test("says its version", async () => {
  const { version } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as { version: string };
  expect(await runIpm(["--version"], { home: temporaryFolder() })).toEqual({
    exitCode: 0,
    signal: null,
    stdout: `${version}\n`,
    stderr: "",
  });
});

test("the demo: searched, planned, installed, run, listed, uninstalled, brought back, all from what ships with ipm", async () => {
  const home = temporaryFolder();
  const ipm = (...words: string[]): ReturnType<typeof runIpm> => runIpm(words, { home });

  expect((await ipm("search", "lstm")).stdout).toContain("lstm-demo");
  const plan = await ipm("plan", "lstm-demo", "--output", "plan.json");
  expect(plan).toMatchObject({ exitCode: 0 });
  expect(plan.stdout).toContain("Puts on PATH\n  lstm-demo\n");
  const saved = JSON.parse(readFileSync(path.join(home, "plan.json"), "utf8")) as { plans: { digest: string }[] };
  expect(plan.stdout).toContain(saved.plans[0]?.digest.slice(0, 12));
  const dry = await ipm("install", "lstm-demo", "--dry-run");
  expect(dry.stdout).toContain("nothing was changed");
  expect(existsSync(path.join(home, ".local/share/ipm"))).toBe(false);

  const installed = await ipm("install", "lstm-demo");
  expect(installed.exitCode).toBe(0);
  // stdout is the answer, stderr is the story.
  expect(installed.stdout).toContain(`lstm-demo ${DEMO} is installed`);
  // No ipm is on PATH: this one is called by its file.
  expect(installed.stdout).toMatch(/node \S+\/bin\/ipm\.cjs setup\n/u);
  expect(installed.stderr).toMatch(/: test 1\/\d+: /u);
  expect(installed.stdout + installed.stderr).not.toMatch(TERMINAL_CODES);

  const again = await ipm("install", "lstm-demo");
  expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("is installed already") });

  const listed = JSON.parse((await ipm("list", "--json")).stdout) as { result: unknown[] };
  expect(listed.result).toEqual([expect.objectContaining({ name: "lstm-demo", version: DEMO, bins: ["lstm-demo"] })]);
  const explained = spawnSync(path.join(currentBin(home), "lstm-demo"), ["explain"], { env: {}, encoding: "utf8" });
  expect(explained.stdout).toContain("2.947567");
  expect((await ipm("which", "lstm-demo")).stdout).toContain(home);

  expect(await ipm("uninstall", "lstm-demo")).toMatchObject({ exitCode: 0 });
  expect(existsSync(path.join(currentBin(home), "lstm-demo"))).toBe(false);
  expect(await ipm("rollback")).toMatchObject({ exitCode: 0 });
  expect(existsSync(path.join(currentBin(home), "lstm-demo"))).toBe(true);
  expect((await ipm("history")).stdout.match(/lstm-demo \d+\.\d+\.\d+$/gmu)?.length).toBe(3);
  expect(await ipm("doctor", "--json")).toMatchObject({ exitCode: 0 });
  // Whoever tells the story, --json is answered with one document and nothing else.
  for (const reporter of ["plain", "tty", "silent"]) {
    expect(JSON.parse((await ipm("list", "--json", "--reporter", reporter)).stdout)).toMatchObject({ ok: true });
    const { stdout } = await ipm("uninstall", "nothing", "--json", "--reporter", reporter);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: "NOT_INSTALLED" } });
  }
  const server = ["registry", "add", "https://127.0.0.1:9/registry.git", "--offline", "--json"];
  expect(JSON.parse((await ipm(...server)).stdout)).toMatchObject({ ok: false, error: { code: "OFFLINE" } });
});

test("an older version stays until it is upgraded, and says that there is a newer one", async () => {
  const home = temporaryFolder();
  const ipm = (...words: string[]): ReturnType<typeof runIpm> => runIpm(words, { home });
  expect((await ipm("install", `lstm-demo@${OLDER}`)).stdout).toContain(`lstm-demo ${OLDER} is installed`);
  const again = await ipm("install", "lstm-demo");
  expect(again.exitCode).toBe(0);
  expect(again.stdout).toContain(`lstm-demo ${OLDER} is installed already\n  ${DEMO} is newer: ipm upgrade lstm-demo`);
  expect((await ipm("outdated")).stdout).toMatch(new RegExp(`lstm-demo +${OLDER} +${DEMO}`, "u"));

  expect((await ipm("hold", "lstm-demo")).stdout).toContain(`stays at ${OLDER}`);
  expect((await ipm("upgrade")).stdout).toContain("lstm-demo is held");
  expect(await ipm("unhold", "lstm-demo")).toMatchObject({ exitCode: 0 });
  expect((await ipm("upgrade")).stdout).toContain(`lstm-demo ${OLDER} → ${DEMO}`);
  expect((await ipm("rollback")).stdout).toContain(`lstm-demo ${DEMO} → ${OLDER}`);
});

describe("exit codes and where they are told", () => {
  test.each([
    [["frobnicate"], 2, "USAGE"],
    [["install", "lstm-demo", "--frobnicate"], 2, "USAGE"],
    [["install", "lstm-dmo"], 7, "TOOL_NOT_FOUND"],
    [["install", "lstm-demo@9.9.9"], 7, "VERSION_NOT_FOUND"],
    [["show", "nothing-like-it"], 7, "TOOL_NOT_FOUND"],
    [["uninstall", "lstm-demo"], 7, "NOT_INSTALLED"],
    [["rollback"], 7, "GENERATION_NOT_FOUND"],
    [["logs", "lstm-demo"], 7, "LOG_NOT_FOUND"],
    [["which", "lstm-demo"], 7, "COMMAND_NOT_PROVIDED"],
    [["logs", "-x"], 2, "USAGE"],
    [["search", ""], 2, "USAGE"],
    [["install", "lstm-demo", "--method", "gradle"], 2, "USAGE"],
    [["registry", "add", ""], 2, "USAGE"],
    [["registry", "add", "./nowhere"], 2, "TARGET_INVALID"],
  ])("ipm %j ends with %i (%s)", async (words, exit, code) => {
    const home = temporaryFolder();
    const people = await runIpm(words, { home });
    const program = await runIpm([...words, "--json"], { home });
    expect([people.exitCode, program.exitCode]).toEqual([exit, exit]);
    expect(people.stdout).toBe("");
    expect(people.stderr).toContain(`error[${code}]: `);
    expect(JSON.parse(program.stdout)).toEqual({
      ok: false,
      error: { code, message: expect.any(String), hint: expect.any(String), data: expect.any(Object) },
    });
  });

  test("what nobody verified is refused where nobody can be asked, --yes or not", async () => {
    const home = temporaryFolder();
    const folder = toolFolder(home, "hello-tool");
    for (const more of [[], ["--yes"]]) {
      const refused = await runIpm(["install", folder, "--json", ...more], { home });
      expect(refused.exitCode).toBe(5);
      expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: "UNVERIFIED" } });
    }
    expect((await runIpm(["list"], { home })).stdout).toContain("nothing is installed");
    const allowed = await runIpm(["install", folder, "--allow-unverified"], { home });
    expect(allowed.exitCode).toBe(0);
  });

  test("a failing step shows its last lines and the log, and installs nothing", async () => {
    const home = temporaryFolder();
    const folder = toolFolder(home, "bad-tool", { step: "echo one; printf 'two \\033[2J\\n' >&2; exit 3" });
    const { exitCode, stdout, stderr } = await runIpm(["install", folder, "--allow-unverified", "--no-sandbox"], {
      home,
    });
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("error[STEP_FAILED]");
    expect(stderr).toContain(String.raw`| two \x1b[2J`);
    const log = /\S+\.log/u.exec(stderr)?.[0] ?? "";
    expect(readFileSync(log, "utf8")).toContain("one");
    expect(stderr).not.toMatch(TERMINAL_CODES);
    expect(entriesOf(home, "bad-tool")).toEqual([]);
  });

  test("a failing test shows expected against actual, and the old generation stays", async () => {
    const home = temporaryFolder();
    await runIpm(["install", "lstm-demo"], { home });
    const folder = toolFolder(home, "quiet-tool", { expect: "^never said" });
    const { exitCode, stderr } = await runIpm(["install", folder, "--allow-unverified"], { home });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("error[TEST_FAILED]");
    expect(stderr).toContain("never said");
    expect(stderr).toContain("hello");
    expect(readdirSync(currentBin(home))).toEqual(["lstm-demo"]);
  });

  test("with --keep-going the good ones are installed and the exit code is still 1", async () => {
    const home = temporaryFolder();
    const folder = toolFolder(home, "bad-tool", { step: "exit 3" });
    const { exitCode, stdout } = await runIpm(["install", folder, "lstm-demo", "--allow-unverified", "--keep-going"], {
      home,
    });
    expect(exitCode).toBe(1);
    expect(stdout).toContain(`lstm-demo ${DEMO} is installed`);
    expect(stdout).toContain("error[STEP_FAILED]");
  });
});

describe("run", () => {
  const run = (home: string, folder: string, ...words: string[]): ReturnType<typeof runIpm> =>
    runIpm(["run", folder, "--allow-unverified", "--", ...words], { home });

  test("A107: arguments reach the tool unchanged, its output and exit code reach the caller", async () => {
    const home = temporaryFolder();
    const folder = toolFolder(home, "echo-tool", {
      body: 'echo hello; for word do printf "<%s>" "$word"; done; exit 42',
    });
    writeFileSync(
      path.join(folder, "ipm.yaml"),
      readFileSync(path.join(folder, "ipm.yaml"), "utf8").replace("expect: { ", "expect: { exit: 42, "),
    );
    const words = ["", "*", "--", "$(id)", "a\nb", "--json", "--help", "'", '"', "\\", "ü"];
    const { exitCode, stdout, stderr } = await run(home, folder, ...words);
    expect(stderr).not.toContain("error[");
    expect(stdout).toBe(`hello\n${words.map((word) => `<${word}>`).join("")}`);
    expect(exitCode).toBe(42);
    // Nothing is put on PATH by it.
    expect(existsSync(currentBin(home))).toBe(false);
  });

  test("a tool that a signal ends is told as shells tell it", async () => {
    const home = temporaryFolder();
    const folder = toolFolder(home, "kill-tool", { body: "echo hello; [ $# = 0 ] || kill -TERM $$" });
    expect((await run(home, folder, "now")).exitCode).toBe(143);
  });

  test.each(["SIGUSR1", "SIGUSR2", "SIGALRM", "SIGTERM"] as const)("%s is the tool's business", async (signal) => {
    const home = temporaryFolder();
    const wait = `trap "echo got it; exit 9" ${signal.slice(3)}; echo ready >&2; for i in $(seq 300); do sleep 0.1; done`;
    const folder = toolFolder(home, "trap-tool", { body: `echo hello; [ $# = 0 ] || { ${wait}; }` });
    let sent = false;
    const { exitCode, stdout } = await runIpm(["run", folder, "--allow-unverified", "--", "wait"], {
      home,
      onStderr: (text, child) => {
        if (sent || !/^ready$/mu.test(text)) return;
        sent = true;
        child.kill(signal);
      },
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 9, stdout: "hello\ngot it\n" });
  });

  test("also when it comes as soon as the tool runs", async () => {
    const home = temporaryFolder();
    const atOnce = `trap "exit 9" TERM; kill -TERM $PPID; for i in $(seq 300); do sleep 0.1; done`;
    const folder = toolFolder(home, "quick-tool", { body: `echo hello; [ $# = 0 ] || { ${atOnce}; }` });
    for (let time = 0; time < 5; time++) expect((await run(home, folder, "now")).exitCode).toBe(9);
  });

  test("without -- a flag of the tool is not taken for one of ipm's", async () => {
    const { exitCode, stderr } = await runIpm(["run", "lstm-demo", "--seed", "7"], { home: temporaryFolder() });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("ipm run TARGET -- --seed");
  });

  test("JSON is refused, because stdout is the tool's", async () => {
    const { exitCode, stdout } = await runIpm(["run", "lstm-demo", "--json"], { home: temporaryFolder() });
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: "USAGE" } });
  });
});

describe("plans", () => {
  test("run --dry-run shows the plan, also as JSON, and runs and builds nothing", async () => {
    const home = temporaryFolder();
    const { exitCode, stdout } = await runIpm(["run", "lstm-demo", "--dry-run", "--", "explain"], { home });
    expect({ exitCode, built: entriesOf(home, "lstm-demo") }).toEqual({ exitCode: 0, built: [] });
    expect(stdout).toContain("Puts on PATH");
    expect(stdout).toContain("nothing was run");
    const json = await runIpm(["run", "lstm-demo", "--dry-run", "--json"], { home });
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, result: { plans: [{ tool: { name: "lstm-demo" } }] } });
  });

  test("plan --keep-going plans what it can, says what it cannot, and fails", async () => {
    const words = ["plan", "lstm-demo", "no-such-tool", "--keep-going", "--json"];
    const { exitCode, stdout } = await runIpm(words, { home: temporaryFolder() });
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      result: { plans: [{}], failed: [{ target: "no-such-tool", code: "TOOL_NOT_FOUND" }] },
    });
  });

  test("a plan waits for an ipm that fetches the same repository, and for no longer than it was told", async () => {
    const home = temporaryFolder();
    await runIpm(["plan", "lstm-demo"], { home });
    const locks = path.join(home, ".cache/ipm/locks");
    const lock = readdirSync(locks).find((name) => name.startsWith("git-"));
    const holder = spawn("flock", [path.join(locks, lock ?? ""), "sh", "-c", "echo held; cat"]);
    try {
      await once(holder.stdout, "data");
      // Another version: what the first plan fetched needs no lock.
      const impatient = await runIpm(["plan", `lstm-demo@${OLDER}`, "--lock-timeout", "0"], { home });
      expect(impatient).toMatchObject({ exitCode: 6 });
      const patient = await runIpm(["plan", `lstm-demo@${OLDER}`], {
        home,
        onStderr: (text) => {
          if (text.includes("waiting for")) holder.stdin.end();
        },
      });
      expect(patient.stderr).toContain("waiting for");
      expect(patient.exitCode).toBe(0);
    } finally {
      holder.stdin.end();
    }
  });
});

describe("signals", () => {
  // The step says its pid and waits for longer than any test; without a sandbox the pid is one of this machine.
  const WAIT = 'echo "pid $$"; sleep 600';
  const STUBBORN = `trap "" TERM INT HUP; ${WAIT}`;

  async function interrupted(
    step: string,
    signals: readonly NodeJS.Signals[],
  ): Promise<{ exitCode: number | null; stepPid: number; home: string; stderr: string }> {
    const home = temporaryFolder();
    await runIpm(["install", "lstm-demo"], { home });
    const folder = toolFolder(home, "slow-tool", { step });
    let sent = 0;
    const { exitCode, stderr } = await runIpm(["install", folder, "--allow-unverified", "--no-sandbox", "--verbose"], {
      home,
      onStderr: (text, child) => {
        if (sent === 0 && /\| pid \d+/u.test(text)) child.kill(signals[sent++]);
        else if (sent === 1 && signals.length > 1 && text.includes("stopping")) child.kill(signals[sent++]);
      },
    });
    return { exitCode, stderr, home, stepPid: Number(/\| pid (\d+)/u.exec(stderr)?.[1]) };
  }

  /** True for a process that runs; one that has ended and waits for its parent does not. */
  function isRunning(pid: number): boolean {
    const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
    return stdout.trim() !== "" && !stdout.trim().startsWith("Z");
  }

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("%s once: exit %i, the step gone, the old state whole", async (signal, exit) => {
    const { exitCode, stepPid, home, stderr } = await interrupted(WAIT, [signal]);
    expect(exitCode).toBe(exit);
    expect(stderr).toContain("stopping");
    await vi.waitFor(() => expect(isRunning(stepPid)).toBe(false));
    expect(readdirSync(currentBin(home))).toEqual(["lstm-demo"]);
    expect(entriesOf(home, "slow-tool")).toEqual([]);
  });

  test("Ctrl-C twice ends at once, also when the step ignores everything, and the next command repairs", async () => {
    const { exitCode, stepPid, home } = await interrupted(STUBBORN, ["SIGINT", "SIGINT"]);
    expect(exitCode).toBe(130);
    await vi.waitFor(() => expect(isRunning(stepPid)).toBe(false));
    const next = await runIpm(["install", "lstm-demo"], { home });
    expect(next.exitCode).toBe(0);
    expect(readdirSync(currentBin(home))).toEqual(["lstm-demo"]);
  });
});

test("called in a folder that has been removed: what needs none works, the rest says so", async () => {
  const home = temporaryFolder();
  const inRemoved = (words: string): ReturnType<typeof runIpm> =>
    runIpm(["-c", `mkdir gone; cd gone; rmdir ../gone; ${shellWord(process.execPath)} ${shellWord(IPM)} ${words}`], {
      home,
      program: ["sh"],
    });
  for (const words of ["install lstm-demo", "list", "doctor", "uninstall lstm-demo"])
    expect([words, (await inRemoved(words)).exitCode]).toEqual([words, 0]);
  for (const words of ["install ./x", "lint .", "init . --dry-run", "run lstm-demo -- --version"]) {
    const { exitCode, stderr } = await inRemoved(words);
    expect([words, exitCode]).toEqual([words, 2]);
    expect(stderr).toContain("does not exist any more");
  }
});

describe("streams", () => {
  test("a reader that goes away early is no error", async () => {
    const home = temporaryFolder();
    const script = `${shellWord(process.execPath)} ${shellWord(IPM)} --help | true; echo "\${PIPESTATUS[0]}"`;
    expect(await runIpm(["-c", script], { home, program: ["bash"] })).toMatchObject({ stdout: "0\n", stderr: "" });
    const closed = `${shellWord(process.execPath)} ${shellWord(IPM)} --help >&- 2>&-; echo $?`;
    expect(await runIpm(["-c", closed], { home, program: ["bash"] })).toMatchObject({ stdout: "0\n" });
  });

  test("colour is written when it is forced, and only then", async () => {
    const home = temporaryFolder();
    const bare = await runIpm(["--help"], { home });
    const forced = await runIpm(["--help"], { home, env: { FORCE_COLOR: "1" } });
    expect(bare.stdout).not.toContain("\u001b");
    expect(forced.stdout).toContain("\u001b[1m");
    expect((await runIpm(["--help", "--no-color"], { home, env: { FORCE_COLOR: "1" } })).stdout).toBe(bare.stdout);
  });

  test("only ASCII of ipm's own in a locale that knows no more", async () => {
    const { stdout, stderr } = await runIpm(["install", "lstm-demo"], { home: temporaryFolder(), env: { LANG: "C" } });
    expect(stdout + stderr).toMatch(/^[\x20-\x7e\n]*$/u);
    expect(stdout).toContain(`+ lstm-demo ${DEMO} is installed`);
  });
});

test("--set takes a secret from standard input or a file, and no message repeats it", async () => {
  const home = temporaryFolder();
  const folder = toolFolder(home, "asking-tool", {
    body: 'echo "hello $ASKING_TOKEN"',
    more: "inputs: [{ env: ASKING_TOKEN, secret: true }]",
  });
  const target = shellWord(folder);
  const ipm = `${shellWord(process.execPath)} ${shellWord(IPM)}`;
  const shell = (script: string): ReturnType<typeof runIpm> => runIpm(["-c", script], { home, program: ["/bin/sh"] });
  const say = async (): Promise<string> =>
    (await runIpm([], { home, program: [path.join(currentBin(home), "asking-tool")] })).stdout;

  const none = await runIpm(["install", folder, "--allow-unverified", "--json"], { home });
  expect(none.exitCode).toBe(2);
  expect(JSON.parse(none.stdout)).toMatchObject({
    error: { code: "INPUT_MISSING", data: { inputs: [{ secret: true }] } },
  });

  const piped = await shell(
    `echo piped-4711 | ${ipm} install ${target} --allow-unverified --set ASKING_TOKEN=- --json`,
  );
  expect(piped).toMatchObject({ exitCode: 0 });
  expect(piped.stdout + piped.stderr).not.toContain("4711");
  expect(await say()).toBe("hello piped-4711\n");

  writeFileSync(path.join(home, "token"), "filed-4711\n");
  const filed = await shell(`${ipm} reinstall asking-tool --allow-unverified --set ASKING_TOKEN=@token --verbose`);
  expect(filed).toMatchObject({ exitCode: 0 });
  expect(filed.stdout + filed.stderr).not.toContain("4711");
  expect(await say()).toBe("hello filed-4711\n");

  const plain = await shell(`${ipm} reinstall asking-tool --allow-unverified --set ASKING_TOKEN=plain-4711`);
  expect(plain).toMatchObject({ exitCode: 0 });
  const history = await runIpm(["history", "--json"], { home });
  expect(history.stdout).toContain("--set ASKING_TOKEN=...");
  expect(filesWith(path.join(home, ".local"), "4711").map((file) => path.basename(file))).toEqual(["values"]);

  for (const words of ["--set plain-4711", "--set ASKING_TOKEN=a-4711 --set ASKING_TOKEN=b-4711", "--set A=@no-such"]) {
    const refused = await shell(`${ipm} reinstall asking-tool ${words}`);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).not.toContain("4711");
  }
});

// The pseudo-terminal of util-linux's script(1).
const SCRIPT = "/usr/bin/script";
const hasScript = spawnSync(SCRIPT, ["-qec", "true", "/dev/null"], { stdio: "ignore" }).status === 0;

describe.skipIf(!hasScript)("at a terminal", () => {
  async function atTerminal(
    words: string,
    columns: number,
    env: Record<string, string> = {},
    home = temporaryFolder(),
    answer?: RunOptions["answer"],
  ): Promise<{ exitCode: number | null; screen: string }> {
    const command = `stty cols ${columns}; ${shellWord(process.execPath)} ${shellWord(IPM)} ${words}`;
    const { exitCode, stdout } = await runIpm(["-qec", command, "/dev/null"], {
      home,
      program: [SCRIPT],
      env: { TERM: "xterm-256color", ...env },
      ...(answer === undefined ? {} : { answer }),
    });
    return { exitCode, screen: stdout };
  }

  /** The lines that stay on the screen. */
  function linesOf(screen: string): string[] {
    return (
      screen
        .replaceAll("\r\n", "\n")
        .split("\n")
        // oxlint-disable-next-line no-control-regex -- what a terminal would not show
        .map((line) => line.replace(/^.*\u001b\[[012]?K/u, "").replace(/\u001b\[[0-9;?]*[A-Za-z]/gu, ""))
    );
  }

  test.each([30, 50, 80, 200])("the story and the answer fit into %i columns", async (columns) => {
    const { exitCode, screen } = await atTerminal("install lstm-demo", columns);
    expect(exitCode).toBe(0);
    const lines = linesOf(screen);
    expect(lines.some((line) => line.startsWith("✔ test "))).toBe(true);
    // A word, a path or a file's name is never broken.
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(Math.max(columns, 48));
  });

  test("the cursor is shown again, also after Ctrl-C", async () => {
    const home = temporaryFolder();
    const done = await atTerminal("install lstm-demo", 80, {}, home);
    const hidden = done.screen.lastIndexOf("\u001b[?25l");
    expect(done.screen.lastIndexOf("\u001b[?25h")).toBeGreaterThanOrEqual(hidden);

    // The step ends ipm as Ctrl-C would.
    const folder = toolFolder(home, "stop-tool", { step: "sleep 1; kill -INT $(ps -o ppid= -p $$); sleep 600" });
    const stopped = await atTerminal(`install ${shellWord(folder)} --allow-unverified --no-sandbox`, 80, {}, home);
    expect(stopped.exitCode).toBe(130);
    expect(stopped.screen).toContain("\u001b[?25l");
    expect(stopped.screen.lastIndexOf("\u001b[?25h")).toBeGreaterThan(stopped.screen.lastIndexOf("\u001b[?25l"));
  });

  test.each(["tty", "plain"])(
    "with %s, what nobody verified is shown whole before the question, and Enter is a no",
    async (reporter) => {
      const home = temporaryFolder();
      const folder = toolFolder(home, "new-tool", { step: "echo built" });
      const { exitCode, screen } = await atTerminal(
        `install ${shellWord(folder)} --reporter ${reporter} --no-color`,
        80,
        {},
        home,
        { to: "[y/N]", with: "\r" },
      );
      expect(exitCode).toBe(1);
      const text = linesOf(screen).join("\n");
      expect(text).toContain("error[DECLINED]");
      expect(text.indexOf("Puts on PATH\n  new-tool")).toBeGreaterThan(text.indexOf("Steps\n"));
      expect(text.indexOf("although it is not verified?")).toBeGreaterThan(text.indexOf("Puts on PATH"));
      expect(text.match(/^Steps$/gmu)?.length).toBe(1);
      expect(existsSync(currentBin(home))).toBe(false);
    },
  );

  test("a secret is asked for, is not shown while it is typed, and is in no record", async () => {
    const home = temporaryFolder();
    const folder = toolFolder(home, "asking-tool", {
      body: 'echo "hello $ASKING_TOKEN"',
      more: "inputs: [{ env: ASKING_TOKEN, secret: true, why: to be let in }]",
    });
    const { exitCode, screen } = await atTerminal(`install ${shellWord(folder)} --allow-unverified`, 80, {}, home, {
      to: "ASKING_TOKEN for",
      with: "typed-4711\r",
    });
    expect(exitCode).toBe(0);
    expect(screen).toContain("to be let in");
    expect(screen).not.toContain("typed-4711");
    const said = await runIpm([], { home, program: [path.join(currentBin(home), "asking-tool")] });
    expect(said.stdout).toBe("hello typed-4711\n");
    expect(filesWith(home, "typed-4711").map((file) => path.basename(file))).toEqual(["values"]);
  });

  test("--choose is a menu for the keyboard, which passes over what cannot be used", async () => {
    const home = temporaryFolder();
    const folder = toolFolder(home, "ways-tool");
    const file = path.join(folder, "ipm.yaml");
    const methods = `methods:
  - { id: first, steps: [uses: copy] }
  - { id: second, requires: [{ tool: no-such-program-of-ours }], steps: [uses: copy] }
  - { id: third, steps: [uses: copy] }`;
    writeFileSync(file, readFileSync(file, "utf8").replace(/^steps:[\s\S]*?(?=^bin:)/mu, `${methods}\n`));
    const install = `install ${shellWord(folder)} --allow-unverified`;
    // Down goes over the second one.
    const chosen = await atTerminal(`${install} --choose`, 80, {}, home, { to: "3  third", with: "\u001b[B\r" });
    expect(chosen.exitCode).toBe(0);
    expect(chosen.screen).toContain("2  second  needs no-such-program-of-ours (not found)");
    const list = await runIpm(["list", "--json"], { home });
    expect(JSON.parse(list.stdout)).toMatchObject({ result: [{ method: "third" }] });
    const left = await atTerminal(`${install} --choose`, 80, {}, temporaryFolder(), { to: "3  third", with: "q" });
    expect(left.exitCode).toBe(1);
    expect(left.screen).toContain("error[DECLINED]");
    const stopped = await atTerminal(`${install} --choose`, 80, {}, temporaryFolder(), {
      to: "3  third",
      with: "\u0003",
    });
    expect(stopped.exitCode).toBe(130);
    const piped = await runIpm(["install", folder, "--allow-unverified", "--choose"], { home });
    expect(piped.exitCode).toBe(2);
    expect(piped.stderr).toContain("--method first (one of: first, second, third)");
  });

  test("NO_COLOR leaves the words", async () => {
    const { screen } = await atTerminal("list", 80, { NO_COLOR: "1" });
    expect(screen).not.toContain("\u001b[3");
    expect(screen).toContain("nothing is installed");
  });

  test("CI and a dumb terminal get plain lines", async () => {
    for (const env of [{ CI: "true" }, { TERM: "dumb" }]) {
      const { screen } = await atTerminal("install lstm-demo", 80, env);
      expect(screen).toContain(`lstm-demo@${DEMO}: test 1/`);
      expect(screen).not.toContain("\u001b[?25l");
    }
  });
});

test("setup and self remove: a new shell finds ipm and the tool, then HOME is as it was", async () => {
  const home = temporaryFolder();
  writeFileSync(path.join(home, ".bashrc"), "alias ll='ls -l'");
  // Made by the user, empty: it stays. What ipm makes above its homes goes.
  mkdirSync(path.join(home, ".config"));
  const before = paths(home);
  await runIpm(["install", "lstm-demo"], { home });
  expect(await runIpm(["setup", "bash", "--yes"], { home })).toMatchObject({ exitCode: 0 });
  const found = await runIpm(["-c", '. "$HOME/.bashrc"; ipm list; lstm-demo --version'], {
    home,
    program: ["bash"],
    env: { PATH: "/usr/bin:/bin" },
  });
  expect(found.stdout).toContain(`lstm-demo  ${DEMO}`);
  expect(found).toMatchObject({ exitCode: 0, stderr: "" });

  const refused = await runIpm(["self", "remove"], { home });
  expect(refused).toMatchObject({ exitCode: 2 });
  expect(await runIpm(["self", "remove", "--yes"], { home })).toMatchObject({ exitCode: 0 });
  expect(paths(home)).toEqual(before);
  expect(readFileSync(path.join(home, ".bashrc"), "utf8")).toBe("alias ll='ls -l'");
});
