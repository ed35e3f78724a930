import { GLOBAL_FLAGS, REPORTERS } from "./arguments.ts";
import type { Answer, CommandSpec, Session } from "./command.ts";
import { COMMANDS } from "./commands.ts";

const SHELL_NAMES = ["bash", "zsh", "fish", "sh"];

function flagNames(flags: readonly { readonly flags: string }[]): string[] {
  return flags.flatMap(({ flags: text }) => /--[a-z-]+/u.exec(text)?.[0] ?? []);
}

function specOf(words: readonly string[]): { readonly spec: CommandSpec | undefined; readonly operands: number } {
  const bare = words.filter((word) => !word.startsWith("-"));
  const [first, second] = bare;
  if (first === undefined) return { spec: undefined, operands: 0 };
  const spec =
    COMMANDS.find((one) => one.name === first || one.alias === first) ??
    COMMANDS.find((one) => one.name === `${first} ${second}`);
  return { spec, operands: bare.length };
}

async function operandWords(spec: CommandSpec, current: string, session: Session): Promise<string[]> {
  if (spec.completes === undefined || spec.completes === "files") return [];
  if (spec.completes === "shells") return SHELL_NAMES;
  const context = await session.openContext({ writes: false });
  if (spec.completes === "targets") {
    if (current === "") return [];
    const { searchTools } = await import("../usecases/search.ts");
    return (await searchTools(context, [current])).hits.map((hit) => hit.name);
  }
  const { listTools } = await import("../usecases/list.ts");
  const tools = await listTools(context);
  return spec.completes === "installed" ? tools.map((tool) => tool.name) : tools.flatMap((tool) => tool.bins);
}

/** Candidates for the last word of a command line: commands, flags, names. What cannot be found out is no candidate. */
async function complete(words: readonly string[], session: Session): Promise<readonly string[]> {
  const current = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  if (before.includes("--")) return [];
  if (before.at(-1) === "--reporter") return REPORTERS.filter((name) => name.startsWith(current));
  const { spec, operands } = specOf(before);
  const candidates: string[] = [];
  if (current.startsWith("-")) candidates.push(...flagNames(spec?.options ?? []), ...flagNames(GLOBAL_FLAGS));
  else if (spec !== undefined) candidates.push(...(await operandWords(spec, current, session).catch(() => [])));
  else {
    const group = before.find((word) => !word.startsWith("-"));
    if (group === undefined) candidates.push(...COMMANDS.map((one) => one.name.split(" ")[0] ?? ""));
    else if (operands === 1)
      candidates.push(
        ...COMMANDS.filter((one) => one.name.startsWith(`${group} `)).map((one) => one.name.slice(group.length + 1)),
      );
  }
  return [...new Set(candidates)].filter((word) => word.startsWith(current)).toSorted();
}

/** What the completion scripts call: `ipm __complete -- WORDS…`, the last word being the one under the cursor. */
export const completeCommand: CommandSpec = {
  name: "__complete",
  operands: "WORDS...",
  group: "Set up",
  summary: "candidates for a shell",
  examples: [],
  json: "[word]",
  run: async (session, invocation): Promise<Answer> => {
    const result = await complete(invocation.operands, session);
    return { result, render: () => result };
  },
};
