import { nearest } from "../../../core/nearest.ts";
import { quoted } from "../../source-text.ts";
import { stepsOf } from "../places.ts";
import type { LintRule } from "../rule.ts";

export const unknownOption: LintRule = {
  code: "UNKNOWN_OPTION",
  severity: "error",
  means: "A recipe does not have an option that it is given.",
  why: "The manifest is read and looks right, and every plan of it fails.",
  cure: "Write an option that the recipe documents in `docs/recipes/`.",
  bad: "steps: [{ uses: npm, with: { scritps: [build] } }]",
  good: "steps: [{ uses: npm, with: { scripts: [build] } }]",
  check: (subject, { recipeOptions }) =>
    stepsOf(subject).flatMap(({ path, step }) => {
      const known = step.uses === undefined ? undefined : recipeOptions?.[step.uses];
      if (known === undefined) return [];
      return Object.keys(step.with ?? {})
        .filter((name) => !known.includes(name))
        .map((name) => {
          const [near] = nearest(name, known, 1);
          return {
            path: [...path, "with", name],
            key: true,
            message: `the recipe \`${step.uses ?? ""}\` has no option ${quoted(name)}`,
            hint: near === undefined ? `it has ${known.join(", ")}` : `did you mean \`${near}\`?`,
          };
        });
    }),
};
