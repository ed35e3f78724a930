import { escapeUntrusted } from "../../core/untrusted-text.ts";
import type { SearchHit } from "../../registry/open-registries.ts";
import { count } from "./format.ts";
import { renderTable } from "./table.ts";
import type { Theme } from "./theme.ts";

/** `ipm search`: best first; the registry is named where there is more than one. */
export function renderSearch(
  hits: readonly SearchHit[],
  words: readonly string[],
  theme: Theme,
  isTerminal: boolean,
): readonly string[] {
  if (hits.length === 0) {
    return [
      `nothing found for ${words.map(escapeUntrusted).join(" ")}`,
      theme.faint(`${theme.symbols.arrow} try fewer words; ipm update brings configured registries up to date`),
    ];
  }
  const isMixed = new Set(hits.map((hit) => hit.registry)).size > 1;
  const table = renderTable(
    hits,
    [
      {
        title: "name",
        value: (hit) =>
          isMixed ? `${escapeUntrusted(hit.registry)}:${escapeUntrusted(hit.name)}` : escapeUntrusted(hit.name),
        paint: (text) => theme.strong(text),
      },
      { title: "version", value: (hit) => escapeUntrusted(hit.version ?? "") },
      { title: "summary", value: (hit) => escapeUntrusted(hit.summary), gives: true },
    ],
    theme,
    isTerminal,
  );
  return isTerminal
    ? [
        ...table,
        "",
        theme.faint(`${count(hits.length, "entry", "entries")} ${theme.symbols.separator} ipm show NAME tells more`),
      ]
    : table;
}
