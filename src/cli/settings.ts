import type { GlobalFlags } from "./arguments.ts";
import type { Output, Streams } from "./streams.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** How the answer and the story are told: decided once, from flags, environment and terminals. */
export interface Settings {
  readonly reporter: "tty" | "plain" | "ndjson" | "json" | "silent";
  readonly verbose: boolean;
  /** Colour on stdout and on stderr. */
  readonly color: { readonly stdout: boolean; readonly stderr: boolean };
  /** False where the locale or the terminal cannot show more than ASCII. */
  readonly unicode: boolean;
  /** Somebody sits at the terminal and may be asked. */
  readonly canAsk: boolean;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "";
}

/** True in what looks like continuous integration (`CI` set to anything but `false` or `0`). */
function isCi(env: Environment): boolean {
  return isSet(env["CI"]) && env["CI"] !== "false" && env["CI"] !== "0";
}

/** no-color.org and force-color.org, with FORCE_COLOR the stronger one, as Node itself has it. */
function wantsColor(output: Output, globals: GlobalFlags, env: Environment): boolean {
  if (globals.noColor) return false;
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  if (isSet(env["NO_COLOR"]) || env["TERM"] === "dumb") return false;
  return output.isTerminal;
}

function hasUnicode(env: Environment): boolean {
  if (env["TERM"] === "dumb" || env["TERM"] === "linux") return false;
  const locale = ([env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find(isSet) ?? "").toLowerCase();
  return locale.includes("utf-8") || locale.includes("utf8");
}

/** Flag, then `--json`, then CI or no terminal, then tty. */
export function chooseSettings(globals: GlobalFlags, env: Environment, streams: Streams): Settings {
  const isLively = streams.stderr.isTerminal && !isCi(env) && env["TERM"] !== "dumb";
  const reporter = globals.reporter ?? (globals.json ? "json" : isLively ? "tty" : "plain");
  return {
    reporter,
    verbose: globals.verbose,
    color: { stdout: wantsColor(streams.stdout, globals, env), stderr: wantsColor(streams.stderr, globals, env) },
    unicode: hasUnicode(env),
    canAsk:
      streams.stderr.isTerminal &&
      streams.stdin.isTerminal &&
      !isCi(env) &&
      !globals.json &&
      !globals.yes &&
      reporter !== "ndjson" &&
      reporter !== "silent",
  };
}

/** Columns to write for: the terminal's, else COLUMNS, else 80; never less than 20. */
export function widthOf(output: Output, env: Environment): number {
  const told = output.columns() ?? Number(env["COLUMNS"]);
  return Number.isSafeInteger(told) && told > 0 ? Math.max(20, told) : 80;
}
