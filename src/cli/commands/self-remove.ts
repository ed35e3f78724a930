import type { CommandSpec } from "../command.ts";
import { LOCK_TIMEOUT, readLockTimeout } from "./plan-options.ts";

export const selfRemoveCommand: CommandSpec = {
  name: "self remove",
  operands: "",
  group: "Set up",
  summary: "undo everything that ipm did to this account",
  examples: [
    ["ipm self remove", "lists what goes, asks, removes: all tools, caches, settings, the rc block"],
    ["ipm self remove --yes", "does not ask"],
  ],
  options: [LOCK_TIMEOUT],
  json: "{removed: [folder], rcFiles: [file], kept: [{path, why}]}",
  run: async (session, invocation) => {
    const { selfRemove } = await import("../../usecases/self-remove.ts");
    const { renderSelfRemove } = await import("../render/setup.ts");
    const context = await session.openContext({ writes: true, lockTimeoutMs: readLockTimeout(invocation) });
    const result = await selfRemove(context, { yes: session.globals.yes });
    return { result, render: (theme) => renderSelfRemove(result, session.installation.root, theme) };
  },
};
