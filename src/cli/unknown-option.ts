import { IpmError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { GLOBAL_FLAGS } from "./arguments.ts";
import type { CommandSpec } from "./command.ts";

/** A flag that neither the command nor every command has, with those that are nearest. */
export function unknownOption(option: string, spec: CommandSpec | undefined): IpmError {
  const known = [...(spec?.options ?? []).map(({ flags }) => flags), ...GLOBAL_FLAGS.map(({ flags }) => flags)].flatMap(
    (flags) => {
      const long = /--[a-z-]+/u.exec(flags);
      return long === null ? [] : [long[0]];
    },
  );
  const name = option.split("=")[0] ?? option;
  const near = /^-[a-z]$/u.test(name) ? known.filter((flag) => flag.startsWith(`-${name}`)) : nearest(name, known, 2);
  // `--json=1`: the flag is there, and is one that takes no value.
  if (option.includes("=") && known.includes(name)) {
    return new IpmError("USAGE", `${name} takes no value`, { hint: `leave ${option.slice(name.length)} out` });
  }
  const help = spec === undefined ? "ipm --help" : `ipm ${spec.name} --help`;
  const isForTool = spec?.name === "run";
  return new IpmError("USAGE", `${spec === undefined ? "ipm" : `ipm ${spec.name}`} has no flag ${name}`, {
    hint: isForTool
      ? `put -- before the tool's own arguments: ipm run TARGET -- ${name}`
      : near.length === 0
        ? help
        : `did you mean ${near.join(" or ")}? (${help})`,
    data: { nearest: near },
  });
}
