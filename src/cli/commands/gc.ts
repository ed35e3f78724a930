import type { CommandSpec } from "../command.ts";
import { DRY_RUN, LOCK_TIMEOUT, readLockTimeout } from "./plan-options.ts";

const DEFAULT_KEEP = 3;

export const gcCommand: CommandSpec = {
  name: "gc",
  operands: "",
  group: "Go back and clean up",
  summary: "remove what no kept generation needs",
  examples: [
    ["ipm gc", `keeps the current generation and the ${DEFAULT_KEEP} before it`],
    ["ipm gc --keep 0", "keeps nothing but what is on PATH now"],
    ["ipm gc --dry-run", "what would go, and how much space it gives back"],
  ],
  options: [
    { flags: "--keep N", says: `how many earlier generations to keep (${DEFAULT_KEEP})` },
    { ...DRY_RUN, says: "list what would go and remove nothing" },
    LOCK_TIMEOUT,
  ],
  json: "{removed: [{kind, name, bytes}], kept: [{name, why}], bytes, dryRun}",
  run: async (session, invocation) => {
    const { collectGarbage } = await import("../../usecases/gc.ts");
    const { renderGarbage } = await import("../render/changes.ts");
    const isDryRun = invocation.has("dry-run");
    const context = await session.openContext({ writes: !isDryRun, lockTimeoutMs: readLockTimeout(invocation) });
    const result = await collectGarbage(context, {
      keep: invocation.whole("keep", 0) ?? DEFAULT_KEEP,
      dryRun: isDryRun,
    });
    return { result, render: (theme) => renderGarbage(result, session.settings.verbose, theme) };
  },
};
