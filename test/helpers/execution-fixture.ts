import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { IpmEvent } from "../../src/core/events.ts";
import type { Host, Processes } from "../../src/core/host.ts";
import { isCommitSha, isPlanDigest, isToolName, isTreeSha } from "../../src/core/ids.ts";
import { readHostFacts } from "../../src/host/facts.ts";
import { createFiles } from "../../src/host/files.ts";
import { createProcesses } from "../../src/host/processes.ts";
import type { ExecutionPaths } from "../../src/execute/execution.ts";
import type { Plan, PlannedCopy, PlannedRun, PlannedTest, PlannedWork } from "../../src/plan/plan.ts";

/** Whom the sandbox is started as. As root both can be tried, else only oneself. */
export type Account = "self" | "nobody";
export const ACCOUNTS: readonly Account[] = process.getuid?.() === 0 ? ["self", "nobody"] : ["self"];
const NOBODY = 65534;

/** Real processes, started as another user: by setpriv, since nothing else keeps descriptors and environment as they are. */
function processesAs(account: Account): Processes {
  const processes = createProcesses();
  if (account === "self") return processes;
  const words = ["/usr/bin/setpriv", "--reuid", String(NOBODY), "--regid", String(NOBODY), "--clear-groups"] as const;
  return { ...processes, run: (request) => processes.run({ ...request, argv: [...words, ...request.argv] }) };
}

function noGit(): Promise<never> {
  return Promise.reject(new Error("nothing that runs steps needs git"));
}

export interface ExecutionFixture {
  /** A new folder, its path real. */
  readonly folder: string;
  readonly host: Host;
  readonly paths: ExecutionPaths;
  readonly events: IpmEvent[];
  readonly emit: (event: IpmEvent) => void;
  readonly abort: AbortController;
  log(): string;
  /** Files of the checkout: path to content, `!` before the content makes it executable. */
  checkout(files: Readonly<Record<string, string>>): void;
  /** Hand every file of the fixture to the account that runs the sandbox. */
  own(): void;
  remove(): void;
}

/** A temporary store entry and a host of real files and processes, with an environment that holds nothing of the caller. */
export function createExecutionFixture(account: Account = "self", parent = os.tmpdir()): ExecutionFixture {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(parent, "ipm-test-execute-")));
  fs.chmodSync(folder, 0o755);
  const entry = path.join(folder, "store/tool/1.0-0123456789ab");
  const paths: ExecutionPaths = {
    prefix: path.join(entry, "prefix"),
    source: path.join(entry, "source"),
    home: path.join(entry, "home"),
    tmp: path.join(entry, "tmp"),
    scratch: path.join(entry, "scratch"),
    log: path.join(folder, "log"),
  };
  for (const name of ["prefix", "source", "home", "tmp"] as const) fs.mkdirSync(paths[name], { recursive: true });
  const events: IpmEvent[] = [];
  const abort = new AbortController();
  const facts = readHostFacts();
  const callerHome = path.join(folder, "caller");
  fs.mkdirSync(callerHome);
  const host: Host = {
    facts: {
      ...facts,
      uid: account === "nobody" ? NOBODY : facts.uid,
      env: { HOME: callerHome, PATH: "/usr/bin:/bin" },
    },
    homes: { data: folder, cache: folder, config: folder },
    files: createFiles(),
    processes: processesAs(account),
    git: { run: noGit, version: noGit, prepare: noGit },
    download: () => Promise.reject(new Error("nothing is downloaded here")),
    retrieve: () => Promise.reject(new Error("nothing is fetched here")),
    canConnect: () => Promise.resolve(false),
    runningProcesses: () => [],
    now: () => new Date(0),
    monotonicMs: () => performance.now(),
    checkpoint: () => undefined,
    signal: abort.signal,
  };
  return {
    folder,
    host,
    paths,
    events,
    abort,
    emit: (event) => events.push(event),
    log: () => fs.readFileSync(paths.log, "utf8"),
    checkout: (files) => {
      for (const [name, content] of Object.entries(files)) {
        const file = path.join(paths.source, name);
        fs.mkdirSync(path.dirname(file), { recursive: true });
        const executable = content.startsWith("!");
        fs.writeFileSync(file, executable ? content.slice(1) : content);
        fs.chmodSync(file, executable ? 0o755 : 0o644);
      }
    },
    own: () => {
      if (account === "nobody") execFileSync("chown", ["-R", String(NOBODY), entry]);
    },
    remove: () => execFileSync("rm", ["-rf", folder]),
  };
}

/** A `run` step with defaults. */
export function runStep(run: PlannedRun["run"], more: Partial<PlannedRun> = {}): PlannedRun {
  const title = typeof run === "string" ? run : run.join(" ");
  const common = { kind: "run", id: "1", title, why: null, dir: null, env: {}, timeoutMs: 20_000 } as const;
  return { ...common, run, network: [], recipe: null, ...more };
}

/** A `copy` step with defaults. */
export function copyOf(from: string, to: string, more: Partial<PlannedCopy> = {}): PlannedCopy {
  return { kind: "copy", id: "1", title: `copy ${from}`, why: null, from, to, exclude: [], recipe: "copy", ...more };
}

/** A test that expects exit code 0, unless told otherwise. */
export function testOf(
  run: PlannedTest["run"],
  expect: Partial<PlannedTest["expect"]> = {},
  more: Partial<PlannedTest> = {},
): PlannedTest {
  const patterns = { exit: 0, stdout: null, stderr: null, output: null };
  return { id: "1", run, stdin: null, timeoutMs: 20_000, expect: { ...patterns, ...expect }, ...more };
}

function checked<T extends string>(text: string, is: (text: string) => text is T): T {
  if (!is(text)) throw new TypeError(`${text} is not what it should be`);
  return text;
}

/** A plan of these steps and tests, everything else as plain as it can be. */
export function planOf(work: Partial<PlannedWork>, requirements: Plan["requirements"] = []): Plan {
  return {
    schema: 1,
    digest: checked("0".repeat(64), isPlanDigest),
    what: {
      source: { commit: checked("0".repeat(40), isCommitSha), tree: checked("0".repeat(40), isTreeSha), path: null },
      steps: [],
      provides: { bin: {}, share: {}, completions: {} },
      tests: [],
      ...work,
    },
    tool: {
      name: checked("tool", isToolName),
      version: "1.0",
      summary: "A tool",
      license: "MIT",
      homepage: null,
      notes: null,
      deprecated: null,
      ref: null,
      prerelease: false,
      added: null,
    },
    method: { id: "steps", passedOver: [] },
    platform: { os: "linux", arch: "x64", libc: "glibc" },
    requirements,
    trust: { level: "unverified", detail: "unverified" },
    launchers: [],
    sourceBytes: null,
    notices: [],
    risks: [],
    dirty: false,
    start: null,
    origin: { registry: null, source: "test", target: "test", again: "test" },
  };
}
