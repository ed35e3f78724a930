import { escapeUntrusted } from "../../core/untrusted-text.ts";
import type { UnchangedTool } from "../../usecases/install.ts";
import type { Theme } from "./theme.ts";

/** Tools that an installation left as they are, and what is newer. */
export function renderUnchanged(tools: readonly UnchangedTool[], theme: Theme): readonly string[] {
  return tools.flatMap((tool) => {
    const name = escapeUntrusted(tool.name);
    return [
      `${theme.good(theme.symbols.done)} ${theme.strong(`${name} ${escapeUntrusted(tool.version)}`)} is installed already`,
      ...(tool.newer === null
        ? []
        : [`  ${escapeUntrusted(tool.newer)} is newer: ${theme.command(`ipm upgrade ${name}`)}`]),
    ];
  });
}
