import { programOf } from "../../shell-commands.ts";
import { commandsOf, launchersOf, testsOf } from "../places.ts";
import type { LintRule } from "../rule.ts";

const NO_PROOF = new Set([
  "true",
  ":",
  "echo",
  "printf",
  "exit",
  "test",
  "[",
  "[[",
  "command",
  "which",
  "type",
  "cd",
  "ls",
  "sleep",
  "cat",
  "export",
  "set",
]);

export const testProvesNothing: LintRule = {
  code: "TEST_PROVES_NOTHING",
  severity: "error",
  means: "A test passes whatever was installed.",
  why: "`true`, `echo ok` and `rc || true` say nothing about the tool, and look like a test in every report.",
  cure: "Run one of the tool's own commands and say what it must answer.",
  bad: "steps: [uses: npm]\nbin: [rc]\ntests: [run: echo ok]",
  good: 'steps: [uses: npm]\nbin: [rc]\ntests: [{ run: printf abc | rc b, expect: { stdout: "^abc$" } }]',
  check: (subject) => {
    const launchers = new Set(launchersOf(subject).map(({ name }) => name));
    return testsOf(subject).flatMap(({ path, test }) => {
      const commands = commandsOf(test.run);
      const programs = commands.map(programOf);
      const place = { path: [...path, "run"], hint: "run a command of the tool and say what it must answer" };
      if (programs.every((program) => NO_PROOF.has(program) && !launchers.has(program)))
        return [{ ...place, message: "the test runs nothing of the tool" }];
      const [last, before] = [commands.at(-1), commands.at(-2)];
      const swallows = before?.ending === "||" && last !== undefined && /^(?:true|:|echo|exit)$/u.test(programOf(last));
      const expects = test.expect?.stdout ?? test.expect?.stderr ?? test.expect?.output;
      if (swallows && expects === undefined)
        return [{ ...place, message: "the test passes although the command fails" }];
      return [];
    });
  },
};
