import vm from "node:vm";

export type PatternOutcome = "match" | "no-match" | "too-slow" | "invalid";

/**
 * Try a manifest's pattern (flags `mu`) on a test's output, with a limit: a pattern can take exponential time (`(a+)+$`),
 * and V8 looks at the limit of a script while it backtracks.
 * @param text bounded by the caller
 * @param timeoutMs what one pattern may take
 */
export function matchPattern(pattern: string, text: string, timeoutMs = 2000): PatternOutcome {
  try {
    // JSON is JavaScript: both are literals, whatever they hold. A context of its own would take longer than the rest.
    const script = `new RegExp(${JSON.stringify(pattern)}, "mu").test(${JSON.stringify(text)})`;
    const matched: unknown = vm.runInThisContext(script, { timeout: timeoutMs });
    return matched === true ? "match" : "no-match";
  } catch (error) {
    const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
    if (code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return "too-slow";
    return "invalid";
  }
}
