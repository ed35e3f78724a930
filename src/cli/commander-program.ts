import { Command, CommanderError } from "commander";
import { IpmError } from "../core/errors.ts";
import { type CommandSpec, Invocation } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { unknownOption } from "./unknown-option.ts";

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
 * Parse the words of a command with commander.
 * @param spec the command that the words are expected to name, for what is said of errors
 * @throws IpmError USAGE
 */
export function parseWithCommander(
  spec: CommandSpec,
  words: readonly string[],
): { readonly spec: CommandSpec; readonly invocation: Invocation } {
  let parsed: { readonly spec: CommandSpec; readonly invocation: Invocation } | undefined;
  const program = buildProgram((meant, invocation) => {
    parsed = { spec: meant, invocation };
  });
  try {
    program.parse([...words], { from: "user" });
  } catch (error) {
    throw error instanceof CommanderError ? translate(error, spec) : error;
  }
  if (parsed === undefined) throw new Error(`no action for ${spec.name}`);
  return parsed;
}
