import type { StepSource, TestSource } from "../schema.ts";
import { type ShellCommand, programOf, shellCommands } from "../shell-commands.ts";
import type { Path } from "../validate.ts";
import type { LintSubject } from "./rule.ts";

/** A step with the place where it is written. */
export interface PlacedStep {
  readonly path: Path;
  readonly step: StepSource;
}

/** Every step of every method. */
export function stepsOf(subject: LintSubject): readonly PlacedStep[] {
  const shared = (subject.steps ?? []).map((step, index) => ({ path: ["steps", index], step }));
  const own = (subject.methods ?? []).flatMap((method, at) =>
    method.steps.map((step, index) => ({ path: ["methods", at, "steps", index], step })),
  );
  return [...shared, ...own];
}

/** A test with the place where it is written. */
export interface PlacedTest {
  readonly path: Path;
  readonly test: TestSource;
}

/** Every test, the shared ones first. */
export function testsOf(subject: LintSubject): readonly PlacedTest[] {
  const shared = (subject.tests ?? []).map((test, index) => ({ path: ["tests", index], test }));
  const own = (subject.methods ?? []).flatMap((method, at) =>
    (method.tests ?? []).map((test, index) => ({ path: ["methods", at, "tests", index], test })),
  );
  return [...shared, ...own];
}

/** The names of all commands that the manifest provides. */
export function launchersOf(subject: LintSubject): readonly { readonly path: Path; readonly name: string }[] {
  const named = (bin: LintSubject["bin"], path: Path): { path: Path; name: string }[] => {
    if (bin === undefined) return [];
    return Array.isArray(bin)
      ? bin.map((name, index) => ({ path: [...path, index], name }))
      : Object.keys(bin).map((name) => ({ path: [...path, name], name }));
  };
  return [
    ...named(subject.bin, ["bin"]),
    ...(subject.methods ?? []).flatMap((method, at) => named(method.provides?.bin, ["methods", at, "provides", "bin"])),
  ];
}

/** The commands that a `run` starts, also those of `sh -c TEXT`. */
export function commandsOf(run: string | readonly string[]): readonly ShellCommand[] {
  if (typeof run === "string") return shellCommands(run);
  const [program, ...args] = run;
  if (program === undefined) return [];
  const command: ShellCommand = { words: [program, ...args], assignments: [], ending: "", redirects: [] };
  const isShell = /^(?:ba|da|z|k)?sh$/u.test(programOf(command));
  const at = args.findIndex((word) => /^-[a-z]*c$/u.test(word));
  const text = isShell && at !== -1 ? args[at + 1] : undefined;
  return text === undefined ? [command] : shellCommands(text);
}

/** A command of a step with the place of its `run`. */
export interface PlacedCommand extends PlacedStep {
  readonly command: ShellCommand;
  /** All commands of the same `run`, and where this one stands among them. */
  readonly all: readonly ShellCommand[];
  readonly index: number;
}

/** Every command of every step's `run`. */
export function stepCommands(subject: LintSubject): readonly PlacedCommand[] {
  return stepsOf(subject).flatMap(({ path, step }) => {
    if (step.run === undefined) return [];
    const all = commandsOf(step.run);
    return all.map((command, index) => ({ path: [...path, "run"], step, command, all, index }));
  });
}
