import { operandsOf, programOf } from "../../shell-commands.ts";
import type { ShellCommand } from "../../shell-commands.ts";
import { stepCommands } from "../places.ts";
import { runsDownload } from "../run-download.ts";
import type { LintRule } from "../rule.ts";

const CHECKS = /^(?:sha(?:1|224|256|384|512)sum|shasum|b2sum|cksum|gpg|gpgv|minisign|cosign|openssl)$/u;

/** What a command gets that nobody has pinned, in words, or undefined. */
function unpinned(command: ShellCommand, all: readonly ShellCommand[]): string | undefined {
  const program = programOf(command);
  const [verb, what] = operandsOf(command);
  const isChecked = all.some((other) => CHECKS.test(programOf(other)));
  switch (program) {
    case "curl":
    case "wget":
    case "aria2c": {
      return isChecked || !command.words.some((word) => /^(?:https?|ftp):\/\/|\$/u.test(word))
        ? undefined
        : "a download";
    }
    case "git":
      return verb === "clone" || verb === "fetch" || verb === "pull" || (verb === "submodule" && what === "update")
        ? "a git repository"
        : undefined;
    case "npx":
    case "bunx":
    case "pnpx":
      return "a package that is run at once";
    case "pip":
    case "pip3":
    case "uv":
    case "pipx":
      return command.words.includes("install") &&
        !command.words.includes("--require-hashes") &&
        operandsOf(command)
          .slice(1)
          .some(
            (word) =>
              word !== "." && word !== "install" && word !== "pip" && !word.startsWith("./") && !word.startsWith("$"),
          )
        ? "packages without hashes"
        : undefined;
    default:
      return undefined;
  }
}

export const unpinnedDownload: LintRule = {
  code: "UNPINNED_DOWNLOAD",
  severity: "error",
  means: "A step gets something from the network that no pin, lock or checksum fixes.",
  why: "Tomorrow it is something else: the version that was verified is no longer the one that is installed.",
  cure: "Use a recipe (it works from the lockfile), or compare a checksum in the same step.",
  bad: "steps: [{ run: curl -fsSLo rc https://example.org/rc, why: the program, network: [example.org] }]",
  good: "steps: [uses: npm]",
  check: (subject) =>
    stepCommands(subject).flatMap(({ path, command, all, index }) => {
      // That is an error of its own, and a worse one.
      const what = runsDownload(all, index) ? undefined : unpinned(command, all);
      return what === undefined
        ? []
        : [
            {
              path,
              message: `\`${programOf(command)}\` gets ${what} that nothing pins`,
              hint: "use a recipe, or compare a checksum in the same step",
            },
          ];
    }),
};
