/**
 * Every finding of `ipm lint` beyond those of the schema (`FINDING_CODES`). A code is API: never reused, never renamed.
 * Each has a file in `rules/`, a fixture in `test/fixtures/lint/` and a section in `docs/lint.md`.
 */
export const LINT_CODES = [
  "PIPE_TO_SHELL",
  "NEEDS_ROOT",
  "UNPINNED_DOWNLOAD",
  "OUTSIDE_PREFIX",
  "STARTS_SERVER",
  "PLACEHOLDER_LEFT",
  "NO_TEST",
  "TEST_PROVES_NOTHING",
  "SMOKE_TEST_ONLY",
  "SHELL_INSTEAD_OF_RECIPE",
  "IGNORED_FAILURE",
  "STEP_WITHOUT_WHY",
  "LICENSE_UNKNOWN",
  "SHADOWS_COMMAND",
  "NOT_A_TAG",
  "VERSION_ORDER",
  "PLATFORM_NOT_ATTESTED",
  "SUMMARY_STYLE",
  "KEY_ORDER",
  "IMPOSTER_COMMIT",
  "TAG_MOVED",
  "UNKNOWN_OPTION",
  "NO_VERSION_LEFT",
  "START_UNTESTED",
] as const;

export type LintCode = (typeof LINT_CODES)[number];
