import { escapeUntrustedLines } from "../../core/untrusted-text.ts";
import type { CommandSpec } from "../command.ts";

export const logsCommand: CommandSpec = {
  name: "logs",
  operands: "NAME",
  group: "Look",
  summary: "the log of a tool's last installation",
  examples: [["ipm logs lstm-demo", "every step with its output"]],
  json: "{name, path, text}",
  completes: "installed",
  run: async (session, invocation) => {
    const { readLog } = await import("../../usecases/logs.ts");
    const result = await readLog(await session.openContext({ writes: false }), invocation.operand);
    return { result, render: () => escapeUntrustedLines(result.text.trimEnd()).split("\n") };
  },
};
