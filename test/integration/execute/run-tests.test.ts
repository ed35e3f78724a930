import * as fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { IpmError } from "../../../src/core/errors.ts";
import { runTests } from "../../../src/execute/run-tests.ts";
import type { Plan, PlannedTest } from "../../../src/plan/plan.ts";
import { createNoSandbox, createSandbox } from "../../../src/sandbox/create-sandbox.ts";
import { type ExecutionFixture, createExecutionFixture, planOf, testOf } from "../../helpers/execution-fixture.ts";

let fixture: ExecutionFixture;
let bin: string;
beforeEach(() => {
  fixture = createExecutionFixture();
  bin = path.join(fixture.folder, "profile/bin");
  fs.mkdirSync(bin, { recursive: true });
  script(path.join(fixture.paths.prefix, "lib/rc"), '#!/bin/sh\necho "rc 2.1"; echo note >&2\n');
  fs.symlinkSync(path.join(fixture.paths.prefix, "lib/rc"), path.join(bin, "rc"));
});
afterEach(() => fixture.remove());

function script(file: string, text: string): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text, { mode: 0o755 });
}

function run(tests: readonly PlannedTest[], sandboxed = true, requirements: Plan["requirements"] = []): Promise<void> {
  const { host, emit, paths } = fixture;
  const sandbox = sandboxed ? createSandbox(host) : createNoSandbox(host);
  return runTests({ host, emit, sandbox }, planOf({ tests }, requirements), paths, { bin, toolchains: [] });
}

async function failure(promise: Promise<unknown>): Promise<IpmError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof IpmError)) throw new Error("expected an IpmError", { cause: error });
  return error;
}

describe.each([
  { kind: "none", sandboxed: false },
  { kind: "bubblewrap", sandboxed: true },
])("sandbox: $kind", ({ sandboxed }) => {
  test("a text knows version and prefix, and hands them to no program", async () => {
    const tests = [
      testOf('echo "$IPM_VERSION" "$#"; ls "$IPM_PREFIX/lib"', { stdout: "^\\S+ 0\nrc$" }),
      testOf(
        "# a comment\nsh -c 'echo ${IPM_PREFIX-none} ${IPM_VERSION-none}'",
        { stdout: "^none none$" },
        { id: "2" },
      ),
    ];
    await expect(run(tests, sandboxed)).resolves.toBeUndefined();
  });

  test("passes when exit code and streams are as expected", async () => {
    await run(
      [
        testOf("rc", { stdout: "^rc 2\\.1$", stderr: "^note$" }),
        testOf(["rc"], { output: "rc 2.1\nnote" }, { id: "2" }),
        testOf("cat; exit 3", { exit: 3, stdout: "^abc$" }, { id: "3", stdin: "abc" }),
      ],
      sandboxed,
    );
    expect(fixture.events.map((event) => ("outcome" in event ? `${event.type} ${event.outcome}` : event.type))).toEqual(
      [
        "test.started",
        "test.output",
        "test.output",
        "test.finished done",
        "test.started",
        "test.output",
        "test.output",
        "test.finished done",
        "test.started",
        "test.output",
        "test.finished done",
      ],
    );
    expect(fixture.events).toContainEqual(
      expect.objectContaining({ type: "test.output", id: "1", stream: "stderr", line: "note" }),
    );
    expect(fixture.log()).toContain("== test 1: rc\n");
    expect(fs.existsSync(fixture.paths.scratch)).toBe(false);
  });

  test("names a script of several lines on one line", async () => {
    const error = await failure(run([testOf("true\n  rc\n", { stdout: "^no" })], sandboxed));
    expect(error.message.split("\n")[0]).toBe("test 1 failed: true; rc");
  });

  test("shows expected against actual, stops, and keeps everything in data and log", async () => {
    const error = await failure(
      run([testOf("rc", { exit: 1, stdout: "^rc 3\\." }), testOf("false", {}, { id: "2" })], sandboxed),
    );
    expect(error.code).toBe("TEST_FAILED");
    expect(error.message.split("\n")).toEqual([
      "test 1 failed: rc",
      "  exit expected  1",
      "  exit was       0",
      "  stdout expected  /^rc 3\\./",
      "  stdout was       rc 2.1",
      "  stderr: note",
    ]);
    expect(error.data).toMatchObject({
      test: "1",
      command: "rc",
      exitCode: 0,
      stdout: "rc 2.1",
      stderr: "note",
      log: fixture.paths.log,
      mismatches: [
        { what: "exit", expected: "1", actual: "0" },
        { what: "stdout", expected: "/^rc 3\\./", actual: "rc 2.1" },
      ],
    });
    expect(fixture.events.at(-1)).toMatchObject({ type: "test.finished", outcome: "failed" });
  });

  test("has an empty home, an empty working folder and its own TMPDIR, new for each test", async () => {
    const script =
      'ls -A "$HOME" "$TMPDIR" . | grep -c "^[abc]$" || true; touch ~/a b "$TMPDIR/c"; [ "$PWD" != "$HOME" ]';
    const look = testOf(script, { stdout: "^0$" });
    await expect(run([look, { ...look, id: "2" }], sandboxed)).resolves.toBeUndefined();
  });

  test("has only the launchers and the system on PATH", async () => {
    await expect(
      run([testOf('echo "$PATH"', { stdout: `^${bin}:/usr/local/bin:/usr/bin:/bin:` })], sandboxed),
    ).resolves.toBeUndefined();
  });

  test("a program that is neither is named", async () => {
    const error = await failure(run([testOf(["no-such-tool"])], sandboxed));
    expect(error).toMatchObject({ code: "TEST_FAILED", message: expect.stringContaining("no-such-tool") });
  });

  test("C55: a test that hangs is over after its time limit", async () => {
    const error = await failure(run([testOf("sleep 1000", {}, { timeoutMs: 200 })], sandboxed));
    expect(error).toMatchObject({ code: "STEP_TIMEOUT", data: { test: "1", timeoutMs: 200 } });
    expect(fixture.events.at(-1)).toMatchObject({ outcome: "failed" });
  });

  test("C54: a test that prints without end is judged by its beginning", async () => {
    const error = await failure(run([testOf("yes | head -c 3000000; exit 1", { stdout: "^y$" })], sandboxed));
    expect(error.message).toContain("exit was       1");
    expect(error.message).not.toContain("stdout expected");
  });
});

