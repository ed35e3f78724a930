import type { CommandSpec } from "../command.ts";
import { LOCK_TIMEOUT, readLockTimeout } from "./plan-options.ts";

export const uninstallCommand: CommandSpec = {
  name: "uninstall",
  operands: "NAME...",
  group: "Go back and clean up",
  summary: "take tools off PATH",
  examples: [
    ["ipm uninstall lstm-demo", "`ipm rollback` brings it back"],
    ["ipm uninstall lstm-demo --purge", "and remove its files and data now"],
  ],
  about: [
    "The folder of a workspace goes only when all of it is committed and pushed; otherwise it stays, ipm forgets it, and says what it holds.",
  ],
  options: [{ flags: "--purge", says: "also remove what rollback would need, and the tool's own data" }, LOCK_TIMEOUT],
  json: "{generation, removed: [{name, version}], workspaces: [{name, version, folder, kept}], purgedBytes, kept: [folder]}",
  completes: "installed",
  run: async (session, invocation) => {
    const { uninstall } = await import("../../usecases/uninstall.ts");
    const { renderUninstall } = await import("../render/changes.ts");
    const context = await session.openContext({ writes: true, lockTimeoutMs: readLockTimeout(invocation) });
    const isPurge = invocation.has("purge");
    const result = await uninstall(context, invocation.operands, { purge: isPurge });
    return { result, render: (theme) => renderUninstall(result, isPurge, theme) };
  },
};
