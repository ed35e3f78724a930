import type { CommandSpec } from "../command.ts";

export const searchCommand: CommandSpec = {
  name: "search",
  alias: "s",
  operands: "WORDS...",
  group: "Look",
  summary: "find tools by name, summary and keywords",
  examples: [["ipm search neural network", "entries with all the words, best first"]],
  json: "{hits: [{name, registry, version, summary}]}",
  run: async (session, invocation) => {
    const { searchTools } = await import("../../usecases/search.ts");
    const { renderSearch } = await import("../render/search.ts");
    const result = await searchTools(await session.openContext({ writes: false }), invocation.operands);
    return {
      result,
      render: (theme) => renderSearch(result.hits, invocation.operands, theme, session.streams.stdout.isTerminal),
    };
  },
};
