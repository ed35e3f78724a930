import { safeJson } from "../render/format.ts";
import type { Output } from "../streams.ts";
import type { Reporter } from "./reporter.ts";

/** Every event as one line of JSON on stdout, the last one `run.finished`. */
export function createNdjsonReporter(stdout: Output): Reporter {
  return {
    emit: (event) => stdout.write(`${safeJson(event)}\n`),
    pause: () => undefined,
    resume: () => undefined,
    stop: () => undefined,
  };
}
