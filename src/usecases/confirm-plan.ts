import { IpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { Plan } from "../plan/plan.ts";
import type { Sandbox, SandboxReport } from "../sandbox/sandbox.ts";
import { type TrustDecision, decideTrust } from "../trust/decide-trust.ts";
import { type PolicyDecision, type PolicyRefusal, decidePolicy } from "../trust/policy.ts";
import type { Context, PlanOptions } from "./context.ts";
import { readPolicies } from "./read-policies.ts";

type SandboxUse = "isolated" | "unavailable" | "switched-off";

function toolOf(plan: Plan): string {
  return `${plan.tool.name}@${plan.tool.version}`;
}

/** The refusal by the first rule; all of them are in its data. */
function policyRefused(plan: Plan, refusals: readonly [PolicyRefusal, ...PolicyRefusal[]]): IpmError {
  const [first, ...others] = refusals;
  const place = first.line === null ? first.file : `${first.file}:${first.line}`;
  const more = others.length === 0 ? "" : ` (and by ${others.map(({ rule }) => `"${rule}"`).join(", ")})`;
  return new IpmError(
    "POLICY_REFUSED",
    `${toolOf(plan)} is refused by the rule "${first.rule}" of ${escapeUntrusted(place)}${more}: ${first.why}`,
    {
      hint: `install something else, or have ${escapeUntrusted(first.file)} changed`,
      data: { digest: plan.digest, trust: plan.trust, refusals },
    },
  );
}

function trustRefused(
  plan: Plan,
  decision: Extract<TrustDecision, { action: "refuse" }>,
  report: SandboxReport,
): IpmError {
  const isSandbox = decision.code === "SANDBOX_UNAVAILABLE";
  return new IpmError(decision.code, isSandbox ? `${decision.why}: ${report.cause}` : decision.why, {
    hint: isSandbox && report.fix !== null ? `${report.fix}; or accept the risk with --no-sandbox` : decision.hint,
    data: { digest: plan.digest, trust: plan.trust, sandbox: report.state },
  });
}

/** Say that a plan runs without isolation, whoever decided it. */
function warnOfNoSandbox(
  context: Context,
  plan: Plan,
  state: SandboxUse,
  report: SandboxReport,
  byPolicy: boolean,
): void {
  if (state === "isolated") return;
  const why = byPolicy ? "its steps run without isolation, as the policy allows" : "nothing of it runs but its tests";
  context.emit({
    type: "warning",
    code: "NO_SANDBOX",
    message:
      state === "switched-off"
        ? `${toolOf(plan)}: its steps and tests run without a sandbox, as you`
        : `${toolOf(plan)}: no sandbox here (${report.cause}); ${why}`,
    ...(report.fix === null || state === "switched-off" ? {} : { hint: report.fix }),
  });
}

async function askAbout(
  context: Context,
  plan: Plan,
  decision: Extract<TrustDecision, { action: "ask" }>,
): Promise<void> {
  const question = { kind: "confirm", text: decision.question, detail: [decision.why], default: false } as const;
  const agreed = (await context.ask?.(question)) ?? false;
  if (!agreed) throw new IpmError("DECLINED", `${plan.tool.name} was not installed`, { hint: "nothing was changed" });
}

/**
 * Let a plan through, ask, or refuse. A policy that refuses is final: no flag and no answer goes past it. `--yes` answers
 * no question of trust.
 * @throws IpmError POLICY_REFUSED, POLICY_INVALID, UNVERIFIED, SANDBOX_UNAVAILABLE, DECLINED
 */
export async function confirmPlan(context: Context, plan: Plan, options: PlanOptions): Promise<void> {
  const report = await context.sandboxFor(options.noSandbox).probe();
  const sandbox: SandboxUse = options.noSandbox ? "switched-off" : report.state === "ok" ? "isolated" : "unavailable";
  const policy: PolicyDecision = decidePolicy(await readPolicies(context), plan, { sandbox, now: context.host.now() });
  const [refusal, ...refusals] = policy.refusals;
  if (refusal !== undefined) throw policyRefused(plan, [refusal, ...refusals]);
  const decision = decideTrust(plan, {
    sandbox,
    allowUnverified: options.allowUnverified || policy.allowUnverified,
    allowWithoutSandbox: policy.allowWithoutSandbox,
    canAsk: context.ask !== null,
  });
  if (decision.action === "refuse") throw trustRefused(plan, decision, report);
  if (decision.action === "ask") await askAbout(context, plan, decision);
  warnOfNoSandbox(context, plan, sandbox, report, policy.allowWithoutSandbox);
}

/**
 * What the policy would say to a plan, one sentence a rule that refuses it, for whoever only looks.
 * @throws IpmError POLICY_INVALID
 */
export async function policyNotices(context: Context, plan: Plan): Promise<string[]> {
  const policies = await readPolicies(context);
  // Whether this machine can isolate is for the installation to say: trying it takes longer than the plan.
  const { refusals } = decidePolicy(policies, plan, { sandbox: "isolated", now: context.host.now() });
  return refusals.map(
    ({ file, line, rule, why }) => `refused by the rule "${rule}" of ${file}${line === null ? "" : `:${line}`}: ${why}`,
  );
}

/** The sandbox that a confirmed plan runs in: the host's where it works, else none, which `confirmPlan` has settled. */
export async function sandboxOf(context: Context, options: PlanOptions): Promise<Sandbox> {
  const wanted = context.sandboxFor(options.noSandbox);
  return (await wanted.probe()).state === "ok" ? wanted : context.sandboxFor(true);
}
