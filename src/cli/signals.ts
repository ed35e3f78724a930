import { EXIT, IpmError, type ErrorCode } from "../core/errors.ts";

const SIGNALS = {
  SIGINT: { code: "INTERRUPTED", exit: EXIT.interrupted, says: "interrupted (Ctrl-C)" },
  SIGTERM: { code: "TERMINATED", exit: EXIT.terminated, says: "terminated (SIGTERM)" },
  SIGHUP: { code: "HANGUP", exit: EXIT.hangup, says: "the terminal went away (SIGHUP)" },
} as const satisfies Record<string, { code: ErrorCode; exit: number; says: string }>;

type StopSignal = keyof typeof SIGNALS;

function isStopSignal(name: string): name is StopSignal {
  return name in SIGNALS;
}

export interface SignalWatch {
  /** Aborted by the first INT, TERM or HUP; its reason is the `IpmError` to end with. Made on first use. */
  readonly signal: AbortSignal;
  /** What to end with once a signal has come, else null. */
  readonly stopped: IpmError | null;
  /** Stop listening. */
  end(): void;
}

/**
 * Turn signals into one `AbortSignal`: the first unwinds the work, the second ends the process at once (a step that
 * ignores everything must not be stronger than the user).
 * @param onFirst told once, with what to say
 * @param onSecond the last thing before the process ends: leave the terminal as it was found
 */
export function watchSignals(onFirst: (says: string) => void, onSecond: () => void): SignalWatch {
  let controller: AbortController | undefined;
  let stopped: IpmError | null = null;
  const listener = (name: NodeJS.Signals): void => {
    if (!isStopSignal(name)) return;
    const { code, exit, says } = SIGNALS[name];
    if (stopped !== null) {
      onSecond();
      process.exit(exit);
    }
    stopped = new IpmError(code, says, { hint: "nothing half done stays behind; run the command again" });
    controller?.abort(stopped);
    onFirst(says);
  };
  for (const name of Object.keys(SIGNALS)) process.on(name, listener);
  return {
    get signal() {
      if (controller === undefined) {
        controller = new AbortController();
        if (stopped !== null) controller.abort(stopped);
      }
      return controller.signal;
    },
    get stopped() {
      return stopped;
    },
    end: () => {
      for (const name of Object.keys(SIGNALS)) process.off(name, listener);
    },
  };
}
