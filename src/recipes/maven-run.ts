import { nativeRun } from "./native-build.ts";
import type { DraftRun } from "./recipe.ts";
import { shellLine } from "./shell-words.ts";

/** A step that runs the host's Maven with the private home folder and the network of Maven. */
export function mavenRun(title: string, words: readonly string[], why: string | null): DraftRun {
  const line = [
    // Java asks the system for the home folder, not the environment.
    'MAVEN_OPTS="${MAVEN_OPTS:-} -Duser.home=$HOME"',
    "mvn --batch-mode --no-transfer-progress",
    shellLine(words),
  ].join(" ");
  return { ...nativeRun(title, line, {}, why), network: ["maven"] };
}
