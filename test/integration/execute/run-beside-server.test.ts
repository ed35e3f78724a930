import * as fs from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { IpmError } from "../../../src/core/errors.ts";
import { runBesideServer } from "../../../src/execute/run-beside-server.ts";
import { runTests } from "../../../src/execute/run-tests.ts";
import type { DriverResult } from "../../../src/execute/server-driver.ts";
import type { PlannedTest } from "../../../src/plan/plan.ts";
import { createNoSandbox, createSandbox } from "../../../src/sandbox/create-sandbox.ts";
import { resolveToolchain } from "../../../src/sandbox/toolchain.ts";
import { type ExecutionFixture, createExecutionFixture, planOf, testOf } from "../../helpers/execution-fixture.ts";
import { processesShowing } from "../../helpers/find-text.ts";

let fixture: ExecutionFixture;
let bin: string;
let port: number;

/** A port that nobody uses: the number is needed before the server is started. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

beforeEach(async () => {
  fixture = createExecutionFixture();
  bin = path.join(fixture.folder, "profile/bin");
  fs.mkdirSync(bin, { recursive: true });
  port = await freePort();
});
afterEach(() => fixture.remove());

/** The command `rcd`, a program of Node. */
function server(program: string): void {
  fs.writeFileSync(path.join(bin, "rcd"), `#!${process.execPath}\n${program}\n`, { mode: 0o755 });
}

/** Serves its environment, and says on its standard output what it is asked for. */
function goodServer(more = ""): void {
  server(
    `require("node:http").createServer((request, response) => { console.log("asked for " + request.url); response.end("hello " + (process.env.RC_TOKEN ?? "nobody") + "\\n"); }).listen(${port}, "127.0.0.1");\n${more}`,
  );
}

async function run(
  tests: readonly PlannedTest[],
  sandboxed: boolean,
  secrets: Readonly<Record<string, string>> = {},
  command: PlannedTest["run"] = "rcd",
): Promise<void> {
  const { host, emit, paths } = fixture;
  const sandbox = sandboxed ? createSandbox(host) : createNoSandbox(host);
  const inputs = Object.keys(secrets).map((env) => ({ env, for: "run", secret: true, value: null }) as const);
  const plan = planOf({ tests, inputs, start: { run: command, url: `http://127.0.0.1:${port}/` } });
  const toolchains = [await resolveToolchain(host, process.execPath)];
  await runTests({ host, emit, sandbox, secrets }, plan, paths, { bin, toolchains });
}

async function failure(promise: Promise<unknown>): Promise<IpmError> {
  return promise.then(
    () => Promise.reject(new Error("it passed")),
    (reason: unknown) => reason as IpmError,
  );
}

const during = { during: "start" } as const;

