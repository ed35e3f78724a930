import path from "node:path";
import { IpmError } from "../core/errors.ts";
import type { StepOutcome } from "../core/events.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { RunText } from "../manifest/manifest.ts";
import { fillPrefixInPattern } from "../manifest/placeholders.ts";
import { givenInputs, secretInputs } from "../plan/given-inputs.ts";
import { type Plan, type PlannedServer, type PlannedTest, checkoutOf } from "../plan/plan.ts";
import { type TestFolders, grantsOfTest, grantsOfWorkspaceTest } from "../sandbox/grants.ts";
import type { Grants } from "../sandbox/sandbox.ts";
import type { Toolchain } from "../sandbox/toolchain.ts";
import {
  type ExecutionContext,
  type ExecutionPaths,
  type WorkspacePlace,
  findProgram,
  findToolchains,
  toolOf,
} from "./execution.ts";
import { matchPattern } from "./match-pattern.ts";
import { cleanLine } from "./output-lines.ts";
import { runBesideServer } from "./run-beside-server.ts";
import type { DriverResult } from "./server-driver.ts";
import { testEnvironment } from "./step-environment.ts";
import { type StepTranscript, type StreamName, type Transcript, createTranscript } from "./transcript.ts";

/** Bytes of each stream that patterns are tried on; a test that prints more is judged by its beginning. */
const MATCHED_BYTES = 256 * 1024;
/** Characters of output in the message and in `data`. */
const SHOWN_CHARACTERS = 2000;

interface Observed {
  readonly exit: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One thing that a test expects and did not see. */
export interface Mismatch {
  readonly what: "exit" | "stdout" | "stderr" | "output";
  readonly expected: string;
  readonly actual: string;
  /** Why, when it is not simply another value: the pattern takes too long, or is none. */
  readonly note?: string;
}

/** Keeps the beginning of a stream. */
class Beginning {
  readonly #chunks: Uint8Array[] = [];
  #size = 0;

