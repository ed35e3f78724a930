import { escapeUntrusted } from "../../core/untrusted-text.ts";
import { TIERS } from "../../manifest/change-tier.ts";
import type { FormatReport } from "../../usecases/fmt.ts";
import type { LintReport } from "../../usecases/lint.ts";
import { findingCounts, renderFindings } from "./findings.ts";
import { count } from "./format.ts";
import type { Theme } from "./theme.ts";

/** `ipm lint`: every finding with its line, then the counts. */
export function renderLint(report: LintReport, theme: Theme): readonly string[] {
  const { files, findings, errors, warnings, fixed, changes } = report;
  const summary = findingCounts(files.length, errors, warnings);
  const verdict =
    errors > 0
      ? theme.bad(`${theme.symbols.failed} ${summary}`)
      : `${theme.good(theme.symbols.done)} ${warnings > 0 ? summary : `${summary}, nothing to say`}`;
  return [
    ...renderFindings(findings, theme),
    ...(findings.length === 0 ? [] : [""]),
    ...changes.map(
      ({ name, tier }) =>
        `${theme.symbols.arrow} ${theme.strong(escapeUntrusted(name))} ${tier}: ${tier === "removed" ? "the entry is gone" : TIERS[tier]}`,
    ),
    ...fixed.map((file) => `${theme.good(theme.symbols.done)} mended ${escapeUntrusted(file)}`),
    verdict,
    ...(findings.length === 0 ? [] : [theme.faint(`  docs/lint.md and docs/manifest.md describe every code`)]),
  ];
}

/** `ipm fmt`: what was changed, or would be. */
export function renderFormat(report: FormatReport, check: boolean, theme: Theme): readonly string[] {
  const { files, changed, findings } = report;
  const rest = files.length - changed.length - new Set(findings.map(({ file }) => file)).size;
  return [
    ...renderFindings(findings, theme),
    ...(findings.length === 0 ? [] : [""]),
    ...changed.map((file) =>
      check
        ? `${theme.caution(theme.symbols.caution)} ${escapeUntrusted(file)} is not in canonical form`
        : `${theme.good(theme.symbols.done)} ${escapeUntrusted(file)}`,
    ),
    ...(rest > 0 ? [theme.faint(`${count(rest, "manifest")} in canonical form already`)] : []),
    ...(check && changed.length > 0 ? [`${theme.symbols.arrow} ${theme.command("ipm fmt PATH...")}`] : []),
  ];
}
