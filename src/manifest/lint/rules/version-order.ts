import { compareVersions } from "../../compare-versions.ts";
import type { LintRule } from "../rule.ts";

export const versionOrder: LintRule = {
  code: "VERSION_ORDER",
  severity: "warning",
  means: "The versions are not listed newest first.",
  why: "The first one that is no prerelease is what everybody gets.",
  cure: "Move the newest to the top.",
  bad: "versions:\n  - { version: 1.9.0, commit: 1234567890123456789012345678901234567890, tree: 1234567890123456789012345678901234567890 }\n  - { version: 1.10.0, commit: 1234567890123456789012345678901234567890, tree: 1234567890123456789012345678901234567890 }",
  good: "versions:\n  - { version: 1.10.0, commit: 1234567890123456789012345678901234567890, tree: 1234567890123456789012345678901234567890 }\n  - { version: 1.9.0, commit: 1234567890123456789012345678901234567890, tree: 1234567890123456789012345678901234567890 }",
  check: ({ versions = [] }) =>
    versions.flatMap(({ version }, index) => {
      const above = versions[index - 1];
      // Maintenance releases of an older line come later in time: only the top of the list matters to everybody.
      const isNewer = index > 0 && above !== undefined && compareVersions(version, versions[0]?.version ?? "") > 0;
      return isNewer
        ? [{ path: ["versions", index, "version"], message: `\`${version}\` is newer than the first of the list` }]
        : [];
    }),
};
