import { expect, test } from "vitest";
import type { Plan, PlanTrust } from "../../../src/plan/plan.ts";
import { type TrustFacts, decideTrust } from "../../../src/trust/decide-trust.ts";
import { samplePlan } from "../../helpers/sample-plan.ts";

const ISOLATED: TrustFacts = { sandbox: "isolated", allowUnverified: false, allowWithoutSandbox: false, canAsk: false };
const WHAT = samplePlan().what;

function plan(level: PlanTrust["level"], copiesOnly = false): Plan {
  const steps = copiesOnly ? WHAT.steps.filter(({ kind }) => kind === "copy") : WHAT.steps;
  return samplePlan({ trust: { ...samplePlan().trust, level, detail: "why" }, what: { ...WHAT, steps } });
}

function decide(level: PlanTrust["level"], facts: Partial<TrustFacts> = {}, copiesOnly = false): string {
  const decision = decideTrust(plan(level, copiesOnly), { ...ISOLATED, ...facts });
  return decision.action === "refuse" ? decision.code : decision.action;
}

const TRUSTED = ["verified", "verified-elsewhere", "reviewed"] as const;

test.each(TRUSTED)("%s goes on in a sandbox, also when nobody can be asked", (level) => {
  expect(decide(level)).toBe("proceed");
  expect(decide(level, { canAsk: true })).toBe("proceed");
});

test.each(TRUSTED)("%s without a sandbox: refused when steps would run, unless that was chosen or allowed", (level) => {
  expect(decide(level, { sandbox: "unavailable" })).toBe("SANDBOX_UNAVAILABLE");
  expect(decide(level, { sandbox: "unavailable", canAsk: true })).toBe("SANDBOX_UNAVAILABLE");
  expect(decide(level, { sandbox: "unavailable" }, true)).toBe("proceed");
  expect(decide(level, { sandbox: "unavailable", allowWithoutSandbox: true })).toBe("proceed");
  expect(decide(level, { sandbox: "switched-off" })).toBe("proceed");
});

test("unverified: a question where somebody can answer, else a refusal with the flag that answers it", () => {
  expect(decide("unverified", { canAsk: true })).toBe("ask");
  expect(decide("unverified")).toBe("UNVERIFIED");
  expect(decide("unverified", { allowUnverified: true })).toBe("proceed");
  const refusal = decideTrust(plan("unverified"), ISOLATED);
  expect(refusal).toMatchObject({ hint: expect.stringContaining("--allow-unverified") });
});

test("unverified: neither a flag nor a yes is also a yes to running without a sandbox", () => {
  for (const copiesOnly of [true, false]) {
    expect(decide("unverified", { sandbox: "unavailable", allowUnverified: true, canAsk: true }, copiesOnly)).toBe(
      "SANDBOX_UNAVAILABLE",
    );
    // What a policy allows without a sandbox is what is trusted.
    expect(
      decide("unverified", { sandbox: "unavailable", allowUnverified: true, allowWithoutSandbox: true }, copiesOnly),
    ).toBe("SANDBOX_UNAVAILABLE");
  }
  expect(decide("unverified", { sandbox: "switched-off" })).toBe("UNVERIFIED");
  expect(decide("unverified", { sandbox: "switched-off", allowUnverified: true })).toBe("proceed");
});
