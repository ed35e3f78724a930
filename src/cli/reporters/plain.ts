import type { IpmEvent, Phase } from "../../core/events.ts";
import { escapeUntrusted } from "../../core/untrusted-text.ts";
import { type Plan, isPackage } from "../../plan/plan.ts";
import { isPlan } from "../is-plan.ts";
import { count, formatDuration } from "../render/format.ts";
import type { Output } from "../streams.ts";
import type { Reporter } from "./reporter.ts";

// Phases that take time by themselves; the others are told by what happens in them.
const TOLD: ReadonlySet<Phase> = new Set(["fetch", "seal"]);

function pinOf({ what: { source } }: Plan): string {
  return isPackage(source) ? `integrity ${escapeUntrusted(source.integrity)}` : `commit ${source.commit}`;
}

/** One line of text for an event, or undefined where an event says nothing new to somebody who reads a log. */
export function plainLine(event: IpmEvent, verbose: boolean): string | undefined {
  const detail = (text: string | undefined): string => (text === undefined || text === "" ? "" : `: ${text}`);
  switch (event.type) {
    case "phase.started":
      return TOLD.has(event.phase) ? `${event.tool}: ${event.phase}${detail(event.detail)}` : undefined;
    case "phase.finished":
      return TOLD.has(event.phase)
        ? `${event.tool}: ${event.phase} done in ${formatDuration(event.ms)}${detail(event.detail)}`
        : undefined;
    case "plan.ready":
      return isPlan(event.plan)
        ? `${event.tool}: plan ${event.digest.slice(0, 12)}: method ${event.plan.method.id}, ${pinOf(event.plan)}, ${count(event.plan.what.steps.length, "step")}, ${count(event.plan.what.tests.length, "test")}, ${event.plan.trust.detail}`
        : `${event.tool}: plan ${event.digest.slice(0, 12)}`;
    case "fetch.progress":
      return verbose ? `${event.tool}: ${event.text}` : undefined;
    case "step.started":
    case "test.started":
      return `${event.tool}: ${event.type === "step.started" ? "step" : "test"} ${event.index + 1}/${event.total}: ${event.title}`;
    case "step.finished":
    case "test.finished":
      return `${event.tool}: ${event.type === "step.finished" ? "step" : "test"} ${event.outcome} in ${formatDuration(event.ms)}: ${event.title}`;
    case "step.output":
    case "test.output":
      return verbose ? `${event.tool}: | ${event.line}` : undefined;
    case "lock.waiting":
      return `waiting for ${event.holder} (lock ${event.lock})`;
    case "state.repaired":
      return `repaired: ${event.what}`;
    case "generation.switched":
      return `generation ${event.to} is current${event.from === null ? "" : `, was ${event.from}`}`;
    case "warning":
      return `warning[${event.code}]: ${event.message}${event.hint === undefined ? "" : ` (${event.hint})`}`;
    case "program.started":
    case "run.started":
    case "run.finished":
      break;
  }
  return undefined;
}

/** For pipes and CI: one line an event on stderr, no colour, no carriage return, nothing that moves. */
export function createPlainReporter(stderr: Output, verbose: boolean): Reporter {
  return {
    emit: (event) => {
      const line = plainLine(event, verbose);
      // Output lines keep their tabs; everything else that could break the one-line rule is made visible.
      if (line !== undefined) stderr.write(`${escapeUntrusted(line)}\n`);
    },
    pause: () => undefined,
    resume: () => undefined,
    stop: () => undefined,
  };
}
