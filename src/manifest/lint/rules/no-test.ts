import { methodsOf } from "../../methods-of.ts";
import type { LintRule } from "../rule.ts";

export const noTest: LintRule = {
  code: "NO_TEST",
  severity: "error",
  means: "A way to install has no test.",
  why: "Nothing is put on PATH before the tests have passed: without one, a broken installation counts as done.",
  cure: "Add a test with a known answer: an input, and a pattern that its output must match.",
  bad: "steps: [uses: npm]\nbin: [rc]",
  good: 'steps: [uses: npm]\nbin: [rc]\ntests: [{ run: printf abc | rc b, expect: { stdout: "^abc$" } }]',
  check: (subject) =>
    methodsOf(subject).flatMap(({ id, method }, index) => {
      const path = subject.methods === undefined ? ["steps"] : ["methods", index];
      if ((method.tests ?? subject.tests ?? []).length > 0) return [];
      return [{ path, key: true, message: `the method \`${id}\` has no test`, hint: "add `tests`" }];
    }),
};
