import type { LintRule } from "../rule.ts";

export const summaryStyle: LintRule = {
  code: "SUMMARY_STYLE",
  severity: "warning",
  means: "The summary ends with a full stop or begins with the tool's own name.",
  why: "Lists show name and summary side by side: `ripcat  Search text in archives`.",
  cure: "Say what it does, without the name and without a full stop.",
  bad: "summary: Ripcat searches text in archives.",
  good: "summary: Search text in archives",
  check: ({ name, summary }) => {
    const path = ["summary"];
    if (/[^.]\.$/u.test(summary)) {
      return [
        { path, message: "the summary ends with a full stop", fix: { kind: "set", path, value: summary.slice(0, -1) } },
      ];
    }
    const startsWithName = summary.toLowerCase().startsWith(`${name.toLowerCase()} `);
    return startsWithName ? [{ path, message: "the summary begins with the tool's own name" }] : [];
  },
};
