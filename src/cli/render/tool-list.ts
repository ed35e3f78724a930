import { escapeUntrusted } from "../../core/untrusted-text.ts";
import type { SizedTool } from "../../usecases/list.ts";
import type { ListedTool } from "../../usecases/withdrawn.ts";
import { formatBytes } from "./format.ts";
import { renderTable } from "./table.ts";
import { type Theme, hang } from "./theme.ts";

/** `ipm list`: one line a tool. */
export function renderToolList(
  tools: readonly (ListedTool & Partial<SizedTool>)[],
  theme: Theme,
  isTerminal: boolean,
): readonly string[] {
  if (tools.length === 0)
    return ["nothing is installed", theme.faint(`${theme.symbols.arrow} ipm search WORDS, then ipm install NAME`)];
  const hasSizes = tools.some((tool) => "bytes" in tool);
  const withdrawn = tools.flatMap((tool) =>
    tool.withdrawn === undefined
      ? []
      : hang(
          `${theme.symbols.caution} `,
          `${escapeUntrusted(tool.name)} ${escapeUntrusted(tool.version)} was withdrawn: ${escapeUntrusted(tool.withdrawn)} (ipm upgrade ${escapeUntrusted(tool.name)})`,
          theme.width,
          theme.caution,
        ),
  );
  const table = renderTable(
    tools,
    [
      { title: "name", value: (tool) => escapeUntrusted(tool.name), paint: (text) => theme.strong(text) },
      {
        title: "version",
        value: (tool) =>
          `${escapeUntrusted(tool.version)}${tool.held ? " (held)" : ""}${tool.withdrawn === undefined ? "" : " (withdrawn)"}`,
        paint: (text, tool) => (tool.withdrawn === undefined ? text : theme.bad(text)),
      },
      { title: "method", value: (tool) => escapeUntrusted(tool.method) },
      {
        title: "trust",
        value: (tool) => escapeUntrusted(tool.trust),
        paint: (text, tool) => (tool.trust === "unverified" ? theme.caution(text) : text),
      },
      ...(hasSizes
        ? [{ title: "size", value: (tool: ListedTool & Partial<SizedTool>) => formatBytes(tool.bytes ?? 0) }]
        : []),
      {
        title: tools.some((tool) => tool.workspace !== undefined) ? "commands, folder" : "commands",
        value: (tool) =>
          tool.workspace === undefined
            ? tool.bins.map(escapeUntrusted).join(" ")
            : `${escapeUntrusted(tool.workspace.folder)}${tool.workspace.state === "ready" ? "" : " (not finished)"}`,
        gives: true,
      },
    ],
    theme,
    isTerminal,
  );
  return withdrawn.length === 0 ? table : [...table, "", ...withdrawn];
}
