import { escapeUntrusted, escapeUntrustedLines } from "../../core/untrusted-text.ts";
import { TIERS } from "../../manifest/change-tier.ts";
import type { CommandSpec } from "../command.ts";
import { showWord } from "../render/format.ts";

export const publishCommand: CommandSpec = {
  name: "publish",
  operands: "NAME",
  group: "Contribute",
  summary: "bring a tool of a registry's checkout to a pull request",
  examples: [
    ["ipm publish ripcat --dry-run", "show branch, commit, push and pull request"],
    ["ipm publish ripcat", "do it, after asking once"],
  ],
  about: [
    "Runs your own git (and gh, where it is there) in the registry's checkout, as if you had typed the commands shown.",
    "One commit with this entry alone; attestations are refused.",
  ],
  options: [
    { flags: "--dry-run", says: "show everything and do nothing" },
    { flags: "--remote NAME", says: "push to this remote (fork, else origin)" },
  ],
  json: "{name, version, tier, branch, files, subject, body, remote, commands, page, done}",
  run: async (session, invocation) => {
    const { publish } = await import("../../usecases/publish.ts");
    const context = await session.openContext({ writes: true });
    const result = await publish(context, invocation.operand, {
      dryRun: invocation.has("dry-run"),
      yes: session.globals.yes,
      remote: invocation.text("remote") ?? null,
    });
    return {
      result,
      render: (theme) => [
        `${result.done ? theme.good(theme.symbols.done) : theme.symbols.arrow} ${theme.strong(result.name)} ${escapeUntrusted(result.version)}  ${result.tier}: ${TIERS[result.tier]}`,
        ...result.files.map((file) => `  ${escapeUntrusted(file)}`),
        "",
        theme.strong(result.subject),
        ...escapeUntrustedLines(result.body)
          .split("\n")
          .map((line) => (line === "" ? "" : `  ${line}`)),
        ...(result.done
          ? []
          : [
              "",
              ...result.commands.map((command) =>
                theme.command(`  ${command.map((word) => (word.includes("\n") ? "'…'" : showWord(word))).join(" ")}`),
              ),
            ]),
        ...(result.page === null ? [] : ["", `${theme.symbols.arrow} ${escapeUntrusted(result.page)}`]),
        ...(result.done ? [] : ["", theme.faint("nothing was done")]),
      ],
    };
  },
};
