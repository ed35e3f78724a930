import type { IpmError } from "../core/errors.ts";

/** A target that came to nothing while others went on (`--keep-going`). */
export interface FailedTool {
  readonly target: string;
  readonly code: string;
  readonly message: string;
  readonly log: string | null;
}

/** What is told of the failure of a target. */
export function failureOf(target: string, error: IpmError): FailedTool {
  const log = error.data["log"];
  return { target, code: error.code, message: error.message, log: typeof log === "string" ? log : null };
}
