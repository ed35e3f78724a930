/** True for a parsed JSON object: neither null nor a list. What its members are is still to be checked. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
