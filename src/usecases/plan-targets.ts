import type { Plan } from "../plan/plan.ts";
import { policyNotices } from "./confirm-plan.ts";
import type { Context, PlanOptions } from "./context.ts";
import { inParallel } from "./in-parallel.ts";
import { preparePlan } from "./prepare-plan.ts";
import { openTargets } from "./resolve-target.ts";
import { demandKnownInputs } from "./settle-inputs.ts";

/** The plans of targets, in their order, with what the policy says to them. Nothing but ipm's cache is written. */
export async function planTargets(
  context: Context,
  targets: readonly string[],
  options: PlanOptions,
): Promise<{ plans: Plan[] }> {
  const resolved = await openTargets(context, targets, options);
  const looking = { ...options, dryRun: true };
  const outcomes = await inParallel(
    resolved,
    options.jobs,
    async (target) => {
      const { plan } = await preparePlan(context, target, looking);
      return { ...plan, notices: [...plan.notices, ...(await policyNotices(context, plan))] };
    },
    true,
  );
  const plans = outcomes.map((outcome) => {
    if (!outcome.ok) throw outcome.error;
    return outcome.value;
  });
  demandKnownInputs(plans, options.set);
  return { plans };
}