test("the prefix can only be read", async () => {
  const { prefix } = fixture.paths;
  await run([
    testOf(`touch '${prefix}/x' || echo refused; rm -f '${prefix}/lib/rc' || true; ls '${prefix}/lib'`, {
      stdout: "^refused\nrc$",
    }),
  ]);
  expect(fs.existsSync(path.join(prefix, "x"))).toBe(false);
});

test("C51: a test has no network", async () => {
  await expect(
    run([testOf("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '", { stdout: "^lo$" })]),
  ).resolves.toBeUndefined();
});

test("a launcher that goes through its neighbour libexec works", async () => {
  const libexec = path.join(path.dirname(bin), "libexec");
  fs.mkdirSync(libexec);
  fs.symlinkSync(path.join(fixture.paths.prefix, "lib/rc"), path.join(libexec, "rcd"));
  script(path.join(bin, "rcd"), `#!/bin/sh\nexec '${libexec}/rcd'\n`);
  await expect(run([testOf("rcd", { stdout: "^rc 2" })])).resolves.toBeUndefined();
});

test("what is needed to run is there, what is needed to build is not", async () => {
  for (const name of ["run", "build"])
    script(path.join(fixture.folder, `caller/${name}/bin/${name}-tool`), `#!/bin/sh\necho ${name}\n`);
  const requirements = (["run", "build"] as const).map((name) => {
    const program = path.join(fixture.folder, `caller/${name}/bin/${name}-tool`);
    const found = { path: program, real: program, version: null };
    return { tool: `${name}-tool`, version: null, for: name, optional: false, why: null, found, met: true };
  });
  const tool = (name: string): string => path.join(fixture.folder, `caller/${name}/bin/${name}-tool`);
  const look = testOf(`'${tool("run")}'; ls '${tool("build")}' || echo absent`, { stdout: "^run\nabsent$" });
  await expect(run([look], true, requirements)).resolves.toBeUndefined();
});