describe.each([
  { kind: "none", sandboxed: false },
  { kind: "bubblewrap", sandboxed: true },
])("sandbox: $kind", ({ sandboxed }) => {
  test("a test reaches the server, which is ended afterwards; one beside it has none", async () => {
    goodServer();
    const get = `curl -fsS http://127.0.0.1:${port}/x`;
    await run(
      [
        testOf(get, { stdout: "^hello nobody$" }, during),
        testOf(["curl", "-fsS", `http://127.0.0.1:${port}/y`], { stdout: "^hello" }, { ...during, id: "2" }),
        testOf("cat; exit 3", { exit: 3, stdout: "^abc$" }, { ...during, id: "3", stdin: "abc" }),
        testOf(get, { exit: 7 }, { id: "4" }),
      ],
      sandboxed,
    );
    expect(fixture.log()).toContain(`== server of test 1 (${get}): rcd\n`);
    expect(fixture.log()).toContain("asked for /x\n");
    expect(processesShowing(path.join(bin, "rcd"))).toEqual([]);
  });

  test("what a test expects and did not see is its failure, as always", async () => {
    goodServer();
    const error = await failure(
      run([testOf(`curl -sS http://127.0.0.1:${port}/`, { stdout: "^bye" }, during)], sandboxed),
    );
    expect(error).toMatchObject({ code: "TEST_FAILED", data: { stdout: "hello nobody", exitCode: 0 } });
    expect(error.message).toContain("stdout expected  /^bye/");
  });

  test("a server that dies fails the test with what it said", async () => {
    server('console.error("no such file: rc.conf"); process.exit(3);');
    const error = await failure(run([testOf("true", {}, during)], sandboxed));
    expect(error).toMatchObject({ code: "TEST_FAILED", data: { lastLines: ["no such file: rc.conf"] } });
    expect(error.message).toBe(
      "test 1 (true): the server ended by itself (exit code 3); it must stay until it is ended",
    );
    expect(fixture.log()).toContain("no such file: rc.conf\n");
  });

  test("so does one that ends while the test runs, and one that cannot be started", async () => {
    goodServer("setTimeout(() => process.exit(0), 300);");
    const ended = await failure(run([testOf("sleep 20", {}, during)], sandboxed));
    expect(ended.message).toContain("the server ended by itself (exit code 0)");
    const none = await failure(run([testOf("true", {}, during)], sandboxed, {}, ["no-such-server"]));
    expect(none.message).toContain("no-such-server is neither a launcher nor a program of the system");
  });

  /** Server and test as they are, without a plan, and with little patience. */
  async function beside(test_: readonly [string, ...string[]]): Promise<DriverResult | null> {
    const { host, folder } = fixture;
    const sandbox = sandboxed ? createSandbox(host) : createNoSandbox(host);
    const { readable } = await resolveToolchain(host, process.execPath);
    return runBesideServer(host, sandbox, {
      server: { run: "rcd", url: `http://127.0.0.1:${port}/` },
      serverArgv: ["/bin/sh", "-c", `${path.join(bin, "rcd")}; exit 0`],
      env: { PATH: `${bin}:/usr/bin:/bin` },
      secrets: {},
      argv: test_,
      stdin: null,
      cwd: folder,
      timeoutMs: 10_000,
      startTimeoutMs: 1500,
      endTimeoutMs: 300,
      grants: { writable: [folder], readable, network: [] },
      onServer: () => {},
      onTest: () => {},
    });
  }

  test("a server that leaves a process behind is told, and the process is ended", async () => {
    fs.copyFileSync("/bin/sleep", path.join(bin, "left-behind"));
    goodServer(
      `process.on("SIGTERM", () => { require("node:child_process").spawn("left-behind", ["60"], { stdio: "ignore" }).unref(); process.exit(0); });`,
    );
    expect(await beside(["/bin/true"])).toEqual({ outcome: "ran", code: 0, signal: null, left: ["left-behind"] });
    expect(processesShowing("left-behind\u000060")).toEqual([]);
  });

  test("so is one that does not end when it is asked to", async () => {
    goodServer('process.on("SIGTERM", () => {});');
    expect(await beside(["/bin/sh", "-c", "exit 3"])).toMatchObject({
      outcome: "ran",
      code: 3,
      left: [expect.any(String)],
    });
    expect(processesShowing(path.join(bin, "rcd"))).toEqual([]);
  });

  test("a server that never answers is not waited for without end", async () => {
    server("setInterval(() => {}, 1000);");
    expect(await beside(["/bin/true"])).toEqual({ outcome: "silent" });
    expect(processesShowing(path.join(bin, "rcd"))).toEqual([]);
  });

  test("secrets are the server's, and in no transcript or event", async () => {
    goodServer('console.log("token " + process.env.RC_TOKEN);');
    await run(
      [
        testOf(
          `curl -fsS http://127.0.0.1:${port}/; echo "[$(printenv RC_TOKEN)]"`,
          { output: "hello \\[credential\\]\n\\[\\]" },
          during,
        ),
      ],
      sandboxed,
      { RC_TOKEN: "s3cret-4711" },
    );
    expect(fixture.log()).toContain("token [credential]");
    expect(fixture.log() + JSON.stringify(fixture.events)).not.toContain("s3cret");
  });
});

test("where there is one network for all, a port that is taken is no answer", async () => {
  goodServer();
  const other = createServer((_, response) => response.end("another"));
  await new Promise<void>((resolve) => {
    other.listen(port, "127.0.0.1", resolve);
  });
  const error = await failure(run([testOf("true", {}, during)], false));
  expect(error.message).toContain(`something answers at http://127.0.0.1:${port}/ before the server is started`);
  // A network of its own has the port free.
  await run([testOf(`curl -fsS http://127.0.0.1:${port}/`, { stdout: "^hello nobody$" }, during)], true);
  await new Promise((resolve) => other.close(resolve));
});
