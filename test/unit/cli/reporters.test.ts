import { describe, expect, test } from "vitest";
import type { IpmEvent } from "../../../src/core/events.ts";
import { createJsonReporter } from "../../../src/cli/reporters/json.ts";
import { createNdjsonReporter } from "../../../src/cli/reporters/ndjson.ts";
import { createPlainReporter } from "../../../src/cli/reporters/plain.ts";
import type { Reporter } from "../../../src/cli/reporters/reporter.ts";
import { createTtyReporter } from "../../../src/cli/reporters/tty.ts";
import { displayWidth } from "../../../src/cli/render/display-width.ts";
import { fakeOutput } from "../../helpers/fake-streams.ts";
import { samplePlan } from "../../helpers/sample-plan.ts";

const tool = "ripcat@2.1.0";
const STORY: readonly IpmEvent[] = [
  { type: "run.started", v: 1, command: "install" },
  { type: "phase.started", tool, phase: "fetch", detail: "https://example.org/ripcat.git" },
  { type: "phase.finished", tool, phase: "fetch", ms: 412, detail: "a".repeat(40) },
  { type: "plan.ready", tool, digest: "d".repeat(64), plan: samplePlan() },
  { type: "lock.waiting", lock: "switch", holder: "pid 12 (ipm gc, for 3 s)" },
  { type: "phase.started", tool, phase: "steps" },
  { type: "step.started", tool, id: "1", title: "cargo build", index: 0, total: 2 },
  { type: "step.output", tool, id: "1", stream: "stdout", line: "Compiling ripcat" },
  { type: "step.finished", tool, id: "1", title: "cargo build", outcome: "done", ms: 65_000 },
  { type: "step.started", tool, id: "2", title: "make completions", index: 1, total: 2 },
  { type: "step.finished", tool, id: "2", title: "make completions", outcome: "skipped", ms: 5 },
  { type: "test.started", tool, id: "1", title: "rc --version", index: 0, total: 1 },
  { type: "test.finished", tool, id: "1", title: "rc --version", outcome: "failed", ms: 20 },
  { type: "state.repaired", what: "removed the unfinished build of x" },
  { type: "warning", code: "NO_SANDBOX", message: "no sandbox here", hint: "install bubblewrap" },
  { type: "generation.switched", from: 1, to: 2 },
];

function tell(reporter: Reporter, events: readonly IpmEvent[]): void {
  for (const event of events) reporter.emit(event);
  reporter.stop();
}

function ttyText(
  events: readonly IpmEvent[],
  options: { columns?: number; unicode?: boolean; color?: boolean; verbose?: boolean; asks?: boolean } = {},
): string {
  const output = fakeOutput(options.columns ?? 80);
  const reporter = createTtyReporter(output, {
    color: options.color ?? false,
    unicode: options.unicode ?? true,
    verbose: options.verbose ?? false,
    asksAboutUnverified: options.asks ?? false,
    width: () => options.columns ?? 80,
    now: () => 0,
  });
  tell(reporter, events);
  return output.text();
}

describe("plain", () => {
  test("tells every event that says something new on one line", () => {
    const output = fakeOutput();
    tell(createPlainReporter(output, false), STORY);
    expect(output.text().split("\n")).toEqual([
      "ripcat@2.1.0: fetch: https://example.org/ripcat.git",
      `ripcat@2.1.0: fetch done in 0.4s: ${"a".repeat(40)}`,
      `ripcat@2.1.0: plan dddddddddddd: method cargo, commit ${"1".repeat(40)}, 2 steps, 1 test, reviewed (embedded registry)`,
      "waiting for pid 12 (ipm gc, for 3 s) (lock switch)",
      "ripcat@2.1.0: step 1/2: cargo build",
      "ripcat@2.1.0: step done in 1m 05s: cargo build",
      "ripcat@2.1.0: step 2/2: make completions",
      "ripcat@2.1.0: step skipped in 0.0s: make completions",
      "ripcat@2.1.0: test 1/1: rc --version",
      "ripcat@2.1.0: test failed in 0.0s: rc --version",
      "repaired: removed the unfinished build of x",
      "warning[NO_SANDBOX]: no sandbox here (install bubblewrap)",
      "generation 2 is current, was 1",
      "",
    ]);
  });

  test("tells output lines only with --verbose", () => {
    const output = fakeOutput();
    tell(createPlainReporter(output, true), STORY);
    expect(output.text()).toContain("ripcat@2.1.0: | Compiling ripcat\n");
  });

  test("never writes an escape sequence, a carriage return or a second line, even if an event holds one", () => {
    const output = fakeOutput();
    tell(createPlainReporter(output, true), [
      { type: "step.output", tool, id: "1", stream: "stdout", line: "50%\r\u001b[2K100%\nwarning[ROOT]: forged\u202e" },
    ]);
    expect(output.text()).toBe(String.raw`ripcat@2.1.0: | 50%\x0d\x1b[2K100%\x0awarning[ROOT]: forged\u202e` + "\n");
  });
});

