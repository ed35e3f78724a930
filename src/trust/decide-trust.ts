import type { Plan, PlanTrust } from "../plan/plan.ts";
import { runsNothing } from "../plan/build-plan.ts";

/** What the decision needs to know besides the plan. */
export interface TrustFacts {
  /** The sandbox that steps and tests would run in; `unavailable` means that one was wanted and does not work here. */
  readonly sandbox: "isolated" | "unavailable" | "switched-off";
  readonly allowUnverified: boolean;
  /** By policy: what is trusted may run without isolation where this machine has none. */
  readonly allowWithoutSandbox: boolean;
  /** Somebody can be asked. */
  readonly canAsk: boolean;
}

export type TrustDecision =
  | { readonly action: "proceed" }
  | { readonly action: "ask"; readonly question: string; readonly why: string }
  | {
      readonly action: "refuse";
      readonly code: "UNVERIFIED" | "SANDBOX_UNAVAILABLE";
      readonly why: string;
      readonly hint: string;
    };

/** Levels that go on without a question where steps are isolated. */
const TRUSTED: ReadonlySet<PlanTrust["level"]> = new Set(["verified", "verified-elsewhere", "reviewed"]);

/**
 * Whether a plan may run. Pure: consent is per plan and never remembered, but by a policy.
 * - Trusted (verified here or elsewhere, or reviewed in the embedded registry): goes on where a sandbox works, where it
 *   was switched off on purpose, where nothing of the package runs but its own tests, or where a policy says so.
 * - Unverified: `--allow-unverified`, a policy, or a yes at the terminal. A sandbox that does not work needs `--no-sandbox` besides.
 */
export function decideTrust(plan: Plan, facts: TrustFacts): TrustDecision {
  const trusted = TRUSTED.has(plan.trust.level);
  const tool = `${plan.tool.name}@${plan.tool.version}`;
  const mayRunOpenly = trusted && (facts.allowWithoutSandbox || runsNothing(plan));
  if (facts.sandbox === "unavailable" && !mayRunOpenly) {
    return {
      action: "refuse",
      code: "SANDBOX_UNAVAILABLE",
      why: `${tool} has steps to run and this machine cannot isolate them`,
      hint: "ipm doctor says what is missing; --no-sandbox accepts the risk",
    };
  }
  if (trusted || facts.allowUnverified) return { action: "proceed" };
  const why = `${tool} is not verified: nobody has reviewed or run this plan (${plan.trust.detail.replace(/^not verified, /u, "")})`;
  if (facts.canAsk) return { action: "ask", question: `Install ${tool} although it is not verified?`, why };
  return {
    action: "refuse",
    code: "UNVERIFIED",
    why,
    hint: `read ipm plan ${plan.origin.target}; if you trust it, add --allow-unverified`,
  };
}
