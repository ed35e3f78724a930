import { IpmError } from "../core/errors.ts";
import type { Host, ProcessResult } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { hiddenOutput } from "./hide-secrets.ts";
import { openLoopbackNetwork } from "./open-network.ts";
import type { Sandbox, SandboxReport } from "./sandbox.ts";
import { seatbeltProfile } from "./seatbelt-profile.ts";

const PROGRAM = "/usr/bin/sandbox-exec";
const PROBE_TIMEOUT_MS = 20_000;
/** sandbox-exec itself ends with 65 (EX_DATAERR) or 71 (EX_OSERR) when it cannot apply the profile. */
const OWN_FAILURE = /^sandbox-exec: /u;

/** A sandbox over macOS's deprecated and still enforcing `sandbox-exec`: files and network only. */
export function createSeatbelt(host: Pick<Host, "files" | "processes" | "facts" | "homes">): Sandbox {
  let report: Promise<SandboxReport> | undefined;

  const probe = async (): Promise<SandboxReport> => {
    if ((await host.files.facts(PROGRAM)) === undefined) {
      return { state: "unsupported-os", cause: `${PROGRAM} is not there`, fix: null };
    }
    const profile = seatbeltProfile({ writable: [], readable: [], network: [] }, undefined);
    const result = await host.processes.run({
      argv: [PROGRAM, "-p", profile, "/usr/bin/true"],
      cwd: "/",
      env: {},
      timeoutMs: PROBE_TIMEOUT_MS,
    });
    if (result.exitCode === 0) return { state: "ok", cause: "", fix: null };
    // Apple's sandbox cannot be nested: inside another one this is the only thing that goes wrong.
    return {
      state: "nested",
      cause: `sandbox-exec refused: ${escapeUntrusted(Buffer.from(result.stderr).toString().trim().slice(0, 300))}`,
      fix: null,
    };
  };

  return {
    kind: "seatbelt",
    probe: () => (report ??= probe()),
    run: async (step) => {
      const home = host.facts.env["HOME"];
      const realHome = home === undefined ? undefined : await host.files.realPath(home);
      const network = step.grants.network.length === 0 ? undefined : await openLoopbackNetwork(host, step);
      const grants = { ...step.grants, readable: [...step.grants.readable, ...(network?.readable ?? [])] };
      const hidden = hiddenOutput(step, network?.secrets ?? []);
      const onOutput = hidden?.onOutput ?? step.onOutput;
      let said = "";
      let result: ProcessResult;
      try {
        result = await host.processes.run({
          argv: [PROGRAM, "-p", seatbeltProfile(grants, realHome, network?.port), ...(network?.argv ?? step.argv)],
          cwd: step.cwd,
          env: network?.env ?? step.env,
          timeoutMs: step.timeoutMs,
          signal: step.signal,
          ...(step.stdin === undefined ? {} : { stdin: step.stdin }),
          ...(onOutput === undefined
            ? {}
            : {
                onOutput: (stream, chunk) => {
                  if (stream === "stderr" && said.length < 500) said += Buffer.from(chunk).toString().slice(0, 500);
                  onOutput(stream, chunk);
                },
              }),
        });
      } finally {
        hidden?.end();
        await network?.close();
      }
      if (onOutput === undefined) said = Buffer.from(result.stderr).toString().slice(0, 500);
      if (result.exitCode !== 0 && OWN_FAILURE.test(said)) {
        throw new IpmError("SANDBOX_FAILED", `the sandbox did not start: ${escapeUntrusted(said.trim())}`, {
          hint: "ipm doctor",
        });
      }
      return result;
    },
  };
}
