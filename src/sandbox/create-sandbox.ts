import type { Host } from "../core/host.ts";
import { createBubblewrap } from "./bubblewrap.ts";
import { createSeatbelt } from "./seatbelt.ts";
import type { Sandbox } from "./sandbox.ts";

/** No isolation at all: for `--no-sandbox` and hosts that cannot do better. Standard input, time limits and environment still hold. */
export function createNoSandbox(host: Pick<Host, "processes">): Sandbox {
  return {
    kind: "none",
    probe: async () => ({ state: "ok", cause: "", fix: null }),
    run: (step) =>
      host.processes.run({
        argv: step.argv,
        cwd: step.cwd,
        env: step.env,
        timeoutMs: step.timeoutMs,
        signal: step.signal,
        ...(step.stdin === undefined ? {} : { stdin: step.stdin }),
        ...(step.onOutput === undefined ? {} : { onOutput: step.onOutput }),
      }),
  };
}

/** The sandbox of this host's operating system; whether it works here is for `probe` to say. Never falls back to none. */
export function createSandbox(host: Pick<Host, "files" | "processes" | "facts" | "homes">): Sandbox {
  return host.facts.platform.os === "macos" ? createSeatbelt(host) : createBubblewrap(host);
}
