import type { ErrorCode, IpmError } from "../../core/errors.ts";
import { escapeUntrusted, escapeUntrustedLines } from "../../core/untrusted-text.ts";
import { wrapText } from "./display-width.ts";
import { hang, type Theme } from "./theme.ts";

/** An error as `--json` and `run.finished` have it. */
interface ErrorDocument {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The public shape of an error. */
export function describeError(error: IpmError): ErrorDocument {
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    data: error.data,
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function linesOf(value: unknown): string[] {
  if (typeof value === "string") return value === "" ? [] : escapeUntrustedLines(value.trimEnd()).split("\n");
  if (!Array.isArray(value)) return [];
  return value.filter((line) => typeof line === "string").map(escapeUntrusted);
}

const MOST_LAST_LINES = 20;

/** `expected` and `actual` of an error's data, on lines of their own so that they can be compared. */
function comparison(data: Readonly<Record<string, unknown>>, theme: Theme): string[] {
  return (["expected", "actual"] as const).flatMap((key) => {
    const value = data[key];
    if (value === undefined || value === null) return [];
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const [first = "", ...more] = escapeUntrustedLines(text.trimEnd()).split("\n");
    const paint = key === "expected" ? theme.good : theme.bad;
    return [`  ${theme.faint(key.padEnd(8))}  ${paint(first)}`, ...more.map((line) => `            ${paint(line)}`)];
  });
}

/** What a report of a bug needs. */
function bugLines(data: Readonly<Record<string, unknown>>, theme: Theme): string[] {
  const versions = [`ipm ${String(data["ipm"])}`, `node ${String(data["node"])}`, String(data["platform"])].map(
    escapeUntrusted,
  );
  return [
    ...linesOf(data["stack"]).map((line) => `  ${theme.faint(line)}`),
    "",
    `  ${theme.faint("with")}  ${versions.join(", ")}`,
    `  ${theme.faint("ran ")}  ${escapeUntrusted(String(data["command"]))}`,
  ];
}

/**
 * A failure for people: what happened, expected against actual, the last lines of what failed, where the log is, and
 * the next command to run.
 */
export function renderError(error: IpmError, theme: Theme): string[] {
  const { data } = error;
  const [first = "", ...more] = escapeUntrustedLines(error.message).split("\n");
  const head = `error[${error.code}]:`;
  const [start = "", ...rest] = wrapText(`${head} ${first}`, theme.width);
  const lines = [
    `${theme.bad(head)} ${theme.strong(start.slice(head.length + 1))}`,
    ...rest.map(theme.strong),
    ...more,
  ];

  if (error.code === "BUG") lines.push("", ...bugLines(data, theme));

  const compared = comparison(data, theme);
  if (compared.length > 0) lines.push("", ...compared);

  const last = linesOf(data["lastLines"]);
  if (last.length > 0) {
    lines.push(
      "",
      theme.faint("  its last lines"),
      ...last.slice(-MOST_LAST_LINES).map((line) => `  ${theme.faint("|")} ${line}`),
    );
  }

  const named = textOf(data["log"]);
  // A hint that names the log itself says it already.
  const log = named !== undefined && error.hint?.includes(named) === true ? undefined : named;
  if (log !== undefined || error.hint !== undefined) lines.push("");
  if (log !== undefined) lines.push(`  ${theme.faint("log ")}  ${escapeUntrusted(log)}`);
  if (error.hint !== undefined) {
    const [hint = "", ...rest] = escapeUntrustedLines(error.hint).split("\n");
    const shown = hang("  next  ", hint, theme.width, theme.command);
    lines.push(...shown.map((line, index) => (index === 0 ? line.replace("next", theme.faint("next")) : line)));
    lines.push(...rest.map((line) => `        ${theme.command(line)}`));
  }
  return lines;
}

/** A warning or notice of the story. */
export function renderWarning(message: string, hint: string | undefined, theme: Theme): string[] {
  return [
    ...hang(`${theme.symbols.caution} `, escapeUntrusted(message), theme.width).map((line, index) =>
      index === 0 ? line.replace(theme.symbols.caution, theme.caution(theme.symbols.caution)) : line,
    ),
    ...(hint === undefined ? [] : hang("  ", escapeUntrusted(hint), theme.width, theme.faint)),
  ];
}
