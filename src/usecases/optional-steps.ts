import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { OptionalStep } from "../plan/plan.ts";
import type { Context, PlanOptions } from "./context.ts";
import { inTurn } from "./in-turn.ts";

/**
 * Which optional steps are taken: those that were taken before, all of them with `--yes`, else those that somebody at a
 * terminal says yes to, with the reason that the manifest gives. Nobody is asked for a plan alone, nor again.
 * @returns their positions among the manifest's steps
 */
export async function takeOptionalSteps(
  context: Context,
  tool: string,
  steps: readonly OptionalStep[],
  options: PlanOptions,
): Promise<ReadonlySet<number>> {
  const taken = new Set<number>();
  // What is verified is what everybody gets who says nothing.
  if (options.cleanRoom === true) return taken;
  for (const { step, title, why } of steps) {
    const before = options.optionalBefore?.find((one) => one.title === title);
    if (before !== undefined) {
      if (before.taken) taken.add(step);
    } else if (options.yes) taken.add(step);
    else if (!options.dryRun && context.ask !== null) {
      const { ask } = context;
      const question = {
        kind: "confirm",
        text: `${escapeUntrusted(tool)} has an optional step: ${escapeUntrusted(title)}. Take it?`,
        detail: why === null ? [] : [why],
        default: false,
      } as const;
      if (await inTurn(context.host, "terminal", () => ask(question))) taken.add(step);
    }
  }
  return taken;
}
