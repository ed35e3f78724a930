import { EXIT } from "../../core/errors.ts";
import type { CommandSpec } from "../command.ts";

export const importCommand: CommandSpec = {
  name: "import",
  operands: "FILE...",
  group: "Contribute",
  summary: "turn Installerpedia records into drafts, with what is wrong with them",
  examples: [
    ["ipm import record.json", "one record: its draft and its findings"],
    ["ipm import ./records --output drafts", "many: NAME.draft.yaml each, and a table of what was found"],
  ],
  about: [
    "A draft is never installable as it is: nobody has pinned, chosen or tested anything. Most are begun faster with ipm init.",
  ],
  options: [
    { flags: "--output DIR", says: "write the drafts into this folder" },
    { flags: "--force", says: "replace drafts that are there" },
  ],
  json: "{records: [{file, repository, name, methods, commands, findings: [{defect, path, message}], text, written}], defects, unreadable}",
  completes: "files",
  run: async (session, invocation) => {
    const { importFiles } = await import("../../usecases/import.ts");
    const { renderImport } = await import("../render/import.ts");
    const output = invocation.text("output") ?? null;
    const context = await session.openContext({ writes: output !== null });
    const report = await importFiles(context, invocation.operands, { output, force: invocation.has("force") });
    return {
      result: report,
      render: (theme) => renderImport(report, theme),
      ...(report.unreadable.length > 0 ? { exitCode: EXIT.failed } : {}),
    };
  },
};