  add(chunk: Uint8Array): void {
    if (this.#size >= MATCHED_BYTES) return;
    const kept = chunk.subarray(0, MATCHED_BYTES - this.#size);
    this.#size += kept.length;
    this.#chunks.push(kept);
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }
}

/** The command of a test as people read it: on one line, the lines of a script apart by semicolons. */
export function describeCommand(run: RunText): string {
  return escapeUntrusted(typeof run === "string" ? run.trim().replaceAll(/\s*\n\s*/gu, "; ") : run.join(" "));
}

/**
 * Run the manifest's tests on the finished prefix, which they can only read. PATH holds the new launchers and the
 * system's folders; HOME, TMPDIR and the working folder are empty and new for each test; there is no network, but for a
 * server that is started beside a test and ended after it.
 * @param launchers `bin`: absolute folder with the new launchers; its neighbour `libexec`, where there is one, is shown
 *   too. `toolchains`: what they start besides the plan's requirements. `state`: where the tool's data is, which is made
 *   anew for each test and can be written
 * @throws IpmError TEST_FAILED (`data`: test, command, mismatches, exitCode, stdout, stderr, log), STEP_TIMEOUT,
 *   SANDBOX_FAILED, and the abort's own error
 */
export async function runTests(
  context: ExecutionContext,
  plan: Plan,
  paths: TestPaths,
  launchers: TestedLaunchers,
): Promise<void> {
  const { host } = context;
  const { tests } = plan.what;
  if (tests.length === 0) return;
  const tool = toolOf(plan);
  const transcript = createTranscript(host.files, paths.log);
  const toolchains = [...(await findToolchains(host, plan, "run")), ...launchers.toolchains];
  for (const [index, test] of tests.entries()) {
    const title = describeCommand(test.run);
    const started = host.monotonicMs();
    context.emit({ type: "test.started", tool, id: test.id, title, index, total: tests.length });
    let outcome: StepOutcome = "failed";
    try {
      // Anew for each test: what one leaves behind must not help the next.
      await host.files.remove(paths.scratch);
      await launchers.state?.renew();
      await runTest({ context, plan, paths, launchers, toolchains, transcript }, test);
      outcome = "done";
    } finally {
      context.emit({ type: "test.finished", tool, id: test.id, title, outcome, ms: host.monotonicMs() - started });
    }
  }
  await host.files.remove(paths.scratch);
}

/** The new tool as its tests see it. */
export interface TestedLaunchers {
  readonly bin: string;
  readonly toolchains: readonly Toolchain[];
  readonly state?: { readonly folder: string; renew(): Promise<void> };
}

/** With a `workspace`, tests run in its folder and can write it; the launchers are those of its environment then. */
type TestPaths = Pick<ExecutionPaths, "prefix" | "scratch" | "log" | "workspace">;

interface TestRun {
  readonly context: ExecutionContext;
  readonly plan: Plan;
  readonly paths: TestPaths;
  readonly launchers: TestedLaunchers;
  readonly toolchains: readonly Toolchain[];
  readonly transcript: Transcript;
}

async function prepareFolders(run: TestRun): Promise<{ folders: TestFolders; libexec: string | undefined }> {
  const { files } = run.context.host;
  const { state } = run.launchers;
  await files.createFolder(run.paths.scratch);
  const scratch = (await files.realPath(run.paths.scratch)) ?? run.paths.scratch;
  const own = async (name: string): Promise<string> => {
    const folder = path.join(scratch, name);
    await files.createFolder(folder);
    return folder;
  };
  const folders = {
    prefix: (await files.realPath(run.paths.prefix)) ?? run.paths.prefix,
    launchers: (await files.realPath(run.launchers.bin)) ?? run.launchers.bin,
    home: await own("home"),
    tmp: await own("tmp"),
    work: run.paths.workspace === undefined ? await own("work") : await workFolder(run),
    state: state === undefined ? null : ((await files.realPath(state.folder)) ?? state.folder),
  };
  return { folders, libexec: await files.realPath(path.join(path.dirname(folders.launchers), "libexec")) };
}

/** The folder of a workspace that the manifest names, by the kernel's own resolution: a step may have put a link there. */
async function workFolder({ paths, plan, context }: TestRun): Promise<string> {
  const root = path.dirname(paths.workspace?.git ?? "");
  const folder = await context.host.files.realPath(path.join(root, checkoutOf(plan).path ?? "."));
  if (folder !== undefined && (folder === root || folder.startsWith(`${root}/`))) return folder;
  throw new IpmError("TEST_FAILED", `${root} has no folder ${escapeUntrusted(checkoutOf(plan).path ?? "")} any more`, {
    hint: `read ${paths.log}`,
    data: { log: paths.log },
  });
}

/** Where a test could read the file that launchers take secrets from, they are told that there is nothing to take. */
function withoutSecrets(run: TestRun): Record<string, string> {
  if (run.context.sandbox.kind === "bubblewrap") return {};
  return Object.fromEntries(secretInputs(run.plan.what).map((name) => [name, ""]));
}

/** The environment of a test, and what it may touch: those of the installed tool, or of the workspace. */
function surroundingsOf(
  run: TestRun,
  folders: TestFolders,
  libexec: string | undefined,
): { env: Record<string, string>; grants: Grants } {
  const { workspace } = run.paths;
  const bins = workspace === undefined ? [folders.launchers] : workspaceFolders(workspace.environment, run.toolchains);
  const env = {
    ...testEnvironment(bins, folders.home, folders.tmp),
    ...withoutSecrets(run),
    ...workspace?.environment.variables,
  };
  const grants =
    workspace === undefined
      ? grantsOfTest(folders, run.toolchains)
      : grantsOfWorkspaceTest(
          { ...folders, workspace: path.dirname(workspace.git), git: workspace.git },
          run.toolchains,
        );
  return { env, grants: libexec === undefined ? grants : { ...grants, readable: [...grants.readable, libexec] } };
}

/** What is wrong with a server that a test ran beside, or undefined when nothing is. */
function whyNot(result: Exclude<DriverResult, { outcome: "slow" }>, url: string): string | undefined {
  if (result.outcome === "busy") return `something answers at ${url} before the server is started`;
  if (result.outcome === "silent") return `the server did not answer at ${url} in time`;
  if (result.outcome === "ran") {
    const left = result.left.slice(0, 5).map(escapeUntrusted).join(", ");
    return left === ""
      ? undefined
      : `the server did not end with all of its processes when it was asked to (TERM): ${left}`;
  }
  if (result.error !== undefined) return `the server could not be started: ${escapeUntrusted(result.error)}`;
  return `the server ended by itself (${describeEnd(result.code, result.signal)}); it must stay until it is ended`;
}

/** The failure of a test because of its server, or undefined. @param output what the server printed */
function serverError(
  run: TestRun,
  test: PlannedTest,
  result: Exclude<DriverResult, { outcome: "slow" }>,
  output: string,
): IpmError | undefined {
  const url = run.plan.what.start?.url ?? "";
  const why = whyNot(result, url);
  if (why === undefined) return undefined;
  const title = describeCommand(test.run);
  const lastLines = shown(output).split("\n").slice(-10);
  return new IpmError("TEST_FAILED", `test ${test.id} (${title}): ${why}`, {
    hint: `read ${run.paths.log}`,
    data: { test: test.id, command: title, url, lastLines, log: run.paths.log },
  });
}

/**
 * Run a test beside the server of `start`, and write down what both said.
 * @returns what the test itself was seen to do
 */
async function runDuringStart(
  run: TestRun,
  test: PlannedTest,
  server: PlannedServer,
): Promise<{ observed: Observed; folders: TestFolders }> {
  const { host, sandbox, secrets = {} } = run.context;
  const { folders, libexec } = await prepareFolders(run);
  const { env: common, grants } = surroundingsOf(run, folders, libexec);
  const env = { ...common, ...givenInputs(run.plan.what, "run") };
  const title = describeCommand(test.run);
  const searchPath = env["PATH"] ?? "";
  const argv = await commandLine(run, test, searchPath, folders, namesOf(run, folders));
  const serverArgv = await commandLine(run, { ...test, run: server.run }, searchPath, folders, {});
  const output = beginTranscript(run, test);
  const seen: Record<StreamName, Beginning> = { stdout: new Beginning(), stderr: new Beginning() };
  const heard = new Beginning();
  let closing = "stopped";
  try {
    const result = await runBesideServer(host, sandbox, {
      server,
      serverArgv,
      env,
      secrets,
      argv,
      stdin: test.stdin,
      cwd: folders.work,
      timeoutMs: test.timeoutMs,
      grants,
      onServer: (_, chunk) => heard.add(chunk),
      onTest: (stream, chunk) => {
        seen[stream].add(chunk);
        output.output(stream, chunk);
      },
    });
    if (result === null || result.outcome === "slow") {
      closing = "stopped (time limit)";
      throw timeoutError(run, test);
    }
    if (result.outcome === "ran") closing = describeEnd(result.code, result.signal);
    const failure = serverError(run, test, result, heard.text());
    if (failure !== undefined || result.outcome !== "ran") throw failure ?? timeoutError(run, test);
    const texts = { stdout: seen.stdout.text(), stderr: seen.stderr.text() };
    return { observed: { exit: result.code, signal: result.signal, ...texts }, folders };
  } finally {
    await output.finish(closing);
    const log = run.transcript.begin(
      `server of test ${test.id} (${title}): ${describeCommand(server.run)}`,
      () => undefined,
    );
    log.output("stdout", Buffer.from(heard.text()));
    await log.finish("ended");
  }
}

function beginTranscript(run: TestRun, test: PlannedTest): StepTranscript {
  return run.transcript.begin(`test ${test.id}: ${describeCommand(test.run)}`, (stream, line) =>
    run.context.emit({ type: "test.output", tool: toolOf(run.plan), id: test.id, stream, line }),
  );
}

function describeEnd(exitCode: number | null, signal: string | null): string {
  return signal === null ? `exit code ${exitCode}` : `ended by ${escapeUntrusted(signal)}`;
}

function timeoutError(run: TestRun, test: PlannedTest): IpmError {
  const title = describeCommand(test.run);
  const seconds = test.timeoutMs / 1000;
  return new IpmError("STEP_TIMEOUT", `test ${test.id} (${title}) took longer than ${seconds} s and was stopped`, {
    hint: `read ${run.paths.log}`,
    data: { test: test.id, command: title, timeoutMs: test.timeoutMs, log: run.paths.log },
  });
}

async function runTest(run: TestRun, test: PlannedTest): Promise<void> {
  const server = run.plan.what.start;
  const { observed, folders } =
    test.during === "start" && server !== undefined
      ? await runDuringStart(run, test, server)
      : await runAlone(run, test);
  const mismatches = compare({ expect: expectationAt(test.expect, folders.prefix) }, observed);
  if (mismatches.length > 0) throw testError(run, test, observed, mismatches);
}

async function runAlone(run: TestRun, test: PlannedTest): Promise<{ observed: Observed; folders: TestFolders }> {
  const { host, sandbox } = run.context;
  const { folders, libexec } = await prepareFolders(run);
  const { env, grants } = surroundingsOf(run, folders, libexec);
  const argv = await commandLine(run, test, env["PATH"] ?? "", folders, namesOf(run, folders));
  const output = beginTranscript(run, test);
  const seen: Record<StreamName, Beginning> = { stdout: new Beginning(), stderr: new Beginning() };
  let closing = "stopped";
  try {
    const result = await sandbox.run({
      argv,
      cwd: folders.work,
      env,
      ...(test.stdin === null ? {} : { stdin: test.stdin }),
      timeoutMs: test.timeoutMs,
      signal: host.signal,
      onOutput: (stream, chunk) => {
        seen[stream].add(chunk);
        output.output(stream, chunk);
      },
      grants,
    });
    if (result.timedOut) {
      closing = "stopped (time limit)";
      throw timeoutError(run, test);
    }
    closing = describeEnd(result.exitCode, result.signal);
    const texts = { stdout: seen.stdout.text(), stderr: seen.stderr.text() };
    return { observed: { exit: result.exitCode, signal: result.signal, ...texts }, folders };
  } finally {
    await output.finish(closing);
  }
}

/** Folders of PATH in a workspace: its own, then those of the programs that the plan found. */
function workspaceFolders(environment: WorkspacePlace, toolchains: readonly Toolchain[]): string[] {
  return [...environment.path, ...toolchains.map(({ bin }) => bin)];
}

/**
 * What the shell of a test's text knows, as a step's does. It is not exported: a tool that counts on `$IPM_PREFIX` works
 * in its steps, and not at its user's.
 */
function namesOf({ plan, paths }: TestRun, folders: TestFolders): Readonly<Record<string, string>> {
  return {
    IPM_VERSION: plan.tool.version,
    IPM_PREFIX: folders.prefix,
    ...(paths.workspace === undefined ? {} : { IPM_SOURCE: folders.work }),
  };
}

/** @param names variables of the shell for a test that is a text, by name */
async function commandLine(
  run: TestRun,
  test: PlannedTest,
  searchPath: string,
  folders: TestFolders,
  names: Readonly<Record<string, string>>,
): Promise<readonly [string, ...string[]]> {
  if (typeof test.run === "string") {
    // Before the text and on its first line, so that the shell's messages count the lines as the manifest does.
    const assignments = Object.keys(names).map((name, index) => `${name}=$${index + 1}; `);
    const preamble = assignments.length === 0 ? "" : `${assignments.join("")}shift ${assignments.length}; `;
    return ["/bin/sh", "-eu", "-c", `${preamble}${test.run}`, "test", ...Object.values(names)];
  }
  const [program, ...args] = test.run;
  const found = await findProgram(run.context.host, program, searchPath, folders.work);
  if (found !== undefined) return [found, ...args];
  throw new IpmError(
    "TEST_FAILED",
    `test ${test.id} (${describeCommand(test.run)}): ${escapeUntrusted(program)} is neither a launcher nor a program of the system`,
    {
      hint: "a test sees only the tool's own launchers and the system's programs",
      data: { test: test.id, command: describeCommand(test.run), log: run.paths.log },
    },
  );
}

/** `{prefix}` in the patterns becomes the real prefix, quoted: only now is it known. */
function expectationAt(expect: PlannedTest["expect"], prefix: string): PlannedTest["expect"] {
  const fill = (pattern: string | null): string | null =>
    pattern === null ? null : fillPrefixInPattern(pattern, prefix);
  return { ...expect, stdout: fill(expect.stdout), stderr: fill(expect.stderr), output: fill(expect.output) };
}

/** What a test saw against what it expects, pure but for the clock of the pattern limit. */
export function compare(test: Pick<PlannedTest, "expect">, observed: Observed): Mismatch[] {
  const found: Mismatch[] = [];
  if (observed.exit !== test.expect.exit) {
    const actual = observed.signal === null ? String(observed.exit) : observed.signal;
    found.push({ what: "exit", expected: String(test.expect.exit), actual });
  }
  const texts = { stdout: observed.stdout, stderr: observed.stderr, output: observed.stdout + observed.stderr };
  for (const what of ["stdout", "stderr", "output"] as const) {
    const pattern = test.expect[what];
    if (pattern === null) continue;
    const outcome = matchPattern(pattern, texts[what]);
    if (outcome === "match") continue;
    const mismatch = { what, expected: `/${escapeUntrusted(pattern)}/`, actual: shown(texts[what]) };
    if (outcome === "too-slow") found.push({ ...mismatch, note: "the pattern takes too long on this output" });
    else if (outcome === "invalid") found.push({ ...mismatch, note: "the pattern is no regular expression" });
    else found.push(mismatch);
  }
  return found;
}

/** Output as it may be shown: clean lines, cut. */
function shown(text: string): string {
  const cut = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
  return cut.replace(/\n$/u, "").split("\n").map(cleanLine).join("\n");
}

function testError(run: TestRun, test: PlannedTest, observed: Observed, mismatches: readonly Mismatch[]): IpmError {
  const title = describeCommand(test.run);
  const lines = [`test ${test.id} failed: ${title}`];
  for (const { what, expected, actual, note } of mismatches) {
    lines.push(`  ${what} expected  ${expected}${note === undefined ? "" : `  (${note})`}`);
    const [first, ...rest] = actual === "" ? ["(nothing)"] : actual.split("\n");
    lines.push(`  ${what} was       ${first}`, ...rest.map((line) => `${" ".repeat(what.length + 13)}${line}`));
  }
  const stderr = shown(observed.stderr);
  if (stderr !== "" && !mismatches.some(({ what }) => what === "stderr" || what === "output")) {
    lines.push(
      ...stderr
        .split("\n")
        .slice(-5)
        .map((line) => `  stderr: ${line}`),
    );
  }
  return new IpmError("TEST_FAILED", lines.join("\n"), {
    hint: `read ${run.paths.log}`,
    data: {
      test: test.id,
      command: title,
      mismatches,
      exitCode: observed.exit,
      signal: observed.signal,
      stdout: shown(observed.stdout),
      stderr,
      log: run.paths.log,
    },
  });
}
