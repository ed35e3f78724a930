import { IpmError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import type { CommandSpec, Invocation } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { plainInvocation } from "./plain-invocation.ts";
import { unknownOption } from "./unknown-option.ts";

/** A command line that names a command, or asks for help about one or about everything. */
export type Parsed =
  | { readonly kind: "command"; readonly spec: CommandSpec; readonly invocation: Invocation }
  | { readonly kind: "help"; readonly specs: readonly CommandSpec[]; readonly about: HelpSubject };

export type HelpSubject = "everything" | "group" | "command";

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

/**
 * Find out what a command line without its global flags means.
 * @throws IpmError USAGE
 */
export async function parseCommandLine(rest: readonly string[], wantsHelp: boolean): Promise<Parsed> {
  const isHelpCommand = rest[0] === "help";
  const words = isHelpCommand ? rest.slice(1) : rest;
  if (words.length === 0) return { kind: "help", specs: COMMANDS, about: "everything" };
  if (words[0]?.startsWith("-") === true) throw unknownOption(words[0], undefined);
  const spec = findSpecs(words);
  if (!("run" in spec)) return { kind: "help", specs: spec, about: "group" };
  if (isHelpCommand || wantsHelp) return { kind: "help", specs: [spec], about: "command" };
  const plain = plainInvocation(spec, words);
  if (plain !== undefined) return { kind: "command", spec, invocation: plain };
  const { parseWithCommander } = await import("./commander-program.ts");
  return { kind: "command", ...parseWithCommander(spec, words) };
}
