import { escapeUntrusted } from "../../core/untrusted-text.ts";
import type { CommandSpec } from "../command.ts";

export const whichCommandSpec: CommandSpec = {
  name: "which",
  operands: "COMMAND",
  group: "Look",
  summary: "which tool a command belongs to, and where it is",
  examples: [["ipm which lstm-demo", "the file behind the command, and its tool"]],
  json: "{command, tool, version, launcher, target}; in a workspace launcher is null, and run says how it is started",
  completes: "commands",
  run: async (session, invocation) => {
    const { whichCommand } = await import("../../usecases/which.ts");
    const result = await whichCommand(await session.openContext({ writes: false }), invocation.operand);
    return {
      result,
      // The path comes first and alone on its line: `$(ipm which x | head -1)`.
      render: (theme) => [
        escapeUntrusted(result.target),
        theme.faint(
          `${escapeUntrusted(result.tool)} ${escapeUntrusted(result.version)}, ${
            result.launcher === null
              ? `a workspace: ${escapeUntrusted(result.run ?? "")}`
              : `on PATH as ${escapeUntrusted(result.launcher)}`
          }`,
        ),
      ],
    };
  },
};
