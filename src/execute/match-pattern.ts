import vm from "node:vm";

export type PatternOutcome = "match" | "no-match" | "too-slow" | "invalid";

const script = new vm.Script("new RegExp(pattern, 'mu').test(text)");

/**
 * Try a manifest's pattern (flags `mu`) on a test's output, with a limit: a pattern can take exponential time (`(a+)+$`),
 * and V8 looks at the limit of a script while it backtracks.
 * @param text bounded by the caller
 * @param timeoutMs what one pattern may take
 */
export function matchPattern(pattern: string, text: string, timeoutMs = 2000): PatternOutcome {
  try {
    // The names of the sandboxed script are texts only: nothing of this program can be reached through them.
    const matched: unknown = script.runInNewContext({ __proto__: null, pattern, text }, { timeout: timeoutMs });
    return matched === true ? "match" : "no-match";
  } catch (error) {
    // Not instanceof: errors of the other context have another Error.
    const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
    if (code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return "too-slow";
    return "invalid";
  }
}
