import { escapeUntrusted, escapeUntrustedLines } from "../../core/untrusted-text.ts";
import { count } from "./format.ts";
import { hang, type Theme } from "./theme.ts";

interface Check {
  readonly id: string;
  readonly status: "ok" | "warning" | "failed" | "fixed";
  readonly title: string;
  readonly detail: string | null;
  readonly fix: string | null;
}

function symbolOf(status: Check["status"], theme: Theme): string {
  const { symbols } = theme;
  if (status === "failed") return theme.bad(symbols.failed);
  return status === "warning" ? theme.caution(symbols.caution) : theme.good(symbols.done);
}

/** `ipm doctor`: every check on a line, what is wrong below it, and the command that mends it. */
export function renderDoctor(
  result: { readonly healthy: boolean; readonly checks: readonly Check[] },
  theme: Theme,
): readonly string[] {
  const lines = result.checks.flatMap((check) => [
    `${symbolOf(check.status, theme)} ${escapeUntrusted(check.title)}${check.status === "fixed" ? theme.good(" (mended)") : ""}`,
    ...(check.detail === null
      ? []
      : escapeUntrustedLines(check.detail)
          .split("\n")
          .flatMap((line) => hang("    ", line, theme.width, theme.faint))),
    ...(check.fix === null || check.status === "ok"
      ? []
      : hang(`    ${theme.symbols.arrow} `, escapeUntrusted(check.fix), theme.width, theme.command)),
  ]);
  const failed = result.checks.filter((check) => check.status === "failed").length;
  const warnings = result.checks.filter((check) => check.status === "warning").length;
  const notes = warnings === 0 ? "" : `, ${count(warnings, "warning")}`;
  return [
    ...lines,
    "",
    result.healthy ? theme.good(`everything works${notes}`) : theme.bad(`${count(failed, "check")} failed${notes}`),
  ];
}
