import { EXIT } from "../../core/errors.ts";
import type { CommandSpec } from "../command.ts";
import { LOCK_TIMEOUT, SET_OPTION, readLockTimeout } from "./plan-options.ts";
import { readSet } from "./set-option.ts";

export const verifyCommand: CommandSpec = {
  name: "verify",
  operands: "TARGET...",
  group: "Registries",
  summary: "run a manifest from nothing in a clean room, and attest what was seen",
  examples: [
    ["ipm verify lstm-demo", "every method that fits this machine, from the fetch to the clean-up"],
    ["ipm verify ./registry/packages/lstm-demo", "a manifest that is being written"],
    ["ipm verify --all ./registry --write", "a whole registry, attestations beside its manifests as it goes"],
    ["ipm verify --changed origin/main ./registry", "what a pull request changes"],
    ["ipm verify --all ./registry --shard 2/8 --output out", "one of eight machines; copy their files together"],
  ],
  about: [
    "More than two methods are told as a table, and what failed in full; --verbose tells every check. A failure stops nothing else.",
    "Needs a sandbox. Exit code 1 when something does not hold; the report says what.",
    "What passed counts as verified on this machine; with --write or --output also for others.",
  ],
  options: [
    { flags: "--method ID", says: "this method alone" },
    { ...SET_OPTION, says: "a value that the tool asks for and that is part of its plan" },
    { flags: "--twice", says: "build a second time in other surroundings and compare the files" },
    { flags: "--all", says: "every version of every entry of the registry's folder" },
    { flags: "--changed BASE", says: "what has changed in the registry's folder since a commit" },
    { flags: "--shard I/N", says: "the I-th of N parts, by the names of the tools" },
    { flags: "--jobs N", says: "how many methods to verify at once (1)" },
    { flags: "--keep-cache", says: "use what has been downloaded before" },
    { flags: "--write", says: "put attestations into the registry's folder that was named" },
    { flags: "--output DIR", says: "put attestations below this folder, as a registry has them" },
    LOCK_TIMEOUT,
  ],
  json: "{ok, platform, distribution, isolation, methods: [{name, version, method, outcome, checks, …}], written, ms}",
  completes: "targets",
  run: async (session, invocation) => {
    const { verify } = await import("../../usecases/verify.ts");
    const { parseShard } = await import("../../usecases/verify-targets.ts");
    const { renderVerifyReport } = await import("../render/verify.ts");
    const shard = invocation.text("shard");
    const context = await session.openContext({ writes: true, lockTimeoutMs: readLockTimeout(invocation) });
    const report = await verify(context, invocation.operands, {
      method: invocation.text("method") ?? null,
      twice: invocation.has("twice"),
      all: invocation.has("all"),
      changed: invocation.text("changed") ?? null,
      shard: shard === undefined ? null : parseShard(shard),
      jobs: invocation.whole("jobs", 1) ?? 1,
      keepCache: invocation.has("keep-cache"),
      write: invocation.has("write"),
      output: invocation.text("output") ?? null,
      offline: session.globals.offline,
      set: await readSet(session, invocation, context),
    });
    return {
      result: report,
      render: (theme) => renderVerifyReport(report, session.settings.verbose, theme),
      exitCode: report.ok ? EXIT.ok : EXIT.failed,
    };
  },
};
