import path from "node:path";

/** One launcher, with everything that the plan and the host resolved. Paths are absolute. */
export interface LauncherSpec {
  readonly name: string;
  readonly tool: string;
  /** The file to run, or null when `run` is given. */
  readonly file: string | null;
  /** A whole command line, its program absolute. */
  readonly run: readonly [string, ...string[]] | null;
  /** Interpreter and its arguments for `file`, absolute; null when the kernel can start the file itself. */
  readonly interpreter: readonly [string, ...string[]] | null;
  readonly env: Readonly<Record<string, string>>;
  /** What the user gave that is not secret; the caller's own variables win. */
  readonly inputs: Readonly<Record<string, string>>;
  /** The file with the secrets that the user gave, read at every start; null where the tool asks for none. */
  readonly secrets: string | null;
}

export type RenderedLauncher =
  /** A plain link: starts at no cost and keeps argv[0]. */
  | { readonly kind: "link"; readonly target: string }
  /** A script, and the link in `libexec` through which the program sees its own name, when there is one. */
  | { readonly kind: "script"; readonly text: string; readonly libexecTarget: string | null };

/** Quote for a POSIX shell: everything between single quotes is literal, and a single quote is closed, escaped, reopened. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A line of `sh` that gives a variable a value unless the caller has given it one. */
export function defaultLine(name: string, value: string): string {
  return `[ -n "\${${name}+x}" ] || export ${name}=${shellQuote(value)}`;
}

/**
 * A launcher as it will stand in the profile's `bin`. A script is plain `sh` with absolute paths: it must work with an
 * empty PATH, from cron, through links, and keep arguments, standard input, exit code and signals (`exec`).
 * @param libexec the profile's `libexec` folder, absolute
 */
export function renderLauncher(spec: LauncherSpec, libexec: string): RenderedLauncher {
  const hasEnv = Object.keys(spec.env).length + Object.keys(spec.inputs).length > 0 || spec.secrets !== null;
  if (spec.file !== null && spec.interpreter === null && !hasEnv) return { kind: "link", target: spec.file };
  const lines = ["#!/bin/sh", `# ${spec.name}: launcher of ${spec.tool}, made by ipm; changes here are lost`];
  const program = spec.run?.[0] ?? spec.interpreter?.[0] ?? spec.file;
  if (program === null || program === undefined) throw new TypeError(`launcher ${spec.name} has nothing to run`);
  const gone = `${spec.name}: ${program} is gone; run: ipm reinstall ${spec.tool.replace(/@.*$/u, "")}`;
  lines.push(`[ -x ${shellQuote(program)} ] || { printf '%s\\n' ${shellQuote(gone)} >&2; exit 127; }`);
  for (const [name, value] of Object.entries(spec.env)) lines.push(`export ${name}=${shellQuote(value)}`);
  for (const [name, value] of Object.entries(spec.inputs)) lines.push(defaultLine(name, value));
  // Sourced: a value that is in no argument and in no other process's environment.
  if (spec.secrets !== null)
    lines.push(`if [ -r ${shellQuote(spec.secrets)} ]; then . ${shellQuote(spec.secrets)}; fi`);
  const words = spec.run ?? [...(spec.interpreter ?? []), path.join(libexec, spec.name)];
  lines.push(`exec ${words.map(shellQuote).join(" ")} "$@"`, "");
  return { kind: "script", text: lines.join("\n"), libexecTarget: spec.run === null ? spec.file : null };
}

export interface Shebang {
  readonly program: string;
  readonly args: readonly string[];
  /** The program is to be looked up on PATH (`/usr/bin/env node`). */
  readonly lookUp: boolean;
}

/**
 * pip writes `'''exec' "/a path/bin/python" "$0" "$@"` into a shell's script where a path is too long for a first line or
 * has a space, and quotes nothing else in it (distlib, `ScriptMaker._build_shebang`): the path, or undefined.
 */
function interpreterInShell(head: Uint8Array): string | undefined {
  const second = new TextDecoder().decode(head).split("\n")[1] ?? "";
  const match = /^'''exec' (?:"(?<quoted>\/.*)"|(?<plain>\/.*)) "\$0" "\$@"$/u.exec(second)?.groups;
  return match?.["quoted"] ?? match?.["plain"];
}

/**
 * The interpreter line of a script, from its first bytes; null for anything else. As execve(2): the rest of the line is
 * one argument, `env -S` splits it, and `env` looks its program up on PATH.
 */
export function parseShebang(head: Uint8Array): Shebang | null {
  if (head[0] !== 0x23 || head[1] !== 0x21) return null;
  const end = head.indexOf(0x0a);
  const line = new TextDecoder().decode(head.subarray(2, end === -1 ? head.length : end)).trim();
  const behind = line === "/bin/sh" ? interpreterInShell(head) : undefined;
  if (behind !== undefined) return { program: behind, args: [], lookUp: false };
  const match = /^(\S+)(?:\s+(.*))?$/u.exec(line);
  const program = match?.[1];
  if (program === undefined) return null;
  const rest = match?.[2]?.trim() ?? "";
  if (path.posix.basename(program) !== "env") {
    return { program, args: rest === "" ? [] : [rest], lookUp: !path.posix.isAbsolute(program) };
  }
  const words = rest
    .replace(/^(?:-S|--split-string=?)\s*/u, "")
    .split(/\s+/u)
    .filter((word) => word !== "");
  const [looked, ...args] = words;
  if (looked === undefined || looked.startsWith("-") || looked.includes("=")) return null;
  return { program: looked, args, lookUp: !path.posix.isAbsolute(looked) };
}
