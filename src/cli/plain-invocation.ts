import { type CommandSpec, Invocation, camelCase } from "./command.ts";

/** How many operands a command takes, from how help shows them. */
function operandCount({ operands }: CommandSpec): { readonly least: number; readonly most: number } {
  const parts = operands.split(" ").filter((part) => part !== "");
  return {
    least: parts.filter((part) => !part.startsWith("[")).length,
    most: operands.includes("...") ? Number.POSITIVE_INFINITY : parts.length,
  };
}

/** `--no-sandbox` as commander has it: the value `sandbox` is false. */
function switchValue(flag: string): [name: string, value: boolean] {
  const isNo = flag.startsWith("--no-");
  return [camelCase(flag.slice(isNo ? "--no-".length : "--".length)), !isNo];
}

/**
 * A command line of operands and switches (flags without a value, written in full), as most are: nothing in it that a
 * parser would be needed for.
 * @returns undefined for anything else, and for too few or too many operands: commander tells what is wrong
 */
export function plainInvocation(spec: CommandSpec, words: readonly string[]): Invocation | undefined {
  const operands: string[] = [];
  const values: Record<string, boolean> = {};
  for (const word of words.slice(spec.name.split(" ").length)) {
    if (!word.startsWith("-")) {
      operands.push(word);
      continue;
    }
    const isSwitch = /^--[a-z-]+$/u.test(word) && spec.options?.some(({ flags }) => flags === word) === true;
    if (!isSwitch) return undefined;
    const [name, value] = switchValue(word);
    values[name] = value;
  }
  const { least, most } = operandCount(spec);
  if (operands.length < least || operands.length > most) return undefined;
  return new Invocation(spec.name, operands, values);
}
