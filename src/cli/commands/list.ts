import type { CommandSpec } from "../command.ts";

export const listCommand: CommandSpec = {
  name: "list",
  operands: "",
  group: "Look",
  summary: "the tools and workspaces that are installed",
  examples: [
    ["ipm list", "name, version, how it was installed, who vouches for it, its commands"],
    ["ipm list --sizes", "and the space that each takes"],
    ["ipm list --json", "the same for a program"],
  ],
  options: [{ flags: "--sizes", says: "measure what each tool takes on the disk" }],
  json: "[{name, version, method, trust, bins, held, entry, registry, installed}], a workspace has entry null and workspace: {folder, state}; withdrawn says why, where a version was; with --sizes also bytes",
  run: async (session, invocation) => {
    const { listTools, listToolSizes } = await import("../../usecases/list.ts");
    const { listWithWarnings } = await import("../../usecases/withdrawn.ts");
    const { renderToolList } = await import("../render/tool-list.ts");
    const context = await session.openContext({ writes: false });
    const tools = invocation.has("sizes") ? await listToolSizes(context) : await listTools(context);
    const result = await listWithWarnings(context, tools);
    return { result, render: (theme) => renderToolList(result, theme, session.streams.stdout.isTerminal) };
  },
};
