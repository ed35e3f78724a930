import type { LintRule } from "../rule.ts";

/** The order is a matter of the text, so `lintManifest` looks at it there; here is what is said about it. */
export const keyOrder: LintRule = {
  code: "KEY_ORDER",
  severity: "warning",
  means: "The keys are not in the order of the reference.",
  why: "In one order everywhere, changes are small and easy to compare, by people and by bots.",
  cure: "Run `ipm fmt`.",
  bad: "license: MIT\nsummary: Search text in archives",
  good: "summary: Search text in archives\nlicense: MIT",
  check: () => [],
};
