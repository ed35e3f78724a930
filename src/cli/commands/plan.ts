import { EXIT } from "../../core/errors.ts";
import type { CommandSpec } from "../command.ts";
import { LOCK_TIMEOUT, PLAN_OPTIONS, readLockTimeout, readPlanOptions } from "./plan-options.ts";

export const planCommand: CommandSpec = {
  name: "plan",
  operands: "TARGET...",
  group: "Install",
  summary: "show what an installation would do, and do nothing",
  examples: [
    ["ipm plan lstm-demo", "commit, steps, what they may touch, what is missing here"],
    ["ipm plan lstm-demo --output plan.json", "the same as a file, to review or compare"],
  ],
  options: [...PLAN_OPTIONS, { flags: "--output FILE", says: "also write the plan to a file, as JSON" }, LOCK_TIMEOUT],
  json: "{plans: [plan], failed: [{target, code, message, log}]}",
  completes: "targets",
  run: async (session, invocation) => {
    const { planTargets } = await import("../../usecases/plan-targets.ts");
    const { renderPlans } = await import("../render/install-result.ts");
    const { safeJson, showWord } = await import("../render/format.ts");
    const output = invocation.text("output");
    const context = await session.openContext({
      writes: false,
      lockTimeoutMs: readLockTimeout(invocation),
      answersWithPlan: true,
    });
    const result = await planTargets(context, invocation.operands, await readPlanOptions(session, invocation, context));
    if (output !== undefined) {
      const path = await import("node:path");
      await context.host.files.writeDurably(path.resolve(context.host.facts.cwd, output), `${safeJson(result, 2)}\n`);
    }
    return {
      result,
      render: (theme) => [
        ...renderPlans(result, theme),
        ...(output === undefined ? [] : ["", `written to ${showWord(output)}`]),
      ],
      exitCode: result.failed.length === 0 ? EXIT.ok : EXIT.failed,
    };
  },
};
