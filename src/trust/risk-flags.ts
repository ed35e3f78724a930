import { blockingReason } from "../manifest/lint/blocking-command.ts";
import { commandsOf } from "../manifest/lint/places.ts";
import { ROOT_PROGRAMS } from "../manifest/lint/root-programs.ts";
import { runsDownload } from "../manifest/lint/run-download.ts";
import { type ShellCommand, programOf } from "../manifest/shell-commands.ts";
import { isEcosystem } from "../manifest/ecosystems.ts";
import type { PlanRisk, PlannedRun, PlannedStep } from "../plan/plan.ts";
import { findSecrets } from "./find-secrets.ts";

/** Folders that a step may write are named by variables or are relative. */
const OUTSIDE = /^(?:\/(?!tmp\/|dev\/(?:null|stdout|stderr)$)|~(?:\/|$)|\$\{?HOME\b)/u;
const WRITERS = new Set(["cp", "mv", "install", "ln", "mkdir", "tee", "rsync", "touch", "chmod", "chown", "dd"]);
const DETACHERS = new Set(["nohup", "setsid", "disown", "daemonize", "start-stop-daemon", "screen", "tmux", "at"]);
const SECRET_NAME = /(?:TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|PRIVATE_?KEY|CREDENTIALS?)$/iu;
/** Words by which package managers install exactly what a lockfile says. */
const LOCKED =
  /\b(?:npm|pnpm) ci\b|--(?:locked|frozen|frozen-lockfile|immutable|require-hashes)\b|\bnpm (?:rebuild|run)\b|--offline\b/u;
/** What undoes Go's checksums: another module file, or a version that is whatever is newest. */
const UNLOCKED_GO = /-mod=mod\b|@(?:latest|main|master)\b/u;

function textOf(run: PlannedRun["run"]): string {
  return typeof run === "string" ? run : run.join(" ");
}

function shown(command: ShellCommand): string {
  return command.words.slice(0, 3).join(" ");
}

function downloadToShell(commands: readonly ShellCommand[]): string | undefined {
  const found = commands.find((_, index) => runsDownload(commands, index));
  return found === undefined ? undefined : `runs what ${programOf(found)} downloads`;
}

function writesOutside(command: ShellCommand): string | undefined {
  const program = programOf(command);
  const { words } = command;
  const targets = [
    ...command.redirects,
    ...(WRITERS.has(program) ? words.slice(-1) : []),
    ...words.flatMap((word) => /^(?:--?(?:prefix|root|target|destdir)|PREFIX|DESTDIR)=(.+)$/iu.exec(word)?.[1] ?? []),
  ];
  const target = targets.find((word) => OUTSIDE.test(word));
  if (target !== undefined) return `writes ${target}`;
  if (words.some((word) => word === "--global" || word === "-g") && /^(?:npm|pnpm|yarn|bun)$/u.test(program))
    return `installs for the whole account (${shown(command)})`;
  const user = words.find((word) => word === "--user" || word === "--break-system-packages");
  return user !== undefined && /^pip[0-9.]*$/u.test(program)
    ? `installs for the whole account (pip ${user})`
    : undefined;
}

/** Network whose answers nothing in the manifest or the repository pins. */
function withoutLock(step: PlannedRun): string | undefined {
  const text = textOf(step.run);
  const open = step.network.filter((word) => {
    if (!isEcosystem(word)) return true;
    return word === "go" ? UNLOCKED_GO.test(text) : !LOCKED.test(text);
  });
  return open.length === 0 ? undefined : `takes from ${open.join(" and ")} what no lockfile pins`;
}

function risksOfRun(step: PlannedRun): PlanRisk[] {
  const risks: PlanRisk[] = [];
  const flag = (code: PlanRisk["code"], what: string | undefined): void => {
    const isKnown = risks.some((risk) => risk.code === code && risk.what === what);
    if (what !== undefined && !isKnown) risks.push({ code, step: step.id, what });
  };
  flag("network-without-lock", withoutLock(step));
  for (const [name, value] of Object.entries(step.env)) {
    if (SECRET_NAME.test(name) && value !== "") flag("secrets", `is given ${name} by the manifest`);
  }
  // What a recipe writes is ours and reviewed with it: only what it fetches differs from tool to tool.
  if (step.recipe !== null) return risks;
  const text = textOf(step.run);
  const commands = commandsOf(step.run);
  flag("download-to-shell", downloadToShell(commands));
  for (const command of commands) {
    const program = programOf(command);
    if (ROOT_PROGRAMS.has(program)) flag("privilege-escalation", `asks for the rights of root (${program})`);
    flag("writes-outside", writesOutside(command));
    if (command.ending === "&" || DETACHERS.has(program) || DETACHERS.has(command.words[0])) {
      flag("background-process", `starts something in the background (${shown(command)})`);
    } else {
      const reason = blockingReason(command);
      if (reason !== undefined) flag("long-running", `${shown(command)} ${reason}`);
    }
    for (const word of command.words) {
      const name = /\$\{?([A-Za-z_][A-Za-z0-9_]*)/u.exec(word)?.[1];
      if (name !== undefined && SECRET_NAME.test(name)) flag("secrets", `asks for ${name}`);
    }
  }
  for (const secret of findSecrets(text)) flag("secrets", `holds what looks like ${secret}`);
  return risks;
}

/**
 * What in the steps of a plan a reader should look at before saying yes. Read from the commands without running them, so
 * it finds what is written plainly, not what is hidden: the sandbox refuses what these flags only name.
 */
export function findRisks(steps: readonly PlannedStep[]): PlanRisk[] {
  return steps.flatMap((step) => (step.kind === "run" ? risksOfRun(step) : []));
}
