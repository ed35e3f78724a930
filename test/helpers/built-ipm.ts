import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import type { Readable } from "node:stream";

export const ROOT = path.resolve(import.meta.dirname, "../..");
export const IPM = path.join(ROOT, "bin/ipm.cjs");

export interface Ended {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly home: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Program and its first arguments; the built ipm by default. */
  readonly program?: readonly [string, ...string[]];
  /** Typed once stdout holds the question. */
  readonly answer?: { readonly to: string; readonly with: string };
  /** Called with each piece of stderr, and the process. */
  readonly onStderr?: (text: string, child: ChildProcess) => void;
}

/** Run the built ipm as a child with pipes, no stdin (but for `answer`), and an environment made from nothing. */
export function runIpm(words: readonly string[], options: RunOptions): Promise<Ended> {
  const [program, ...first] = options.program ?? [process.execPath, IPM];
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...first, ...words], {
      cwd: options.cwd ?? options.home,
      env: {
        HOME: options.home,
        PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin`,
        LANG: "C.UTF-8",
        ...options.env,
      },
      stdio: [options.answer === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    const output = { stdout: child.stdout as Readable, stderr: child.stderr as Readable };
    let stdout = "";
    let stderr = "";
    output.stdout.setEncoding("utf8").on("data", (text: string) => {
      const wasAsked = options.answer !== undefined && stdout.includes(options.answer.to);
      stdout += text;
      if (options.answer !== undefined && !wasAsked && stdout.includes(options.answer.to))
        child.stdin?.write(options.answer.with);
    });
    output.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      options.onStderr?.(stderr, child);
    });
    child.once("error", reject);
    child.once("close", (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }));
  });
}

/** A word for `sh -c`. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
