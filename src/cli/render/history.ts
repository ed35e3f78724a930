import { escapeUntrusted } from "../../core/untrusted-text.ts";
import { renderChange } from "./changes.ts";
import { count, formatTime } from "./format.ts";
import type { Theme } from "./theme.ts";

interface HistoryItem {
  readonly number: number | null;
  readonly created: string;
  readonly command: string;
  readonly current: boolean;
  readonly changes: readonly { readonly name: string; readonly from: string | null; readonly to: string | null }[];
  readonly tools: number;
  readonly workspace?: string;
}

/** `ipm history`: newest first, with what each generation changed. */
export function renderHistory(items: readonly HistoryItem[], theme: Theme): readonly string[] {
  if (items.length === 0) return ["no generations yet: nothing has been installed"];
  const cells = Math.max(...items.map((item) => String(item.number ?? "").length));
  return items.flatMap((item) => {
    const number = String(item.number ?? "").padStart(cells);
    const what =
      item.workspace === undefined ? count(item.tools, "tool") : `workspace ${escapeUntrusted(item.workspace)}`;
    const mark = item.current ? theme.good("*") : " ";
    return [
      `${mark} ${theme.strong(number)}  ${theme.faint(formatTime(item.created))}  ${escapeUntrusted(item.command)}  ${theme.faint(what)}`,
      ...item.changes.map((change) => `  ${" ".repeat(cells)}  ${renderChange(change, theme)}`),
    ];
  });
}
