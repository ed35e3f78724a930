import { IpmError } from "../core/errors.ts";
import type { Plan } from "../plan/plan.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { decideTrust } from "../trust/decide-trust.ts";
import type { Context, PlanOptions } from "./context.ts";

/**
 * Let a plan through, ask, or refuse. `--yes` answers no question of trust.
 * @throws IpmError UNVERIFIED, SANDBOX_UNAVAILABLE, DECLINED
 */
export async function confirmPlan(context: Context, plan: Plan, options: PlanOptions): Promise<void> {
  const wanted = context.sandboxFor(options.noSandbox);
  const report = await wanted.probe();
  const state = options.noSandbox ? "switched-off" : report.state === "ok" ? "isolated" : "unavailable";
  const decision = decideTrust(plan, {
    sandbox: state,
    allowUnverified: options.allowUnverified,
    canAsk: context.ask !== null,
  });
  if (decision.action === "refuse") {
    throw new IpmError(
      decision.code,
      state === "unavailable" && decision.code === "SANDBOX_UNAVAILABLE"
        ? `${decision.why}: ${report.cause}`
        : decision.why,
      {
        hint:
          decision.code === "SANDBOX_UNAVAILABLE" && report.fix !== null
            ? `${report.fix}; or accept the risk with --no-sandbox`
            : decision.hint,
        data: { digest: plan.digest, trust: plan.trust, sandbox: report.state },
      },
    );
  }
  if (decision.action === "ask") {
    const agreed =
      (await context.ask?.({ kind: "confirm", text: decision.question, detail: [decision.why], default: false })) ??
      false;
    if (!agreed) throw new IpmError("DECLINED", `${plan.tool.name} was not installed`, { hint: "nothing was changed" });
  }
  const tool = `${plan.tool.name}@${plan.tool.version}`;
  if (state === "switched-off") {
    context.emit({
      type: "warning",
      code: "NO_SANDBOX",
      message: `${tool}: its steps and tests run without a sandbox, as you`,
    });
  } else if (state === "unavailable") {
    context.emit({
      type: "warning",
      code: "NO_SANDBOX",
      message: `${tool}: no sandbox here (${report.cause}); nothing of it runs but its tests`,
      ...(report.fix === null ? {} : { hint: report.fix }),
    });
  }
}

/** The sandbox that a confirmed plan runs in: the host's where it works, else none, which `confirmPlan` has settled. */
export async function sandboxOf(context: Context, options: PlanOptions): Promise<Sandbox> {
  const wanted = context.sandboxFor(options.noSandbox);
  return (await wanted.probe()).state === "ok" ? wanted : context.sandboxFor(true);
}
