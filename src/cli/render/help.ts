import { GLOBAL_FLAGS } from "../arguments.ts";
import type { CommandGroup, CommandSpec } from "../command.ts";
import type { HelpSubject } from "../program.ts";
import { displayWidth, padToWidth } from "./display-width.ts";
import { hang, type Theme } from "./theme.ts";

const WIDEST_LEFT = 34;

/** Width of the left column of lists that stand below each other. */
function leftWidth(pairs: readonly (readonly [string, string])[], theme: Theme): number {
  return Math.min(WIDEST_LEFT, Math.floor(theme.width / 2), Math.max(...pairs.map(([left]) => displayWidth(left))));
}

/** Two columns: what to type and what it does; a left part that is too wide gets a line of its own. */
function renderPairs(
  pairs: readonly (readonly [left: string, right: string])[],
  theme: Theme,
  paint: (text: string) => string,
  widest = leftWidth(pairs, theme),
): string[] {
  return pairs.flatMap(([left, right]) => {
    const isWide = displayWidth(left) > widest;
    const indent = " ".repeat(2 + widest + 2);
    const lines = hang(indent, right, theme.width);
    if (isWide) return [`  ${paint(left)}`, ...lines];
    return lines.map((line, index) =>
      index === 0
        ? `  ${paint(left)}${padToWidth("", widest - displayWidth(left))}  ${line.slice(indent.length)}`
        : line,
    );
  });
}

function section(title: string, lines: readonly string[], theme: Theme): string[] {
  return lines.length === 0 ? [] : ["", theme.strong(title), ...lines];
}

function flagPairs(flags: readonly { readonly flags: string; readonly says: string }[]): [string, string][] {
  return flags.map((flag) => [flag.flags, flag.says]);
}

/** How a command is called: `ipm install [flags] TARGET...`. */
export function usageOf(spec: CommandSpec): string {
  return [
    "ipm",
    spec.name,
    ...((spec.options ?? []).length > 0 ? ["[flags]"] : []),
    ...(spec.operands === "" ? [] : [spec.operands]),
  ].join(" ");
}

/** Help of one command: examples first. */
function renderCommandHelp(spec: CommandSpec, theme: Theme): readonly string[] {
  return [
    `${theme.strong(`ipm ${spec.name}`)}: ${spec.summary}`,
    "",
    ...renderPairs(spec.examples, theme, theme.command),
    ...(spec.about ?? []).flatMap((paragraph) => ["", ...hang("", paragraph, theme.width)]),
    ...section(
      "Usage",
      [`  ${usageOf(spec)}`, ...(spec.alias === undefined ? [] : [`  ipm ${spec.alias} is the same`])],
      theme,
    ),
    ...((spec.options ?? []).length === 0
      ? []
      : section(
          "Flags",
          renderPairs(flagPairs(spec.options ?? []), theme, (text) => text),
          theme,
        )),
    ...section(
      "Flags of every command",
      renderPairs(flagPairs(GLOBAL_FLAGS), theme, (text) => text),
      theme,
    ),
  ];
}

const FIRST_STEPS: readonly (readonly [string, string])[] = [
  ["ipm search neural network", "find something"],
  ["ipm plan lstm-demo", "see what an installation would do"],
  ["ipm install lstm-demo", "do it"],
  ["ipm rollback", "undo the last change"],
];

/** Help of everything, or of one group (`ipm registry`): examples first, then the commands by what they are for. */
function renderProgramHelp(specs: readonly CommandSpec[], isGroup: boolean, theme: Theme): readonly string[] {
  const examples = isGroup ? specs.flatMap((spec) => spec.examples.slice(0, 1)) : FIRST_STEPS;
  const pairs = (some: readonly CommandSpec[]): (readonly [string, string])[] =>
    some.map((spec) => [
      `${spec.name}${spec.alias === undefined ? "" : `, ${spec.alias}`}${spec.operands === "" ? "" : ` ${spec.operands}`}`,
      spec.summary,
    ]);
  const isPlain = (text: string): string => text;
  const width = leftWidth(pairs(specs), theme);
  const groups = new Map<CommandGroup, CommandSpec[]>();
  for (const spec of specs) groups.set(spec.group, [...(groups.get(spec.group) ?? []), spec]);
  return [
    ...(isGroup
      ? []
      : [
          `${theme.strong("ipm")} installs software that lives in git repositories: pinned, sandboxed, tested, undoable`,
          "",
        ]),
    ...renderPairs(examples, theme, theme.command),
    ...[...groups].flatMap(([group, some]) =>
      section(isGroup ? "Commands" : group, renderPairs(pairs(some), theme, isPlain, width), theme),
    ),
    ...section(
      "Flags of every command",
      renderPairs(flagPairs(GLOBAL_FLAGS), theme, isPlain, isGroup ? undefined : width),
      theme,
    ),
    "",
    `${theme.command("ipm COMMAND --help")} tells more about one command`,
  ];
}

/** Help of everything, of a group of commands, or of one command. */
export function renderHelp(specs: readonly CommandSpec[], about: HelpSubject, theme: Theme): readonly string[] {
  const [spec] = specs;
  return about === "command" && spec !== undefined
    ? renderCommandHelp(spec, theme)
    : renderProgramHelp(specs, about === "group", theme);
}
