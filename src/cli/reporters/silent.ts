import type { Reporter } from "./reporter.ts";

/** No story: the answer on stdout, the exit code, and the error when there is one. */
export function createSilentReporter(): Reporter {
  return { emit: () => undefined, pause: () => undefined, resume: () => undefined, stop: () => undefined };
}
