import { escapeUntrusted } from "../../core/untrusted-text.ts";
import type { SelfRemoveResult } from "../../usecases/self-remove.ts";
import { NOBODY_ASKED, type SetupResult } from "../../usecases/setup.ts";
import { renderField } from "./field.ts";
import { showWord } from "./format.ts";
import { hang, type Theme } from "./theme.ts";

function indented(lines: readonly string[], theme: Theme): string[] {
  return lines.map((line) => `    ${theme.command(escapeUntrusted(line))}`);
}

/** `ipm setup`: where ipm is now, what happened to the rc file, and how to have it in this very shell. */
export function renderSetup(result: SetupResult, theme: Theme): readonly string[] {
  const done = theme.good(theme.symbols.done);
  const lines = [`${done} ipm is in ${escapeUntrusted(result.launcher)}`];
  const rc = escapeUntrusted(result.rc.path ?? "");
  switch (result.rc.state) {
    case "added":
      lines.push(`${done} ${rc} puts it and your tools on PATH`);
      break;
    case "present":
      lines.push(`${done} ${rc} had the lines already`);
      break;
    case "damaged":
      lines.push(
        ...hang(
          `${theme.symbols.caution} `,
          `${rc} has an ipm block without an end, so it was left alone. Take the block out and add:`,
          theme.width,
          theme.caution,
        ),
        ...indented(result.lines, theme),
      );
      return lines;
    case "declined":
    case "printed":
      lines.push(
        ...hang(
          `${theme.symbols.caution} `,
          `nothing was written to ${rc === "" ? "an rc file" : rc}${result.rc.why === undefined ? "" : ` (${escapeUntrusted(result.rc.why)})`}; these are the lines for it:`,
          theme.width,
          theme.caution,
        ),
        ...indented(result.lines, theme),
        ...(result.rc.why === NOBODY_ASKED ? renderField("or", "ipm setup --yes", theme, theme.command) : []),
      );
      return lines;
  }
  const now =
    result.shell === "fish"
      ? `${showWord(result.launcher)} shellenv fish | source`
      : `eval "$(${showWord(result.launcher)} shellenv ${result.shell})"`;
  lines.push(
    "",
    ...renderField("next", "open a new terminal, or here:", theme),
    ...renderField(" ", now, theme, theme.command),
  );
  return lines;
}

/** `ipm self remove`. */
export function renderSelfRemove(result: SelfRemoveResult, root: string, theme: Theme): readonly string[] {
  const done = theme.good(theme.symbols.done);
  if (result.removed.length === 0 && result.rcFiles.length === 0 && result.kept.length === 0) {
    return [`${done} there was nothing to remove`];
  }
  return [
    ...result.rcFiles.map((file) => `${done} ${escapeUntrusted(file)} is as it was before`),
    ...result.removed.map((folder) => `${done} removed ${escapeUntrusted(folder)}`),
    ...result.kept.flatMap((one) =>
      hang(
        `${theme.symbols.caution} `,
        `kept ${escapeUntrusted(one.path)}: ${escapeUntrusted(one.why)}`,
        theme.width,
        theme.caution,
      ),
    ),
    theme.faint(`  the program itself is in ${escapeUntrusted(root)}`),
  ];
}
