import { styleText } from "node:util";
import { displayWidth, wrapText } from "./display-width.ts";

type Paint = (text: string) => string;

/** Colours, symbols and the width of one output stream. */
export interface Theme {
  readonly width: number;
  /** Names and headings. */
  readonly strong: Paint;
  /** What matters less. */
  readonly faint: Paint;
  readonly good: Paint;
  readonly caution: Paint;
  readonly bad: Paint;
  /** Commands that can be typed. */
  readonly command: Paint;
  readonly symbols: Symbols;
}

export interface Symbols {
  readonly done: string;
  readonly failed: string;
  readonly caution: string;
  readonly skipped: string;
  readonly arrow: string;
  readonly separator: string;
  readonly ellipsis: string;
}

const UNICODE: Symbols = {
  done: "✔",
  failed: "✖",
  caution: "!",
  skipped: "–",
  arrow: "→",
  separator: "·",
  ellipsis: "…",
};

const ASCII: Symbols = {
  done: "+",
  failed: "x",
  caution: "!",
  skipped: "-",
  arrow: "->",
  separator: "-",
  ellipsis: "...",
};

export interface ThemeOptions {
  readonly color: boolean;
  readonly unicode: boolean;
  /** Cells to write for. */
  readonly width: number;
}

/** The one place that knows colours. */
export function createTheme(options: ThemeOptions): Theme {
  const paint =
    (format: Parameters<typeof styleText>[0]): Paint =>
    (text) =>
      // Whether there is colour has been decided already; Node would look at stdout once more.
      options.color && text !== "" ? styleText(format, text, { validateStream: false }) : text;
  return {
    width: options.width,
    strong: paint("bold"),
    faint: paint("dim"),
    good: paint("green"),
    caution: paint("yellow"),
    bad: paint("red"),
    command: paint("cyan"),
    symbols: options.unicode ? UNICODE : ASCII,
  };
}

/** A paragraph with a hanging indent: `first` before the first line, as many spaces before the others. */
export function hang(first: string, text: string, width: number, paint: Paint = (line) => line): string[] {
  const indent = displayWidth(first);
  const lines = wrapText(text, Math.max(20, width - indent));
  return lines.map((line, index) => (index === 0 ? first : " ".repeat(indent)) + paint(line));
}
