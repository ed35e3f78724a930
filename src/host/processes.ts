import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import path from "node:path";
import { Duplex, type Readable } from "node:stream";
import { IpmError, errnoOf, isIpmError } from "../core/errors.ts";
import type { ProcessRequest, ProcessResult, Processes } from "../core/host.ts";
import { attachProcess } from "./attach-process.ts";
import { translateIoError } from "./files.ts";
import { type TreeProcess, findDescendants, signalProcesses } from "./process-tree.ts";

const MIB = 1024 * 1024;
const DEFAULT_MAX_OUTPUT = 16 * MIB;
const MAX_PIPE_BYTES = MIB;
/** From TERM to KILL. */
const GRACE_MS = 2000;
/** How long helpers of a program that has ended may take to end by themselves. */
const LINGER_MS = 500;
/** How long a pipe may stay open when everything that could be ended has been. */
const DRAIN_MS = 1000;
const POLL_MS = 20;
/** A caller that leaks a descriptor of a high number makes a long list of them. */
const FEW_DESCRIPTORS = 64;

const FD_FOLDER = "/proc/self/fd";
const CLOEXEC = 0o2000000;

/**
 * Descriptors from 3 up that this process was started with and that every child would get as well. Node opens its own
 * with close-on-exec, so the others are the caller's. Linux only: elsewhere the flag cannot be read.
 */
function findInheritableDescriptors(): number[] {
  let names: string[];
  try {
    names = fs.readdirSync(FD_FOLDER);
  } catch {
    return [];
  }
  return names.map(Number).filter((descriptor) => {
    if (descriptor < 3) return false;
    try {
      const flags = /^flags:\s*([0-7]+)$/mu.exec(fs.readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))?.[1];
      return flags !== undefined && (Number.parseInt(flags, 8) & CLOEXEC) === 0;
    } catch {
      return false;
    }
  });
}

/** True when a process that is not a zombie belongs to the group: an init that does not reap keeps zombies for ever. */
function hasLivingMember(group: number): boolean {
  let pids: string[];
  try {
    pids = fs.readdirSync("/proc").filter((name) => /^[0-9]+$/u.test(name));
  } catch {
    return true;
  }
  if (pids.length === 0) return true;
  return pids.some((pid) => {
    try {
      // "pid (name) state ppid pgrp …"; the name may hold anything, also parentheses.
      const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
      const [state, , pgrp] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(pgrp) === group && state !== "Z" && state !== "X";
    } catch {
      return false;
    }
  });
}

function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    // EPERM (macOS says so for zombies, Linux for a setuid child): there is something that cannot be signalled.
    return errnoOf(error) === "EPERM" && signal === 0;
  }
}

function isGroupAlive(group: number): boolean {
  return signalGroup(group, 0) && hasLivingMember(group);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Wait until the group is gone, at most `ms`; true when it is. */
async function waitForGroup(group: number, ms: number): Promise<boolean> {
  const until = performance.now() + ms;
  while (isGroupAlive(group)) {
    if (performance.now() >= until) return false;
    await delay(POLL_MS);
  }
  return true;
}

/**
 * What a group's leader has started, also what has left the group. bubblewrap's process 1 does so, and if bubblewrap is
 * ended before that one has asked to die with it, it goes on alone. Stopped meanwhile, so that nothing new is missed;
 * who signals the group next has to let it go on.
 */
function freezeTree(group: number): TreeProcess[] {
  signalGroup(group, "SIGSTOP");
  return findDescendants(group);
}

async function endGroup(group: number): Promise<void> {
  const tree = freezeTree(group);
  signalGroup(group, "SIGTERM");
  signalGroup(group, "SIGCONT");
  const isGone = await waitForGroup(group, GRACE_MS);
  if (!isGone) signalGroup(group, "SIGKILL");
  signalProcesses(tree, "SIGKILL");
  if (!isGone) await waitForGroup(group, GRACE_MS);
}

type Descriptor = number | "pipe" | "ignore";

/** Collects chunks up to a limit and says when it is passed. */
class Collector {
  readonly #chunks: Uint8Array[] = [];
  readonly #limit: number;
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False when the limit is passed; what is over it is not kept. */
  add(chunk: Uint8Array): boolean {
    this.#size += chunk.length;
    if (this.#size > this.#limit) return false;
    this.#chunks.push(chunk);
    return true;
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }
}

/** Resolves once a stream has ended, failed or been destroyed. */
function streamClosed(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) resolve();
    else stream.once("close", resolve);
  });
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal);
}

