import type { LintRule } from "./rule.ts";
import { ignoredFailure } from "./rules/ignored-failure.ts";
import { imposterCommit } from "./rules/imposter-commit.ts";
import { keyOrder } from "./rules/key-order.ts";
import { licenseUnknown } from "./rules/license-unknown.ts";
import { needsRoot } from "./rules/needs-root.ts";
import { noTest } from "./rules/no-test.ts";
import { noVersionLeft } from "./rules/no-version-left.ts";
import { notATag } from "./rules/not-a-tag.ts";
import { outsidePrefix } from "./rules/outside-prefix.ts";
import { pipeToShell } from "./rules/pipe-to-shell.ts";
import { placeholderLeft } from "./rules/placeholder-left.ts";
import { platformNotAttested } from "./rules/platform-not-attested.ts";
import { shadowsCommand } from "./rules/shadows-command.ts";
import { shellInsteadOfRecipe } from "./rules/shell-instead-of-recipe.ts";
import { smokeTestOnly } from "./rules/smoke-test-only.ts";
import { startUntested } from "./rules/start-untested.ts";
import { startsServer } from "./rules/starts-server.ts";
import { stepWithoutWhy } from "./rules/step-without-why.ts";
import { summaryStyle } from "./rules/summary-style.ts";
import { tagMoved } from "./rules/tag-moved.ts";
import { testProvesNothing } from "./rules/test-proves-nothing.ts";
import { unknownOption } from "./rules/unknown-option.ts";
import { unpinnedDownload } from "./rules/unpinned-download.ts";
import { versionOrder } from "./rules/version-order.ts";

/** Every rule, in the order of `LINT_CODES` and of `docs/lint.md`. A new one is a file in `rules/` and a line here. */
export const LINT_RULES: readonly LintRule[] = [
  pipeToShell,
  needsRoot,
  unpinnedDownload,
  outsidePrefix,
  startsServer,
  placeholderLeft,
  noTest,
  testProvesNothing,
  smokeTestOnly,
  shellInsteadOfRecipe,
  ignoredFailure,
  stepWithoutWhy,
  licenseUnknown,
  shadowsCommand,
  notATag,
  versionOrder,
  platformNotAttested,
  summaryStyle,
  keyOrder,
  imposterCommit,
  tagMoved,
  unknownOption,
  noVersionLeft,
  startUntested,
];
