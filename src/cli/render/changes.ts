import { escapeUntrusted } from "../../core/untrusted-text.ts";
import { count, formatBytes } from "./format.ts";
import { hang, type Theme } from "./theme.ts";

interface Change {
  readonly name: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** One tool's change between two generations: `+ ripcat 2.1.0`, `- ripcat 2.1.0`, `ripcat 2.0.0 → 2.1.0`. */
export function renderChange(change: Change, theme: Theme): string {
  const name = escapeUntrusted(change.name);
  if (change.from === null) return theme.good(`+ ${name} ${escapeUntrusted(change.to ?? "")}`);
  if (change.to === null) return theme.bad(`- ${name} ${escapeUntrusted(change.from)}`);
  if (change.from === change.to) return `  ${name} ${escapeUntrusted(change.to)} ${theme.faint("built again")}`;
  return `  ${name} ${escapeUntrusted(change.from)} ${theme.symbols.arrow} ${escapeUntrusted(change.to)}`;
}

/** `ipm uninstall`. */
export function renderUninstall(
  result: {
    readonly generation: number;
    readonly removed: readonly { readonly name: string; readonly version: string }[];
    readonly workspaces: readonly {
      readonly name: string;
      readonly version: string;
      readonly folder: string;
      readonly kept: string | null;
    }[];
    readonly purgedBytes: number;
    readonly kept: readonly string[];
  },
  isPurge: boolean,
  theme: Theme,
): readonly string[] {
  const done = theme.good(theme.symbols.done);
  // What was uninstalled before can be purged later.
  const isLate = isPurge && result.removed.length === 0 && result.workspaces.length === 0;
  return [
    ...(isLate && result.kept.length === 0
      ? [`${done} what was left of it is gone; ${formatBytes(result.purgedBytes)} given back`]
      : []),
    ...result.removed.map(
      (tool) => `${done} ${theme.strong(escapeUntrusted(tool.name))} ${escapeUntrusted(tool.version)} is off PATH`,
    ),
    ...result.workspaces.flatMap((workspace) => workspaceLines(workspace, theme)),
    ...(result.removed.length === 0 || (isPurge && result.kept.length > 0)
      ? []
      : [goneLine(result.purgedBytes, isPurge, theme)]),
    ...result.kept.flatMap((folder) =>
      isPurge
        ? hang(
            `${theme.symbols.caution} `,
            `${escapeUntrusted(folder)} stays, because it is in use; ${formatBytes(result.purgedBytes)} given back, the rest by ipm gc`,
            theme.width,
            theme.caution,
          )
        : hang("  ", `your data stays in ${escapeUntrusted(folder)} (--purge removes it)`, theme.width, theme.faint),
    ),
  ];
}

/** A workspace that is gone with its folder, or forgotten, and what is left in the folder. */
function workspaceLines(
  workspace: { name: string; version: string; folder: string; kept: string | null },
  theme: Theme,
): string[] {
  const title = `${theme.strong(escapeUntrusted(workspace.name))} ${escapeUntrusted(workspace.version)}`;
  const folder = escapeUntrusted(workspace.folder);
  if (workspace.kept === null) return [`${theme.good(theme.symbols.done)} ${title} is gone, with its folder ${folder}`];
  return [
    `${theme.good(theme.symbols.done)} ${title} is forgotten; ipm knows nothing of it any more`,
    ...hang(`  ${theme.symbols.caution} `, `${folder} stays: ${workspace.kept}`, theme.width, theme.caution),
  ];
}

function goneLine(purgedBytes: number, isPurge: boolean, theme: Theme): string {
  return isPurge
    ? `  its files and data are gone; ${formatBytes(purgedBytes)} given back`
    : `  ${theme.faint(`${theme.symbols.arrow} ipm rollback brings it back; ipm gc --keep 0 gives its space back`)}`;
}

/** `ipm rollback`. */
export function renderRollback(
  result: {
    readonly from: number;
    readonly to: number;
    readonly generation: number;
    readonly changes: readonly Change[];
  },
  theme: Theme,
): readonly string[] {
  return [
    `${theme.good(theme.symbols.done)} back to the tools of generation ${result.to} ${theme.faint(`(now generation ${result.generation}, was ${result.from})`)}`,
    ...(result.changes.length === 0
      ? [theme.faint("  no tool changed")]
      : result.changes.map((change) => `  ${renderChange(change, theme)}`)),
  ];
}

/** `ipm hold` and `ipm unhold`. */
export function renderHold(
  tools: readonly { readonly name: string; readonly version: string; readonly held: boolean }[],
  theme: Theme,
): readonly string[] {
  return tools.map(
    (tool) =>
      `${theme.good(theme.symbols.done)} ${theme.strong(escapeUntrusted(tool.name))} ${
        tool.held ? `stays at ${escapeUntrusted(tool.version)}` : `${escapeUntrusted(tool.version)} may be upgraded`
      }`,
  );
}

interface GarbageResult {
  readonly removed: readonly { readonly kind: string; readonly name: string; readonly bytes: number }[];
  readonly kept: readonly { readonly name: string; readonly why: string }[];
  readonly bytes: number;
  readonly dryRun: boolean;
}

/** `ipm gc`: what went, by kind; names with `--verbose` and on a dry run. */
export function renderGarbage(result: GarbageResult, isVerbose: boolean, theme: Theme): readonly string[] {
  if (result.removed.length === 0)
    return [`${theme.good(theme.symbols.done)} nothing to remove`, ...keptLines(result, theme)];
  const kinds = new Map<string, number>();
  for (const { kind } of result.removed) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const summary = [...kinds]
    .map(([kind, number]) => (kind === "entry" ? count(number, "entry", "entries") : count(number, kind)))
    .join(", ");
  return [
    result.dryRun
      ? `would remove ${summary} and give back ${formatBytes(result.bytes)}`
      : `${theme.good(theme.symbols.done)} removed ${summary}; ${formatBytes(result.bytes)} given back`,
    ...(result.dryRun || isVerbose
      ? result.removed.map(
          (one) => `  ${theme.faint(one.kind)} ${escapeUntrusted(one.name)}  ${theme.faint(formatBytes(one.bytes))}`,
        )
      : []),
    ...keptLines(result, theme),
  ];
}

function keptLines(result: GarbageResult, theme: Theme): string[] {
  return result.kept.flatMap((one) =>
    hang("  ", `kept ${escapeUntrusted(one.name)}: ${escapeUntrusted(one.why)}`, theme.width, theme.faint),
  );
}
