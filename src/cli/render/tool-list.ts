import { escapeUntrusted } from "../../core/untrusted-text.ts";
import type { InstalledTool, SizedTool } from "../../usecases/list.ts";
import { formatBytes } from "./format.ts";
import { renderTable } from "./table.ts";
import type { Theme } from "./theme.ts";

/** `ipm list`: one line a tool. */
export function renderToolList(
  tools: readonly (InstalledTool | SizedTool)[],
  theme: Theme,
  isTerminal: boolean,
): readonly string[] {
  if (tools.length === 0)
    return ["nothing is installed", theme.faint(`${theme.symbols.arrow} ipm search WORDS, then ipm install NAME`)];
  const hasSizes = tools.some((tool) => "bytes" in tool);
  return renderTable(
    tools,
    [
      { title: "name", value: (tool) => escapeUntrusted(tool.name), paint: (text) => theme.strong(text) },
      { title: "version", value: (tool) => `${escapeUntrusted(tool.version)}${tool.held ? " (held)" : ""}` },
      { title: "method", value: (tool) => escapeUntrusted(tool.method) },
      {
        title: "trust",
        value: (tool) => escapeUntrusted(tool.trust),
        paint: (text, tool) => (tool.trust === "unverified" ? theme.caution(text) : text),
      },
      ...(hasSizes
        ? [{ title: "size", value: (tool: SizedTool | InstalledTool) => formatBytes("bytes" in tool ? tool.bytes : 0) }]
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
}
