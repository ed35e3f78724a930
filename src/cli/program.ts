import { Command, CommanderError } from "commander";
import { IpmError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { GLOBAL_FLAGS } from "./arguments.ts";
import { type CommandSpec, Invocation } from "./command.ts";
import { COMMANDS } from "./commands.ts";

/** A command line that names a command, or asks for help about one or about everything. */
export type Parsed =
  | { readonly kind: "command"; readonly spec: CommandSpec; readonly invocation: Invocation }
  | { readonly kind: "help"; readonly specs: readonly CommandSpec[]; readonly about: HelpSubject };

export type HelpSubject = "everything" | "group" | "command";

/** Commander's name for an operand of ours: `TARGET...` is `<target...>`, `[NAME]` stays optional. */
function operandOf(text: string): string {
  return text.startsWith("[") ? text.toLowerCase() : `<${text.toLowerCase()}>`;
}

/** The value placeholder of a flag as commander wants it: `--method ID` is `--method <id>`. */
function flagsOf(text: string): string {
  return text.replace(/ ([A-Z=-]+)$/u, (_, name: string) => ` <${name.toLowerCase()}>`);
}

function quiet(command: Command): Command {
  return command
    .exitOverride()
    .helpOption(false)
    .helpCommand(false)
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
}

function addCommand(
  parent: Command,
  name: string,
  spec: CommandSpec,
  onParsed: (invocation: Invocation) => void,
): void {
  const command = quiet(parent.command(name))
    .description(spec.summary)
    .allowExcessArguments(false)
    .showSuggestionAfterError(false);
  if (spec.alias !== undefined) command.alias(spec.alias);
  for (const operand of spec.operands.split(" ").filter((part) => part !== "")) command.argument(operandOf(operand));
  for (const option of spec.options ?? []) {
    const flags = flagsOf(option.flags);
    if (option.repeats !== true) command.option(flags, option.says);
    else command.option(flags, option.says, (value: string, before: readonly string[]) => [...before, value], []);
  }
  command.action(() => {
    onParsed(new Invocation(spec.name, command.args, command.opts()));
  });
}

/**
 * The commander tree of all commands.
 * @param onParsed is told which command was meant and with what
 */
export function buildProgram(onParsed: (spec: CommandSpec, invocation: Invocation) => void): Command {
  const program = quiet(new Command("ipm"));
  const groups = new Map<string, Command>();
  for (const spec of COMMANDS) {
    const [first = "", second] = spec.name.split(" ");
    if (second === undefined) {
      addCommand(program, first, spec, (invocation) => onParsed(spec, invocation));
      continue;
    }
    const group = groups.get(first) ?? quiet(program.command(first));
    groups.set(first, group);
    addCommand(group, second, spec, (invocation) => onParsed(spec, invocation));
  }
  return program;
}

function unknownCommand(word: string, candidates: readonly string[], group: string): IpmError {
  const near = nearest(word, candidates, 3);
  return new IpmError("USAGE", `there is no command ${JSON.stringify(`${group}${word}`)}`, {
    hint: near.length === 0 ? `ipm ${group}--help` : near.map((name) => `ipm ${group}${name}`).join(" or "),
    data: { nearest: near },
  });
}

/**
 * The command that the first words name, by name or alias, or the commands of a group that they do not choose from.
 * @throws IpmError USAGE with the nearest names
 */
function findSpecs(words: readonly string[]): CommandSpec | readonly CommandSpec[] {
  const [first = "", second] = words;
  const found = COMMANDS.find((spec) => spec.name === first || spec.alias === first);
  if (found !== undefined) return found;
  const group = COMMANDS.filter((spec) => spec.name.startsWith(`${first} `));
  if (group.length === 0) {
    const names = COMMANDS.flatMap((spec) => [
      spec.name.split(" ")[0] ?? "",
      ...(spec.alias === undefined ? [] : [spec.alias]),
    ]);
    throw unknownCommand(first, [...new Set(names)], "");
  }
  if (second === undefined || second.startsWith("-")) return group;
  const member = group.find((spec) => spec.name === `${first} ${second}`);
  if (member !== undefined) return member;
  const members = group.map((spec) => spec.name.slice(first.length + 1));
  throw unknownCommand(second, members, `${first} `);
}

function unknownOption(option: string, spec: CommandSpec | undefined): IpmError {
  const known = [...(spec?.options ?? []).map(({ flags }) => flags), ...GLOBAL_FLAGS.map(({ flags }) => flags)].flatMap(
    (flags) => {
      const long = /--[a-z-]+/u.exec(flags);
      return long === null ? [] : [long[0]];
    },
  );
  const name = option.split("=")[0] ?? option;
  const near = /^-[a-z]$/u.test(name) ? known.filter((flag) => flag.startsWith(`-${name}`)) : nearest(name, known, 2);
  const help = spec === undefined ? "ipm --help" : `ipm ${spec.name} --help`;
  const isForTool = spec?.name === "run";
  return new IpmError("USAGE", `${spec === undefined ? "ipm" : `ipm ${spec.name}`} has no flag ${name}`, {
    hint: isForTool
      ? `put -- before the tool's own arguments: ipm run TARGET -- ${name}`
      : near.length === 0
        ? help
        : `did you mean ${near.join(" or ")}? (${help})`,
    data: { nearest: near },
  });
}

/** Commander's complaint in our words. */
function translate(error: CommanderError, spec: CommandSpec): IpmError {
  const help = `ipm ${spec.name} --help`;
  const quoted = /'([^']*)'/u.exec(error.message)?.[1] ?? "";
  switch (error.code) {
    case "commander.unknownOption":
      return unknownOption(quoted, spec);
    case "commander.missingArgument":
      return new IpmError("USAGE", `ipm ${spec.name} wants ${spec.operands}`, { hint: spec.examples[0]?.[0] ?? help });
    case "commander.optionMissingArgument":
      return new IpmError(
        "USAGE",
        `${quoted.replace(/<.*>/u, (name) => name.slice(1, -1).toUpperCase())}: the value is missing`,
        { hint: help },
      );
    case "commander.excessArguments":
      return new IpmError(
        "USAGE",
        `ipm ${spec.name} takes ${spec.operands === "" ? "no arguments" : spec.operands}, and was given more`,
        { hint: help },
      );
    default:
      return new IpmError("USAGE", error.message.replace(/^error: /u, ""), { hint: help, cause: error });
  }
}

/**
 * Find out what a command line without its global flags means.
 * @throws IpmError USAGE
 */
export function parseCommandLine(rest: readonly string[], wantsHelp: boolean): Parsed {
  const isHelpCommand = rest[0] === "help";
  const words = isHelpCommand ? rest.slice(1) : rest;
  if (words.length === 0) return { kind: "help", specs: COMMANDS, about: "everything" };
  if (words[0]?.startsWith("-") === true) throw unknownOption(words[0], undefined);
  const spec = findSpecs(words);
  if (!("run" in spec)) return { kind: "help", specs: spec, about: "group" };
  if (isHelpCommand || wantsHelp) return { kind: "help", specs: [spec], about: "command" };

  let parsed: Parsed | undefined;
  const program = buildProgram((meant, invocation) => {
    parsed = { kind: "command", spec: meant, invocation };
  });
  try {
    program.parse([...words], { from: "user" });
  } catch (error) {
    throw error instanceof CommanderError ? translate(error, spec) : error;
  }
  if (parsed === undefined) throw new Error(`no action for ${spec.name}`);
  return parsed;
}
