import { programOf } from "../shell-commands.ts";
import type { ShellCommand } from "../shell-commands.ts";

const DOWNLOADERS = new Set(["curl", "wget", "fetch", "aria2c", "http", "https"]);
const INTERPRETERS = /^(?:(?:ba|da|z|k|c)?sh|fish|python[0-9.]*|perl|ruby|node|deno|php|source|\.|eval|iex)$/u;
const WITHIN = /(?:\$|<)\([^)]*\b(?:curl|wget|fetch)\b|`[^`]*\b(?:curl|wget|fetch)\b/u;

function interprets(command: ShellCommand): boolean {
  // `sudo bash`, `sudo -E bash -`.
  return [programOf(command), ...command.words.slice(1, 4)].some(
    (word, index) => (index === 0 || /^(?:sudo|doas)$/u.test(programOf(command))) && INTERPRETERS.test(word),
  );
}

/**
 * True when what the command at an index downloads is run as a program: `curl … | sh`, `sh -c "$(curl …)"`,
 * `bash <(curl …)`. The inner command of the last two stands before the outer one.
 */
export function runsDownload(all: readonly ShellCommand[], index: number): boolean {
  const command = all[index];
  const next = all[index + 1];
  if (command === undefined || next === undefined || !DOWNLOADERS.has(programOf(command))) return false;
  if (command.ending === "|") {
    for (const piped of all.slice(index + 1)) {
      if (interprets(piped)) return true;
      if (piped.ending !== "|") return false;
    }
  }
  return all.slice(index + 1).some((outer) => interprets(outer) && outer.words.some((word) => WITHIN.test(word)));
}
