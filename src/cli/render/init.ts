import { escapeUntrusted, escapeUntrustedLines } from "../../core/untrusted-text.ts";
import type { InitResult } from "../../usecases/init-draft.ts";
import { renderFindings } from "./findings.ts";
import { count, showWord } from "./format.ts";
import { hang, type Theme } from "./theme.ts";

const MOST_NOTES = 8;

function section(title: string, lines: readonly string[], theme: Theme): readonly string[] {
  return lines.length === 0 ? [] : ["", theme.strong(title), ...lines];
}

/** A drafted value in words: `run ripcat --version, expect output \S` instead of JSON. Commits are shortened. */
function inWords(text: string): string {
  if (!/^[[{]/u.test(text)) return text;
  try {
    return wordsOf(JSON.parse(text));
  } catch {
    return text;
  }
}

function wordsOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(wordsOf).join(", ");
  if (typeof value === "object" && value !== null)
    return Object.entries(value)
      .map(([key, member]) => `${key} ${wordsOf(member)}`)
      .join(", ");
  const text = String(value);
  return /^[0-9a-f]{40}$/u.test(text) ? text.slice(0, 12) : text;
}

const KIND_NOTES: Readonly<Partial<Record<string, string>>> = {
  library: "a library: it installs nothing",
  workspace: "a workspace: a folder to work in, nothing on PATH",
};

/** `ipm init`: each value with its evidence, what a person must look at, and what to type next. */
export function renderInit(result: InitResult, theme: Theme): readonly string[] {
  const { draft, written, findings, attempts, known } = result;
  const { symbols } = theme;
  const evidence = draft.values.flatMap(({ key, value, evidence: lines }) => [
    ...hang(`  ${theme.strong(key.padEnd(9))} `, escapeUntrusted(inWords(value)), theme.width),
    ...lines.flatMap((line) => hang(" ".repeat(12), escapeUntrusted(line), theme.width, theme.faint)),
  ]);
  const todos = draft.todos.flatMap((todo) =>
    hang(`  ${symbols.caution} `, escapeUntrusted(todo), theme.width, theme.caution),
  );
  const notes = draft.notes
    .slice(0, MOST_NOTES)
    .flatMap((note) => hang(`  ${symbols.separator} `, escapeUntrusted(note), theme.width, theme.faint));
  const tried = attempts.flatMap(({ recipe, outcome, why }) => {
    const symbol =
      outcome === "passed"
        ? theme.good(symbols.done)
        : outcome === "skipped"
          ? symbols.skipped
          : theme.bad(symbols.failed);
    return hang(
      `  ${symbol} `,
      `${escapeUntrusted(recipe)} ${outcome}${why === null ? "" : `: ${escapeUntrusted(why)}`}`,
      theme.width,
    );
  });
  const problems = findings.filter(({ severity }) => severity === "error");
  const next =
    written === null
      ? []
      : [
          "",
          `${theme.good(symbols.done)} written to ${theme.strong(escapeUntrusted(written))}`,
          ...[
            `ipm lint ${showWord(written)}`,
            ...(draft.kind === "tool" && !attempts.some(({ outcome }) => outcome === "passed")
              ? [`ipm verify ./${showWord(written)}`]
              : []),
          ].map((line) => `${theme.faint(symbols.arrow)} ${theme.command(line)}`),
        ];
  return [
    ...(written === null ? [...escapeUntrustedLines(draft.text.trimEnd()).split("\n"), ""] : []),
    `${theme.strong(escapeUntrusted(draft.name))}${KIND_NOTES[draft.kind] === undefined ? "" : theme.caution(`  ${KIND_NOTES[draft.kind]}`)}`,
    ...evidence,
    ...section("To look at", todos, theme),
    ...section(
      `Commands of the README that the draft does not run${draft.notes.length > MOST_NOTES ? ` (${count(draft.notes.length, "line")})` : ""}`,
      notes,
      theme,
    ),
    ...section("Tried", tried, theme),
    ...section(
      "Known already",
      known.map((line) => `  ${symbols.caution} ${escapeUntrusted(line)}`),
      theme,
    ),
    ...section("Findings", renderFindings(problems, theme), theme),
    ...next,
  ];
}
