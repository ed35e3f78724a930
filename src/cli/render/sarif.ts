import { FINDING_CODES } from "../../manifest/finding.ts";
import type { Finding } from "../../manifest/finding.ts";
import { LINT_RULES } from "../../manifest/lint/rules.ts";

/** What a code means, and what to do about it. */
function describe(code: Finding["code"]): { readonly means: string; readonly cure: string } {
  const rule = LINT_RULES.find((one) => one.code === code);
  const known = Object.entries(FINDING_CODES).find(([name]) => name === code)?.[1];
  return rule ?? known ?? { means: code, cure: "See the documentation." };
}

/**
 * Findings as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), which code hosts show beside the lines of a
 * pull request. Columns count UTF-16 units, as findings do.
 */
export function toSarif(findings: readonly Finding[], ipmVersion: string): unknown {
  const codes = [...new Set(findings.map(({ code }) => code))].toSorted();
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "ipm lint",
            version: ipmVersion,
            rules: codes.map((code) => {
              const { means, cure } = describe(code);
              return { id: code, shortDescription: { text: means }, help: { text: cure } };
            }),
          },
        },
        columnKind: "utf16CodeUnits",
        results: findings.map((finding) => ({
          ruleId: finding.code,
          ruleIndex: codes.indexOf(finding.code),
          level: finding.severity,
          message: { text: finding.hint === undefined ? finding.message : `${finding.message} (${finding.hint})` },
          locations: [
            {
              physicalLocation: {
                // Spaces and the like in a URI; the separators stay.
                artifactLocation: { uri: finding.file.split("/").map(encodeURIComponent).join("/") },
                region: {
                  startLine: finding.line,
                  startColumn: finding.column,
                  endColumn: finding.column + finding.caret.length,
                },
              },
            },
          ],
        })),
      },
    ],
  };
}
