import { stepsOf } from "../places.ts";
import type { LintRule } from "../rule.ts";

export const stepWithoutWhy: LintRule = {
  code: "STEP_WITHOUT_WHY",
  severity: "warning",
  means: "A command of its own does not say why it is there.",
  why: "The plan shows the reason beside the command; whoever is asked to run it should not have to guess.",
  cure: "Add `why`, a few words.",
  bad: "steps: [uses: npm, run: sh completions.sh]",
  good: "steps: [uses: npm, { run: sh completions.sh, why: shell completions are not in the repository }]",
  check: (subject) =>
    stepsOf(subject).flatMap(({ path, step }) =>
      step.run === undefined || step.why !== undefined
        ? []
        : [{ path: [...path, "run"], key: true, message: "the step does not say why it is there", hint: "add `why`" }],
    ),
};
