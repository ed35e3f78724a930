import { escapeUntrusted } from "../../core/untrusted-text.ts";
import type { Finding } from "../../manifest/finding.ts";
import { count } from "./format.ts";
import { hang, type Theme } from "./theme.ts";

/** One finding: place, severity and code; what is wrong; the line with a mark below the place; what to write instead. */
export function renderFinding(finding: Finding, theme: Theme): readonly string[] {
  const isError = finding.severity === "error";
  const paint = isError ? theme.bad : theme.caution;
  const symbol = isError ? theme.symbols.failed : theme.symbols.caution;
  const place = `${escapeUntrusted(finding.file)}:${finding.line}:${finding.column}`;
  const margin = String(finding.line).length;
  const lines = [
    `${theme.strong(place)}  ${paint(`${finding.severity} ${finding.code}`)}`,
    ...hang(`  ${paint(symbol)} `, finding.message, theme.width),
  ];
  if (finding.sourceLine !== "") {
    const carets = " ".repeat(finding.caret.start) + paint("^".repeat(finding.caret.length));
    lines.push(
      `  ${theme.faint(`${finding.line} |`)} ${finding.sourceLine}`,
      `  ${theme.faint(`${" ".repeat(margin)} |`)} ${carets}`,
    );
  }
  const fix = finding.fixable === true ? "--fix mends it" : undefined;
  const hint = [finding.hint, fix].filter((part) => part !== undefined).join("; ");
  if (hint !== "")
    lines.push(...hang(`  ${" ".repeat(margin)} ${theme.symbols.arrow} `, hint, theme.width, theme.command));
  return lines;
}

/** All findings with a blank line between them, and how many there are of what. */
export function renderFindings(findings: readonly Finding[], theme: Theme): readonly string[] {
  return findings.flatMap((finding, index) =>
    index === 0 ? renderFinding(finding, theme) : ["", ...renderFinding(finding, theme)],
  );
}

/** `3 manifests, 1 error, 2 warnings`. */
export function findingCounts(files: number, errors: number, warnings: number): string {
  const parts = [count(files, "manifest"), ...(errors === 0 ? [] : [count(errors, "error")])];
  return [...parts, ...(warnings === 0 ? [] : [count(warnings, "warning")])].join(", ");
}