function abortError(signal: AbortSignal): IpmError {
  return isIpmError(signal.reason)
    ? signal.reason
    : new IpmError("INTERRUPTED", "interrupted", { cause: signal.reason, hint: "run the command again" });
}

/** Why a program could not be started; a missing working folder and a missing program are both ENOENT to the kernel. */
function startError(error: unknown, request: ProcessRequest): unknown {
  const errno = errnoOf(error);
  if (errno === "ENOENT" || errno === "ENOTDIR" || errno === "EACCES") {
    const cwd = fs.statSync(request.cwd, { throwIfNoEntry: false });
    if (cwd === undefined || !cwd.isDirectory()) return translateIoError(error, "enter", request.cwd);
  }
  return translateIoError(error, "start", request.argv[0]);
}

interface Started {
  readonly child: ChildProcess;
  /** Why it could not be started, when it has no pid. */
  readonly failed: Promise<unknown>;
}

type StartChild = (request: ProcessRequest, stdio: Descriptor[]) => Started;

/** Load execa, which takes 15 to 25 ms: only when something of a package is started. */
async function loadExeca(): Promise<StartChild> {
  const { execa } = await import("execa");
  return ({ argv: [program, ...args], cwd, env }, stdio) => {
    const child = execa(program, args, {
      cwd,
      env: { ...env },
      extendEnv: false,
      // oxlint-disable-next-line no-unsafe-type-assertion -- execa's types know numbers at 0 to 2 only; it takes them anywhere
      stdio: stdio as ["pipe", "pipe", "pipe"],
      detached: true,
      cleanup: false,
      buffer: false,
      reject: false,
      stripFinalNewline: false,
      encoding: "buffer",
      verbose: "none",
    });
    return { child, failed: child.then((result) => (result instanceof Error ? (result.cause ?? result) : result)) };
  };
}

/** The same without execa, whose own work grows with the square of the descriptors: at 250 it takes 50 ms. */
function startBySpawn({ argv: [program, ...args], cwd, env }: ProcessRequest, stdio: Descriptor[]): Started {
  const child = spawn(program, args, { cwd, env: { ...env }, stdio, detached: true });
  const failed = new Promise<unknown>((resolve) => {
    child.once("error", resolve);
  });
  return { child, failed };
}

/**
 * Real processes behind the `Processes` port. Output is taken from the raw streams: no line transforms and no buffering
 * beyond what is asked for. Whatever is still running when this process exits is killed.
 */
