import type { Host } from "../../core/host.ts";
import { escapeUntrusted, escapeUntrustedLines } from "../../core/untrusted-text.ts";
import type { InstallResult } from "../../usecases/install.ts";
import type { InstalledTool } from "../../usecases/list.ts";
import { renderField } from "./field.ts";
import { showRun } from "./format.ts";
import { renderPlan } from "./plan.ts";
import { hang, type Theme } from "./theme.ts";
import { renderUnchanged } from "./unchanged.ts";

/** True when the current generation's commands can be typed in the shell that called ipm. */
function isOnPath(host: Host): boolean {
  const bin = `${host.homes.data}/current/bin`;
  return (host.facts.env["PATH"] ?? "").split(":").includes(bin);
}

/** Where this ipm runs, and how it is called there. */
export interface Caller {
  readonly host: Host;
  /** `ipm`, or `node bin/ipm.cjs` where no ipm is on PATH. */
  readonly command: string;
}

function nextLines(
  tools: readonly InstalledTool[],
  result: InstallResult,
  { host, command }: Caller,
  theme: Theme,
): string[] {
  const first = tools.find((tool) => tool.bins.length > 0);
  const start = result.notes.find((note) => note.start !== null)?.start ?? null;
  const attempt =
    start === null
      ? first === undefined
        ? null
        : `${escapeUntrusted(first.bins.find((bin) => bin === first.name) ?? first.bins[0] ?? "")} --help`
      : showRun(start.run);
  const lines: string[] = [];
  if (!isOnPath(host) && first !== undefined)
    lines.push(
      ...renderField("first", `${command} setup`, theme, theme.command),
      ...renderField("", theme.faint("puts ipm's commands on PATH, once"), theme),
    );
  if (attempt !== null) lines.push(...renderField("try", attempt, theme, theme.command));
  if (start?.url !== null && start?.url !== undefined)
    lines.push(...renderField("open", escapeUntrusted(start.url), theme));
  return lines;
}

function notesLines(name: string, result: InstallResult, theme: Theme): string[] {
  const notes = result.notes.find((note) => note.name === name)?.notes ?? null;
  if (notes === null) return [];
  const text = escapeUntrustedLines(notes.trimEnd()).split("\n");
  return text.flatMap((line, index) => renderField(index === 0 ? "notes" : "", line, theme));
}

/** A workspace that is ready, and how to work in it. */
function workspaceLines(tool: InstalledTool, folder: string, result: InstallResult, theme: Theme): string[] {
  const name = escapeUntrusted(tool.name);
  return [
    `${theme.good(theme.symbols.done)} ${theme.strong(`${name} ${escapeUntrusted(tool.version)}`)} is ready`,
    ...renderField("folder", escapeUntrusted(folder), theme),
    ...renderField("enter", `ipm run ${name} -- COMMAND`, theme, theme.command),
    ...notesLines(tool.name, result, theme),
  ];
}

function installedLines(tools: readonly InstalledTool[], result: InstallResult, theme: Theme): string[] {
  return tools.flatMap((tool) =>
    tool.workspace === undefined
      ? toolLines(tool, result, theme)
      : workspaceLines(tool, tool.workspace.folder, result, theme),
  );
}

function toolLines(tool: InstalledTool, result: InstallResult, theme: Theme): string[] {
  return [
    `${theme.good(theme.symbols.done)} ${theme.strong(`${escapeUntrusted(tool.name)} ${escapeUntrusted(tool.version)}`)} is installed${result.generation === null ? "" : theme.faint(`  generation ${result.generation}`)}`,
    ...renderField("commands", tool.bins.map(escapeUntrusted).join(" "), theme),
    ...notesLines(tool.name, result, theme),
  ];
}

/** Methods that failed before the one that went through, each with its log. */
function attemptLines(result: InstallResult, theme: Theme): string[] {
  return result.attempts.flatMap(({ name, method, message, log }) => [
    ...hang(
      `${theme.caution(theme.symbols.caution)} `,
      `${escapeUntrusted(name)}: method ${escapeUntrusted(method)} failed: ${escapeUntrusted(message.split("\n")[0] ?? "")}`,
      theme.width,
    ),
    ...(log === null ? [] : renderField("log", escapeUntrusted(log), theme)),
  ]);
}

/** Targets that came to nothing while others went on. */
export function renderFailed(failed: InstallResult["failed"], theme: Theme): string[] {
  return failed.flatMap((tool) => [
    `${theme.bad(theme.symbols.failed)} ${theme.strong(escapeUntrusted(tool.target))} ${theme.bad(`error[${escapeUntrusted(tool.code)}]`)}`,
    ...escapeUntrustedLines(tool.message)
      .split("\n")
      .flatMap((line) => hang("    ", line, theme.width)),
    ...(tool.log === null ? [] : renderField("log", escapeUntrusted(tool.log), theme)),
  ]);
}

/** The plans, and what could not be planned. */
export function renderPlans({ plans, failed }: Pick<InstallResult, "plans" | "failed">, theme: Theme): string[] {
  const lines = plans.flatMap((plan, index) => [...(index === 0 ? [] : ["", ""]), ...renderPlan(plan, theme)]);
  return [...lines, ...(lines.length === 0 || failed.length === 0 ? [] : [""]), ...renderFailed(failed, theme)];
}

function dryRunLines(result: InstallResult, theme: Theme): string[] {
  const plans = renderPlans(result, theme);
  return [
    ...plans,
    ...(plans.length === 0 ? [] : [""]),
    ...renderUnchanged(result.unchanged, theme),
    theme.faint("a dry run: nothing was changed"),
  ];
}

/** The end of an installation: what is there now, its commands, its notes, and what to type next. */
export function renderInstallResult(result: InstallResult, caller: Caller, theme: Theme): readonly string[] {
  if (result.dryRun) return dryRunLines(result, theme);
  return [
    ...installedLines(result.installed, result, theme),
    ...attemptLines(result, theme),
    ...renderUnchanged(result.unchanged, theme),
    ...renderFailed(result.failed, theme),
    ...nextLines(result.installed, result, caller, theme),
  ];
}

type UpgradeResult = InstallResult & {
  readonly upgraded: readonly { readonly name: string; readonly from: string; readonly to: string }[];
  readonly held: readonly string[];
};

/** The end of `ipm upgrade`. */
export function renderUpgradeResult(result: UpgradeResult, caller: Caller, theme: Theme): readonly string[] {
  if (result.dryRun) return dryRunLines(result, theme);
  const done = theme.good(theme.symbols.done);
  const held = result.held.map((name) =>
    theme.faint(`  ${escapeUntrusted(name)} is held (ipm unhold ${escapeUntrusted(name)})`),
  );
  if (result.upgraded.length === 0 && result.failed.length === 0)
    return [`${done} everything is at its newest version`, ...held];
  return [
    ...result.upgraded.flatMap((tool) => [
      `${done} ${theme.strong(escapeUntrusted(tool.name))} ${escapeUntrusted(tool.from)} ${theme.symbols.arrow} ${escapeUntrusted(tool.to)}`,
      ...notesLines(tool.name, result, theme),
    ]),
    ...attemptLines(result, theme),
    ...renderFailed(result.failed, theme),
    ...held,
    ...(isOnPath(caller.host) ? [] : nextLines(result.installed, result, caller, theme)),
  ];
}
