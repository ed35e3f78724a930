import type { Command } from "commander";
import { expect, test } from "vitest";
import { GLOBAL_FLAGS } from "../../../src/cli/arguments.ts";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { buildProgram } from "../../../src/cli/commander-program.ts";
import { usageOf } from "../../../src/cli/render/help.ts";
import { readPage } from "../../helpers/reference.ts";

/** Every command of the commander tree that can be run, by its full name. */
function leaves(command: Command, name = ""): [string, Command][] {
  if (command.commands.length === 0) return [[name, command]];
  return command.commands.flatMap((child) => leaves(child, `${name} ${child.name()}`.trim()));
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function commandReference(): string {
  const tree = new Map(leaves(buildProgram(() => undefined)));
  return [
    "# Commands",
    "",
    "Generated from the commands themselves; a test compares the two. `ipm COMMAND --help` shows the same.",
    "",
    "stdout is the answer, stderr is the story. With `--json` stdout holds one document and nothing else, also on failure:",
    '`{"ok": true, "result": …}` or `{"ok": false, "error": {"code", "message", "hint", "data"}}`. [Exit codes and errors](errors.md).',
    "",
    "## Flags of every command",
    "",
    "| flag | |",
    "|---|---|",
    ...GLOBAL_FLAGS.map(({ flags, says }) => `| \`${flags}\` | ${cell(says)} |`),
    ...COMMANDS.flatMap((spec) => {
      const command = tree.get(spec.name);
      if (command === undefined) throw new Error(`${spec.name} is not in the commander tree`);
      const options = command.options.map(
        (option) =>
          `| \`${(spec.options ?? []).find(({ flags }) => flags.startsWith(option.long ?? "?"))?.flags}\` | ${cell(option.description)} |`,
      );
      return [
        "",
        `## ipm ${spec.name}`,
        "",
        `${command.description()[0]?.toUpperCase()}${command.description().slice(1)}.`,
        "",
        "```sh",
        ...spec.examples.map(([line, says]) => `${line.padEnd(40)}  # ${says}`),
        "```",
        "",
        `Usage: \`${usageOf(spec)}\`${command.alias() === undefined ? "" : `; \`ipm ${command.alias()}\` is the same`}`,
        ...(spec.about ?? []).flatMap((paragraph) => ["", paragraph]),
        ...(options.length === 0 ? [] : ["", "| flag | |", "|---|---|", ...options]),
        "",
        `Result with \`--json\`: \`${spec.json}\``,
      ];
    }),
    "",
  ].join("\n");
}

test("docs/cli.md describes every command of the commander tree", () => {
  const generated = commandReference();
  expect(generated).toBe(readPage("docs/cli.md", generated));
});

test("the commander tree has exactly the described commands", () => {
  expect([...new Map(leaves(buildProgram(() => undefined))).keys()].toSorted()).toEqual(
    COMMANDS.map(({ name }) => name).toSorted(),
  );
});
