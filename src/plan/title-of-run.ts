import type { RunText } from "../manifest/manifest.ts";

/** A command as one line of at most 60 characters. */
export function titleOfRun(run: RunText): string {
  const text = typeof run === "string" ? (run.trim().split("\n")[0] ?? "") : run.join(" ");
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
