import { escapeUntrusted } from "../../core/untrusted-text.ts";
import { count, formatBytes, formatDuration } from "./format.ts";
import { type Column, renderTable } from "./table.ts";
import { type Theme, hang } from "./theme.ts";

interface Check {
  readonly id: string;
  readonly status: "passed" | "failed" | "skipped";
  readonly details: readonly string[];
  readonly ms: number;
}

interface Method {
  readonly name: string;
  readonly version: string;
  readonly method: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly why: string | null;
  readonly digest: string | null;
  readonly checks: readonly Check[];
  readonly files: number;
  readonly bytes: number;
  readonly peakBytes: number;
  readonly ms: number;
  readonly network: { readonly declared: readonly string[]; readonly reached: readonly string[] };
  readonly reproducible: boolean | null;
  readonly differences: readonly string[];
  readonly log: string | null;
}

interface Report {
  readonly ok: boolean;
  readonly platform: string;
  readonly isolation: string;
  readonly methods: readonly Method[];
  readonly written: readonly string[];
  readonly ms: number;
}

/** What each check has looked at, for people. */
const SAYS: Readonly<Record<string, string>> = {
  plan: "fetched and planned",
  install: "built and tested",
  reinstall: "built once more",
  upgrade: "upgraded",
  rollback: "rolled back",
  uninstall: "uninstalled",
  gc: "nothing left in the store",
  outside: "nothing outside its own folders",
  home: "no step writes to HOME",
  processes: "no process left",
  network: "no host that is not declared",
  secrets: "no secret printed",
};
const NAME_CELLS = 10;

function symbolOf(status: Check["status"], theme: Theme): string {
  if (status === "passed") return theme.good(theme.symbols.done);
  return status === "failed" ? theme.bad(theme.symbols.failed) : theme.faint(theme.symbols.skipped);
}

function checkLines(check: Check, theme: Theme): string[] {
  const id = escapeUntrusted(check.id);
  const time = check.ms >= 100 ? `  ${theme.faint(formatDuration(check.ms))}` : "";
  const head = `  ${symbolOf(check.status, theme)} ${id.padEnd(NAME_CELLS)} `;
  if (check.status === "passed") return [`${head}${SAYS[check.id] ?? ""}${time}`];
  const [first = "", ...others] = check.details.map(escapeUntrusted);
  const paint = check.status === "failed" ? theme.bad : theme.faint;
  return [
    ...hang(head, first, theme.width, paint),
    ...others.flatMap((line) => hang(" ".repeat(NAME_CELLS + 5), line, theme.width)),
  ];
}

function factLines(method: Method, theme: Theme): string[] {
  if (method.outcome === "skipped") return [];
  const { declared, reached } = method.network;
  const network =
    declared.length === 0
      ? "no network"
      : `reached ${reached.length === 0 ? "nothing" : reached.join(", ")} of ${declared.join(", ")}`;
  const size = `${count(method.files, "file")}, ${formatBytes(method.bytes)} kept, ${formatBytes(method.peakBytes)} at most`;
  const same =
    method.reproducible === null ? [] : [method.reproducible ? "reproducible: yes" : "reproducible: no, other files:"];
  return [
    ...hang("    ", `${size} ${theme.symbols.separator} ${escapeUntrusted(network)}`, theme.width, theme.faint),
    ...same.flatMap((line) => hang("    ", line, theme.width, theme.faint)),
    ...method.differences.flatMap((file) => hang("      ", escapeUntrusted(file), theme.width, theme.faint)),
    ...(method.log === null ? [] : hang("    log ", escapeUntrusted(method.log), theme.width)),
  ];
}

