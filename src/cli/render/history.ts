import { escapeUntrusted } from "../../core/untrusted-text.ts";
import { renderChange } from "./changes.ts";
import { count, formatTime } from "./format.ts";
import { displayWidth, wrapText } from "./display-width.ts";
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
    const time = formatTime(item.created);
    const indent = displayWidth(`  ${number}  ${time}  `);
    const words = wrapText(escapeUntrusted(item.command), Math.max(20, theme.width - indent));
    // How many tools there are stands behind the command, where there is room for it.
    const isRoomy = indent + displayWidth(`${words.at(-1) ?? ""}  ${what}`) <= theme.width;
    const last = isRoomy ? `${words.pop() ?? ""}  ${theme.faint(what)}` : theme.faint(what);
    const [command, ...rest] = [...words, last];
    return [
      `${mark} ${theme.strong(number)}  ${theme.faint(time)}  ${command}`,
      ...rest.map((line) => `${" ".repeat(indent)}${line}`),
      ...item.changes.map((change) => `  ${" ".repeat(cells)}  ${renderChange(change, theme)}`),
    ];
  });
}
