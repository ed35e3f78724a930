import type { LintRule } from "../rule.ts";

export const notATag: LintRule = {
  code: "NOT_A_TAG",
  severity: "warning",
  means: "A version is pinned through a branch.",
  why: "The pin holds, but nobody can see from the branch which commit was released: it has gone on since.",
  cure: "Name the release's tag, or leave `ref` out. For a repository without tags name the branch in `source.track`, and let versions be dates.",
  bad: "versions: [{ version: 2.10, ref: refs/heads/main, commit: 1234567890123456789012345678901234567890, tree: 1234567890123456789012345678901234567890 }]",
  good: "versions: [{ version: 2.10, ref: refs/tags/v2.10, commit: 1234567890123456789012345678901234567890, tree: 1234567890123456789012345678901234567890 }]",
  check: ({ versions = [], source }) =>
    versions.flatMap(({ ref }, index) =>
      ref === undefined || ref.startsWith("refs/tags/") || ref === `refs/heads/${source?.track ?? ""}`
        ? []
        : [
            {
              path: ["versions", index, "ref"],
              message: `\`${ref}\` is no tag`,
              hint: "name the release's tag, or leave `ref` out",
            },
          ],
    ),
};
