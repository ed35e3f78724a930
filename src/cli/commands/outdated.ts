import type { CommandSpec } from "../command.ts";

export const outdatedCommand: CommandSpec = {
  name: "outdated",
  operands: "",
  group: "Look",
  summary: "installed tools that have a newer version",
  examples: [
    ["ipm outdated", "what `ipm upgrade` would move"],
    ["ipm outdated --offline", "without asking the servers of tools from a repository's branch"],
  ],
  json: "{tools: [{name, version, latest, held, registry, withdrawn}]}",
  run: async (session) => {
    const { outdated } = await import("../../usecases/outdated.ts");
    const { renderOutdated } = await import("../render/outdated.ts");
    const result = await outdated(await session.openContext({ writes: false }), { offline: session.globals.offline });
    return { result, render: (theme) => renderOutdated(result.tools, theme) };
  },
};
