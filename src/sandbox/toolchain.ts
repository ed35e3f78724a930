import path from "node:path";
import { IpmError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import { isInside, outermost } from "./paths.ts";

/** A program behind its shims, and what has to be readable for it to run. */
export interface Toolchain {
  /** The program to run, behind shims; its last component is the command's own name. */
  readonly program: string;
  /** The folder to put on PATH. */
  readonly bin: string;
  /** Real folders and files besides the system's own. */
  readonly readable: readonly string[];
}

/** Folders that every sandbox shows, read-only. */
export const SYSTEM_FOLDERS = [
  "/usr",
  "/bin",
  "/sbin",
  "/lib",
  "/lib32",
  "/lib64",
  "/libx32",
  "/nix/store",
  "/gnu/store",
];

const MAX_SHIMS = 4;
const MAX_LINKS = 40;
const SHIM_TIMEOUT_MS = 20_000;
const SHIM_SCRIPT_BYTES = 16 * 1024;

/** Variables of the caller that version managers read to choose a version; nothing else of the caller reaches them. */
const MANAGER_VARIABLE =
  /^(?:HOME|PATH|LANG|(?:RUSTUP|CARGO|PYENV|RBENV|NODENV|GOENV|JENV|ASDF|MISE|VOLTA|XDG)_[A-Z_]+)$/u;

/** Managers whose program is linked to under the names of the tools; it tells the real one by `which NAME`. */
const LINKED_MANAGERS = new Set(["rustup", "mise"]);

/** `exec "/opt/pyenv/libexec/pyenv" exec "$program" "$@"`, as pyenv, rbenv, nodenv, goenv, jenv and asdf write it. */
const SHIM_SCRIPT = /^\s*exec\s+"?([^"\s]*?\b(?:pyenv|rbenv|nodenv|goenv|jenv|asdf))"?\s+exec\b/mu;

/** Where a manager keeps its toolchains, beside the shims that it makes. */
interface ManagerHome {
  /** The manager's own word for the place. */
  readonly variable: string;
  /** Its default, below HOME. */
  readonly below: string;
  /** The place that the shim's own implies. */
  readonly implied: (shim: string, real: string) => string;
}

const twoAbove = (file: string): string => path.dirname(path.dirname(file));

function rootOfShims(variable: string, below: string): ManagerHome {
  return { variable, below, implied: (_shim, real) => twoAbove(real) };
}

/** By the manager's program. rustup: `.cargo/bin/cargo` has `.rustup` beside `.cargo`; images have `cargo` and `rustup`. */
const MANAGER_HOMES: Readonly<Record<string, ManagerHome>> = {
  rustup: {
    variable: "RUSTUP_HOME",
    below: ".rustup",
    implied: (_shim, real) => {
      const cargo = twoAbove(real);
      return path.join(path.dirname(cargo), path.basename(cargo).replace("cargo", "rustup"));
    },
  },
  mise: { variable: "MISE_DATA_DIR", below: ".local/share/mise", implied: (shim) => twoAbove(shim) },
  volta: rootOfShims("VOLTA_HOME", ".volta"),
  pyenv: rootOfShims("PYENV_ROOT", ".pyenv"),
  rbenv: rootOfShims("RBENV_ROOT", ".rbenv"),
  nodenv: rootOfShims("NODENV_ROOT", ".nodenv"),
  goenv: rootOfShims("GOENV_ROOT", ".goenv"),
  jenv: rootOfShims("JENV_ROOT", ".jenv"),
  asdf: rootOfShims("ASDF_DATA_DIR", ".asdf"),
};

type Outside = Pick<Host, "files" | "processes" | "facts">;

/** A path and every link on the way to the file, the real path last. */
async function linkChain(host: Outside, program: string): Promise<string[]> {
  const chain = [program];
  let current = program;
  for (let count = 0; count < MAX_LINKS; count++) {
    const target = await host.files.readLink(current);
    if (target === undefined) break;
    const folder = (await host.files.realPath(path.dirname(current))) ?? path.dirname(current);
    current = path.resolve(folder, target);
    chain.push(current);
  }
  const real = await host.files.realPath(program);
  if (real === undefined) throw missing(program);
  if (chain.at(-1) !== real) chain.push(real);
  return chain;
}

function missing(program: string): IpmError {
  return new IpmError("REQUIREMENT_MISSING", `${program} does not exist any more`, {
    hint: "run the command again: the plan looks for the program anew",
    data: { program },
  });
}

