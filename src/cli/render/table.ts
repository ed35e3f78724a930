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

/** A text and the cells that it takes. */
interface Sized {
  readonly text: string;
  readonly width: number;
}

function sized(text: string): Sized {
  return { text, width: displayWidth(text) };
}

/** Rows with aligned columns and a faint heading. `cut` bounds the line to the theme's width; without it nothing is lost. */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  theme: Theme,
  cut: boolean,
): string[] {
  const cells = rows.map((row) => columns.map((column) => sized(column.value(row))));
  const titles = columns.map((column) => sized(column.title));
  const widths = titles.map(({ width }, index) =>
    cells.reduce((widest, line) => Math.max(widest, line[index]?.width ?? 0), width),
  );
  const giving = columns.findIndex((column) => column.gives === true);
  const total = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (columns.length - 1);
  if (cut && giving >= 0 && total > theme.width) {
    widths[giving] = Math.max(8, (widths[giving] ?? 0) - (total - theme.width));
  }
  const line = (own: readonly Sized[], paint: (text: string, index: number) => string): string =>
    own
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        const fits = cell.width > width ? sized(cutToWidth(cell.text, width, theme.symbols.ellipsis)) : cell;
        const padding = index === own.length - 1 ? "" : " ".repeat(width - fits.width);
        return paint(fits.text, index) + padding;
      })
      .join(GAP)
      .trimEnd();
  return [
    line(titles, theme.faint),
    ...rows.map((row, position) =>
      line(cells[position] ?? [], (text, index) => columns[index]?.paint?.(text, row) ?? text),
    ),
  ];
}
