import type { CommandSpec } from "../command.ts";

export const historyCommand: CommandSpec = {
  name: "history",
  operands: "",
  group: "Go back and clean up",
  summary: "the generations, and what changed in each",
  examples: [["ipm history", "newest first; `ipm rollback N` goes back to one"]],
  json: "[{number, created, command, current, changes: [{name, from, to}], tools}]; number is null for a change of a workspace, which has its folder in workspace",
  run: async (session) => {
    const { history } = await import("../../usecases/history.ts");
    const { renderHistory } = await import("../render/history.ts");
    const result = await history(await session.openContext({ writes: false }));
    return { result, render: (theme) => renderHistory(result, theme) };
  },
};