/**
 * What a manager is asked with. PATH can lead to the shims of another home (`sudo -H`, cron, a test): then the manager is
 * told the home that the shim itself implies, since it would find nothing in this one.
 * @returns undefined when the manager has no home at all: rustup would make itself one
 */
async function managerEnvironment(
  host: Outside,
  manager: string,
  shim: string,
  real: string,
): Promise<Record<string, string> | undefined> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(host.facts.env)) {
    if (value !== undefined && MANAGER_VARIABLE.test(name)) env[name] = value;
  }
  const known = MANAGER_HOMES[manager];
  if (known === undefined || env[known.variable] !== undefined) return env;
  const isFolder = async (folder: string): Promise<boolean> =>
    (await host.files.realPath(folder).catch(() => undefined)) !== undefined;
  const home = env["HOME"];
  if (home !== undefined && (await isFolder(path.join(home, known.below)))) return env;
  const implied = known.implied(shim, real);
  if (await isFolder(implied)) return { ...env, [known.variable]: implied };
  return manager === "rustup" ? undefined : env;
}

/** The command that tells what is behind a shim, or undefined when the program is none. */
async function shimQuestion(
  host: Outside,
  program: string,
  real: string,
): Promise<readonly [string, ...string[]] | undefined> {
  const name = path.basename(program);
  const realName = path.basename(real);
  if (LINKED_MANAGERS.has(realName) && realName !== name) return [real, "which", name];
  if (realName === "volta-shim") return [path.join(path.dirname(real), "volta"), "which", name];
  if (path.basename(path.dirname(real)) !== "shims") return undefined;
  const facts = await host.files.facts(real);
  if (facts?.kind !== "file" || facts.size > SHIM_SCRIPT_BYTES) return undefined;
  const manager = SHIM_SCRIPT.exec((await host.files.readText(real)) ?? "")?.[1];
  if (manager === undefined) return undefined;
  if (path.isAbsolute(manager)) return [manager, "which", name];
  for (const folder of (host.facts.env["PATH"] ?? "").split(":")) {
    if (!path.isAbsolute(folder)) continue;
    const candidate = path.join(folder, manager);
    // A folder of PATH that may not be entered is no error.
    const found = await host.files.realPath(candidate).catch(() => undefined);
    if (found !== undefined) return [candidate, "which", name];
  }
  return undefined;
}

/** Somebody's home by its place: PATH can lead into one that is not the caller's. */
const HOME_FOLDER = /^(?:\/root|\/(?:home|Users)\/[^/]+)(?=\/|$)/u;

/** Folders that hold much more than one toolchain, and perhaps secrets; of a program in there only the file is shown. */
function isWide(folder: string, home: string | undefined): boolean {
  if (["/", "/opt", "/opt/local", "/srv", "/var", "/home", "/Users", "/mnt", "/tmp", "/var/tmp"].includes(folder))
    return true;
  return [home, HOME_FOLDER.exec(folder)?.[0]].some(
    (one) =>
      one !== undefined &&
      (isInside(folder, one) ||
        ["bin", ".local", ".cargo", "go", ".config", ".cache", ".bun", ".deno"].some(
          (name) => folder === path.join(one, name),
        )),
  );
}

/** The smallest folder (or file) that the program needs, by the layouts that toolchains have. */
function rootOf(named: string, real: string, home: string | undefined): string {
  const cellar = real.indexOf("/Cellar/");
  // Homebrew's programs link to each other through its opt folder.
  if (cellar > 0 && !isWide(real.slice(0, cellar), home)) return real.slice(0, cellar);
  for (const program of [named, real]) {
    const folder = path.dirname(program);
    const root = path.dirname(folder);
    if (
      ["bin", "sbin", "libexec", "scripts"].includes(path.basename(folder)) &&
      isInside(root, real) &&
      !isWide(root, home)
    ) {
      return root;
    }
  }
  const packaged = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/u.exec(real)?.[0];
  return packaged ?? real;
}

/** Targets outside of the folder that links near its top point to: Debian keeps Maven's `conf` in /etc/maven. */
async function linkedOutside(host: Outside, root: string): Promise<string[]> {
  const found: string[] = [];
  const folders = [root];
  for (const name of await host.files.list(root)) {
    const child = path.join(root, name);
    if ((await host.files.facts(child))?.kind === "folder") folders.push(child);
  }
  for (const folder of folders) {
    for (const name of await host.files.list(folder)) {
      const child = path.join(folder, name);
      if ((await host.files.facts(child))?.kind !== "link") continue;
      const target = await host.files.realPath(child);
      if (target !== undefined && isInside("/etc", target) && target !== "/etc") found.push(target);
    }
  }
  return found;
}

