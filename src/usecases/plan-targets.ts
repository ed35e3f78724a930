import type { Plan } from "../plan/plan.ts";
import type { Context, PlanOptions } from "./context.ts";
import { inParallel } from "./in-parallel.ts";
import { preparePlan } from "./prepare-plan.ts";
import { openTargets } from "./resolve-target.ts";

/** The plans of targets, in their order. Nothing but ipm's cache is written. */
export async function planTargets(
  context: Context,
  targets: readonly string[],
  options: PlanOptions,
): Promise<{ plans: Plan[] }> {
  const resolved = await openTargets(context, targets, options);
  const outcomes = await inParallel(
    resolved,
    options.jobs,
    async (target) => (await preparePlan(context, target, options)).plan,
    true,
  );
  return {
    plans: outcomes.map((outcome) => {
      if (!outcome.ok) throw outcome.error;
      return outcome.value;
    }),
  };
}
