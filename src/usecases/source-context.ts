import path from "node:path";
import type { SourceContext } from "../source/git-store.ts";
import type { Context } from "./context.ts";
import { inTurn } from "./in-turn.ts";

/**
 * What sources and registries are handed. Their locks lie in the cache, beside what they protect: a plan writes nothing
 * but the cache.
 */
export function sourceContext(context: Context): SourceContext {
  return {
    host: context.host,
    emit: context.emit,
    offline: context.offline ?? false,
    // Loaded on demand: reading a registry takes no lock.
    lock: async (name, work) => {
      const { withLock } = await import("../store/locks.ts");
      const options = { command: context.command, timeoutMs: context.lockTimeoutMs, emit: context.emit };
      const folder = path.join(context.host.homes.cache, "locks");
      // Two tools of one repository wait for each other here: nobody waits for ipm, and `--lock-timeout` is about others.
      return inTurn(context.host, `lock ${name}`, () => withLock(context.host, folder, name, options, work));
    },
  };
}
