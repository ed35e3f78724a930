import type { ProcessResult } from "../core/host.ts";
import type { Ecosystem } from "../manifest/ecosystems.ts";
import type { NetworkAttempt } from "./network-target.ts";

/** What a step or a test may see and write, besides the system's own read-only folders. Real, absolute paths. */
export interface Grants {
  readonly writable: readonly string[];
  readonly readable: readonly string[];
  /** Folders inside writable ones that can only be read; each is a real folder that nothing of the package could make. */
  readonly protected?: readonly string[];
  /** Ecosystems and host names; empty: no network at all. */
  readonly network: readonly string[];
  /** It may serve and reach ports of 127.0.0.1, which are its own where the sandbox has a network of its own. Default: false. */
  readonly loopback?: boolean;
  /** Those ecosystems of `network` whose credentials of this machine are passed; none when absent. */
  readonly credentials?: readonly Ecosystem[];
}

export interface SandboxedRun {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onOutput?: (stream: "stdout" | "stderr", chunk: Uint8Array) => void;
  readonly grants: Grants;
  /** Each connection that the command asked for, as it happens; only where it has network. */
  readonly onAttempt?: (attempt: NetworkAttempt) => void;
}

export type SandboxState =
  | "ok"
  | "missing"
  | "too-old"
  | "setuid"
  | "denied-apparmor"
  | "denied-container"
  | "nested"
  | "unsupported-os";

export interface SandboxReport {
  readonly state: SandboxState;
  /** One sentence: why it is not `ok`; empty when it is. */
  readonly cause: string;
  /** One command that mends it, or null. */
  readonly fix: string | null;
}

export interface Sandbox {
  readonly kind: "bubblewrap" | "seatbelt" | "none";
  /** Run the real recipe with a trivial command once; the answer is kept for the life of the process. */
  probe(): Promise<SandboxReport>;
  /** Run one command isolated. @throws IpmError SANDBOX_FAILED when the sandbox itself did not start */
  run(step: SandboxedRun): Promise<ProcessResult>;
}
