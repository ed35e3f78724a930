import { findPlaceholder } from "../left-placeholder.ts";
import { stepsOf, testsOf } from "../places.ts";
import type { LintRule } from "../rule.ts";

export const placeholderLeft: LintRule = {
  code: "PLACEHOLDER_LEFT",
  severity: "error",
  means: "A text that the reader was to replace is still in a command.",
  why: "`/path/to/x` and `<your-key>` are on nobody's machine: the step fails, or does something to a folder of that name.",
  cure: "Write the real value, or take the command out; what the user gives comes through the environment.",
  bad: "steps: [{ run: cp /path/to/config.json ., why: settings }, uses: npm]",
  good: "steps: [uses: npm]",
  check: (subject) =>
    [
      ...stepsOf(subject).map(({ path, step }) => ({ path, run: step.run })),
      ...testsOf(subject).map(({ path, test }) => ({ path, run: test.run })),
    ].flatMap(({ path, run }) => {
      const found = findPlaceholder(typeof run === "string" ? run : (run ?? []).join(" "));
      return found === undefined
        ? []
        : [{ path: [...path, "run"], message: `\`${found}\` is left for the reader to replace` }];
    }),
};
