import { escapeUntrusted } from "../../core/untrusted-text.ts";
import { TIERS } from "../../manifest/change-tier.ts";
import type { CommandSpec } from "../command.ts";
import { LOCK_TIMEOUT, readLockTimeout } from "./plan-options.ts";
import type { AddedVersion } from "../../usecases/bump-result.ts";
import { count, showWord } from "../render/format.ts";
import { hang } from "../render/theme.ts";

/** What was pinned, one line each. */
function pinLines({ ref, commit, tree, integrity, lock, packages }: AddedVersion): string[] {
  return [
    ...(commit === null ? [] : [`${ref ?? "HEAD"} is ${commit}`, `tree ${tree ?? ""}`]),
    ...(integrity === null ? [] : [integrity, `${lock ?? ""} pins ${count(packages ?? 0, "package")}`]),
  ];
}

export const bumpCommand: CommandSpec = {
  name: "bump",
  operands: "NAME [VERSION]",
  group: "Contribute",
  summary: "add a tool's newest release to its manifest",
  examples: [
    [
      "ipm bump ripcat",
      "in a registry's folder: the newest tag with commit and tree, or the newest package with its lock",
    ],
    ["ipm bump ./ripcat.yaml 2.10.0", "this version, in this file"],
  ],
  about: [
    "One entry is added at the top of `versions`; nothing else changes.",
    "For a package, a version that the manifest has already gets its lock anew.",
  ],
  options: [{ flags: "--dry-run", says: "show the entry and write nothing" }, LOCK_TIMEOUT],
  json: "{name, file, from, added: {version, ref, commit, tree, integrity, lock, packages} | null, tier, written, notices}",
  completes: "files",
  run: async (session, invocation) => {
    const { bump } = await import("../../usecases/bump.ts");
    const [name = "", version] = invocation.operands;
    const result = await bump(
      await session.openContext({ writes: true, lockTimeoutMs: readLockTimeout(invocation) }),
      name,
      version ?? null,
      invocation.has("dry-run"),
    );
    return {
      result,
      render: (theme) =>
        result.added === null
          ? [
              `${theme.good(theme.symbols.done)} ${theme.strong(result.name)} ${escapeUntrusted(result.from)} is the newest release`,
            ]
          : [
              `${theme.good(theme.symbols.done)} ${theme.strong(result.name)} ${escapeUntrusted(result.from)} ${theme.symbols.arrow} ${escapeUntrusted(result.added.version)}${result.written ? "" : theme.faint("  not written")}`,
              ...pinLines(result.added).map((line) => theme.faint(`  ${escapeUntrusted(line)}`)),
              ...result.notices.flatMap((notice) =>
                hang(`  ${theme.symbols.caution} `, escapeUntrusted(notice), theme.width, theme.caution),
              ),
              `  ${result.tier}: ${TIERS[result.tier]}`,
              `${theme.faint(theme.symbols.arrow)} ${theme.command(`ipm verify ./${showWord(result.file)}`)}`,
            ],
    };
  },
};
