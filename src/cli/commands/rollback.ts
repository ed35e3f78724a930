import { IpmError } from "../../core/errors.ts";
import type { CommandSpec } from "../command.ts";
import { LOCK_TIMEOUT, readLockTimeout } from "./plan-options.ts";

export const rollbackCommand: CommandSpec = {
  name: "rollback",
  operands: "[GENERATION]",
  group: "Go back and clean up",
  summary: "go back to the tools of an earlier generation",
  examples: [
    ["ipm rollback", "undo the last change"],
    ["ipm rollback 3", "the tools of generation 3; `ipm history` lists them"],
  ],
  options: [LOCK_TIMEOUT],
  json: "{from, to, generation, changes: [{name, from, to}]}",
  run: async (session, invocation) => {
    const { rollback } = await import("../../usecases/rollback.ts");
    const { renderRollback } = await import("../render/changes.ts");
    const wanted = invocation.operands[0];
    if (wanted !== undefined && !/^[1-9][0-9]{0,8}$/u.test(wanted)) {
      throw new IpmError("USAGE", `a generation is a number, not ${JSON.stringify(wanted)}`, { hint: "ipm history" });
    }
    const context = await session.openContext({ writes: true, lockTimeoutMs: readLockTimeout(invocation) });
    const result = await rollback(context, wanted === undefined ? null : Number(wanted));
    return { result, render: (theme) => renderRollback(result, theme) };
  },
};
