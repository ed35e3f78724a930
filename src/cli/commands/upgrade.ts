import { EXIT } from "../../core/errors.ts";
import type { CommandSpec } from "../command.ts";
import { LOCK_TIMEOUT, PLAN_OPTIONS, readLockTimeout, readPlanOptions } from "./plan-options.ts";

export const upgradeCommand: CommandSpec = {
  name: "upgrade",
  operands: "[NAME...]",
  group: "Install",
  summary: "move tools to the newest version",
  examples: [
    ["ipm upgrade", "everything that is not held"],
    ["ipm upgrade lstm-demo", "one tool"],
    ["ipm upgrade --dry-run", "what would happen"],
  ],
  options: [...PLAN_OPTIONS, LOCK_TIMEOUT],
  json: "install's result and {upgraded: [{name, from, to}], held: [name]}",
  completes: "installed",
  run: async (session, invocation) => {
    const { upgrade } = await import("../../usecases/upgrade.ts");
    const { renderUpgradeResult } = await import("../render/install-result.ts");
    const { ownCommand } = await import("../own-command.ts");
    const isDryRun = invocation.has("dry-run");
    const context = await session.openContext({
      writes: !isDryRun,
      answersWithPlan: isDryRun,
      lockTimeoutMs: readLockTimeout(invocation),
    });
    const result = await upgrade(context, invocation.operands, await readPlanOptions(session, invocation, context));
    const command = await ownCommand(session, context);
    return {
      result,
      render: (theme) => renderUpgradeResult(result, { host: context.host, command }, theme),
      exitCode: result.failed.length === 0 ? EXIT.ok : EXIT.failed,
    };
  },
};
