import { type ChildProcess, spawn } from "node:child_process";
import { isatty } from "node:tty";
import type { AttachedRequest, ProcessResult } from "../core/host.ts";
import { translateIoError } from "./files.ts";

const PASSED_ON = ["SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGWINCH"] as const;
/** A terminal sends these to the whole process group: the program has got them already. */
const BY_THE_TERMINAL = new Set<string>(["SIGINT", "SIGQUIT", "SIGWINCH"]);

/**
 * Listen to a signal in place of all others who do. There is a listener at every moment: without one a signal would be lost,
 * or would end this process.
 * @returns puts them back
 */
function replaceListeners(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): () => void {
  const before = process.listeners(signal);
  process.on(signal, listener);
  for (const earlier of before) process.off(signal, earlier);
  return () => {
    for (const earlier of before) process.on(signal, earlier);
    process.off(signal, listener);
  };
}

/** See `Processes.attach`. */
export function attachProcess(request: AttachedRequest): Promise<Pick<ProcessResult, "exitCode" | "signal">> {
  const [program, ...args] = request.argv;
  return new Promise((resolve, reject) => {
    const hasTerminal = isatty(0) || isatty(1) || isatty(2);
    let child: ChildProcess | undefined;
    // Before the program runs: it may be ready for a signal before `spawn` is back.
    const restore = PASSED_ON.map((signal) =>
      replaceListeners(signal, (name) => {
        if (!hasTerminal || !BY_THE_TERMINAL.has(name)) child?.kill(name);
      }),
    );
    const end = (settle: () => void): void => {
      for (const undo of restore) undo();
      settle();
    };
    try {
      child = spawn(program, args, { cwd: request.cwd, env: { ...request.env }, stdio: "inherit" });
    } catch (error) {
      end(() => reject(translateIoError(error, "start", program)));
      return;
    }
    child.once("spawn", () => request.onStarted?.());
    child.once("error", (error) => end(() => reject(translateIoError(error, "start", program))));
    child.once("exit", (exitCode, signal) => end(() => resolve({ exitCode, signal })));
  });
}
