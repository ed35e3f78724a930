import { EXIT } from "../../core/errors.ts";
import type { CommandSpec } from "../command.ts";

export const fmtCommand: CommandSpec = {
  name: "fmt",
  operands: "PATH...",
  group: "Contribute",
  summary: "put manifests into canonical form; comments stay",
  examples: [
    ["ipm fmt ripcat.yaml", "keys in the reference's order, two spaces"],
    ["ipm fmt --check ./registry", "only say which are not; exit code 3 when there are any"],
  ],
  options: [{ flags: "--check", says: "write nothing" }],
  json: "{files, changed, findings}",
  completes: "files",
  run: async (session, invocation) => {
    const { formatFiles } = await import("../../usecases/fmt.ts");
    const { renderFormat } = await import("../render/lint.ts");
    const check = invocation.has("check");
    const report = await formatFiles(await session.openContext({ writes: !check }), invocation.operands, check);
    const fails = report.findings.length > 0 || (check && report.changed.length > 0);
    return {
      result: report,
      render: (theme) => renderFormat(report, check, theme),
      ...(fails ? { exitCode: EXIT.manifest } : {}),
    };
  },
};
