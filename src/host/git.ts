import { randomBytes } from "node:crypto";
import { setMaxListeners } from "node:events";
import { accessSync, constants, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { IpmError, isIpmError } from "../core/errors.ts";
import type { Git, GitRequest, GitResult, Os } from "../core/host.ts";
import { isRecord } from "../core/is-record.ts";
import { type TreeProcess, findProcessTree, signalProcesses } from "./process-tree.ts";

export interface GitOptions {
  readonly os: Os;
  /** The caller's PATH: a place to find git, ssh and credential helpers, never relative or ipm's own folders. */
  readonly searchPath: string;
  /** ipm's data folder: nothing below it is ever taken for git. */
  readonly ownFolder: string;
  /** Folders that are searched first. Default: the system's. */
  readonly systemFolders?: readonly string[];
  /** A file of ipm's cache that keeps the version of the git that was found, so that not every run has to ask for it. */
  readonly memory?: string;
}

interface FoundGit {
  readonly program: string;
  readonly version: string;
}

interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

const OLDEST = [2, 39] as const;
const DEFAULT_MAX_OUTPUT = 64 * 1024 * 1024;
const MAX_STDERR = 16 * 1024 * 1024;
// A git that was told to end and does not (a child in uninterruptible sleep) must not hold up ipm.
const PATIENCE_AFTER_STOP_MS = 5_000;
const SYSTEM_FOLDERS: Readonly<Record<Os, readonly string[]>> = {
  linux: ["/usr/bin", "/bin", "/usr/local/bin"],
  // /usr/bin/git asks to install the developer tools where they are missing, so it comes last.
  macos: ["/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin"],
};

/** Absolute folders to look for programs in, system folders first: a package could plant a `git` in ipm's own. */
export function programFolders({ os, searchPath, ownFolder, systemFolders }: GitOptions): string[] {
  const own = searchPath
    .split(":")
    .filter((folder) => path.isAbsolute(folder) && !`${path.normalize(folder)}/`.startsWith(`${ownFolder}/`));
  return [...new Set([...(systemFolders ?? SYSTEM_FOLDERS[os]), ...own])];
}

/** `git version 2.39.5 (Apple Git-154)` -> `2.39.5`; undefined for any other text. */
export function parseGitVersion(text: string): string | undefined {
  return /^git version (\d+\.\d+(?:\.\d+)?)/u.exec(text)?.[1];
}

/** True for a git that is not open to the attacks that were mended up to 2.39. */
export function isUsableGit(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What tells one state of a program's file from another. */
function fingerprintOf(program: string): string {
  const { dev, ino, size, mtimeMs, ctimeMs } = statSync(program);
  return [program, dev, ino, size, mtimeMs, ctimeMs].join(" ");
}

/** The version that a program had when it was asked, if it is the same file still. */
function recallVersion(memory: string, program: string): string | undefined {
  try {
    const known: unknown = JSON.parse(readFileSync(memory, "utf8"));
    if (!isRecord(known) || known["file"] !== fingerprintOf(program)) return undefined;
    return typeof known["version"] === "string" ? known["version"] : undefined;
  } catch {
    return undefined;
  }
}

function rememberVersion(memory: string, program: string, version: string): void {
  try {
    mkdirSync(path.dirname(memory), { recursive: true });
    writeFileSync(memory, JSON.stringify({ file: fingerprintOf(program), version }));
  } catch {
    // A cache that cannot be written to is no reason to fail.
  }
}

/** Everything git sees of the environment. */
function environmentOf(request: GitRequest, folders: readonly string[]): Record<string, string> {
  return {
    PATH: folders.join(":"),
    LC_ALL: "C",
    HOME: "/dev/null",
    ...request.env,
    GIT_CONFIG_GLOBAL: request.configFile,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_REPLACE_OBJECTS: "1",
    // Without a repository of its own a call must not discover one around the folder it is made in.
    GIT_CEILING_DIRECTORIES: path.dirname(request.cwd),
    ...(request.gitDir === undefined ? {} : { GIT_DIR: request.gitDir }),
    ...(request.workTree === undefined ? {} : { GIT_WORK_TREE: request.workTree }),
    ...(request.indexFile === undefined ? {} : { GIT_INDEX_FILE: request.indexFile }),
    ...(request.objects === undefined ? {} : { GIT_OBJECT_DIRECTORY: request.objects }),
    ...(request.alternateObjects === undefined ? {} : { GIT_ALTERNATE_OBJECT_DIRECTORIES: request.alternateObjects }),
  };
}

const ALLOWED_ENVIRONMENT = [
  "GIT_CONFIG_GLOBAL",
  "GIT_CONFIG_NOSYSTEM",
  "GIT_ATTR_NOSYSTEM",
  "GIT_TERMINAL_PROMPT",
  "GIT_OPTIONAL_LOCKS",
  "GIT_NO_REPLACE_OBJECTS",
  "GIT_CEILING_DIRECTORIES",
  "GIT_DIR",
  "GIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_OBJECT_DIRECTORY",
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_SSL_CAINFO",
];

/** The calls that are under way, by the names that their processes are found by. */
const live = new Set<string>();

function endAll(): void {
  for (const marker of live) signalProcesses(findProcessTree(marker), "SIGKILL");
}

/** Wait for a call, but not for ever once it has been told to end. */
async function untilEnded<T>(call: Promise<T>, stop: AbortSignal): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const given = new Promise<undefined>((resolve) => {
    stop.addEventListener("abort", () => {
      timer = setTimeout(() => resolve(undefined), PATIENCE_AFTER_STOP_MS);
    });
  });
  try {
    return await Promise.race([call, given]);
  } finally {
    clearTimeout(timer);
  }
}

/** Run one git to its end through simple-git, whose guards against dangerous options stay on. */
async function callGit(program: string, folders: readonly string[], request: GitRequest): Promise<GitResult> {
  // Loaded late: most commands never call git, and the library costs as much as the start of Node.
  const { simpleGit, GitPluginError } = await import("simple-git");
  const control = new AbortController();
  // A setting that git does not know: the name by which this call's process is found.
  const marker = `ipm.call=${randomBytes(8).toString("hex")}`;
  let helpers: readonly TreeProcess[] = [];
  const end = (): void => {
    // simple-git interrupts git alone; its helpers (git-remote-https, ssh, index-pack) would go on.
    helpers = findProcessTree(marker);
    signalProcesses(helpers.slice(1), "SIGTERM");
    control.abort();
  };
  let stopped: GitResult["stopped"] = null;
  const stop = (why: GitResult["stopped"]): void => {
    if (control.signal.aborted) return;
    stopped = why;
    end();
  };
  if (request.signal !== undefined) {
    // One listener a call, all taken away again: as many as there are calls at once, not a leak.
    setMaxListeners(0, request.signal);
    request.signal.addEventListener("abort", end);
  }
  if (live.size === 0) process.on("exit", endAll);
  live.add(marker);
  if (request.signal?.aborted === true) control.abort();
  const timer = setTimeout(() => stop("timeout"), request.timeoutMs);
  let outcome: Outcome | undefined;
  let received = 0;
  let reported = 0;
  const git = simpleGit({
    baseDir: request.cwd,
    binary: program,
    abort: control.signal,
    allowEnvironment: ALLOWED_ENVIRONMENT,
    // The configuration file is ipm's own; the program was found by ipm, whatever characters its folder has.
    unsafe: { allowUnsafeConfigPaths: true, allowUnsafeCustomBinary: true },
    input: () => (typeof request.stdin === "string" ? request.stdin : request.stdin && Buffer.from(request.stdin)),
    errors: (error, result) => {
      outcome = {
        exitCode: result.exitCode,
        stdout: Buffer.concat(result.stdOut),
        stderr: Buffer.concat(result.stdErr).toString("utf8"),
      };
      // A non-zero exit is a result here; a guard that refused the call is not.
      return error instanceof GitPluginError && !control.signal.aborted ? error : undefined;
    },
  })
    .env(environmentOf(request, folders))
    .outputHandler((_command, stdout, stderr) => {
      request.onStarted?.();
      stdout.on("data", (chunk: Buffer) => {
        received += chunk.length;
        if (received > (request.maxOutput ?? DEFAULT_MAX_OUTPUT)) stop("output");
      });
      stderr.on("data", (chunk: Buffer) => {
        reported += chunk.length;
        if (reported > MAX_STDERR) stop("output");
        if (request.onStderr?.(chunk.toString("utf8")) === true) stop("asked");
      });
    });
  try {
    await untilEnded(git.raw("-c", marker, ...request.args), control.signal);
  } finally {
    clearTimeout(timer);
    signalProcesses(helpers, "SIGKILL");
    request.signal?.removeEventListener("abort", end);
    live.delete(marker);
    if (live.size === 0) process.removeListener("exit", endAll);
  }
  // Ctrl-C reaches git as well as ipm, and git's end may be seen before the signal is.
  if (outcome?.exitCode !== 0) await setImmediate();
  if (request.signal?.aborted === true) {
    const reason: unknown = request.signal.reason;
    throw isIpmError(reason) ? reason : new IpmError("INTERRUPTED", "interrupted while git was running");
  }
  return { ...(outcome ?? { exitCode: null, stdout: new Uint8Array(), stderr: "" }), stopped };
}

/** The git of this machine behind the `Git` port: found and checked once, at the first call. */
export function createGit(options: GitOptions): Git {
  const folders = programFolders(options);
  let found: Promise<FoundGit> | undefined;

  async function versionOf(program: string): Promise<string | undefined> {
    const { memory } = options;
    const known = memory === undefined ? undefined : recallVersion(memory, program);
    if (known !== undefined) return known;
    const request = { args: ["version"], cwd: "/", configFile: "/dev/null", timeoutMs: 10_000 };
    const { stdout } = await callGit(program, folders, request);
    const version = parseGitVersion(Buffer.from(stdout).toString("utf8"));
    if (memory !== undefined && version !== undefined && isUsableGit(version))
      rememberVersion(memory, program, version);
    return version;
  }

  async function find(): Promise<FoundGit> {
    let older: FoundGit | undefined;
    for (const folder of folders) {
      const program = path.join(folder, "git");
      if (!isProgram(program)) continue;
      const version = await versionOf(program);
      if (version === undefined) continue;
      if (isUsableGit(version)) return { program, version };
      older ??= { program, version };
    }
    const what = older === undefined ? "git is not installed" : `${older.program} is git ${older.version}`;
    throw new IpmError("GIT_UNUSABLE", `${what}; ipm needs git ${OLDEST.join(".")} or newer`, {
      hint: options.os === "macos" ? "xcode-select --install" : "install git with the system's package manager",
      data: older === undefined ? {} : { path: older.program, version: older.version },
    });
  }

  const usable = (): Promise<FoundGit> => (found ??= find());
  return {
    version: async () => (await usable()).version,
    run: async (request) => callGit((await usable()).program, folders, request),
    prepare: async () => {
      await import("simple-git");
    },
  };
}
