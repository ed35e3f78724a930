import { methodsOf } from "../../resolve-manifest.ts";
import { commandsOf } from "../places.ts";
import type { LintRule } from "../rule.ts";

const ASKS = /^(?:--?(?:version|help|usage|V|v|h)|version|help)$/u;

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
      commandsOf(test.run).every(({ words }) => words.length > 1 && words.slice(1).every((word) => ASKS.test(word))),
    );
    if (tests.length === 0 || !isSmoke) return [];
    const path = subject.tests === undefined ? ["methods", 0, "tests"] : ["tests"];
    return [
      { path, key: true, message: "the tests only ask for the version or help", hint: "add one with a known answer" },
    ];
  },
};
