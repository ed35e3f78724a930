import { isIpmError } from "../core/errors.ts";
import type { Plan } from "../plan/plan.ts";
import { policyNotices } from "./confirm-plan.ts";
import type { Context, PlanOptions } from "./context.ts";
import { type FailedTool, failureOf } from "./failed-tool.ts";
import { inParallel } from "./in-parallel.ts";
import { preparePlan } from "./prepare-plan.ts";
import { openTargets } from "./resolve-target.ts";
import { demandKnownInputs } from "./settle-inputs.ts";

/**
 * The plans of targets, in their order, with what the policy says to them. Nothing but ipm's cache is written.
 * @returns with `--keep-going` also what could not be planned
 */
export async function planTargets(
  context: Context,
  targets: readonly string[],
  options: PlanOptions,
): Promise<{ plans: Plan[]; failed: FailedTool[] }> {
  const failed: FailedTool[] = [];
  const resolved = await openTargets(
    context,
    targets,
    options,
    options.keepGoing ? (typed, error) => failed.push(failureOf(typed, error)) : undefined,
  );
  const looking = { ...options, dryRun: true };
  const outcomes = await inParallel(
    resolved,
    options.jobs,
    async (target) => {
      const { plan } = await preparePlan(context, target, looking);
      return { ...plan, notices: [...plan.notices, ...(await policyNotices(context, plan))] };
    },
    !options.keepGoing,
  );
  const plans = outcomes.flatMap((outcome, index) => {
    if (outcome.ok) return [outcome.value];
    if (!options.keepGoing || !isIpmError(outcome.error)) throw outcome.error;
    failed.push(failureOf(resolved[index]?.typed ?? "", outcome.error));
    return [];
  });
  if (failed.length === 0) demandKnownInputs(plans, options.set);
  return { plans, failed };
}
