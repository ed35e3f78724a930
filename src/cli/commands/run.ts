import { constants } from "node:os";
import { IpmError } from "../../core/errors.ts";
import type { Answer, CommandSpec, Invocation, Session } from "../command.ts";
import { LOCK_TIMEOUT, PLAN_OPTIONS, readLockTimeout, readPlanOptions } from "./plan-options.ts";

/** The exit code of a shell for a process that a signal ended: 128 + its number. */
function exitCodeOf(signal: string): number {
  const numbers: Readonly<Record<string, number>> = constants.signals;
  return 128 + (numbers[signal] ?? 0);
}

/** `--dry-run`: what would be built to be run; nothing is run. */
async function showPlan(session: Session, invocation: Invocation): Promise<Answer> {
  const { planTargets } = await import("../../usecases/plan-targets.ts");
  const { renderPlans } = await import("../render/install-result.ts");
  const context = await session.openContext({
    writes: false,
    answersWithPlan: true,
    lockTimeoutMs: readLockTimeout(invocation),
  });
  const options = await readPlanOptions(session, invocation, context);
  const result = await planTargets(context, invocation.operands.slice(0, 1), { ...options, keepGoing: false });
  return {
    result,
    render: (theme) => [...renderPlans(result, theme), "", theme.faint("a dry run: nothing was run")],
  };
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
  json: "none: the tool's own output is the answer, so --json is refused; with --dry-run {plans: [plan], failed: []}",
  completes: "targets",
  run: async (session, invocation) => {
    if (invocation.has("dry-run")) return showPlan(session, invocation);
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
