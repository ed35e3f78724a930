import { type CommandSpec, Invocation } from "./command.ts";

/** How many operands a command takes, from how help shows them. */
function operandCount({ operands }: CommandSpec): { readonly least: number; readonly most: number } {
  const parts = operands.split(" ").filter((part) => part !== "");
  return {
    least: parts.filter((part) => !part.startsWith("[")).length,
    most: operands.includes("...") ? Number.POSITIVE_INFINITY : parts.length,
  };
}

/**
 * A command line without flags, as most are: nothing in it that a parser would be needed for.
 * @returns undefined when there is a flag, or too few or too many operands: commander tells what is wrong
 */
export function plainInvocation(spec: CommandSpec, words: readonly string[]): Invocation | undefined {
  const operands = words.slice(spec.name.split(" ").length);
  const { least, most } = operandCount(spec);
  if (operands.length < least || operands.length > most) return undefined;
  return operands.some((word) => word.startsWith("-")) ? undefined : new Invocation(spec.name, operands);
}
