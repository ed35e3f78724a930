import { methodsOf } from "../../methods-of.ts";
import type { ShellCommand } from "../../shell-commands.ts";
import { commandsOf } from "../places.ts";
import type { LintRule } from "../rule.ts";

const ASKS = /^(?:--?(?:version|help|usage|V|v|h)|version|help)$/u;

function looksForUsage({ words: [program, ...rest] }: ShellCommand): boolean {
  return program === "grep" && rest.every((word) => /^(?:-[a-zA-Z]+|usage)$/iu.test(word));
}

/** Asks for the version or the help text, or looks whether there is one. */
function isSmall(command: ShellCommand, next: ShellCommand | undefined): boolean {
  const [, ...rest] = command.words;
  if (looksForUsage(command)) return true;
  if (rest.length > 0) return rest.every((word) => ASKS.test(word));
  return command.ending === "|" && next !== undefined && looksForUsage(next);
}

export const smokeTestOnly: LintRule = {
  code: "SMOKE_TEST_ONLY",
  severity: "warning",
  means: "The only test asks for the version or the help text.",
  why: "A tool whose data files are missing still prints its version. A test that proves function finds what this one cannot.",
  cure: "Add a test with a known answer or a round trip.",
  bad: "steps: [uses: npm]\nbin: [rc]\ntests: [run: rc --version]",
  good: 'steps: [uses: npm]\nbin: [rc]\ntests: [{ run: printf abc | rc b, expect: { stdout: "^abc$" } }]',
  check: (subject, facts) => {
    if (facts.kind === "repository") return [];
    const tests = methodsOf(subject).flatMap(({ method }) => method.tests ?? subject.tests ?? []);
    const isSmoke = tests.every((test) =>
      commandsOf(test.run).every((command, at, all) => isSmall(command, all[at + 1])),
    );
    if (tests.length === 0 || !isSmoke) return [];
    const path = subject.tests === undefined ? ["methods", 0, "tests"] : ["tests"];
    return [
      { path, key: true, message: "the tests only ask for the version or help", hint: "add one with a known answer" },
    ];
  },
};
