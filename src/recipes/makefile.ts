import { hasFile } from "./listing.ts";
import type { SourceFile } from "./listing.ts";

/** A rule of a Makefile, of all places that name its target. */
export interface MakeRule {
  readonly prerequisites: readonly string[];
  /** The commands, one a line. */
  readonly commands: readonly string[];
  /** `file:line` of its first place. */
  readonly at: string;
}

/** What reading the assignments and rules of a Makefile says; conditions are not decided, both branches count. */
export interface Makefile {
  /** Variable to its last unexpanded value; of `?=` the first one counts. */
  readonly variables: ReadonlyMap<string, string>;
  readonly rules: ReadonlyMap<string, MakeRule>;
  /** The target of a plain `make`, or null. */
  readonly goal: string | null;
  /** All of it, comments removed. */
  readonly text: string;
}

/** The name that make reads, in its order of preference (GNU make manual, 3.2). */
export function makefileOf(files: readonly SourceFile[]): string | undefined {
  return ["GNUmakefile", "makefile", "Makefile"].find((name) => hasFile(files, name));
}

const MAX_PARTS = 20;
const PART = /^(?:(?:mk|make|build)\/)?[^/]+\.(?:mk|mak|inc)$/u;

/** The Makefile and the parts that it may include. */
export function makefileParts(files: readonly SourceFile[]): readonly string[] {
  const main = makefileOf(files);
  if (main === undefined) return [];
  const parts = files.map(({ path }) => path).filter((path) => PART.test(path));
  return [main, ...parts.slice(0, MAX_PARTS)];
}

const ASSIGNMENT = /^(?:(?:override|export|private)\s+)*([A-Za-z_][A-Za-z0-9_.-]*)\s*(\?|\+|:{1,3}|!)?=\s*(.*)$/u;
const RULE = /^([^\s:=#][^:=#]*?)\s*::?(?!=)([^=]*)$/u;
const REFERENCE = /\$(?:\(([A-Za-z_][A-Za-z0-9_.-]*)(?::[^)]*)?\)|\{([A-Za-z_][A-Za-z0-9_.-]*)(?::[^}]*)?\})/gu;

/** Names of the variables that a text refers to. */
export function referencesIn(text: string): readonly string[] {
  return [...text.matchAll(REFERENCE)].map((match) => match[1] ?? match[2] ?? "");
}

/**
 * Read Makefiles: assignments and rules, by their lines. No function is called and no condition is decided, which is
 * enough to see what an installation can be told.
 * @param texts the main file first, then those that it may include
 */
