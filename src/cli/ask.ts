import { Writable } from "node:stream";
import { IpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { Question, TextQuestion } from "../usecases/context.ts";
import { hang, type Theme } from "./render/theme.ts";
import type { Streams } from "./streams.ts";

function writeDetail(detail: readonly string[] | undefined, streams: Streams, theme: Theme): void {
  for (const line of detail ?? []) {
    // Lines of a shell script keep their indentation.
    const text = line.trimStart();
    const indent = " ".repeat(2 + line.length - text.length);
    streams.stderr.write(`${hang(indent, escapeUntrusted(text), theme.width).join("\n")}\n`);
  }
}

/** What an abort during a question ends in. */
export function interruptedAt(signal: AbortSignal): IpmError {
  return signal.reason instanceof IpmError
    ? signal.reason
    : new IpmError("INTERRUPTED", "interrupted at the question; nothing was changed");
}

/**
 * Write a prompt on stderr and read one line of stdin; null for end of file.
 * @param hidden what is typed is not shown
 * @throws IpmError INTERRUPTED for Ctrl-C at the prompt
 */
async function readLine(
  prompt: string,
  streams: Streams,
  signal: AbortSignal,
  hidden: boolean,
): Promise<string | null> {
  const { createInterface } = await import("node:readline");
  // Readline shows what is typed where it writes; a hidden line is written nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  return new Promise<string | null>((resolve, reject) => {
    const reader = createInterface({
      input: streams.stdin.stream(),
      output: hidden ? nowhere : streams.stderr.stream(),
      terminal: true,
      historySize: 0,
    });
    // Only now does the terminal show nothing by itself: who answers fast must not be shown either.
    if (hidden) streams.stderr.write(prompt);
    let isAnswered = false;
    const settle = (act: () => void): void => {
      if (isAnswered) return;
      isAnswered = true;
      signal.removeEventListener("abort", interrupted);
      reader.close();
      act();
    };
    const interrupted = (): void => {
      settle(() => {
        streams.stderr.write("\n");
        reject(interruptedAt(signal));
      });
    };
    signal.addEventListener("abort", interrupted, { once: true });
    // The terminal is in raw mode here, so Ctrl-C comes as a key, not as a signal.
    reader.once("SIGINT", interrupted);
    reader.once("close", () =>
      settle(() => {
        streams.stderr.write("\n");
        resolve(null);
      }),
    );
    reader.question(hidden ? "" : prompt, (answer) => {
      settle(() => {
        if (hidden) streams.stderr.write("\n");
        resolve(answer);
      });
    });
  });
}

/**
 * Put a yes-or-no question on stderr and read one line of stdin. Enter is the default, end of file and everything but
 * `y` and `yes` is no.
 * @throws IpmError INTERRUPTED for Ctrl-C at the prompt
 */
export async function confirm(
  question: Question,
  streams: Streams,
  theme: Theme,
  signal: AbortSignal,
): Promise<boolean> {
  writeDetail(question.detail, streams, theme);
  const prompt = `${theme.caution("?")} ${theme.strong(escapeUntrusted(question.text))} ${theme.faint(question.default ? "[Y/n]" : "[y/N]")} `;
  const answer = await readLine(prompt, streams, signal, false);
  if (answer === null) return false;
  const word = answer.trim().toLowerCase();
  return word === "" ? question.default : word === "y" || word === "yes";
}

/**
 * Ask for a line of text on stderr and read it from stdin.
 * @returns null for end of file
 * @throws IpmError INTERRUPTED for Ctrl-C at the prompt
 */
export async function askText(
  question: TextQuestion,
  streams: Streams,
  theme: Theme,
  signal: AbortSignal,
): Promise<string | null> {
  writeDetail(question.detail, streams, theme);
  const prompt = `${theme.caution("?")} ${theme.strong(escapeUntrusted(question.text))} `;
  return readLine(prompt, streams, signal, question.hidden);
}
