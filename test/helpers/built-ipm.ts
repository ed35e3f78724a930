import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";

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
  /** Called with each piece of stderr, and the process. */
  readonly onStderr?: (text: string, child: ChildProcess) => void;
}

/** Run the built ipm as a child with pipes, no stdin, and an environment made from nothing. */
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
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
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
