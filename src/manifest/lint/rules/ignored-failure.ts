import { programOf } from "../../shell-commands.ts";
import { stepCommands } from "../places.ts";
import type { LintRule } from "../rule.ts";

export const ignoredFailure: LintRule = {
  code: "IGNORED_FAILURE",
  severity: "warning",
  means: "A step goes on although a command of it has failed.",
  why: "A step that cannot fail hides the reason for what goes wrong later.",
  cure: "Let it fail; make a step that may be left out `optional: true`.",
  bad: "steps: [uses: npm, { run: make man || true, why: manual pages }]",
  good: "steps: [uses: npm, { run: make man, why: manual pages, optional: true }]",
  check: (subject) =>
    stepCommands(subject).flatMap(({ path, command, all, index }) => {
      const next = all[index + 1];
      const swallows = command.ending === "||" && next !== undefined && /^(?:true|:|echo)$/u.test(programOf(next));
      const switchesOff = programOf(command) === "set" && command.words.some((word) => /^\+[a-z]*e/u.test(word));
      if (!swallows && !switchesOff) return [];
      return [
        {
          path,
          message: switchesOff ? "`set +e` hides failures" : `a failure of \`${programOf(command)}\` is ignored`,
          hint: "optional: true",
        },
      ];
    }),
};
