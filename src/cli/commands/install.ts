import { EXIT } from "../../core/errors.ts";
import type { CommandSpec } from "../command.ts";
import { LOCK_TIMEOUT, PLAN_OPTIONS, readLockTimeout, readPlanOptions } from "./plan-options.ts";

export const installCommand: CommandSpec = {
  name: "install",
  alias: "i",
  operands: "TARGET...",
  group: "Install",
  summary: "install tools and put them on PATH",
  examples: [
    ["ipm install lstm-demo", "the newest version that the registries know"],
    ["ipm install lstm-demo@1.0.0", "that version"],
    ["ipm install owner/repo", "a repository of the forge, by its registry entry or its ipm.yaml"],
    ["ipm install https://example.org/tool.git@v2", "any git repository, at a tag"],
    ["ipm install ./my-tool", "a folder with an ipm.yaml"],
    ["ipm install course --into ~/course", "a workspace: a clone to work in, with its environment"],
    ["ipm install lstm-demo --dry-run", "the plan; nothing is changed"],
  ],
  about: [
    "Fetches exactly the pinned commit, runs the steps in a sandbox, runs the tests, and only then puts the tool on PATH, in one switch. If anything fails, everything is as it was before.",
  ],
  options: [...PLAN_OPTIONS, LOCK_TIMEOUT],
  json: "{generation, installed: [{name, version, method, trust, bins, held, entry, installed}], unchanged: [{name, version, newer}], failed: [{target, code, message, log}], attempts: [{name, version, method, code, message, log}], plans, dryRun, notes: [{name, notes, start}]}",
  completes: "targets",
  run: async (session, invocation) => {
    const isDryRun = invocation.has("dry-run");
    const context = await session.openContext({
      writes: !isDryRun,
      answersWithPlan: isDryRun,
      lockTimeoutMs: readLockTimeout(invocation),
    });
    if (invocation.isPlain) {
      const { findInstalledAlready } = await import("../../usecases/installed-already.ts");
      const { renderUnchanged } = await import("../render/unchanged.ts");
      const known = await findInstalledAlready(context, invocation.operands);
      if (known !== null) return { result: known, render: (theme) => renderUnchanged(known.unchanged, theme) };
    }
    const { install } = await import("../../usecases/install.ts");
    const { renderInstallResult } = await import("../render/install-result.ts");
    const { ownCommand } = await import("../own-command.ts");
    const result = await install(context, invocation.operands, await readPlanOptions(session, invocation, context));
    const command = await ownCommand(session, context);
    return {
      result,
      render: (theme) => renderInstallResult(result, { host: context.host, command }, theme),
      exitCode: result.failed.length === 0 ? EXIT.ok : EXIT.failed,
    };
  },
};
