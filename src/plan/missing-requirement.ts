import type { Requirement } from "../manifest/manifest.ts";
import { SYSTEM_LIBRARIES, type FoundLibrary } from "../recipes/system-libraries.ts";
import { REMEDY_ROWS, type RemedyRow } from "./remedy-rows.ts";

/** Messages are shorter; the patterns are slow on what is made to be slow for them. */
const MAX_LINE = 500;

type Kind = "header" | "pkg-config" | "package" | "link" | "library" | "tool";

/** How compilers, linkers, build systems and shells say that something is not there; the name is the first group. */
const MESSAGES: readonly (readonly [Kind, RegExp])[] = [
  // gcc, clang, and configure scripts
  ["header", /fatal error: '?([\w./+-]+\.h(?:pp)?)'?(?:: No such file or directory| file not found)/u],
  ["header", /configure: error: .*?\b([\w/+-]+\.h)\b.*(?:not found|missing|required|need)/iu],
  // pkg-config, pkgconf, PKG_CHECK_MODULES, Meson
  ["pkg-config", /\bPackage '?([\w.+-]+?)'?,? (?:was )?not found/u],
  ["pkg-config", /\bNo package '([\w.+-]+)' found/u],
  ["pkg-config", /Package requirements \(([\w.+-]+)[^)]*\) were not met/u],
  ["pkg-config", /None of the required '([\w.+-]+)[^']*' found/u],
  ["package", /Dependency "([\w.+-]+)" (?:not found|is required)|Dependency lookup for ([\w.+-]+) with/u],
  // CMake
  ["package", /Could NOT find ([\w.+-]+)|package configuration file provided by "([\w.+-]+)"/u],
  // GNU ld and gold; lld; Apple's ld
  ["link", /cannot find -l([\w.+-]+)|unable to find library -l([\w.+-]+)|library (?:not found for -l|')([\w.+-]+)/u],
  // glibc's loader
  ["library", /error while loading shared libraries: (lib[\w.+-]+?)\.so/u],
  ["tool", /(?:^|[:\s])([\w.+-]+): (?:command )?not found$|make(?:\[\d+\])?: ([\w.+-]+): No such file or directory/u],
];

function isKnown(list: (row: RemedyRow) => readonly string[] | undefined, name: string): boolean {
  return REMEDY_ROWS.some((row) => list(row)?.includes(name) === true);
}

const BUILD = { version: null, for: "build", optional: false, why: null } as const;

/** The requirement that stands for a name, when the tables know it: else it may well be the repository's own. */
const REQUIREMENTS: Readonly<Record<Kind, (name: string) => Requirement | undefined>> = {
  header: (name) => {
    const isListed = SYSTEM_LIBRARIES.some(({ headers }) => headers.includes(name));
    return isListed || isKnown((row) => row.headers, name) ? { header: name, ...BUILD } : undefined;
  },
  tool: (name) => (isKnown((row) => row.tools, name) ? { tool: name, ...BUILD } : undefined),
  library: (name) => (isKnown((row) => row.libraries, name) ? { library: name, ...BUILD, for: "run" } : undefined),
  link: (name) => headerOf(SYSTEM_LIBRARIES.find(({ links }) => links.includes(name))),
  "pkg-config": packageOf,
  package: packageOf,
};

function headerOf(library: (typeof SYSTEM_LIBRARIES)[number] | undefined): Requirement | undefined {
  return library === undefined ? undefined : { header: library.headers[0], ...BUILD };
}

function packageOf(name: string): Requirement | undefined {
  if (isKnown((row) => row.pkgConfig, name)) return { "pkg-config": name, ...BUILD };
  return headerOf(SYSTEM_LIBRARIES.find(({ packages }) => packages.includes(name)));
}

/**
 * The first thing of the system that the output of a failed build says is not there, by the messages of the usual
 * compilers and build systems. Pure.
 * @param lines output, already made safe to show
 * @returns undefined when it names nothing that the tables of remedies and libraries know
 */
export function findMissingRequirement(lines: readonly string[]): FoundLibrary | undefined {
  for (const whole of lines) {
    const line = whole.slice(0, MAX_LINE);
    for (const [kind, message] of MESSAGES) {
      const name = message
        .exec(line)
        ?.slice(1)
        .find((group) => group !== undefined);
      const requirement = name === undefined ? undefined : REQUIREMENTS[kind](name);
      if (requirement !== undefined) return { requirement, evidence: `a build said: ${line.trim()}` };
    }
  }
  return undefined;
}
