import path from "node:path";
import { IpmError } from "../core/errors.ts";
import type { HostFacts } from "../core/host.ts";

export const SHELLS = ["bash", "zsh", "fish", "sh"] as const;
export type Shell = (typeof SHELLS)[number];

function isShell(text: string): text is Shell {
  return (SHELLS as readonly string[]).includes(text);
}

/** A shell's name as the user types it. @throws IpmError USAGE */
export function parseShell(text: string): Shell {
  if (isShell(text)) return text;
  throw new IpmError("USAGE", `ipm knows the shells ${SHELLS.join(", ")}, not ${JSON.stringify(text)}`, {
    hint: "any POSIX shell understands the lines for sh",
  });
}

/** The user's shell by `$SHELL`; `sh` when it is unknown. */
export function shellOf(env: HostFacts["env"]): Shell {
  const name = path.basename(env["SHELL"] ?? "");
  return isShell(name) ? name : "sh";
}

/** A word in POSIX shells: nothing in single quotes is special but the quote itself. */
export function quotePosix(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** A word in fish: in single quotes a backslash escapes itself and the quote. */
export function quoteFish(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
