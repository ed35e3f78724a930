import { IpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { Question } from "../usecases/context.ts";
import { hang, type Theme } from "./render/theme.ts";
import type { Streams } from "./streams.ts";

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
  const { createInterface } = await import("node:readline");
  for (const line of question.detail ?? []) {
    // Lines of a shell script keep their indentation.
    const text = line.trimStart();
    const indent = " ".repeat(2 + line.length - text.length);
    streams.stderr.write(`${hang(indent, escapeUntrusted(text), theme.width).join("\n")}\n`);
  }
  const prompt = `${theme.caution("?")} ${theme.strong(escapeUntrusted(question.text))} ${theme.faint(question.default ? "[Y/n]" : "[y/N]")} `;
  return new Promise<boolean>((resolve, reject) => {
    const reader = createInterface({
      input: streams.stdin.stream(),
      output: streams.stderr.stream(),
      terminal: true,
      historySize: 0,
    });
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
        reject(
          signal.reason instanceof IpmError
            ? signal.reason
            : new IpmError("INTERRUPTED", "interrupted at the question; nothing was changed"),
        );
      });
    };
    signal.addEventListener("abort", interrupted, { once: true });
    // The terminal is in raw mode here, so Ctrl-C comes as a key, not as a signal.
    reader.once("SIGINT", interrupted);
    reader.once("close", () =>
      settle(() => {
        streams.stderr.write("\n");
        resolve(false);
      }),
    );
    reader.question(prompt, (answer) => {
      const word = answer.trim().toLowerCase();
      settle(() => resolve(word === "" ? question.default : word === "y" || word === "yes"));
    });
  });
}
