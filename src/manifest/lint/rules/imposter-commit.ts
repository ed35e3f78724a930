import type { LintRule } from "../rule.ts";

export const imposterCommit: LintRule = {
  code: "IMPOSTER_COMMIT",
  severity: "error",
  means: "A pinned commit is on no branch and no tag of the repository.",
  why: "Forges hand out commits of forks and of pull requests under the repository's own address: whoever can open a pull request can make such a commit. Looked for with a network only.",
  cure: "Pin the commit of the release's tag: `git ls-remote URL`.",
  bad: "versions: [{ version: 2.10, commit: 1234567890123456789012345678901234567890, tree: 1234567890123456789012345678901234567890 }]",
  good: "versions: [{ version: 2.10, ref: refs/tags/v2.10, commit: 2222222222222222222222222222222222222222, tree: 1234567890123456789012345678901234567890 }]",
  check: ({ versions = [] }, { pins }) =>
    versions.flatMap(({ version, commit }, index) => {
      const pin = pins[version];
      return pin === undefined || pin.heldBy !== null
        ? []
        : [
            {
              path: ["versions", index, "commit"],
              message: `${commit?.slice(0, 12) ?? ""} is on no branch and no tag`,
            },
          ];
    }),
};
