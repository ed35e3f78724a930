import type { CommandSpec } from "../command.ts";
import { LOCK_TIMEOUT, PLAN_OPTIONS, readLockTimeout, readPlanOptions } from "./plan-options.ts";

export const reinstallCommand: CommandSpec = {
  name: "reinstall",
  operands: "NAME",
  group: "Install",
  summary: "build a tool again, for instance when its interpreter has gone",
  examples: [["ipm reinstall lstm-demo", "the same version from the same commit, built anew"]],
  options: [...PLAN_OPTIONS, LOCK_TIMEOUT],
  json: "install's result",
  completes: "installed",
  run: async (session, invocation) => {
    const { reinstall } = await import("../../usecases/reinstall.ts");
    const { renderInstallResult } = await import("../render/install-result.ts");
    const { ownCommand } = await import("../own-command.ts");
    const isDryRun = invocation.has("dry-run");
    const context = await session.openContext({
      writes: !isDryRun,
      answersWithPlan: isDryRun,
      lockTimeoutMs: readLockTimeout(invocation),
    });
    const result = await reinstall(context, invocation.operand, await readPlanOptions(session, invocation, context));
    const command = await ownCommand(session, context);
    return { result, render: (theme) => renderInstallResult(result, { host: context.host, command }, theme) };
  },
};
