import { isPrintableAscii } from "../../core/untrusted-text.ts";

// oxlint-disable-next-line no-control-regex -- exactly the sequences that `styleText` writes
const STYLE = /\u001b\[[0-9;]*m/gu;

/** Cells of one character. The patterns are made when they are needed: most texts are ASCII, and they take a while. */
function cellsOf(character: string): number {
  if (/^[\p{Mn}\p{Me}\p{Cf}\ufe00-\ufe0f]/u.test(character)) return 0;
  // East Asian Wide and Fullwidth blocks, and emoji that terminals draw in two cells (Unicode TR 11, in coarse blocks).
  const wide =
    /^[\u1100-\u115f\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{1fa70}-\u{1faff}\u{20000}-\u{3fffd}]/u;
  return wide.test(character) ? 2 : 1;
}

/** Cells that a line takes on a terminal; colours take none. */
export function displayWidth(text: string): number {
  const bare = text.includes("\u001b") ? text.replace(STYLE, "") : text;
  if (isPrintableAscii(bare)) return bare.length;
  let cells = 0;
  for (const character of bare) cells += cellsOf(character);
  return cells;
}

/** The text cut to at most `width` cells, with `ellipsis` in place of what is gone. For text without colours. */
export function cutToWidth(text: string, width: number, ellipsis: string): string {
  if (displayWidth(text) <= width) return text;
  const room = width - displayWidth(ellipsis);
  if (room < 0) return "";
  let cells = 0;
  let kept = "";
  for (const character of text) {
    cells += cellsOf(character);
    if (cells > room) break;
    kept += character;
  }
  return kept.trimEnd() + ellipsis;
}

/** Pad with spaces on the right to `width` cells. */
export function padToWidth(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

/**
 * Break a text at spaces into lines of at most `width` cells; a word that is longer stays whole (a path or URL that is
 * broken cannot be copied).
 */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && displayWidth(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  lines.push(line);
  return lines;
}
