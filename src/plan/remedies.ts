import type { Requirement } from "../manifest/manifest.ts";
import type { PackageManager, Remedy, ResolvedRequirement } from "./plan.ts";
import { REMEDY_ROWS } from "./remedy-rows.ts";
import { type RequirementKind, identifyRequirement } from "./requirements.ts";

interface PackageManagerFacts {
  readonly id: PackageManager;
  /** The program that shows that it is there. */
  readonly program: string;
  /** Installs without a question, the packages follow. */
  readonly install: readonly [string, ...string[]];
  /** Brings its list of packages up to date, where an install does not do that by itself. */
  readonly refresh: readonly [string, ...string[]] | null;
  readonly needsRoot: boolean;
}

/**
 * The package managers that remedies name, the system's before those of a user. winget is none of them: ipm runs on Windows
 * only inside WSL, where the package manager is that of its Linux.
 */
export const PACKAGE_MANAGERS: readonly PackageManagerFacts[] = [
  // apt-get(8)
  {
    id: "apt",
    program: "apt-get",
    install: ["apt-get", "install", "-y"],
    refresh: ["apt-get", "update"],
    needsRoot: true,
  },
  // dnf(8)
  { id: "dnf", program: "dnf", install: ["dnf", "install", "-y"], refresh: null, needsRoot: true },
  // pacman(8); never -Sy: a partial upgrade breaks the system (wiki.archlinux.org, System maintenance)
  {
    id: "pacman",
    program: "pacman",
    install: ["pacman", "-S", "--needed", "--noconfirm"],
    refresh: null,
    needsRoot: true,
  },
  // apk(8)
  { id: "apk", program: "apk", install: ["apk", "add"], refresh: ["apk", "update"], needsRoot: true },
  // zypper(8)
  {
    id: "zypper",
    program: "zypper",
    install: ["zypper", "--non-interactive", "install"],
    refresh: null,
    needsRoot: true,
  },
  // docs.brew.sh/Manpage
  { id: "brew", program: "brew", install: ["brew", "install"], refresh: null, needsRoot: false },
  // mise.jdx.dev/cli/use.html
  { id: "mise", program: "mise", install: ["mise", "use", "--global", "--yes"], refresh: null, needsRoot: false },
];

/** What remedies depend on. */
export interface RemedyHost {
  /** `id` of /etc/os-release, or `macos`. */
  readonly distribution: string;
  /** Ids of the package managers that are on PATH. */
  readonly managers: readonly string[];
  readonly isRoot: boolean;
  /** The program that runs a command as root, or null where there is none (or none is needed). */
  readonly escalation: string | null;
}

/** Systems that have several of these: the one that their own packages come from. */
const NATIVE: readonly (readonly [RegExp, PackageManager])[] = [
  [/^(?:opensuse|sles|suse)/u, "zypper"],
  [/^(?:arch|manjaro|endeavouros|artix)/u, "pacman"],
  [/^(?:alpine|postmarketos)/u, "apk"],
  [/^(?:fedora|rhel|centos|rocky|almalinux|ol|amzn)/u, "dnf"],
  [/^macos$/u, "brew"],
];

function managersOf(host: RemedyHost): readonly PackageManager[] {
  const present = PACKAGE_MANAGERS.map(({ id }) => id).filter((id) => host.managers.includes(id));
  const native = NATIVE.find(([system]) => system.test(host.distribution))?.[1];
  return native === undefined ? present : present.toSorted((a, b) => Number(b === native) - Number(a === native));
}

function namesOf(row: (typeof REMEDY_ROWS)[number], kind: RequirementKind): readonly string[] {
  const names: Readonly<Partial<Record<RequirementKind, readonly string[] | undefined>>> = {
    tool: row.tools,
    header: row.headers,
    "pkg-config": row.pkgConfig,
    library: row.libraries,
  };
  return names[kind] ?? [];
}

/** mise installs a version beside others: the newest one, unless the range has an upper end. */
function withVersion(name: string, range: string | null): string {
  const lower = /^>=\s*([0-9.]+)/u.exec(range ?? "")?.[1];
  return range !== null && range.includes("<") && lower !== undefined ? `${name}@${lower}` : `${name}@latest`;
}

function asRoot(
  command: readonly [string, ...string[]],
  needsRoot: boolean,
  host: RemedyHost,
): readonly [string, ...string[]] {
  return needsRoot && !host.isRoot ? [host.escalation ?? "sudo", ...command] : command;
}

function commandOf(
  manager: PackageManager,
  packages: readonly string[],
  host: RemedyHost,
): readonly [string, ...string[]] {
  const facts = PACKAGE_MANAGERS.find(({ id }) => id === manager);
  if (facts === undefined) throw new TypeError(`no package manager ${manager}`);
  return asRoot([...facts.install, ...packages], facts.needsRoot, host);
}

/**
 * How to get a requirement on a host, or null where no row knows it for any package manager that is there. A program
 * whose version matters comes from mise where that is on PATH: what a system has is one version only.
 */
export function findRemedy(requirement: Requirement, host: RemedyHost): Remedy | null {
  const { kind, name } = identifyRequirement(requirement);
  const row = REMEDY_ROWS.find((one) => namesOf(one, kind).includes(name));
  if (row === undefined) return null;
  const usable = managersOf(host).filter((manager) => row.packages[manager] !== undefined);
  const prefersMise = requirement.version !== null && usable.includes("mise");
  const manager = prefersMise ? "mise" : usable[0];
  const packages = manager === undefined ? undefined : row.packages[manager];
  if (manager === undefined || packages === undefined) return null;
  const list = packages.split(" ");
  const named = manager === "mise" ? list.map((one) => withVersion(one, requirement.version)) : list;
  return { manager, packages: named, command: commandOf(manager, named, host) };
}

/** One command of several remedies. */
export interface RemedyCommand {
  readonly manager: PackageManager;
  readonly command: readonly [string, ...string[]];
}

/**
 * The commands that carry out remedies: one a package manager, each package once.
 * @param refresh with the commands before them that bring the lists of packages up to date
 */
export function remedyCommands(
  remedies: readonly Remedy[],
  host: RemedyHost,
  refresh = false,
): readonly RemedyCommand[] {
  return PACKAGE_MANAGERS.flatMap((facts): readonly RemedyCommand[] => {
    const own = remedies.filter(({ manager }) => manager === facts.id);
    const packages = [...new Set(own.flatMap((one) => one.packages))];
    if (packages.length === 0) return [];
    const before = facts.refresh === null || !refresh ? [] : [asRoot(facts.refresh, facts.needsRoot, host)];
    return [...before, commandOf(facts.id, packages, host)].map((command) => ({ manager: facts.id, command }));
  });
}

/** The remedies of requirements, and those that nobody knows one for. */
export function remediesOf(requirements: readonly ResolvedRequirement[]): {
  readonly remedies: readonly Remedy[];
  readonly without: readonly ResolvedRequirement[];
} {
  return {
    remedies: requirements.flatMap(({ remedy }) => (remedy === undefined || remedy === null ? [] : [remedy])),
    without: requirements.filter(({ remedy }) => remedy === undefined || remedy === null),
  };
}

/** A command as one line to copy. Its words come from the table of remedies and need no quotes. */
export function showCommand(command: readonly string[]): string {
  return command.join(" ");
}