describe("tty", () => {
  test("keeps a line with its time for what is done", () => {
    expect(ttyText(STORY).split("\n")).toEqual([
      "✔ fetched ripcat@2.1.0  aaaaaaaaaaaa  0.4s",
      "ripcat 2.1.0 111111111111",
      "  ✔ reviewed (embedded registry)",
      "  method cargo · 2 steps · 1 test · plan dddddddddddd",
      "  ! there is no lock: what npm installs is not pinned",
      "  ! rc comes before /usr/bin/rc on PATH",
      "! waiting for pid 12 (ipm gc, for 3 s)",
      "✔ cargo build  1m 05s",
      "– make completions  skipped",
      "✖ test rc --version  0.0s",
      "! repaired: removed the unfinished build of x",
      "! no sandbox here",
      "  install bubblewrap",
      "",
    ]);
  });

  test("leaves out the plan that a question will show whole", () => {
    const trust = { level: "unverified", detail: "unverified" } as const;
    const events: IpmEvent[] = [{ type: "plan.ready", tool, digest: "d".repeat(64), plan: samplePlan({ trust }) }];
    expect(ttyText(events, { asks: true })).toBe("");
    expect(ttyText(events)).toContain("! unverified");
  });

  test("shows output lines and the whole plan with --verbose", () => {
    const text = ttyText(STORY, { verbose: true });
    expect(text).toContain("  | Compiling ripcat\n");
    expect(text).toContain("Steps\n");
  });

  test("has only ASCII of its own where the locale knows no more, and no colour where none is wanted", () => {
    const text = ttyText(STORY, { unicode: false });
    expect(text).toMatch(/^[\x20-\x7e\n]*$/u);
    expect(text).toContain("+ cargo build  1m 05s\n- make completions  skipped\nx test rc --version  0.0s\n");
  });

  test("says which tool a line is about when there are several", () => {
    const other = "cowsay@1.0.0";
    const text = ttyText([
      { type: "plan.ready", tool, digest: "d".repeat(64), plan: samplePlan() },
      { type: "plan.ready", tool: other, digest: "e".repeat(64), plan: samplePlan() },
      { type: "step.finished", tool: other, id: "1", title: "npm ci", outcome: "done", ms: 100 },
    ]);
    expect(text).toContain("✔ cowsay@1.0.0: npm ci  0.1s");
  });

  test.each([20, 40, 80])("keeps kept lines within %i columns", (columns) => {
    const title = "compile ".repeat(40);
    const text = ttyText([{ type: "step.finished", tool, id: "1", title, outcome: "done", ms: 100 }], { columns });
    for (const line of text.split("\n")) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
  });

  test("hostile titles and output reach the terminal as visible text only", () => {
    const hostile = "\u001b]0;owned\u0007\r\u202etxt";
    const text = ttyText(
      [
        { type: "step.started", tool: hostile, id: "1", title: hostile, index: 0, total: 1 },
        { type: "step.output", tool: hostile, id: "1", stream: "stderr", line: hostile },
        { type: "step.finished", tool: hostile, id: "1", title: hostile, outcome: "failed", ms: 1 },
        { type: "warning", code: "X", message: hostile, hint: hostile },
      ],
      { verbose: true },
    );
    // oxlint-disable-next-line no-control-regex -- exactly what must not be there
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/u);
  });

  test("draws nothing after it was stopped", () => {
    const output = fakeOutput(80);
    const reporter = createTtyReporter(output, {
      color: false,
      unicode: true,
      verbose: false,
      asksAboutUnverified: false,
      width: () => 80,
      now: () => 0,
    });
    reporter.stop();
    for (const event of STORY) reporter.emit(event);
    expect(output.text()).toBe("");
  });
});

test("ndjson: one event a line, control characters as JSON escapes", () => {
  const output = fakeOutput();
  const hostile: IpmEvent = { type: "step.output", tool, id: "1", stream: "stdout", line: "\u009b2J\u202e" };
  tell(createNdjsonReporter(output), [...STORY, hostile]);
  const lines = output.text().trimEnd().split("\n");
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual([...STORY, hostile]);
  expect(output.text()).toContain(String.raw`\u009b2J\u202e`);
});

describe("json", () => {
  test("is one document, and only at the end", () => {
    const output = fakeOutput();
    const reporter = createJsonReporter(output);
    for (const event of STORY) reporter.emit(event);
    expect(output.text()).toBe("");
    reporter.emit({ type: "run.finished", ok: true, result: [1] });
    expect(JSON.parse(output.text())).toEqual({ ok: true, result: [1] });
  });

  test("has all four members of an error, also when there is no hint", () => {
    const output = fakeOutput();
    createJsonReporter(output).emit({ type: "run.finished", ok: false, error: { code: "LOCKED", message: "busy" } });
    expect(JSON.parse(output.text())).toEqual({
      ok: false,
      error: { code: "LOCKED", message: "busy", hint: null, data: {} },
    });
  });
});
