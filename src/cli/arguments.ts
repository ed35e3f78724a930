import { IpmError } from "../core/errors.ts";

export const REPORTERS = ["tty", "plain", "ndjson", "silent"] as const;
export type ReporterName = (typeof REPORTERS)[number];

/** The flags that every command has. */
export interface GlobalFlags {
  readonly json: boolean;
  readonly reporter: ReporterName | null;
  readonly yes: boolean;
  readonly offline: boolean;
  readonly verbose: boolean;
  readonly noColor: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

export interface SplitArguments {
  readonly globals: GlobalFlags;
  /** Everything else, in order; from `--` on untouched. */
  readonly rest: readonly string[];
  /** A global flag with a value that does not fit; thrown once it is known how errors are to be shown. */
  readonly problem: IpmError | null;
}

/** As `--help` and `docs/cli.md` list them. */
export const GLOBAL_FLAGS: readonly { readonly flags: string; readonly says: string }[] = [
  { flags: "--json", says: "one JSON document on stdout, also on failure" },
  { flags: "--reporter NAME", says: "how progress is told: tty, plain, ndjson or silent" },
  { flags: "--yes", says: "ask nothing: yes to plans, never to trust" },
  { flags: "--offline", says: "use only what is on this machine already" },
  { flags: "--verbose", says: "show the output of the steps and the whole plan" },
  { flags: "--no-color", says: "no colour (NO_COLOR and FORCE_COLOR work too)" },
  { flags: "-h, --help", says: "this text" },
  { flags: "-V, --version", says: "the version of ipm" },
];

const SWITCHES: Readonly<Record<string, keyof GlobalFlags>> = {
  "--json": "json",
  "--yes": "yes",
  "--offline": "offline",
  "--verbose": "verbose",
  "--no-color": "noColor",
  "--no-colour": "noColor",
  "--help": "help",
  "-h": "help",
  "--version": "version",
  "-V": "version",
};

function isReporterName(text: string): text is ReporterName {
  return (REPORTERS as readonly string[]).includes(text);
}

/**
 * Take the global flags out of a command line, wherever they are before `--`: they work before and after the command,
 * and are known before anything else is looked at, so that a usage error can be JSON already.
 */
export function splitArguments(argv: readonly string[]): SplitArguments {
  const globals: { -readonly [Key in keyof GlobalFlags]: GlobalFlags[Key] } = {
    json: false,
    reporter: null,
    yes: false,
    offline: false,
    verbose: false,
    noColor: false,
    help: false,
    version: false,
  };
  const rest: string[] = [];
  let problem: IpmError | null = null;
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? "";
    if (word === "--") {
      rest.push(...argv.slice(index));
      break;
    }
    const name = SWITCHES[word];
    if (name !== undefined && name !== "reporter") {
      globals[name] = true;
    } else if (word === "--reporter" || word.startsWith("--reporter=")) {
      const next = argv[index + 1] ?? "";
      // A flag is no name of a reporter: it is left to be what it is, `--json` above all.
      const isMissing = word === "--reporter" && next.startsWith("-");
      const value = word === "--reporter" ? (isMissing ? "" : next) : word.slice("--reporter=".length);
      if (word === "--reporter" && !isMissing) index++;
      if (isReporterName(value)) globals.reporter = value;
      else {
        problem ??= new IpmError(
          "USAGE",
          `--reporter takes one of ${REPORTERS.join(", ")}, not ${JSON.stringify(value)}`,
          {
            hint: "ipm --help",
          },
        );
      }
    } else rest.push(word);
  }
  return { globals, rest, problem };
}
