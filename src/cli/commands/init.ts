import { EXIT } from "../../core/errors.ts";
import type { CommandSpec } from "../command.ts";
import { LOCK_TIMEOUT, readLockTimeout } from "./plan-options.ts";

export const initCommand: CommandSpec = {
  name: "init",
  operands: "TARGET",
  group: "Contribute",
  summary: "draft a manifest by reading a repository or asking a package's registry",
  examples: [
    ["ipm init owner/repo", "the newest release, into NAME.yaml; in a registry, into its place there"],
    ["ipm init .", "an ipm.yaml for a repository of your own"],
    ["ipm init owner/repo --verify", "run it in a clean room, and try the next way when one fails"],
    ["ipm init npm:prettier", "an ecosystem's package with its lock; pypi:, crates:, go: and maven: too"],
    ["ipm init owner/repo --dry-run", "show it, write nothing"],
  ],
  about: [
    "Every value is shown with the line that it comes from; what is uncertain is a TODO in the file.",
    "With --verify exit code 1 when no way passed; the draft is written all the same.",
  ],
  options: [
    { flags: "--ref REF", says: "this branch, tag or commit instead of the newest release" },
    { flags: "--output PLACE", says: "file (ends with .yaml) or folder to write to" },
    { flags: "--force", says: "replace a file that is there" },
    { flags: "--verify", says: "run the draft in a clean room" },
    { flags: "--dry-run", says: "show the draft and write nothing" },
    LOCK_TIMEOUT,
  ],
  json: "{draft: {name, kind, text, values: [{key, value, evidence}], todos, notes, candidates, chosen}, version, written, findings, attempts, known}",
  completes: "files",
  run: async (session, invocation) => {
    const { init } = await import("../../usecases/init.ts");
    const { renderInit } = await import("../render/init.ts");
    const context = await session.openContext({ writes: true, lockTimeoutMs: readLockTimeout(invocation) });
    const result = await init(context, invocation.operand, {
      ref: invocation.text("ref") ?? null,
      output: invocation.text("output") ?? null,
      force: invocation.has("force"),
      verify: invocation.has("verify"),
      offline: session.globals.offline,
      dryRun: invocation.has("dry-run"),
    });
    const failed = result.attempts.length > 0 && result.attempts.every(({ outcome }) => outcome === "failed");
    return {
      result,
      render: (theme) => renderInit(result, theme),
      ...(failed ? { exitCode: EXIT.failed } : {}),
    };
  },
};
