import type { Plan } from "../plan/plan.ts";

/** True for the plan of a `plan.ready` event, where it is `unknown` because core knows no plans. */
export function isPlan(value: unknown): value is Plan {
  return typeof value === "object" && value !== null && "what" in value && "tool" in value && "trust" in value;
}