export function readMakefile(texts: readonly { readonly path: string; readonly text: string }[]): Makefile {
  const variables = new Map<string, string>();
  const rules = new Map<string, { prerequisites: string[]; commands: string[]; at: string }>();
  const kept: string[] = [];
  let goal: string | null = null;
  for (const { path, text } of texts) {
    let targets: string[] = [];
    let isDefine = false;
    let pending = "";
    for (const [index, raw] of text.split(/\r?\n/u).entries()) {
      // A variable's value or a command goes on behind a backslash.
      const whole = pending === "" ? raw : `${pending} ${raw.trim()}`;
      if (whole.endsWith("\\")) {
        pending = whole.slice(0, -1).trimEnd();
        continue;
      }
      pending = "";
      if (/^\s*define\b/u.test(whole)) isDefine = true;
      if (/^\s*endef\b/u.test(whole)) isDefine = false;
      if (isDefine) continue;
      // Before any rule a tab is nothing but space: assignments between `ifdef` and `else` often begin with one.
      if (whole.startsWith("\t") && targets.length > 0) {
        kept.push(whole);
        for (const target of targets) rules.get(target)?.commands.push(whole.trim());
        continue;
      }
      const line = whole.replace(/(^|\s)#.*$/u, "").trim();
      if (line === "") continue;
      kept.push(line);
      const assigned = ASSIGNMENT.exec(line);
      const name = assigned?.[1];
      if (name !== undefined) {
        const value = assigned?.[3] ?? "";
        const operator = assigned?.[2];
        if (operator === "+") variables.set(name, `${variables.get(name) ?? ""} ${value}`.trim());
        else if (operator !== "?" || !variables.has(name)) variables.set(name, value);
        if (name === ".DEFAULT_GOAL") goal = value;
        continue;
      }
      const rule = RULE.exec(line);
      if (rule?.[1] === undefined) continue;
      const [prerequisites = "", command] = (rule[2] ?? "").split(/;(.*)/su);
      targets = rule[1].split(/\s+/u).map((target) => expandVariables(target, variables));
      for (const target of targets.flatMap((item) => item.split(/\s+/u))) {
        const known = rules.get(target) ?? { prerequisites: [], commands: [], at: `${path}:${index + 1}` };
        known.prerequisites.push(
          ...prerequisites
            .trim()
            .split(/\s+/u)
            .filter((item) => item !== ""),
        );
        if (command !== undefined && command.trim() !== "") known.commands.push(command.trim());
        rules.set(target, known);
        const isGoal = !target.startsWith(".") && !target.includes("%") && !target.includes("$");
        if (goal === null && isGoal) goal = target;
      }
      targets = targets.flatMap((item) => item.split(/\s+/u));
    }
  }
  const defaultGoal = variables.get(".DEFAULT_GOAL");
  return { variables, rules, goal: defaultGoal ?? goal, text: kept.join("\n") };
}

/** Put in the values of variables, as deep as they go; what is not known or is a function stays. */
export function expandVariables(
  text: string,
  variables: ReadonlyMap<string, string>,
  given: Readonly<Record<string, string>> = {},
): string {
  let value = text;
  for (let depth = 0; depth < 10; depth++) {
    const next = value.replace(REFERENCE, (whole, round?: string, curly?: string) => {
      const name = round ?? curly ?? "";
      return Object.hasOwn(given, name) ? (given[name] ?? whole) : (variables.get(name) ?? whole);
    });
    // A value that holds itself would grow without an end.
    if (next === value || next.length > 10_000) return next.length > 10_000 ? text : next;
    value = next;
  }
  return value;
}

/** Targets that make links by its own rules: no command, and an object or source of the same name to begin with. */
export function implicitPrograms(makefile: Makefile, goals: readonly string[]): readonly string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  const visit = (name: string): void => {
    const rule = makefile.rules.get(name);
    if (rule === undefined || seen.has(name)) return;
    seen.add(name);
    const needs = rule.prerequisites.flatMap((one) => expandVariables(one, makefile.variables).split(/\s+/u));
    const begins = [".o", ".c", ".cc", ".cpp"].some((ending) => needs.includes(`${name}${ending}`));
    if (rule.commands.length === 0 && begins) found.push(name);
    for (const other of needs) visit(other);
  };
  for (const goal of goals) visit(goal);
  return found;
}

/** The commands of a target and of everything that it depends on. */
export function commandsOf(makefile: Makefile, target: string): readonly string[] {
  return ruleCommandsOf(makefile, [target]).map(({ command }) => command);
}

/** The commands of targets and of everything that they depend on, each with the target whose rule it is of. */
export function ruleCommandsOf(
  makefile: Makefile,
  targets: readonly string[],
): readonly { readonly target: string; readonly command: string }[] {
  const commands: { target: string; command: string }[] = [];
  const seen = new Set<string>();
  const visit = (name: string): void => {
    const rule = makefile.rules.get(name);
    if (rule === undefined || seen.has(name)) return;
    seen.add(name);
    for (const other of rule.prerequisites) {
      for (const one of expandVariables(other, makefile.variables).split(/\s+/u)) visit(one);
    }
    commands.push(...rule.commands.map((command) => ({ target: name, command })));
    // `@$(MAKE) install-bin`: a rule by way of another make.
    for (const command of rule.commands) {
      const called = /(?:\$[({]MAKE[)}]|\bmake)\s+(?!-C\b)(.*)$/u.exec(command)?.[1] ?? "";
      for (const word of called.split(/\s+/u)) if (/^[A-Za-z]/u.test(word)) visit(word);
    }
  };
  for (const target of targets) visit(target);
  return commands;
}
