import { cutToWidth, displayWidth } from "./display-width.ts";
import type { Theme } from "./theme.ts";

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly paint?: (text: string, row: Row) => string;
  /** The column that gives way when the line is too long for a terminal. One at most. */
  readonly gives?: boolean;
}

const GAP = "  ";

/** Rows with aligned columns and a faint heading. `cut` bounds the line to the theme's width; without it nothing is lost. */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  theme: Theme,
  cut: boolean,
): string[] {
  const cells = rows.map((row) => columns.map((column) => column.value(row)));
  const widths = columns.map((column, index) =>
    Math.max(displayWidth(column.title), ...cells.map((line) => displayWidth(line[index] ?? ""))),
  );
  const giving = columns.findIndex((column) => column.gives === true);
  const total = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (columns.length - 1);
  if (cut && giving >= 0 && total > theme.width) {
    widths[giving] = Math.max(8, (widths[giving] ?? 0) - (total - theme.width));
  }
  const line = (texts: readonly string[], paint: (text: string, index: number) => string): string =>
    texts
      .map((text, index) => {
        const width = widths[index] ?? 0;
        const fits = index === giving && cut ? cutToWidth(text, width, theme.symbols.ellipsis) : text;
        const padding = index === texts.length - 1 ? "" : " ".repeat(Math.max(0, width - displayWidth(fits)));
        return paint(fits, index) + padding;
      })
      .join(GAP)
      .trimEnd();
  return [
    line(
      columns.map((column) => column.title),
      (text) => theme.faint(text),
    ),
    ...rows.map((row, position) =>
      line(cells[position] ?? [], (text, index) => columns[index]?.paint?.(text, row) ?? text),
    ),
  ];
}
