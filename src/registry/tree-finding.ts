import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { Finding, FindingCode } from "../manifest/finding.ts";

/**
 * A finding about a file as a whole: its place, its kind, its names beside those of other entries. `about` is the text of
 * the file that it is about.
 */
export function treeFinding(
  code: FindingCode,
  file: string,
  message: string,
  { severity = "error", about }: Partial<Pick<Finding, "severity" | "about">> = {},
): Finding {
  return {
    code,
    severity,
    file,
    line: 1,
    column: 1,
    message: escapeUntrusted(message),
    sourceLine: "",
    caret: { start: 0, length: 1 },
    ...(about === undefined ? {} : { about }),
  };
}
