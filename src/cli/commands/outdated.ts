import type { CommandSpec } from "../command.ts";
import { LOCK_TIMEOUT, readLockTimeout } from "./plan-options.ts";

export const outdatedCommand: CommandSpec = {
  name: "outdated",
  operands: "",
  group: "Look",
  summary: "installed tools that have a newer version",
  examples: [
    ["ipm outdated", "what `ipm upgrade` would move"],
    ["ipm outdated --offline", "without asking the servers of tools from a repository's branch"],
  ],
  options: [LOCK_TIMEOUT],
  json: "{tools: [{name, version, latest, held, registry, withdrawn}]}",
  run: async (session, invocation) => {
    const { outdated } = await import("../../usecases/outdated.ts");
    const { renderOutdated } = await import("../render/outdated.ts");
    const context = await session.openContext({ writes: false, lockTimeoutMs: readLockTimeout(invocation) });
    const result = await outdated(context, { offline: session.globals.offline });
    return { result, render: (theme) => renderOutdated(result.tools, theme) };
  },
};
