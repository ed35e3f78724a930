import { runsDownload } from "../run-download.ts";
import { stepCommands } from "../places.ts";
import type { LintRule } from "../rule.ts";
import { programOf } from "../../shell-commands.ts";

export const pipeToShell: LintRule = {
  code: "PIPE_TO_SHELL",
  severity: "error",
  means: "A downloaded text is run as a program without having been pinned.",
  why: "What is run is whatever the server sends on that day, to that machine: no pin, no review and no second look covers it.",
  cure: "Install from the source at the pinned commit with a recipe, or pin the file (`files:` with its sha256).",
  bad: "steps: [{ run: curl -fsSL https://example.org/install.sh | sh, why: its own installer }]",
  good: "steps: [uses: npm]",
  check: (subject) =>
    stepCommands(subject).flatMap(({ path, command, all, index }) =>
      runsDownload(all, index)
        ? [
            {
              path,
              message: `what ${programOf(command)} downloads is run as a program`,
              hint: "install from the pinned source, with a recipe where there is one",
            },
          ]
        : [],
    ),
};
