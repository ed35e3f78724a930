import { IpmError } from "../core/errors.ts";
import type { Host, ProcessResult } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { INSIDE_ID, type SystemMount, bubblewrapArguments } from "./bubblewrap-arguments.ts";
import { diagnose, missingReport, setuidReport } from "./bubblewrap-state.ts";
import type { SandboxFacts } from "./bubblewrap-state.ts";
import { hiddenOutput } from "./hide-secrets.ts";
import { openNetwork } from "./open-network.ts";
import type { Grants, Sandbox, SandboxReport, SandboxedRun } from "./sandbox.ts";
import { seccompFilter } from "./seccomp-filter.ts";
import { accountFiles, findSystemMounts } from "./system-mounts.ts";

/** System folders only: a package could plant a bwrap in any other place of PATH. */
const PROGRAMS = ["/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap", "/run/current-system/sw/bin/bwrap"];
const PROBE_TIMEOUT_MS = 20_000;
const KEPT_STDERR = 4096;
/** How long what runs inside may take to die, and how often it is looked at. */
const END_MS = 10_000;
const POLL_MS = 2;
/** The first two descriptors after the standard ones: bubblewrap's options, and its report. */
const ARGS_FD = "3";
const STATUS_FD = "4";
const STATUS_PIPE = 1;

/** Then the contents of files that exist only inside. */
const FIRST_DATA_FD = 5;

type Outside = Pick<Host, "files" | "processes" | "facts" | "homes">;

const PRLIMIT = "/usr/bin/prlimit";
/** Processes and threads of one step: a build has hundreds, a fork bomb has no end. */
const MAX_PROCESSES = 4096;

/**
 * Words before a command that limit what it can use up: the number of processes (the kernel counts them for each user
 * namespace, and not for root) and no core dumps. Empty where there is no prlimit or a lower limit is set already.
 */
async function limitWords(host: Outside): Promise<string[]> {
  if (host.facts.uid === 0 || (await host.files.facts(PRLIMIT)) === undefined) return [];
  const limits = await host.files.readText("/proc/self/limits").catch(() => undefined);
  const hard = /^Max processes\s+\S+\s+(\S+)/mu.exec(limits ?? "")?.[1];
  if (hard === undefined || (hard !== "unlimited" && Number(hard) <= MAX_PROCESSES)) return [];
  return [PRLIMIT, `--nproc=${MAX_PROCESSES}`, "--core=0", "--"];
}

/** A command, and what is shown to it besides its grants. */
interface Command {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly grants: Grants;
  readonly shown?: { readonly from: string; readonly at: string };
  readonly data?: readonly { readonly at: string; readonly content: string | Uint8Array }[];
}

async function findProgram(host: Outside): Promise<{ path: string; setuid: boolean } | undefined> {
  for (const program of PROGRAMS) {
    const real = await host.files.realPath(program);
    if (real === undefined) continue;
    const facts = await host.files.facts(real);
    if (facts?.kind === "file") return { path: real, setuid: (facts.mode & 0o6000) !== 0 };
  }
  return undefined;
}

async function readNumber(host: Outside, file: string): Promise<number | null> {
  const text = (await host.files.readText(file).catch(() => undefined))?.trim();
  return text !== undefined && /^[0-9]+$/u.test(text) ? Number(text) : null;
}

