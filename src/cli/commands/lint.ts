import { EXIT, IpmError } from "../../core/errors.ts";
import type { CommandSpec } from "../command.ts";
import { LOCK_TIMEOUT, readLockTimeout } from "./plan-options.ts";

export const lintCommand: CommandSpec = {
  name: "lint",
  operands: "PATH...",
  group: "Contribute",
  summary: "find what is wrong with manifests, and with a registry as a whole",
  examples: [
    ["ipm lint manifest.yaml", "one manifest, or a repository's ipm.yaml"],
    ["ipm lint ./registry", "every entry, their names beside each other, attestations"],
    ["ipm lint --fix ripcat.yaml", "mend what needs no judgement"],
    ["ipm lint ./registry --sarif lint.sarif", "for the lines of a pull request"],
  ],
  about: [
    "Exit code 3 on any error, 0 with warnings alone. docs/lint.md describes every rule.",
    "Pins are compared with their source; --offline leaves that out.",
  ],
  options: [
    { flags: "--fix", says: "mend what needs no judgement, in the files" },
    { flags: "--sarif FILE", says: "also write the findings as SARIF 2.1.0" },
    { flags: "--base DIR", says: "the registry as it was before a contribution: say what each change is" },
    { flags: "--format NAME", says: "text (default), or sarif on stdout" },
    LOCK_TIMEOUT,
  ],
  json: "{files, findings: [{code, severity, file, line, column, message, hint, fixable, sourceLine, caret}], errors, warnings, fixed, changes: [{file, name, tier}]}",
  completes: "files",
  run: async (session, invocation) => {
    const { lint } = await import("../../usecases/lint.ts");
    const { renderLint } = await import("../render/lint.ts");
    const { toSarif } = await import("../render/sarif.ts");
    const { safeJson } = await import("../render/format.ts");
    const format = invocation.text("format") ?? "text";
    if (format !== "text" && format !== "sarif") {
      throw new IpmError("USAGE", `--format takes text or sarif, not ${JSON.stringify(format)}`, {
        hint: "ipm lint --help",
      });
    }
    const base = invocation.text("base");
    const sarifFile = invocation.text("sarif");
    const context = await session.openContext({
      writes: invocation.has("fix"),
      lockTimeoutMs: readLockTimeout(invocation),
    });
    const report = await lint(context, invocation.operands, {
      offline: session.globals.offline,
      fix: invocation.has("fix"),
      ...(base === undefined ? {} : { base }),
    });
    const sarif = toSarif(report.findings, session.installation.version);
    if (sarifFile !== undefined) {
      const path = await import("node:path");
      await context.host.files.writeDurably(path.resolve(context.host.facts.cwd, sarifFile), `${safeJson(sarif, 2)}\n`);
    }
    return {
      result: report,
      render: (theme) => (format === "sarif" ? safeJson(sarif, 2).split("\n") : renderLint(report, theme)),
      ...(report.errors > 0 ? { exitCode: EXIT.manifest } : {}),
    };
  },
};
