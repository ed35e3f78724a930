import { escapeUntrusted, escapeUntrustedLines } from "../../core/untrusted-text.ts";
import type { ImportReport } from "../../usecases/import.ts";
import { count } from "./format.ts";
import { renderTable } from "./table.ts";
import { hang, type Theme } from "./theme.ts";

/** `ipm import`: one record with its draft and findings, or a line for each of many, and the table of defects. */
export function renderImport(report: ImportReport, theme: Theme): readonly string[] {
  const { records, defects, unreadable } = report;
  const [only] = records;
  const detail =
    records.length === 1 && only !== undefined
      ? [
          ...(only.written === null ? [...escapeUntrustedLines(only.text.trimEnd()).split("\n"), ""] : []),
          ...only.findings.flatMap(({ defect, path, message }) =>
            hang(
              `${theme.caution(theme.symbols.caution)} `,
              escapeUntrusted(`${defect} ${path}: ${message}`),
              theme.width,
            ),
          ),
        ]
      : renderTable(
          records,
          [
            { title: "repository", value: (record) => escapeUntrusted(record.repository) },
            { title: "methods", value: (record) => String(record.methods) },
            { title: "commands", value: (record) => String(record.commands) },
            { title: "findings", value: (record) => String(record.findings.length) },
            { title: "draft", value: (record) => escapeUntrusted(record.written ?? "") },
          ],
          theme,
          true,
        );
  const table = renderTable(
    defects,
    [
      { title: "defect", value: ({ defect }) => defect },
      { title: "count", value: (row) => String(row.count) },
      { title: "records", value: (row) => String(row.records) },
      { title: "", value: ({ means }) => means },
    ],
    theme,
    true,
  );
  const total = records.reduce((sum, { findings }) => sum + findings.length, 0);
  return [
    ...detail,
    ...(defects.length === 0 ? [] : ["", ...table]),
    ...unreadable.map(({ file, why }) => `${theme.bad(theme.symbols.failed)} ${escapeUntrusted(file)}: ${why}`),
    "",
    `${count(records.length, "draft")} with ${count(total, "finding")}; none can be installed before somebody has completed it`,
    ...(only === undefined
      ? []
      : [`${theme.faint(theme.symbols.arrow)} ${theme.command(`ipm init ${escapeUntrusted(only.repository)}`)}`]),
  ];
}
