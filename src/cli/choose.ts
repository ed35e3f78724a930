import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { ChoiceQuestion } from "../usecases/context.ts";
import { interruptedAt } from "./ask.ts";
import { cutToWidth } from "./render/display-width.ts";
import type { Theme } from "./render/theme.ts";
import type { Streams } from "./streams.ts";

interface Key {
  readonly name?: string;
  readonly ctrl?: boolean;
  readonly sequence?: string;
}

/** The menu as lines that fit the terminal: a broken line could not be drawn over. */
export function renderMenu(question: ChoiceQuestion, at: number, theme: Theme): string[] {
  const { symbols } = theme;
  return question.choices.map(({ id, why }, index) => {
    const text = `${index + 1}  ${escapeUntrusted(id)}${why === null ? "" : `  ${escapeUntrusted(why)}`}`;
    const shown = cutToWidth(text, Math.max(10, theme.width - 4), theme.symbols.ellipsis);
    const line = why === null ? shown : theme.faint(shown);
    return index === at ? `${theme.caution(symbols.arrow)} ${theme.strong(line)}` : `  ${line}`;
  });
}

/** The next choice that can be taken in a direction, going round at the ends. */
export function nextChoice(question: ChoiceQuestion, at: number, by: 1 | -1): number {
  const count = question.choices.length;
  for (let step = 1; step <= count; step++) {
    const index = (at + by * step + count * step) % count;
    if (question.choices[index]?.why === null) return index;
  }
  return at;
}

/**
 * Let somebody at a terminal pick one of several by keyboard: arrows (or j and k) and Enter, or its number. What cannot be
 * taken is shown with the reason and passed over.
 * @returns null for Escape, `q` and end of file
 * @throws IpmError INTERRUPTED for Ctrl-C
 */
export async function choose(
  question: ChoiceQuestion,
  streams: Streams,
  theme: Theme,
  signal: AbortSignal,
): Promise<string | null> {
  const { emitKeypressEvents } = await import("node:readline");
  // oxlint-disable-next-line no-unsafe-type-assertion -- whoever may be asked sits at a terminal, and that is a ReadStream
  const input = streams.stdin.stream() as NodeJS.ReadStream;
  const { stderr } = streams;
  let at = nextChoice(question, -1, 1);
  const draw = (again: boolean): void => {
    const lines = renderMenu(question, at, theme);
    const up = again ? `\u001b[${lines.length}A` : "";
    stderr.write(`${up}${lines.map((line) => `\r\u001b[K${line}\n`).join("")}`);
  };
  return new Promise<string | null>((resolve, reject) => {
    const settle = (act: () => void): void => {
      signal.removeEventListener("abort", interrupted);
      input.off("keypress", onKey);
      input.off("end", ended);
      input.setRawMode(false);
      input.pause();
      act();
    };
    const interrupted = (): void => settle(() => reject(interruptedAt(signal)));
    const ended = (): void => settle(() => resolve(null));
    const take = (index: number): void => {
      const choice = question.choices[index];
      if (choice === undefined || choice.why !== null) return;
      at = index;
      draw(true);
      settle(() => resolve(choice.id));
    };
    const onKey = (_text: string | undefined, key: Key): void => {
      const { name = "", ctrl = false, sequence = "" } = key;
      if (ctrl && name === "c") interrupted();
      else if ((ctrl && name === "d") || name === "escape" || name === "q") ended();
      else if (name === "return" || name === "enter") take(at);
      else if (/^[1-9]$/u.test(sequence)) take(Number(sequence) - 1);
      else if (name === "up" || name === "k" || name === "down" || name === "j") {
        at = nextChoice(question, at, name === "up" || name === "k" ? -1 : 1);
        draw(true);
      }
    };
    signal.addEventListener("abort", interrupted, { once: true });
    // Raw before anything is shown: a fast answer must not be echoed, and must not wait for Enter.
    emitKeypressEvents(input);
    input.setRawMode(true);
    input.on("keypress", onKey);
    input.once("end", ended);
    input.resume();
    const keys = theme.faint("(arrows and Enter; q leaves)");
    stderr.write(`${theme.caution("?")} ${theme.strong(escapeUntrusted(question.text))} ${keys}\n`);
    draw(false);
  });
}
