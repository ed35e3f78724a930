import { escapeUntrusted } from "../../core/untrusted-text.ts";
import type { OutdatedTool } from "../../usecases/outdated.ts";
import { renderTable } from "./table.ts";
import type { Theme } from "./theme.ts";

/** `ipm outdated`. */
export function renderOutdated(tools: readonly OutdatedTool[], theme: Theme): readonly string[] {
  if (tools.length === 0) return [`${theme.good(theme.symbols.done)} everything is at its newest version`];
  return [
    ...renderTable(
      tools,
      [
        { title: "name", value: (tool) => escapeUntrusted(tool.name), paint: (text) => theme.strong(text) },
        { title: "installed", value: (tool) => escapeUntrusted(tool.version) },
        { title: "newest", value: (tool) => escapeUntrusted(tool.latest ?? "none"), paint: (text) => theme.good(text) },
        {
          title: "",
          value: (tool) =>
            [
              ...(tool.held ? ["held"] : []),
              ...(tool.withdrawn === null ? [] : [`withdrawn: ${escapeUntrusted(tool.withdrawn)}`]),
            ].join(", "),
          paint: (text) => theme.caution(text),
        },
      ],
      theme,
      false,
    ),
    "",
    `${theme.faint(theme.symbols.arrow)} ${theme.command("ipm upgrade")}`,
  ];
}
