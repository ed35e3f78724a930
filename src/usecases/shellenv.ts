import path from "node:path";
import { layoutOf } from "../store/layout.ts";
import type { Context } from "./context.ts";
import { type Shell, quoteFish, quotePosix, shellOf } from "./shell.ts";

export interface ShellenvResult {
  readonly shell: Shell;
  /** Lines for `eval`; harmless when evaluated again. */
  readonly script: string;
}

interface Folders {
  /** In the order of PATH: the tools, then ipm itself. */
  readonly bin: readonly [tools: string, ipm: string];
  readonly share: readonly [tools: string, ipm: string];
  /** IPM_HOME when it is set: what is on PATH and what ipm looks after must be the same. */
  readonly ipmHome: string | null;
}

function foldersOf(context: Context): Folders {
  const { data, current } = layoutOf(context.host.homes);
  const ipmHome = context.host.facts.env["IPM_HOME"];
  return {
    bin: [path.join(current, "bin"), path.join(data, "bin")],
    share: [path.join(current, "share"), path.join(data, "share")],
    ipmHome: ipmHome === undefined || ipmHome === "" ? null : path.dirname(data),
  };
}

// `_ipm_first LIST FOLDER` puts the folder first in a colon-separated list and takes it out elsewhere, whatever is in
// it, without starting a program. Empty members are kept: in PATH they mean the working folder, in MANPATH the default.
const POSIX_FIRST = `_ipm_first() {
  _ipm_list=":$1:"
  while :; do
    case "$_ipm_list" in
      *":$2:"*) _ipm_list="\${_ipm_list%%":$2:"*}:\${_ipm_list#*":$2:"}" ;;
      *) break ;;
    esac
  done
  _ipm_list="\${_ipm_list#:}"
  _ipm_list="\${_ipm_list%:}"
  _ipm_list="$2\${_ipm_list:+:$_ipm_list}"
}`;

function posixLines(variable: string, value: string, folders: readonly string[]): string[] {
  // The last one put first stays first.
  return folders
    .toReversed()
    .flatMap((folder, index) => [
      `_ipm_first "${index === 0 ? value : `\${${variable}}`}" ${quotePosix(folder)}`,
      `export ${variable}="$_ipm_list"`,
    ]);
}

function posixScript(shell: Exclude<Shell, "fish">, { bin, share, ipmHome }: Folders): string {
  const man = share.map((folder) => path.join(folder, "man"));
  const lines = [
    ...(ipmHome === null ? [] : [`export IPM_HOME=${quotePosix(ipmHome)}`]),
    POSIX_FIRST,
    ...posixLines("PATH", "${PATH-}", bin),
    // Without MANPATH, man finds the pages beside each bin folder of PATH by itself.
    `if [ -n "\${MANPATH-}" ]; then`,
    ...posixLines("MANPATH", "${MANPATH}", man).map((line) => `  ${line}`),
    "fi",
  ];
  // bash-completion looks there; the default is the one of the XDG base directory specification.
  if (shell === "bash")
    lines.push(...posixLines("XDG_DATA_DIRS", "${XDG_DATA_DIRS:-/usr/local/share:/usr/share}", share));
  if (shell === "zsh") {
    const functions = share.map((folder) => quotePosix(path.join(folder, "zsh/site-functions")));
    lines.push("typeset -gU fpath", `fpath=(${functions.join(" ")} $fpath)`);
  }
  lines.push("unset _ipm_list", "unset -f _ipm_first");
  return lines.join("\n");
}

function fishScript({ bin, share, ipmHome }: Folders): string {
  const first = (variable: string, folders: readonly string[]): string[] => [
    `for ipm_folder in ${folders.toReversed().map(quoteFish).join(" ")}`,
    `    while set -l ipm_at (contains -i -- $ipm_folder $${variable})`,
    `        set -e ${variable}[$ipm_at]`,
    "    end",
    `    set -gx ${variable} $ipm_folder $${variable}`,
    "end",
  ];
  const completions = share.map((folder) => path.join(folder, "fish/vendor_completions.d"));
  return [
    ...(ipmHome === null ? [] : [`set -gx IPM_HOME ${quoteFish(ipmHome)}`]),
    ...first("PATH", bin),
    `if test -n "$MANPATH"`,
    ...first(
      "MANPATH",
      share.map((folder) => path.join(folder, "man")),
    ).map((line) => `    ${line}`),
    "end",
    ...first("fish_complete_path", completions).map((line) => line.replace("set -gx", "set -g")),
    "set -e ipm_folder",
  ].join("\n");
}

/**
 * Shell lines that put the installed tools and ipm first on PATH, their manual pages on MANPATH where that is set, and
 * their completions where the shell looks for them. Every path is quoted; evaluating twice is the same as once.
 * @param shell null: the one of `$SHELL`
 */
export function shellenv(context: Context, shell: Shell | null): ShellenvResult {
  const chosen = shell ?? shellOf(context.host.facts.env);
  const folders = foldersOf(context);
  return { shell: chosen, script: `${chosen === "fish" ? fishScript(folders) : posixScript(chosen, folders)}\n` };
}
