import type { ErrorCode } from "./errors.ts";

/** Which part of an installation is under way; every reporter knows these words. */
export type Phase = "look-up" | "fetch" | "plan" | "prepare" | "steps" | "tests" | "seal" | "switch";

export type StepOutcome = "done" | "skipped" | "failed";

/**
 * Facts that the work states as they happen; reporters draw them. Plain JSON, past tense, `noun.verb`.
 * `tool` is `name@version`; times are milliseconds, sizes are bytes. Text from outside (output lines, titles)
 * is passed through `escapeUntrusted` by whoever emits it.
 */
export type IpmEvent =
  | { readonly type: "run.started"; readonly v: 1; readonly command: string }
  | { readonly type: "phase.started"; readonly tool: string; readonly phase: Phase; readonly detail?: string }
  | {
      readonly type: "phase.finished";
      readonly tool: string;
      readonly phase: Phase;
      readonly ms: number;
      readonly detail?: string;
    }
  | { readonly type: "plan.ready"; readonly tool: string; readonly digest: string; readonly plan: unknown }
  | { readonly type: "fetch.progress"; readonly tool: string; readonly url: string; readonly text: string }
  | {
      readonly type: "step.started";
      readonly tool: string;
      readonly id: string;
      readonly title: string;
      readonly index: number;
      readonly total: number;
    }
  | {
      readonly type: "step.output";
      readonly tool: string;
      readonly id: string;
      readonly stream: "stdout" | "stderr";
      readonly line: string;
    }
  | {
      readonly type: "step.finished";
      readonly tool: string;
      readonly id: string;
      readonly title: string;
      readonly outcome: StepOutcome;
      readonly ms: number;
    }
  | {
      readonly type: "test.started";
      readonly tool: string;
      readonly id: string;
      readonly title: string;
      readonly index: number;
      readonly total: number;
    }
  | {
      readonly type: "test.output";
      readonly tool: string;
      readonly id: string;
      readonly stream: "stdout" | "stderr";
      readonly line: string;
    }
  | {
      readonly type: "test.finished";
      readonly tool: string;
      readonly id: string;
      readonly title: string;
      readonly outcome: StepOutcome;
      readonly ms: number;
    }
  /** A program takes over the terminal: nothing may be drawn from here on. */
  | { readonly type: "program.started"; readonly tool: string; readonly command: string }
  | { readonly type: "lock.waiting"; readonly lock: string; readonly holder: string }
  | { readonly type: "state.repaired"; readonly what: string }
  | { readonly type: "generation.switched"; readonly from: number | null; readonly to: number }
  | { readonly type: "warning"; readonly code: string; readonly message: string; readonly hint?: string }
  | { readonly type: "run.finished"; readonly ok: true; readonly result: unknown }
  | {
      readonly type: "run.finished";
      readonly ok: false;
      readonly error: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly hint?: string;
        readonly data?: unknown;
      };
    };

/** Synchronous, so that no reporter ever has to catch up. */
export type Emit = (event: IpmEvent) => void;
