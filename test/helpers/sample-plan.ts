import type { CommitSha, PlanDigest, ToolName, TreeSha } from "../../src/core/ids.ts";
import type { Plan } from "../../src/plan/plan.ts";

/** A plan with something in every place, for what shows plans. */
export function samplePlan(changes: Partial<Plan> = {}): Plan {
  return {
    schema: 1,
    digest: "d".repeat(64) as PlanDigest,
    what: {
      source: { commit: "1".repeat(40) as CommitSha, tree: "2".repeat(40) as TreeSha, path: "cli" },
      steps: [
        {
          kind: "run",
          id: "1",
          title: "cargo build",
          why: null,
          run: ["cargo", "build", "--locked"],
          dir: null,
          env: {},
          timeoutMs: 60_000,
          network: ["crates"],
          recipe: "cargo",
        },
        {
          kind: "copy",
          id: "2",
          title: "copy the binary",
          why: "only one file is needed",
          from: "target/release/rc",
          to: "bin",
          exclude: ["docs"],
          recipe: null,
        },
      ],
      provides: { bin: { rc: { file: "bin/rc", run: null, env: {} } }, share: {}, completions: {} },
      tests: [
        {
          id: "1",
          run: "rc --version",
          stdin: null,
          timeoutMs: 1000,
          expect: { exit: 0, stdout: String.raw`^rc 2\.1\.0`, stderr: null, output: null },
        },
      ],
    },
    tool: {
      name: "ripcat" as ToolName,
      version: "2.1.0",
      summary: "Search text in archives",
      license: "MIT",
      homepage: "https://example.org",
      notes: null,
      deprecated: null,
      ref: "refs/tags/v2.1.0",
      prerelease: false,
      added: "2026-11-01",
    },
    method: { id: "cargo", passedOver: [{ id: "cuda", why: "no nvidia hardware" }] },
    platform: { os: "linux", arch: "x64", libc: "glibc" },
    requirements: [
      {
        tool: "cargo",
        version: ">=1.75",
        for: "build",
        optional: false,
        why: null,
        found: { path: "/usr/bin/cargo", real: "/usr/bin/cargo", version: "1.80.0" },
        met: true,
      },
      { tool: "ffmpeg", version: null, for: "run", optional: true, why: "video files", found: null, met: false },
    ],
    trust: { level: "reviewed", detail: "reviewed (embedded registry)" },
    launchers: [{ name: "rc", shadows: "/usr/bin/rc", shadowedBy: null }],
    notices: ["there is no lock: what npm installs is not pinned"],
    risks: [],
    sourceBytes: 131_072,
    dirty: false,
    start: null,
    origin: {
      registry: "main",
      source: "https://example.org/ripcat.git",
      target: "ripcat",
      again: "main:ripcat@2.1.0",
    },
    ...changes,
  };
}
