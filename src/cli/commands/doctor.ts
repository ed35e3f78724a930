import { EXIT } from "../../core/errors.ts";
import type { CommandSpec } from "../command.ts";
import { LOCK_TIMEOUT, readLockTimeout } from "./plan-options.ts";

export const doctorCommand: CommandSpec = {
  name: "doctor",
  operands: "[NAME]",
  group: "Set up",
  summary: "check this machine, ipm's folders and what is installed",
  examples: [
    ["ipm doctor", "PATH, git, node, the sandbox, permissions, damaged tools"],
    ["ipm doctor lstm-demo", "one tool, file by file; before it is installed: what it needs of this machine"],
    ["ipm doctor --fix", "mend what can be mended without asking"],
  ],
  about: ["Exit code 1 when something is broken; warnings alone are 0."],
  options: [{ flags: "--fix", says: "mend what can be mended" }, LOCK_TIMEOUT],
  json: "{healthy, checks: [{id, status, title, detail, fix}]}",
  completes: "targets",
  run: async (session, invocation) => {
    const { doctor } = await import("../../usecases/doctor.ts");
    const { renderDoctor } = await import("../render/doctor.ts");
    const isFix = invocation.has("fix");
    const context = await session.openContext({ writes: isFix, lockTimeoutMs: readLockTimeout(invocation) });
    const result = await doctor(context, { name: invocation.operands[0] ?? null, fix: isFix });
    return {
      result,
      render: (theme) => renderDoctor(result, theme),
      exitCode: result.healthy ? EXIT.ok : EXIT.failed,
    };
  },
};
