import { spawn } from "node:child_process";
import { isatty } from "node:tty";
import type { AttachedRequest, ProcessResult } from "../core/host.ts";
import { translateIoError } from "./files.ts";

const PASSED_ON = ["SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGWINCH"] as const;
/** A terminal sends these to the whole process group: the program has got them already. */
const BY_THE_TERMINAL = new Set<string>(["SIGINT", "SIGQUIT", "SIGWINCH"]);

/** Take all listeners of a signal away. @returns puts them back */
function replaceListener(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): () => void {
  const before = process.listeners(signal);
  process.removeAllListeners(signal);
  process.on(signal, listener);
  return () => {
    process.off(signal, listener);
    for (const earlier of before) process.on(signal, earlier);
  };
}

/** See `Processes.attach`. */
export function attachProcess(request: AttachedRequest): Promise<Pick<ProcessResult, "exitCode" | "signal">> {
  const [program, ...args] = request.argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: request.cwd, env: { ...request.env }, stdio: "inherit" });
    const hasTerminal = isatty(0) || isatty(1) || isatty(2);
    const restore = PASSED_ON.map((signal) =>
      replaceListener(signal, (name) => {
        if (!hasTerminal || !BY_THE_TERMINAL.has(name)) child.kill(name);
      }),
    );
    const end = (settle: () => void): void => {
      for (const undo of restore) undo();
      settle();
    };
    child.once("spawn", () => request.onStarted?.());
    child.once("error", (error) => end(() => reject(translateIoError(error, "start", program))));
    child.once("exit", (exitCode, signal) => end(() => resolve({ exitCode, signal })));
  });
}
