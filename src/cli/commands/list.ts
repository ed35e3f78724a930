import type { CommandSpec } from "../command.ts";

export const listCommand: CommandSpec = {
  name: "list",
  operands: "",
  group: "Look",
  summary: "the tools that are installed",
  examples: [
    ["ipm list", "name, version, how it was installed, who vouches for it, its commands"],
    ["ipm list --json", "the same for a program"],
  ],
  json: "[{name, version, method, trust, bins, held, entry, installed}]",
  run: async (session) => {
    const { listTools } = await import("../../usecases/list.ts");
    const { renderToolList } = await import("../render/tool-list.ts");
    const result = await listTools(await session.openContext({ writes: false }));
    return { result, render: (theme) => renderToolList(result, theme, session.streams.stdout.isTerminal) };
  },
};
