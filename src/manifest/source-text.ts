import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { Finding } from "./finding.ts";

/** A decoded file with the offsets at which its lines begin. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
  readonly lineStarts: readonly number[];
}

/** Offsets into the text: from (inclusive) and to (exclusive). */
export type Range = readonly [from: number, to: number];

/** What a finding says, besides where. */
export interface Problem {
  readonly code: Finding["code"];
  readonly message: string;
  readonly hint?: string | undefined;
  readonly severity?: "error" | "warning";
}

const SHOWN_WIDTH = 100;
const SHOWN_BEFORE = 40;

export function sourceText(file: string, text: string): SourceText {
  const lineStarts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) lineStarts.push(at + 1);
  return { file, text, lineStarts };
}

function lineOf(source: SourceText, offset: number): number {
  let low = 0;
  let high = source.lineStarts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((source.lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** A finding at a range of the text. The range may end on a later line; the first line is the one that is shown. */
export function findingAt(source: SourceText, [from, to]: Range, problem: Problem): Finding {
  const line = lineOf(source, from);
  const start = source.lineStarts[line] ?? 0;
  const next = source.lineStarts[line + 1];
  const whole = source.text.slice(start, next === undefined ? undefined : next - 1).replace(/\r$/u, "");
  const column = from - start;
  // A long line is cut around the place; what is cut off is marked.
  const cutFrom =
    whole.length > SHOWN_WIDTH ? Math.max(0, Math.min(column - SHOWN_BEFORE, whole.length - SHOWN_WIDTH)) : 0;
  const cutTo = Math.min(whole.length, cutFrom + SHOWN_WIDTH);
  const shown = (piece: string): string => escapeUntrusted(piece.replaceAll("\t", " "));
  const head = (cutFrom > 0 ? "…" : "") + shown(whole.slice(cutFrom, column));
  const marked = shown(whole.slice(column, Math.min(cutTo, Math.max(to - start, column + 1))));
  const tail =
    shown(whole.slice(Math.min(cutTo, Math.max(to - start, column + 1)), cutTo)) + (cutTo < whole.length ? "…" : "");
  return {
    code: problem.code,
    severity: problem.severity ?? "error",
    file: source.file,
    line: line + 1,
    column: column + 1,
    message: escapeUntrusted(problem.message),
    ...(problem.hint === undefined ? {} : { hint: escapeUntrusted(problem.hint) }),
    sourceLine: head + marked + tail,
    caret: { start: head.length, length: Math.max(1, marked.trimEnd().length) },
  };
}

/** A piece of somebody's text for a message: in backquotes, cut to 60 characters. */
export function quoted(text: string): string {
  const line = text.replace(/\s*\n[\s\S]*$/u, "…").replaceAll("\t", " ");
  return `\`${line.length > 60 ? `${line.slice(0, 59)}…` : line}\``;
}
