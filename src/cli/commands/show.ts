import type { CommandSpec } from "../command.ts";

export const showCommand: CommandSpec = {
  name: "show",
  alias: "sh",
  operands: "NAME",
  group: "Look",
  summary: "what a registry says about a tool",
  examples: [
    ["ipm show lstm-demo", "versions, methods, what it needs, its commands"],
    ["ipm show demos:lstm-demo", "the entry of one registry"],
  ],
  json: "{name, registry, kind, summary, license, homepage, source, keywords, aliases, formerly, deprecated, versions: [{version, commit, added, prerelease, withdrawn}], methods: [{id, platforms, requires, steps}], bins, notes, start, elsewhere, trust, installed}",
  completes: "targets",
  run: async (session, invocation) => {
    const { showTool } = await import("../../usecases/show.ts");
    const { renderShow } = await import("../render/show.ts");
    const result = await showTool(await session.openContext({ writes: false }), invocation.operand);
    return { result, render: (theme) => renderShow(result, invocation.operand, theme) };
  },
};
