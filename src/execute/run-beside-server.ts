import { IpmError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import { isRecord } from "../core/is-record.ts";
import type { PlannedServer } from "../plan/plan.ts";
import { hideSecrets } from "../sandbox/hide-secrets.ts";
import type { Grants, Sandbox } from "../sandbox/sandbox.ts";
import { resolveToolchain } from "../sandbox/toolchain.ts";
import { type DriverConfig, type DriverFrame, type DriverResult, SERVER_DRIVER } from "./server-driver.ts";

/** How long a server may take until it answers. */
const START_TIMEOUT_MS = 60_000;
/** How long a server may take to end. */
const END_TIMEOUT_MS = 10_000;
/** For the driver's own work. */
const DRIVER_MS = 10_000;

type Listen = (stream: "stdout" | "stderr", chunk: Uint8Array) => void;

/** A test that runs beside a server, both in one sandbox. */
export interface BesideServer {
  readonly server: PlannedServer;
  readonly serverArgv: readonly [string, ...string[]];
  /** Environment of server and test; the secrets are the server's alone. */
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly argv: readonly [string, ...string[]];
  readonly stdin: string | null;
  readonly cwd: string;
  readonly timeoutMs: number;
  /** Milliseconds until the server must answer. Default: a minute. */
  readonly startTimeoutMs?: number;
  /** Milliseconds until the server must have ended when it is asked to. Default: ten seconds. */
  readonly endTimeoutMs?: number;
  readonly grants: Grants;
  readonly onServer: Listen;
  readonly onTest: Listen;
}

function isFrame(value: unknown): value is DriverFrame {
  if (!isRecord(value)) return false;
  const { result, who, stream, data } = value;
  if (isRecord(result)) return typeof result["outcome"] === "string";
  const isStream = stream === "stdout" || stream === "stderr";
  return (who === "server" || who === "test") && isStream && typeof data === "string";
}

/** Calls `onLine` with each whole line of UTF-8, wherever chunks begin and end. */
function lineReader(onLine: (line: string) => void): (chunk: Uint8Array) => void {
  const decoder = new TextDecoder();
  let rest = "";
  return (chunk) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  };
}

function parseFrame(line: string): DriverFrame | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isFrame(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Start a server in the sandbox, wait until it answers, run a test in the same network, and end the server with all that
 * it has started. Secrets that the server is given are in no output that is passed on.
 * @returns null when the driver itself was stopped at its time limit
 * @throws IpmError SANDBOX_FAILED, and the abort's own error
 */
export async function runBesideServer(host: Host, sandbox: Sandbox, run: BesideServer): Promise<DriverResult | null> {
  const node = await resolveToolchain(host, host.facts.node.path);
  const secrets = Object.values(run.secrets);
  const hidden = { server: hideSecrets(secrets, run.onServer), test: hideSecrets(secrets, run.onTest) };
  let outcome: DriverResult | undefined;
  let said = "";
  const read = lineReader((line) => {
    const frame = parseFrame(line);
    if (frame === undefined) return;
    if ("result" in frame) outcome = frame.result;
    else hidden[frame.who].onOutput(frame.stream, Buffer.from(frame.data, "base64"));
  });
  const { startTimeoutMs = START_TIMEOUT_MS, endTimeoutMs = END_TIMEOUT_MS } = run;
  const config: DriverConfig = {
    url: run.server.url,
    cwd: run.cwd,
    startTimeoutMs,
    testTimeoutMs: run.timeoutMs,
    endTimeoutMs,
    server: { argv: run.serverArgv, env: { ...run.env, ...run.secrets } },
    test: { argv: run.argv, env: run.env, stdin: run.stdin },
    isAlone: sandbox.kind === "bubblewrap",
  };
  const result = await sandbox.run({
    argv: [node.program, "-e", SERVER_DRIVER],
    cwd: run.cwd,
    env: run.env,
    stdin: JSON.stringify(config),
    timeoutMs: startTimeoutMs + run.timeoutMs + endTimeoutMs + DRIVER_MS,
    signal: host.signal,
    onOutput: (stream, chunk) => {
      if (stream === "stdout") read(chunk);
      else if (said.length < 1000) said += Buffer.from(chunk).toString();
    },
    grants: { ...run.grants, readable: [...run.grants.readable, ...node.readable], loopback: true },
  });
  hidden.server.end();
  hidden.test.end();
  if (outcome !== undefined) return outcome;
  if (result.timedOut) return null;
  throw new IpmError("SANDBOX_FAILED", `what runs a test beside its server ended without a result: ${said.trim()}`, {
    hint: "ipm doctor",
    data: { exitCode: result.exitCode, signal: result.signal },
  });
}