function methodLines(method: Method, isVerbose: boolean, theme: Theme): string[] {
  const title = `${theme.strong(`${escapeUntrusted(method.name)} ${escapeUntrusted(method.version)}`)} by ${escapeUntrusted(method.method)}`;
  if (method.outcome === "skipped") {
    // A requirement's text is several lines: the first tells what is lacking, the others why it is wanted.
    const [first = "", ...rest] = (method.why ?? "").split("\n").map((line) => escapeUntrusted(line.trim()));
    return [
      ...hang(`${theme.faint(theme.symbols.skipped)} `, `${title}: not here, ${first}`, theme.width),
      ...rest.flatMap((line) => hang("    ", line, theme.width, theme.faint)),
    ];
  }
  const plan = method.digest === null ? "" : `  ${theme.faint(`plan ${method.digest.slice(0, 12)}`)}`;
  const symbol = symbolOf(method.outcome, theme);
  const head = `${symbol} ${title}${plan}  ${theme.faint(formatDuration(method.ms))}`;
  // One line a check is much for a registry: what passed is told in full only where it is the answer.
  const shown = isVerbose ? method.checks : method.checks.filter(({ status }) => status === "failed");
  return [head, ...shown.flatMap((check) => checkLines(check, theme)), ...factLines(method, theme)];
}

/** Of many methods a line each. The size is what stays, the network what was reached of what is declared. */
function tableLines(methods: readonly Method[], theme: Theme): string[] {
  const ran = (value: (method: Method) => string) => (method: Method) =>
    method.outcome === "skipped" ? "" : value(method);
  const columns: readonly Column<Method>[] = [
    {
      title: " ",
      value: ({ outcome }) =>
        theme.symbols[outcome === "passed" ? "done" : outcome === "failed" ? "failed" : "skipped"],
      paint: (text, { outcome }) =>
        (outcome === "passed" ? theme.good : outcome === "failed" ? theme.bad : theme.faint)(text),
    },
    { title: "entry", value: ({ name }) => escapeUntrusted(name), paint: theme.strong },
    { title: "version", value: ({ version }) => escapeUntrusted(version) },
    { title: "method", value: ({ method }) => escapeUntrusted(method) },
    { title: "seconds", value: ran(({ ms }) => String(Math.ceil(ms / 1000))) },
    { title: "size", value: ran(({ bytes }) => formatBytes(bytes)) },
    {
      title: "network",
      value: ran(({ network }) => (network.declared.length === 0 ? "none" : network.reached.join(", ") || "not used")),
      gives: true,
    },
    {
      title: "reproducible",
      value: ran(({ reproducible }) => (reproducible === null ? "not tried" : reproducible ? "yes" : "no")),
    },
  ];
  return renderTable(methods, columns, theme, true);
}

/** After the table: what failed in full, and why something was left out. */
function remarkLines(methods: readonly Method[], isVerbose: boolean, theme: Theme): string[] {
  return methods
    .filter(({ outcome }) => outcome !== "passed" || isVerbose)
    .flatMap((method) => ["", ...methodLines(method, isVerbose, theme)]);
}

/**
 * `ipm verify`: a paragraph a method; of more than two a table, and then what failed in full. With one method or
 * `--verbose` every check.
 */
export function renderVerifyReport(report: Report, isVerbose: boolean, theme: Theme): string[] {
  const { methods } = report;
  const number = (outcome: Method["outcome"]): number => methods.filter((method) => method.outcome === outcome).length;
  const counts = [
    `${number("passed")} verified`,
    ...(number("failed") === 0 ? [] : [`${number("failed")} failed`]),
    ...(number("skipped") === 0 ? [] : [`${number("skipped")} skipped`]),
  ].join(", ");
  const end = methods.length === 0 ? "nothing to verify" : `${counts} on ${report.platform} by ${report.isolation}`;
  const story =
    methods.length <= 2
      ? methods.flatMap((method) => [...methodLines(method, true, theme), ""])
      : [...tableLines(methods, theme), ...remarkLines(methods, isVerbose, theme), ""];
  return [
    ...story,
    `${report.ok ? theme.good(end) : theme.bad(end)} ${theme.faint(formatDuration(report.ms))}`,
    ...report.written.flatMap((file) => hang("  written ", escapeUntrusted(file), theme.width, theme.faint)),
  ];
}