async function readFacts(host: Outside): Promise<SandboxFacts> {
  const marks = await Promise.all(
    ["/.dockerenv", "/run/.containerenv"].map((mark) => host.files.facts(mark).catch(() => undefined)),
  );
  return {
    distribution: host.facts.distribution.id,
    inContainer: marks.some((mark) => mark !== undefined) || host.facts.env["container"] !== undefined,
    appArmorRestricts: (await readNumber(host, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns")) === 1,
    maxUserNamespaces: await readNumber(host, "/proc/sys/user/max_user_namespaces"),
  };
}

/** True when bubblewrap reported that the command ran and ended; without that record the sandbox never started it. */
function hasEnded(status: string): boolean {
  return /"exit-code"\s*:/u.test(status);
}

/**
 * Wait until process 1 of the sandbox is gone: bubblewrap itself ends as soon as the command does, and the kernel kills
 * what else runs inside a little later. A zombie counts as gone: it becomes one only after all the others.
 * @throws IpmError SANDBOX_FAILED when it does not go
 */
async function waitForEnd(host: Outside, status: string): Promise<void> {
  const pid = /"child-pid"\s*:\s*([0-9]+)/u.exec(status)?.[1];
  if (pid === undefined) return;
  const until = performance.now() + END_MS;
  for (;;) {
    // The process may go while it is read: that is ESRCH, not "no such file".
    const stat = await host.files.readText(`/proc/${pid}/stat`).catch(() => undefined);
    if (stat === undefined || /\) [ZX] /u.test(stat)) return;
    if (performance.now() > until) {
      throw new IpmError("SANDBOX_FAILED", `processes of a step could not be ended (process ${pid})`, {
        hint: `kill -KILL ${pid}`,
        data: { pid: Number(pid) },
      });
    }
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
}

/**
 * A sandbox over bubblewrap. Its own environment is empty, because process 1 inside is bubblewrap itself and every step
 * can read /proc/1/environ; the options come through a pipe, because arguments can be seen by every user.
 */
export function createBubblewrap(host: Outside): Sandbox {
  let system: Promise<SystemMount[]> | undefined;
  let limits: Promise<string[]> | undefined;
  let report: Promise<SandboxReport> | undefined;

  const start = async (
    program: string,
    command: Command,
    more: Pick<SandboxedRun, "stdin" | "onOutput" | "signal"> & { readonly timeoutMs: number },
  ): Promise<{ result: ProcessResult; ran: boolean; stderr: string }> => {
    system ??= findSystemMounts(host.files);
    limits ??= limitWords(host);
    const data = [...accountFiles(INSIDE_ID, command.env["HOME"] ?? "/nonexistent"), ...(command.data ?? [])];
    const mounts = await system;
    // bubblewrap closes a descriptor once it has read it.
    const empty = mounts.filter(({ kind }) => kind === "empty").map(() => "");
    const filter = seccompFilter(host.facts.platform.arch);
    const args = bubblewrapArguments(
      {
        ...command,
        data: data.map(({ at }, index) => ({ at, descriptor: FIRST_DATA_FD + index })),
        empty: FIRST_DATA_FD + data.length,
        ...(filter === undefined ? {} : { seccomp: FIRST_DATA_FD + data.length + empty.length }),
      },
      { system: mounts },
    );
    let said = "";
    let status = "";
    const { onOutput } = more;
    try {
      const result = await host.processes.run({
        argv: [program, "--args", ARGS_FD, "--json-status-fd", STATUS_FD, "--", ...(await limits), ...command.argv],
        cwd: "/",
        env: {},
        timeoutMs: more.timeoutMs,
        signal: more.signal,
        pipes: [
          args.map((argument) => `${argument}\0`).join(""),
          null,
          ...data.map(({ content }) => content),
          ...empty,
          ...(filter === undefined ? [] : [filter]),
        ],
        onPipe: (index, chunk) => {
          if (index === STATUS_PIPE) status += Buffer.from(chunk).toString();
        },
        ...(more.stdin === undefined ? {} : { stdin: more.stdin }),
        ...(onOutput === undefined
          ? {}
          : {
              onOutput: (stream, chunk) => {
                if (stream === "stderr" && said.length < KEPT_STDERR) {
                  said += Buffer.from(chunk).toString().slice(0, KEPT_STDERR);
                }
                onOutput(stream, chunk);
              },
            }),
      });
      if (onOutput === undefined) said = Buffer.from(result.stderr).toString();
      return { result, ran: hasEnded(status), stderr: said };
    } finally {
      await waitForEnd(host, status);
    }
  };

  const probe = async (): Promise<SandboxReport> => {
    const facts = await readFacts(host);
    const program = await findProgram(host);
    if (program === undefined) return missingReport(facts);
    if (program.setuid) return setuidReport(program.path);
    const { result, ran, stderr } = await start(
      program.path,
      { argv: ["/bin/true"], grants: { writable: [], readable: [], network: [] }, cwd: "/", env: {} },
      { timeoutMs: PROBE_TIMEOUT_MS, signal: new AbortController().signal },
    );
    if (ran && result.exitCode === 0) return { state: "ok", cause: "", fix: null };
    return diagnose(stderr, facts);
  };

  return {
    kind: "bubblewrap",
    probe: () => (report ??= probe()),
    run: async (step) => {
      const program = await findProgram(host);
      if (program === undefined || program.setuid) {
        throw new IpmError("SANDBOX_FAILED", "bubblewrap is gone or has become setuid", { hint: "ipm doctor" });
      }
      const network = step.grants.network.length === 0 ? undefined : await openNetwork(host, step);
      const hidden = hiddenOutput(step, network?.secrets ?? []);
      let outcome: Awaited<ReturnType<typeof start>>;
      try {
        outcome = await start(program.path, network?.command ?? step, { ...step, ...hidden });
      } finally {
        hidden?.end();
        await network?.close();
      }
      const { result, ran, stderr } = outcome;
      if (!ran && !result.timedOut) {
        throw new IpmError(
          "SANDBOX_FAILED",
          `the sandbox did not start: ${escapeUntrusted(stderr.trim().slice(0, 500)) || "bubblewrap gave no reason"}`,
          { hint: "ipm doctor", data: { exitCode: result.exitCode, signal: result.signal } },
        );
      }
      return result;
    },
  };
}
