import type { CommitSha, PlanDigest, TreeSha } from "../../src/core/ids.ts";
import type { Attestation } from "../../src/trust/attestation.ts";

/** An attestation with something in every place. */
export function sampleAttestation(changes: Partial<Attestation> = {}): Attestation {
  return {
    name: "ripcat",
    version: "2.1.0",
    method: "cargo",
    digest: "d".repeat(64) as PlanDigest,
    commit: "1".repeat(40) as CommitSha,
    package: null,
    tree: "2".repeat(40) as TreeSha,
    platform: "linux-x64-glibc",
    distribution: { id: "debian", version: "12" },
    tools: { cargo: "1.80.0", git: "2.39.5", ipm: "0.1.0" },
    isolation: "bubblewrap",
    time: "2026-11-17T10:00:00.000Z",
    seconds: 42,
    bytes: 1000,
    peakBytes: 5000,
    files: 3,
    network: { declared: ["crates"], reached: ["crates"] },
    reproducible: null,
    checks: ["install", "reinstall"],
    ...changes,
  };
}
