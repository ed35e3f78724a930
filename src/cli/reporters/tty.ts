import type { Ora } from "ora";
import type { IpmEvent, Phase, StepOutcome } from "../../core/events.ts";
import { escapeUntrusted } from "../../core/untrusted-text.ts";
import { isPlan } from "../is-plan.ts";
import { cutToWidth, displayWidth } from "../render/display-width.ts";
import { renderWarning } from "../render/error.ts";
import { formatDuration } from "../render/format.ts";
import { renderPlan, renderPlanBrief } from "../render/plan.ts";
import { createTheme } from "../render/theme.ts";
import type { Output } from "../streams.ts";
import type { Reporter } from "./reporter.ts";

export interface TtyOptions {
  readonly color: boolean;
  readonly unicode: boolean;
  readonly verbose: boolean;
  /** A question comes with the whole plan of what nobody vouches for, so the story leaves that plan out. */
  readonly asksAboutUnverified: boolean;
  /** Cells of a line now: a window can change its size. */
  readonly width: () => number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** What is under way: a phase, a step or a test. */
interface Task {
  readonly tool: string;
  readonly title: string;
  readonly since: number;
  readonly isPhase: boolean;
  lastLine: string;
}

// Shown while under way; steps and tests show their own titles instead of their phase's.
const PHASE_TITLES: Readonly<Partial<Record<Phase, string>>> = {
  "look-up": "looking up",
  fetch: "fetching",
  plan: "planning",
  prepare: "preparing",
  seal: "sealing",
  switch: "switching",
};
// Kept as a line of their own when done; the others pass in a blink and are told by what follows.
const KEPT_PHASES: Readonly<Partial<Record<Phase, string>>> = { fetch: "fetched", seal: "sealed" };
// Sealing is worth a line only where somebody had to wait for it.
const LONG_SEAL_MS = 1000;
const SHORT_COMMIT = 12;

const FRAME_MS = 80;
const UNICODE_FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const ASCII_FRAMES = ["-", "\\", "|", "/"];
const REFRESH_MS = 100;

/**
 * For people at a terminal, on stderr: what is done stays as a line with its time, what is under way is one moving line
 * with the elapsed time and the last line of its output, cut to the width.
 */
export function createTtyReporter(stderr: Output, options: TtyOptions): Reporter {
  const active = new Map<string, Task>();
  /** Those with a plan: with several, lines say which one they are about. */
  const tools = new Set<string>();
  const told = new Set<string>();
  let spinner: Ora | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isLoading = false;
  let isPaused = false;
  let isStopped = false;
  let hasTold = false;

  const theme = (): ReturnType<typeof createTheme> =>
    createTheme({ color: options.color, unicode: options.unicode, width: options.width() });

  const movingText = (): string => {
    const { faint, symbols } = theme();
    // The newest one: it is what the output belongs to.
    const task = [...active.values()].at(-1);
    if (task === undefined) return "";
    const tasks = new Set([...active.values()].map(({ tool }) => tool)).size;
    const others = tasks > 1 ? ` (+${tasks - 1})` : "";
    // Two cells for the spinner, one that stays free so that no terminal wraps.
    const room = options.width() - 3;
    const elapsed = `  ${formatDuration(options.now() - task.since)}`;
    const title = `${tools.size > 1 ? `${task.tool}: ` : ""}${task.title}${others}`;
    // Output gets what the title leaves, but never less than half of the line.
    const most = task.lastLine === "" ? room - displayWidth(elapsed) : Math.floor(room / 2);
    const head = cutToWidth(title, Math.max(1, most), symbols.ellipsis);
    const left = room - displayWidth(head) - displayWidth(elapsed);
    const output = left > 8 && task.lastLine !== "" ? `  ${cutToWidth(task.lastLine, left - 2, symbols.ellipsis)}` : "";
    return head + faint(elapsed + output);
  };

  const halt = (): void => {
    clearInterval(timer);
    timer = undefined;
    spinner?.stop();
  };

  // ora takes 20 ms to load: the work does not wait for it, and a command that ends before has no use for it.
  const loadSpinner = async (): Promise<void> => {
    const { default: ora } = await import("ora");
    spinner = ora({
      stream: stderr.stream(),
      isEnabled: true,
      // Raw mode would outlive a kill -9 of ipm, and Ctrl-C would no longer reach what shares the terminal.
      discardStdin: false,
      color: options.color ? "cyan" : false,
      spinner: { interval: FRAME_MS, frames: options.unicode ? UNICODE_FRAMES : ASCII_FRAMES },
    });
    spin();
  };

  const spin = (): void => {
    if (isPaused || isStopped || active.size === 0) {
      halt();
      return;
    }
    if (spinner === undefined) {
      if (!isLoading) void loadSpinner();
      isLoading = true;
      return;
    }
    spinner.text = movingText();
    if (spinner.isSpinning) return;
    spinner.start();
    const moving = spinner;
    timer = setInterval(() => {
      moving.text = movingText();
    }, REFRESH_MS);
    timer.unref();
  };

  /** Lines that stay, above the moving one. */
  const keep = (lines: readonly string[]): void => {
    hasTold = true;
    spinner?.clear();
    stderr.write(`${lines.join("\n")}\n`);
    if (spinner?.isSpinning === true) spinner.render();
  };

  const start = (key: string, tool: string, title: string): void => {
    active.set(key, {
      tool: escapeUntrusted(tool),
      title: escapeUntrusted(title),
      since: options.now(),
      isPhase: !/ (?:step|test) [^ ]*$/u.test(key),
      lastLine: "",
    });
    spin();
  };

  const done = (tool: string, title: string, outcome: StepOutcome, ms: number): void => {
    const { symbols, good, bad, faint, strong } = theme();
    const symbol =
      outcome === "done" ? good(symbols.done) : outcome === "failed" ? bad(symbols.failed) : faint(symbols.skipped);
    const tail = outcome === "skipped" ? "skipped" : formatDuration(ms);
    const prefix = tools.size > 1 && tool !== "" ? `${escapeUntrusted(tool)}: ` : "";
    const room = options.width() - displayWidth(symbols.done) - 1 - displayWidth(prefix) - 2 - displayWidth(tail);
    const text = cutToWidth(escapeUntrusted(title), Math.max(10, room), symbols.ellipsis);
    keep([`${symbol} ${faint(prefix)}${outcome === "failed" ? strong(text) : text}  ${faint(tail)}`]);
  };

  const finish = (key: string, show: (() => void) | undefined): void => {
    active.delete(key);
    if (active.size === 0) halt();
    show?.();
    spin();
  };

  /** A step or test says more than the phase that it is part of, or than one that was about a target as it was typed. */
  const endPhases = (tool: string): void => {
    for (const [key, task] of active) {
      if (task.isPhase && (task.tool === escapeUntrusted(tool) || !tools.has(task.tool))) active.delete(key);
    }
  };

  const emit = (event: IpmEvent): void => {
    if (isStopped) return;
    switch (event.type) {
      case "phase.started": {
        const title = PHASE_TITLES[event.phase];
        if (title !== undefined)
          start(
            `${event.tool} ${event.phase}`,
            event.tool,
            event.detail === undefined ? `${title} ${event.tool}` : `${title} ${event.detail}`,
          );
        break;
      }
      case "phase.finished": {
        const isBrief = event.phase === "seal" && event.ms < LONG_SEAL_MS;
        const kept = isBrief ? undefined : KEPT_PHASES[event.phase];
        const short = /^[0-9a-f]{40}$/u.test(event.detail ?? "") ? (event.detail ?? "").slice(0, SHORT_COMMIT) : "";
        // A version without a tag is made of the commit already.
        const commit = short === "" || event.tool.includes(short) ? "" : `  ${short}`;
        // Another method of the same tool takes the same commit once more.
        const line = `${kept ?? ""} ${event.tool}${commit}`;
        const isRepeated = told.has(line);
        told.add(line);
        const show = kept === undefined || isRepeated ? undefined : () => done("", line, "done", event.ms);
        finish(`${event.tool} ${event.phase}`, show);
        break;
      }
      case "plan.ready":
        tools.add(event.tool);
        if (!isPlan(event.plan) || (options.asksAboutUnverified && event.plan.trust.level === "unverified")) break;
        keep(options.verbose ? [...renderPlan(event.plan, theme()), ""] : renderPlanBrief(event.plan, theme()));
        break;
      case "fetch.progress": {
        const task = active.get(`${event.tool} fetch`);
        if (task !== undefined) task.lastLine = escapeUntrusted(event.text);
        break;
      }
      case "step.started":
        endPhases(event.tool);
        start(`${event.tool} step ${event.id}`, event.tool, event.title);
        break;
      case "test.started":
        endPhases(event.tool);
        start(`${event.tool} test ${event.id}`, event.tool, `test ${event.title}`);
        break;
      case "step.output":
      case "test.output": {
        const line = escapeUntrusted(event.line).replaceAll("\t", "  ").trim();
        const task = active.get(`${event.tool} step ${event.id}`) ?? active.get(`${event.tool} test ${event.id}`);
        if (task !== undefined && line !== "") task.lastLine = line;
        if (options.verbose) keep([`  ${theme().faint(`| ${escapeUntrusted(event.line)}`)}`]);
        break;
      }
      case "step.finished":
        finish(`${event.tool} step ${event.id}`, () => done(event.tool, event.title, event.outcome, event.ms));
        break;
      case "test.finished":
        finish(`${event.tool} test ${event.id}`, () =>
          done(event.tool, `test ${event.title}`, event.outcome, event.ms),
        );
        break;
      case "lock.waiting":
        keep(renderWarning(`waiting for ${event.holder}`, undefined, theme()));
        break;
      case "state.repaired":
        keep(renderWarning(`repaired: ${event.what}`, undefined, theme()));
        break;
      case "warning":
        keep(renderWarning(event.message, event.hint, theme()));
        break;
      case "run.finished":
        active.clear();
        halt();
        // Sets the answer, or the error, apart from the story.
        if (hasTold) stderr.write("\n");
        break;
      case "program.started":
        active.clear();
        halt();
        if (hasTold) stderr.write("\n");
        isStopped = true;
        break;
      case "generation.switched":
      case "run.started":
        break;
    }
  };

  return {
    emit,
    pause: () => {
      isPaused = true;
      halt();
    },
    resume: () => {
      isPaused = false;
      spin();
    },
    stop: () => {
      isStopped = true;
      active.clear();
      halt();
    },
  };
}
