import type { CommandSpec, Invocation } from "./command.ts";
import { installCommand } from "./commands/install.ts";
import { searchCommand } from "./commands/search.ts";
import { showCommand } from "./commands/show.ts";
import { whichCommandSpec } from "./commands/which.ts";
import { plainInvocation } from "./plain-invocation.ts";

const FREQUENT: readonly CommandSpec[] = [installCommand, searchCommand, showCommand, whichCommandSpec];

/**
 * The commands that are called most often, found without loading all the others.
 * @returns undefined for another command, a flag with a value, too few or too many operands
 */
export function findFrequentCommand(
  words: readonly string[],
): { readonly spec: CommandSpec; readonly invocation: Invocation } | undefined {
  const spec = FREQUENT.find(({ name, alias }) => words[0] === name || words[0] === alias);
  const invocation = spec === undefined ? undefined : plainInvocation(spec, words);
  return spec === undefined || invocation === undefined ? undefined : { spec, invocation };
}
