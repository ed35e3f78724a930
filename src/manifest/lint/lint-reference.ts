import { LINT_RULES } from "./rules.ts";

/** `docs/lint.md`: a section for every rule, from the rules themselves. */
export function lintReference(): string {
  return [
    "# Lint",
    "",
    "Generated from `src/manifest/lint/rules/`; a test compares the two.",
    "",
    "`ipm lint PATH...` reads manifests, a repository's `ipm.yaml`, folders of them and whole registries. Each finding has a code,",
    "a severity and a place (`file:line:column`); an error makes exit code 3, warnings alone exit 0. `--fix` mends what needs no",
    "judgement, `--sarif FILE` writes [SARIF](https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html) for code hosts.",
    "Findings about the format itself (`UNKNOWN_KEY`, `INVALID_PIN`, control and bidirectional characters as `UNSAFE_CHARACTER`, …)",
    "are at the end of [manifest.md](manifest.md#findings); those about a registry as a whole (`NAME_SIMILAR`, `NAME_TAKEN`, …) too.",
    "",
    "| code | severity | |",
    "|---|---|---|",
    ...LINT_RULES.map(({ code, severity, means }) => `| [${code}](#${code.toLowerCase()}) | ${severity} | ${means} |`),
    ...LINT_RULES.flatMap((rule) => [
      "",
      `## ${rule.code}`,
      "",
      `${rule.means} ${rule.why}`,
      "",
      "```yaml",
      "# instead of",
      rule.bad,
      "# write",
      rule.good,
      "```",
      "",
      `Cure: ${rule.cure}`,
    ]),
    "",
  ].join("\n");
}
