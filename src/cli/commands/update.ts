import type { CommandSpec } from "../command.ts";
import { LOCK_TIMEOUT, readLockTimeout } from "./plan-options.ts";

export const updateCommand: CommandSpec = {
  name: "update",
  operands: "[ID...]",
  group: "Registries",
  summary: "fetch the configured registries",
  examples: [
    ["ipm update", "the only command that brings new versions to light; `ipm upgrade` installs them"],
    ["ipm update our-registry", "one of them"],
  ],
  about: ["A registry that cannot be fetched stays as it was, and the command fails once all were tried."],
  options: [LOCK_TIMEOUT],
  json: "{configured, registries: [{id, kind, location, outcome: updated|unchanged, commit, previous, sequence, previousSequence, entries, findings, error: null}]}",
  run: async (session, invocation) => {
    const { update } = await import("../../usecases/update.ts");
    const { renderUpdate } = await import("../render/registries.ts");
    const context = await session.openContext({ writes: true, lockTimeoutMs: readLockTimeout(invocation) });
    const result = await update(context, invocation.operands);
    return { result, render: (theme) => renderUpdate(result, theme) };
  },
};
