import type { LintRule } from "../rule.ts";

export const tagMoved: LintRule = {
  code: "TAG_MOVED",
  severity: "error",
  means: "The tag of a version points to another commit than the pinned one, or is gone.",
  why: "A release that changes after it was made is a mistake or an attack; an install refuses it. Looked for with a network only.",
  cure: "Find out why from the tool's maintainers before you pin the new commit.",
  bad: "versions: [{ version: 2.10, ref: refs/tags/v2.10, commit: 1234567890123456789012345678901234567890, tree: 1234567890123456789012345678901234567890 }]",
  good: "versions: [{ version: 2.10, ref: refs/tags/v2.10, commit: 2222222222222222222222222222222222222222, tree: 1234567890123456789012345678901234567890 }]",
  check: ({ versions = [] }, { pins }) =>
    versions.flatMap(({ version, ref, commit }, index) => {
      const pin = pins[version];
      if (pin === undefined || pin.tagCommit === undefined || pin.tagCommit === commit) return [];
      const message = pin.tagCommit === null ? `${ref} is gone` : `${ref} is ${pin.tagCommit} now`;
      return [{ path: ["versions", index, "ref"], message }];
    }),
};
