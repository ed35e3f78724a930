import type { PlannedWork } from "./plan.ts";

/** The inputs that are not secret and are for the steps, or for the tool itself: variable to value. */
export function givenInputs(what: Pick<PlannedWork, "inputs">, when: "build" | "run"): Record<string, string> {
  const given = (what.inputs ?? []).filter((input) => input.for === when || input.for === "both");
  return Object.fromEntries(given.flatMap(({ env, value }) => (value === null ? [] : [[env, value]])));
}

/** The secrets that the tool itself is given, by their variables. */
export function secretInputs(what: Pick<PlannedWork, "inputs">): string[] {
  return (what.inputs ?? []).filter(({ secret }) => secret).map(({ env }) => env);
}
