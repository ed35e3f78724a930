import { constants } from "node:os";
import { IpmError } from "../../core/errors.ts";
import type { CommandSpec } from "../command.ts";
import { LOCK_TIMEOUT, PLAN_OPTIONS, readLockTimeout, readPlanOptions } from "./plan-options.ts";

/** The exit code of a shell for a process that a signal ended: 128 + its number. */
function exitCodeOf(signal: string): number {
  const numbers: Readonly<Record<string, number>> = constants.signals;
  return 128 + (numbers[signal] ?? 0);
}

export const runCommand: CommandSpec = {
  name: "run",
  alias: "x",
  operands: "TARGET [ARGS...]",
  group: "Install",
  summary: "run a tool once without putting it on PATH, or a command in a workspace",
  examples: [
    ["ipm run lstm-demo -- explain", "installs aside, runs, leaves PATH alone"],
    ["ipm x lstm-demo@1.0.0 -- --version", "everything after -- is the tool's"],
    ["ipm run course -- jupyter lab", "a command in a workspace, with its environment; without one, your shell"],
  ],
  about: ["The tool has the terminal; its exit code is the exit code of ipm, 128 + N when signal N ended it."],
  options: [...PLAN_OPTIONS, LOCK_TIMEOUT],
  json: "none: the tool's own output is the answer, so --json is refused",
  completes: "targets",
  run: async (session, invocation) => {
    if (session.settings.reporter === "json" || session.settings.reporter === "ndjson") {
      throw new IpmError("USAGE", "run hands its output to the tool, so it cannot be JSON", {
        hint: "run it without --json",
      });
    }
    const { runTool } = await import("../../usecases/run-tool.ts");
    const context = await session.openContext({ writes: true, lockTimeoutMs: readLockTimeout(invocation) });
    const [target = "", ...args] = invocation.operands;
    const result = await runTool(context, target, args, await readPlanOptions(session, invocation, context));
    const exitCode = result.signal === null ? (result.exitCode ?? 1) : exitCodeOf(result.signal);
    return { result, render: () => [], exitCode };
  },
};
