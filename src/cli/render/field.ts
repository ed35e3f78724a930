import { padToWidth } from "./display-width.ts";
import { hang, type Theme } from "./theme.ts";

const LABEL_CELLS = 10;

/** A faint label and its text in a column of their own; the text wraps below itself. Nothing for an empty text. */
export function renderField(label: string, text: string, theme: Theme, paint?: (line: string) => string): string[] {
  if (text === "") return [];
  const start = `  ${padToWidth(label, LABEL_CELLS)}`;
  return hang(start, text, theme.width, paint).map((line, index) =>
    index === 0 ? `  ${theme.faint(padToWidth(label, LABEL_CELLS))}${line.slice(start.length)}` : line,
  );
}
