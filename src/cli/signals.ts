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
  /** Aborted by the first INT, TERM or HUP; its reason is the `IpmError` to end with. */
  readonly signal: AbortSignal;
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
  const controller = new AbortController();
  const listener = (name: NodeJS.Signals): void => {
    if (!isStopSignal(name)) return;
    const { code, exit, says } = SIGNALS[name];
    if (controller.signal.aborted) {
      onSecond();
      process.exit(exit);
    }
    controller.abort(new IpmError(code, says, { hint: "nothing half done stays behind; run the command again" }));
    onFirst(says);
  };
  for (const name of Object.keys(SIGNALS)) process.on(name, listener);
  return {
    signal: controller.signal,
    end: () => {
      for (const name of Object.keys(SIGNALS)) process.off(name, listener);
    },
  };
}