/** The home of a tool of the system (`/usr/share/maven`, `/usr/lib/jvm/…`), or undefined for one of /usr/bin. */
function systemToolHome(real: string): string | undefined {
  const folder = path.dirname(real);
  const home = path.basename(folder) === "bin" ? path.dirname(folder) : undefined;
  return home === undefined || ["/", "/usr", "/usr/local"].includes(home) ? undefined : home;
}

/** As root a file that only root may read would become readable inside: such places are not shown at all. */
async function isShowable(host: Outside, target: string): Promise<boolean> {
  if (host.facts.uid !== 0) return true;
  const facts = await host.files.facts(target);
  const needed = facts?.kind === "folder" ? 0o005 : 0o004;
  return facts !== undefined && (facts.mode & needed) === needed;
}

/**
 * Resolve a program through the shims of rustup, pyenv (and its kin), mise, asdf and volta to the real one, and say what
 * a sandbox has to show for it: the one root of its toolchain and the system files that it links to.
 * @param program absolute path as it was found on PATH
 * @throws IpmError REQUIREMENT_MISSING when the program is gone or its shim has no version to offer,
 *   SANDBOX_UNAVAILABLE when only root may read it
 */
export async function resolveToolchain(host: Outside, program: string): Promise<Toolchain> {
  let current = program;
  for (let count = 0; count < MAX_SHIMS; count++) {
    const chain = await linkChain(host, current);
    const real = chain.at(-1) ?? current;
    const question = await shimQuestion(host, current, real);
    if (question === undefined) return describe(host, current, chain, real);
    const manager = path.basename(question[0]);
    const env = await managerEnvironment(host, manager, current, real);
    const behind = env === undefined ? undefined : await askManager(host, question, env);
    if (behind === undefined) {
      throw new IpmError("REQUIREMENT_MISSING", `${program} is a shim of ${manager} with no version behind it`, {
        hint: question.join(" "),
        data: { program, manager: question[0] },
      });
    }
    current = behind;
  }
  throw new IpmError("REQUIREMENT_MISSING", `${program} leads from one shim to the next`, { data: { program } });
}

/** @returns the absolute path that the manager names, or undefined when it has none to name */
async function askManager(
  host: Outside,
  question: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const answer = await host.processes.run({
    argv: question,
    cwd: "/",
    env,
    timeoutMs: SHIM_TIMEOUT_MS,
    maxOutput: 64 * 1024,
  });
  const behind = Buffer.from(answer.stdout).toString().trim().split("\n").at(-1) ?? "";
  return answer.exitCode === 0 && path.isAbsolute(behind) ? behind : undefined;
}

async function describe(host: Outside, command: string, chain: readonly string[], real: string): Promise<Toolchain> {
  const home = host.facts.env["HOME"];
  const realHome = home === undefined ? undefined : await host.files.realPath(home);
  const name = path.basename(command);
  // `npm` is a link to npm-cli.js, `java` goes through /etc/alternatives: the last place that still has the name.
  const last = chain.findLast((item) => path.basename(item) === name) ?? command;
  const named = path.join((await host.files.realPath(path.dirname(last))) ?? path.dirname(last), name);
  const isSystem = (item: string): boolean => SYSTEM_FOLDERS.some((folder) => isInside(folder, item));
  const root = isSystem(real) ? systemToolHome(real) : rootOf(named, real, realHome);
  const readable: string[] = [];
  if (root !== undefined) {
    if (!isSystem(real)) {
      if (!(await isShowable(host, root))) {
        throw new IpmError("SANDBOX_UNAVAILABLE", `${root} can be read by root only, so no step may see it`, {
          hint: `chmod -R o+rX ${root}`,
          data: { program: command, path: root },
        });
      }
      readable.push(root);
    }
    if ((await host.files.facts(root))?.kind === "folder") {
      for (const item of await linkedOutside(host, root)) if (await isShowable(host, item)) readable.push(item);
    }
  }
  const isSeen = isSystem(named) || readable.some((item) => isInside(item, named));
  const program = isSeen ? named : await besides(host, real, name);
  return { program, bin: path.dirname(program), readable: outermost(readable) };
}

/** The real program under the command's name where that is beside it: an active virtual environment links to /usr/bin. */
async function besides(host: Outside, real: string, name: string): Promise<string> {
  const candidate = path.join(path.dirname(real), name);
  return (await host.files.realPath(candidate)) === real ? candidate : real;
}