export function createProcesses(): Processes {
  const live = new Set<number>();
  let leaking: readonly number[] | undefined;
  let nullDescriptor: number | undefined;
  let loaded: Promise<StartChild> | undefined;
  const startByExeca = (): Promise<StartChild> => (loaded ??= loadExeca());

  const killAll = (): void => {
    for (const group of live) {
      const tree = freezeTree(group);
      signalGroup(group, "SIGKILL");
      signalProcesses(tree, "SIGKILL");
    }
  };

  /** What the child gets from descriptor 3 up: the listed ones, then pipes, and /dev/null over what would leak. */
  const furtherDescriptors = (request: ProcessRequest): Descriptor[] => {
    const further: Descriptor[] = [...(request.inheritFds ?? []), ...(request.pipes ?? []).map(() => "pipe" as const)];
    // A helper of ipm's own ends at once and keeps nothing open.
    if (request.helper === true) return further;
    leaking ??= findInheritableDescriptors();
    for (const descriptor of leaking) {
      const index = descriptor - 3;
      if (index < further.length) continue;
      // "ignore" leaves a descriptor from 3 up as it is, so it has to be covered by one of ours.
      nullDescriptor ??= fs.openSync("/dev/null", "r+");
      while (further.length < index) further.push("ignore");
      further[index] = nullDescriptor;
    }
    return further;
  };

  const run = async (request: ProcessRequest): Promise<ProcessResult> => {
    const [program] = request.argv;
    if (!path.isAbsolute(program)) throw new TypeError(`a program must be an absolute path, not ${program}`);
    throwIfAborted(request.signal);
    const stdio: Descriptor[] = [
      request.stdin === undefined ? "ignore" : "pipe",
      "pipe",
      "pipe",
      ...furtherDescriptors(request),
    ];
    const isPlain = request.helper === true || stdio.length > FEW_DESCRIPTORS;
    const startChild = isPlain ? startBySpawn : await startByExeca();
    const started = performance.now();
    const { child, failed } = startChild(request, stdio);
    const group = child.pid;
    if (group === undefined) throw startError(await failed, request);
    if (live.size === 0) process.on("exit", killAll);
    live.add(group);

    const limit = request.maxOutput ?? DEFAULT_MAX_OUTPUT;
    const collected = { stdout: new Collector(limit), stderr: new Collector(limit) };
    let failure: unknown;
    let stopping: Promise<void> | undefined;
    const stop = (): void => {
      stopping ??= endGroup(group);
    };

    const streams: Readable[] = [];
    for (const name of ["stdout", "stderr"] as const) {
      const stream = child[name];
      if (stream === null) throw new TypeError(`${name} is no pipe`);
      streams.push(stream);
      stream.on("error", () => stream.destroy());
      stream.on("data", (chunk: Uint8Array) => {
        if (failure !== undefined) return;
        try {
          if (request.onOutput !== undefined) request.onOutput(name, chunk);
          else if (!collected[name].add(chunk)) {
            failure ??= new IpmError("IO_FAILED", `${program} wrote more than ${limit} bytes to its ${name}`, {
              data: { path: program, limit },
            });
            stop();
          }
        } catch (error) {
          failure ??= error;
          stop();
        }
      });
    }
    const first = 3 + (request.inheritFds?.length ?? 0);
    const pipes = (request.pipes ?? []).map((content, index) => {
      const stream = child.stdio[first + index];
      if (!(stream instanceof Duplex)) throw new TypeError(`descriptor ${first + index} is no pipe`);
      const collector = new Collector(MAX_PIPE_BYTES);
      stream.on("error", () => stream.destroy());
      stream.on("data", (chunk: Uint8Array) => {
        if (request.onPipe === undefined) collector.add(chunk);
        else request.onPipe(index, chunk);
      });
      if (content === null) streams.push(stream);
      else stream.end(content);
      return { stream, collector };
    });
    if (request.stdin !== undefined) {
      // A child that does not read to the end closes the pipe: that is its right, not an error.
      child.stdin?.on("error", () => child.stdin?.destroy());
      child.stdin?.end(request.stdin);
    }

    let timedOut = false;
    const timer =
      request.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            stop();
          }, request.timeoutMs);
    request.signal?.addEventListener("abort", stop, { once: true });
    // It may have been aborted while the program was being started: that event is over.
    if (request.signal?.aborted === true) stop();

    try {
      const ended = await new Promise<{ code: number | null; signal: string | null }>((resolve) => {
        child.once("exit", (code, signal) => resolve({ code, signal }));
      });
      clearTimeout(timer);
      let leftBehind = false;
      if (stopping === undefined && !(await waitForGroup(group, LINGER_MS))) {
        leftBehind = true;
        stop();
      }
      await stopping;
      // What is left now has left the group; its output is not waited for.
      const giveUp = new AbortController();
      await Promise.race([
        Promise.all(streams.map(streamClosed)),
        new Promise<void>((resolve) => {
          const drain = setTimeout(resolve, DRAIN_MS);
          giveUp.signal.addEventListener("abort", () => clearTimeout(drain));
        }),
      ]);
      giveUp.abort();
      for (const stream of streams) stream.destroy();
      for (const pipe of pipes) pipe.stream.destroy();
      child.stdin?.destroy();
      throwIfAborted(request.signal);
      if (failure !== undefined) throw failure;
      return {
        exitCode: ended.code,
        signal: ended.signal,
        stdout: collected.stdout.bytes(),
        stderr: collected.stderr.bytes(),
        timedOut,
        ms: performance.now() - started,
        ...(pipes.length === 0 ? {} : { pipes: pipes.map(({ collector }) => collector.bytes()) }),
        ...(leftBehind ? { leftBehind } : {}),
      };
    } finally {
      clearTimeout(timer);
      request.signal?.removeEventListener("abort", stop);
      live.delete(group);
      if (live.size === 0) process.removeListener("exit", killAll);
    }
  };

  const prepare = async (): Promise<void> => {
    leaking ??= findInheritableDescriptors();
    await startByExeca();
  };

  return { run, prepare, attach: attachProcess };
}
