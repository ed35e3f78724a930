import { methodsOf } from "../../methods-of.ts";
import type { LintRule } from "../rule.ts";

export const noVersionLeft: LintRule = {
  code: "NO_VERSION_LEFT",
  severity: "warning",
  means: "Every version is withdrawn or a prerelease.",
  why: "`ipm install NAME` finds nothing, and who has a withdrawn version is told to leave it with nowhere to go.",
  cure: "Add the version that mends it (`ipm bump NAME`), or say `deprecated` with what to use instead.",
  bad: 'versions:\n  - { version: 1.9.0, commit: 1234567890123456789012345678901234567890, tree: 1234567890123456789012345678901234567890, withdrawn: "CVE-2026-1: use 1.9.1" }',
  good: 'versions:\n  - { version: 1.9.1, commit: 1234567890123456789012345678901234567890, tree: 1234567890123456789012345678901234567890 }\n  - { version: 1.9.0, commit: 1234567890123456789012345678901234567890, tree: 1234567890123456789012345678901234567890, withdrawn: "CVE-2026-1: use 1.9.1" }',
  check: (subject) => {
    const { versions = [], deprecated } = subject;
    const isOffered = versions.some(({ withdrawn, prerelease }) => withdrawn === undefined && prerelease !== true);
    if (versions.length === 0 || isOffered || deprecated !== undefined || methodsOf(subject).length === 0) return [];
    return [
      {
        path: ["versions"],
        key: true,
        message: "every version is withdrawn or a prerelease, so nothing is installed by the name alone",
        hint: "ipm bump adds the next one",
      },
    ];
  },
};
