import { programOf } from "../../shell-commands.ts";
import { commandsOf, launchersOf, testsOf } from "../places.ts";
import type { LintRule } from "../rule.ts";

const PASSES = ["true", ":", "echo", "printf", "exit", "cd", "sleep", "export", "set"];
/** Look at files: of a tool they run nothing, of a workspace the files are what there is. */
const LOOKS = ["test", "[", "[[", "command", "which", "type", "ls", "cat"];
const NO_PROOF: ReadonlySet<string> = new Set([...PASSES, ...LOOKS]);
const NO_PROOF_OF_WORKSPACE: ReadonlySet<string> = new Set(PASSES);

export const testProvesNothing: LintRule = {
  code: "TEST_PROVES_NOTHING",
  severity: "error",
  means: "A test passes whatever was installed.",
  why: "`true`, `echo ok` and `rc || true` say nothing about the tool, and look like a test in every report.",
  cure: "Run one of the tool's own commands and say what it must answer.",
  bad: "steps: [uses: npm]\nbin: [rc]\ntests: [run: echo ok]",
  good: 'steps: [uses: npm]\nbin: [rc]\ntests: [{ run: printf abc | rc b, expect: { stdout: "^abc$" } }]',
  check: (subject) => {
    const noProof = subject.kind === "workspace" ? NO_PROOF_OF_WORKSPACE : NO_PROOF;
    const launchers = new Set(launchersOf(subject).map(({ name }) => name));
    return testsOf(subject).flatMap(({ path, test }) => {
      const commands = commandsOf(test.run);
      const programs = commands.map(programOf);
      const place = { path: [...path, "run"], hint: "run a command of the tool and say what it must answer" };
      if (programs.every((program) => noProof.has(program) && !launchers.has(program)))
        return [
          { ...place, message: `the test runs nothing of the ${subject.kind === "workspace" ? "workspace" : "tool"}` },
        ];
      const [last, before] = [commands.at(-1), commands.at(-2)];
      const swallows = before?.ending === "||" && last !== undefined && /^(?:true|:|echo|exit)$/u.test(programOf(last));
      const expects = test.expect?.stdout ?? test.expect?.stderr ?? test.expect?.output;
      if (swallows && expects === undefined)
        return [{ ...place, message: "the test passes although the command fails" }];
      return [];
    });
  },
};
