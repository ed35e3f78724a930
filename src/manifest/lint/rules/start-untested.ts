import { testsOf } from "../places.ts";
import type { LintRule } from "../rule.ts";

export const startUntested: LintRule = {
  code: "START_UNTESTED",
  severity: "warning",
  means: "`start` names a server of this machine, and no test asks it anything.",
  why: "That the command is there does not say that the server comes up and answers at its address.",
  cure: "Add a test with `during: start`: ipm starts the server, runs the test beside it, and ends it.",
  bad: "steps: [uses: npm]\nbin: [rc]\nstart: { run: rc serve, url: http://127.0.0.1:8080/ }\ntests: [run: rc --check]",
  good: "steps: [uses: npm]\nbin: [rc]\nstart: { run: rc serve, url: http://127.0.0.1:8080/ }\ntests: [{ run: curl -fsS http://127.0.0.1:8080/, during: start }]",
  check: (subject, { kind }) => {
    const url = subject.start?.url;
    if (kind === "repository" || url === undefined || !/^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])[:/]/u.test(url))
      return [];
    if (testsOf(subject).some(({ test }) => test.during !== undefined)) return [];
    return [
      {
        path: ["start"],
        key: true,
        message: "no test asks the server anything",
        hint: `add { run: curl -fsS ${url}, during: start }`,
      },
    ];
  },
};
