import { blockingReason } from "../blocking-command.ts";
import { stepCommands } from "../places.ts";
import type { LintRule } from "../rule.ts";

export const startsServer: LintRule = {
  code: "STARTS_SERVER",
  severity: "error",
  means: "A step starts a server, opens a program or waits for somebody.",
  why: "An installation that starts a server never ends, and nobody asked for one to run.",
  cure: "Write the command in `start`: it is shown after the installation and never run by it.",
  bad: "steps: [uses: npm, { run: npm start, why: the server }]",
  good: "steps: [uses: npm]\nstart: { run: npm start }",
  check: (subject) =>
    stepCommands(subject).flatMap(({ path, command }) => {
      const reason = blockingReason(command);
      return reason === undefined
        ? []
        : [{ path, message: `\`${command.words.slice(0, 3).join(" ")}\` ${reason}`, hint: "write it in `start`" }];
    }),
};
