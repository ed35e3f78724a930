import { expect, test } from "vitest";
import type { Plan, PlanTrust } from "../../../src/plan/plan.ts";
import { type TrustFacts, decideTrust } from "../../../src/trust/decide-trust.ts";
import { samplePlan } from "../../helpers/sample-plan.ts";

const FACTS: TrustFacts = { sandbox: "isolated", allowUnverified: false, allowWithoutSandbox: false, canAsk: false };

function planAt(level: PlanTrust["level"]): Plan {
  return samplePlan({ trust: { level, detail: level === "unverified" ? "not verified, from nowhere" : level } });
}

/** The same plan, when nothing of the package runs but its tests. */
function copying(plan: Plan): Plan {
  return { ...plan, what: { ...plan.what, steps: plan.what.steps.filter(({ kind }) => kind === "copy") } };
}

function outcome(plan: Plan, facts: Partial<TrustFacts> = {}): string {
  const decision = decideTrust(plan, { ...FACTS, ...facts });
  return decision.action === "refuse" ? decision.code : decision.action;
}

test.each(["verified", "verified-elsewhere", "reviewed"] as const)(
  "%s goes on without a question where it can be isolated",
  (level) => {
    expect(outcome(planAt(level))).toBe("proceed");
    expect(outcome(planAt(level), { sandbox: "switched-off" })).toBe("proceed");
    expect(outcome(planAt(level), { sandbox: "unavailable" })).toBe("SANDBOX_UNAVAILABLE");
    expect(outcome(planAt(level), { sandbox: "unavailable", allowWithoutSandbox: true })).toBe("proceed");
    expect(outcome(copying(planAt(level)), { sandbox: "unavailable" })).toBe("proceed");
  },
);

test("what is not verified is asked about, refused without a terminal, or allowed by name", () => {
  const plan = planAt("unverified");
  expect(outcome(plan, { canAsk: true })).toBe("ask");
  expect(outcome(plan)).toBe("UNVERIFIED");
  expect(outcome(plan, { allowUnverified: true })).toBe("proceed");
});

test("what is not verified never runs on a machine that cannot isolate, but by --no-sandbox as well", () => {
  for (const plan of [planAt("unverified"), copying(planAt("unverified"))]) {
    for (const allowWithoutSandbox of [false, true]) {
      expect(outcome(plan, { sandbox: "unavailable", allowUnverified: true, allowWithoutSandbox })).toBe(
        "SANDBOX_UNAVAILABLE",
      );
    }
    expect(outcome(plan, { sandbox: "switched-off", allowUnverified: true })).toBe("proceed");
    expect(outcome(plan, { sandbox: "switched-off" })).toBe("UNVERIFIED");
  }
});
