import type { CommandSpec } from "../command.ts";

export const shellenvCommand: CommandSpec = {
  name: "shellenv",
  operands: "[SHELL]",
  group: "Set up",
  summary: "shell lines that put the tools on PATH",
  examples: [
    [`eval "$(ipm shellenv bash)"`, "in this shell; also zsh and sh"],
    ["ipm shellenv fish | source", "in fish"],
  ],
  about: ["`ipm setup` does it for good. Evaluating the lines again changes nothing."],
  json: "{shell, script}",
  completes: "shells",
  run: async (session, invocation) => {
    const { shellenv } = await import("../../usecases/shellenv.ts");
    const { parseShell } = await import("../../usecases/shell.ts");
    const wanted = invocation.operands[0];
    const context = await session.openContext({ writes: false });
    const result = shellenv(context, wanted === undefined ? null : parseShell(wanted));
    // For `eval`: never coloured, never wrapped.
    return { result, render: () => result.script.trimEnd().split("\n") };
  },
};
