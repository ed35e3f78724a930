import { expect, test } from "vitest";
import { ERRORS, EXIT } from "../../../src/core/errors.ts";
import { readPage } from "../../helpers/reference.ts";

const MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: "done",
  failed: "failed: a step, a test, a fetch, a check of `doctor`; or a question was answered with no",
  usage: "usage: a command, flag, value or environment that ipm cannot work with",
  manifest: "a manifest or registry is invalid",
  requirement: "something that is needed is missing on this machine",
  refused: "refused: by trust, by policy, or because what was fetched is not what was pinned",
  busy: "busy: another ipm holds the lock",
  notFound: "not found, or nothing to install",
  bug: "a bug in ipm",
  hangup: "ended by SIGHUP",
  interrupted: "ended by Ctrl-C (SIGINT)",
  terminated: "ended by SIGTERM",
};

function errorReference(): string {
  const exits = Object.entries(EXIT) as [keyof typeof EXIT, number][];
  const codes = Object.entries(ERRORS).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return [
    "# Exit codes and errors",
    "",
    "Generated from `src/core/errors.ts`; a test compares the two. Codes are part of the interface: none is ever used for something else.",
    "",
    "Every failure has a code, says what happened to what, and names the next command. With `--json` the same is on stdout as",
    '`{"ok": false, "error": {"code", "message", "hint", "data"}}`.',
    "",
    "## Exit codes",
    "",
    "| exit | meaning |",
    "|---|---|",
    ...exits.toSorted(([, left], [, right]) => left - right).map(([name, exit]) => `| ${exit} | ${MEANINGS[name]} |`),
    "",
    "`ipm run` ends with the exit code of the tool, or 128 + N when signal N ended it.",
    "",
    "## Errors",
    ...codes.flatMap(([code, { exit, cause, cure }]) => ["", `### ${code}`, "", `Exit ${exit}. ${cause}`, "", cure]),
    "",
  ].join("\n");
}

test("docs/errors.md lists every code with its exit, cause and cure", () => {
  const generated = errorReference();
  expect(generated).toBe(readPage("docs/errors.md", generated));
});
