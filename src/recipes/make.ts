import { IpmError } from "../core/errors.ts";
import type { Requirement } from "../manifest/manifest.ts";
import { type Candidate, type DetectInput, NO_FACTS } from "./candidate.ts";
import { hasFile, lineOfMatch, nameOf } from "./listing.ts";
import {
  type Makefile,
  commandsOf,
  expandVariables,
  implicitPrograms,
  makefileOf,
  makefileParts,
  readMakefile,
  referencesIn,
  ruleCommandsOf,
} from "./makefile.ts";
import { collectLaunchers, compilersOf, nativeEnvironment, nativeRun, toolRequirement } from "./native-build.ts";
import { flagOption, listOption, mapOption } from "./options.ts";
import type { DraftStep, Recipe, RecipeInput, RecipeOutput, WorkspaceOutput } from "./recipe.ts";
import { shellLine } from "./shell-words.ts";

const ID = "make";
/** Names that Makefiles give to the root of an installation. */
const PREFIX_NAMES = ["PREFIX", "prefix", "INSTALL_PREFIX", "INSTALLPREFIX", "PREFIXDIR", "prefixdir", "INSTALL_ROOT"];
/** Targets of developers: they print a help text, or release for every platform. */
const NO_BUILD = /^(?:help|usage|info|list|test|tests|check|clean|dist|release|install|default-help|\.PHONY)$/u;
/** Programs of other package managers: their `install` target sets up a development environment. */
const OTHER_MANAGER = /\b(?:pip3?|poetry|npm|npx|yarn|pnpm|bundle|gem)\b/u;
const NODE_MANAGER = /\b(?:npm|npx|yarn|pnpm)\b/u;

/** Where a file of a system folder goes in the prefix; undefined for anything that is no such place. */
function placeInPrefix(value: string): string | undefined {
  const path = value.replace(/\/+/gu, "/").replace(/(.)\/$/u, "$1");
  // A program that the Makefile calls, not a place that it writes to.
  if (/^\/(?:usr\/)?s?bin\/[^/]+$/u.test(path)) return undefined;
  const roots: readonly (readonly [RegExp, string])[] = [
    [/^\/usr\/local(?:\/|$)/u, ""],
    [/^\/opt\/[^/]+(?:\/|$)/u, ""],
    [/^\/opt$/u, ""],
    [/^\/usr(?:\/|$)/u, ""],
    [/^(?:\$[({]HOME[)}]|~)\/\.local(?:\/|$)/u, ""],
    [/^(?:\$[({]HOME[)}]|~)\/\.config(?:\/|$)/u, "etc/"],
    [/^(?:\$[({]HOME[)}]|~)(?:\/|$)/u, ""],
    [/^\/(?=(?:etc|var|bin|sbin|lib|share|include)(?:\/|$))/u, ""],
  ];
  for (const [root, to] of roots) {
    if (root.test(path)) {
      const rest = path.replace(root, to).replace(/\/$/u, "");
      return rest === "" ? "{prefix}" : `{prefix}/${rest}`;
    }
  }
  return undefined;
}

interface Destinations {
  /** Variables for `make`'s command line. */
  readonly variables: Readonly<Record<string, string>>;
  /** True when files are put below DESTDIR in fixed system folders, so that they must be moved. */
  readonly staged: boolean;
  /** True when the install target can be told where to go. */
  readonly usable: boolean;
}

/** What an install target must be told so that everything lands in the prefix: found by reading the assignments. */
export function findDestinations(makefile: Makefile, target: string): Destinations {
  const commands = commandsOf(makefile, target).join("\n");
  const used = new Set<string>();
  const visit = (text: string): void => {
    for (const name of referencesIn(text)) {
      if (used.has(name)) continue;
      used.add(name);
      visit(makefile.variables.get(name) ?? "");
    }
  };
  visit(commands);
  const variables: Record<string, string> = {};
  const everywhere = new Set(referencesIn(makefile.text));
  // A sub-directory's own Makefile gets the prefix too: it may be the only one that uses it.
  const isHandedDown = /\$[({]MAKE[)}]|\bmake\b/u.test(commands);
  for (const name of PREFIX_NAMES) {
    if (everywhere.has(name) || (isHandedDown && makefile.variables.has(name))) variables[name] = "{prefix}";
  }
  // Only the Makefiles below know the name: one of the two that nearly all of them have.
  if (isHandedDown && Object.keys(variables).length === 0)
    Object.assign(variables, { PREFIX: "{prefix}", prefix: "{prefix}" });
  if (Object.keys(variables).length === 0 && placeInPrefix(makefile.variables.get("DESTDIR") ?? "") !== undefined) {
    variables["DESTDIR"] = "{prefix}";
  }
  for (const name of used) {
    const value = makefile.variables.get(name);
    if (value === undefined || variables[name] !== undefined || name === "DESTDIR") continue;
    const expanded = expandVariables(value, makefile.variables, { ...variables, DESTDIR: "" }).trim();
    const place = /^[^\s'"`;|&]+$/u.test(expanded) ? placeInPrefix(expanded) : undefined;
    if (place !== undefined) variables[name] = place;
  }
  const staged =
    variables["DESTDIR"] === undefined && /\$[({]DESTDIR[)}]["']?\/(?:usr|opt|etc|bin|lib|var)\b/u.test(commands);
  return { variables, staged, usable: staged || Object.keys(variables).length > 0 };
}

/** Out of DESTDIR into the prefix: what was meant for the system's folders too. */
const UNSTAGE = `
stage="$TMPDIR/ipm-stage"
take() {
  [ -d "$stage$1" ] || return 0
  mkdir -p "$IPM_PREFIX$2"
  cp -RPp "$stage$1/." "$IPM_PREFIX$2/"
  rm -rf "$stage$1"
}
take "$IPM_PREFIX" ""
take /usr/local ""
take /usr ""
for folder in etc var bin lib sbin; do take "/$folder" "/$folder"; done
rm -rf "$stage"
`.trim();

function readInput(input: Pick<RecipeInput, "files" | "texts">): Makefile | undefined {
  const main = makefileOf(input.files);
  if (main === undefined || input.texts[main] === undefined) return undefined;
  const texts = makefileParts(input.files).flatMap((path) => {
    const text = input.texts[path];
    return text === undefined ? [] : [{ path, text }];
  });
  return readMakefile(texts);
}

/** What `make` is asked to build before anything is installed; none where the plain target is for developers. */
function buildGoals(makefile: Makefile): readonly string[] {
  const has = (name: string): boolean => makefile.rules.has(name);
  const goal = makefile.goal;
  const commands = goal === null ? [] : (makefile.rules.get(goal)?.commands ?? []);
  const isHelp =
    goal === null ||
    NO_BUILD.test(goal) ||
    (commands.length > 0 && commands.every((line) => /^[@-]*(?:echo|printf|cat)\b/u.test(line)));
  if (has("all")) return ["all"];
  if (has("build")) return ["build"];
  return isHelp ? [] : [goal];
}

function demandMakefile(input: RecipeInput): Makefile {
  const makefile = readInput(input);
  if (makefile !== undefined) return makefile;
  throw new IpmError("MANIFEST_INVALID", "recipe make: the repository has no Makefile here", {
    hint: "set source.path or the step's dir, or use plain steps",
  });
}

function requirementsOf(makefile: Makefile, { files }: RecipeInput): Requirement[] {
  const mentionsPkgConfig = /\bpkg-config\b|\$[({]PKG_CONFIG[)}]/u.test(makefile.text);
  return [
    toolRequirement("make", "builds it"),
    ...compilersOf(files),
    ...(mentionsPkgConfig ? [toolRequirement("pkg-config", "finds the libraries that it needs")] : []),
  ];
}

function expand(input: RecipeInput): RecipeOutput {
  const makefile = demandMakefile(input);
  const { options } = input;
  const notices: string[] = [];
  const env = nativeEnvironment(input.texts);
  const own = mapOption(ID, options, "variables");
  const asked = listOption(ID, options, "targets");
  const places = mapOption(ID, options, "copy");
  const installs = options["install"] === undefined ? ["install"] : listOption(ID, options, "install");
  const copies = Object.keys(places).length > 0 || installs.includes("none");
  const target = installs[0] ?? "install";
  const found = findDestinations(makefile, target);
  const hasInstall = !copies && (makefile.rules.has(target) || options["install"] !== undefined);
  const usesInstall = hasInstall && (found.usable || Object.keys(own).length > 0);
  if (hasInstall && !usesInstall) {
    notices.push(
      `the target ${target} writes to fixed folders of the system: it is left alone, and the programs are copied`,
    );
  }
  // What a command line sets is exported to every command: npm would take PREFIX for its own.
  const hides = NODE_MANAGER.test(makefile.text) && found.variables["PREFIX"] !== undefined;
  const variables = { ...found.variables, ...own };
  const words = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  const settings = [...(hides ? ["--eval=unexport PREFIX"] : []), ...words];
  const line = (flags: readonly string[], goals: readonly string[]): string =>
    ["make", ...flags, shellLine([...goals, ...settings])].filter((part) => part !== "").join(" ");
  const jobs = flagOption(ID, options, "parallel") === false ? [] : ['-j"$IPM_JOBS"'];
  const steps: DraftStep[] = [];
  // `hello`, or `build/hello`: what makes just the programs that are wanted.
  const named = input.bins.map((bin) =>
    [...makefile.rules.keys()].find((rule) => rule === bin || nameOf(rule) === bin),
  );
  const isNamed = named.length > 0 && named.every((rule) => rule !== undefined);
  const goals =
    asked.length > 0
      ? asked
      : usesInstall || !isNamed
        ? buildGoals(makefile)
        : named.filter((rule) => rule !== undefined);
  if (goals.length > 0 && !goals.includes("none")) {
    steps.push(nativeRun(`make ${goals.join(" ")}`, line(jobs, goals), env));
  }
  if (usesInstall) {
    const why = "everything goes into the tool's own prefix";
    // A race between rules that install shows on other people's machines: one at a time.
    const stage = found.staged ? ['DESTDIR="$TMPDIR/ipm-stage"'] : [];
    steps.push(nativeRun(`make ${installs.join(" ")}`, [line([], installs), ...stage].join(" "), env, why));
    if (found.staged)
      steps.push(nativeRun("move to the prefix", UNSTAGE, {}, "it installs to fixed folders below DESTDIR"));
  } else {
    const why = makefile.rules.has(target) ? null : "the Makefile has no install target";
    steps.push(collectLaunchers(input.bins, ".", places, {}, why ?? "its install target is not used"));
    for (const bin of input.bins) {
      const page = `${bin}.1`;
      if (!hasFile(input.files, page)) continue;
      steps.push({
        kind: "copy",
        title: `copy ${page}`,
        why: "its manual",
        from: page,
        to: `share/man/man1/${page}`,
        exclude: [],
      });
    }
  }
  return {
    steps,
    requires: requirementsOf(makefile, input),
    bins: {},
    notices,
  };
}

/** The checkout with what its Makefile builds, where it builds it; nothing is installed. */
function expandWorkspace(input: RecipeInput): WorkspaceOutput {
  const makefile = demandMakefile(input);
  const asked = listOption(ID, input.options, "targets");
  const goals = (asked.length > 0 ? asked : buildGoals(makefile)).filter((goal) => goal !== "none");
  const words = Object.entries(mapOption(ID, input.options, "variables")).map(([name, value]) => `${name}=${value}`);
  const jobs = flagOption(ID, input.options, "parallel") === false ? "" : ' -j"$IPM_JOBS"';
  const title = `make ${goals.join(" ")}`.trim();
  return {
    steps: [nativeRun(title, `make${jobs} ${shellLine([...goals, ...words])}`.trim(), {}, "built in place")],
    requires: requirementsOf(makefile, input),
    notices: [],
    environment: { path: [], variables: {} },
  };
}

/** Folders of programs that are not the tool. */
const TESTS = /(?:^|\/)(?:tests?|bench(?:marks?)?|fuzz)\//u;

/** Names that Makefiles give to the program that they build. */
const PROGRAM_VARIABLES =
  /^(?:BIN|BINS|BINARY|PROG|PROGS|PROGRAM|PROGRAMS|TARGET|TARGETS|EXE|EXEC|EXECUTABLE|NAME|APP|APPNAME|OUT|OUTPUT)$/u;

const PROGRAM_NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/u;
/** Files that are installed and no programs. */
const NO_PROGRAM = /\.(?:[oac]|so|h|pc|conf|desktop|png|svg|md|txt|[1-9])$/u;

/** Programs that an install target puts into a `bin` folder, by its commands; an unknown variable ends the search. */
function installedPrograms(makefile: Makefile, given: Readonly<Record<string, string>>): readonly string[] {
  return commandsOf(makefile, "install").flatMap((command) => {
    const words = expandVariables(command, makefile.variables, { ...given, DESTDIR: "" })
      .split(/\s+/u)
      .map((word) => word.replaceAll(/["']/gu, ""));
    // What says what is done may stand before it: `@$(MSG) "[INST]" install …`.
    const at = words.findIndex((word) => /^[@-]*(?:\S*\/)?(?:install|cp|ln)$/u.test(word));
    if (at === -1 || words.includes("-d")) return [];
    const target = words.at(-1) ?? "";
    const inside = /(?:^|\/)s?bin\/([^/]+)$/u.exec(target)?.[1];
    if (inside !== undefined) return [inside];
    if (!/(?:^|\/)s?bin\/?$/u.test(target)) return [];
    // What stands before the folder and is no flag or a flag's value.
    return words
      .slice(at + 1, -1)
      .filter((word, at, all) => !word.startsWith("-") && !/^-[mogt]$/u.test(all[at - 1] ?? ""))
      .map(nameOf);
  });
}

/** Programs that the commands of the plain target write with `-o`: what a Makefile without names for them builds. */
function linkedPrograms(makefile: Makefile): readonly string[] {
  const linked = ruleCommandsOf(makefile, buildGoals(makefile)).flatMap(({ target, command }) => {
    const words = expandVariables(command, makefile.variables).split(/\s+/u);
    if (words.includes("-c") || words.includes("-shared") || words.includes("-E") || words.includes("-S")) return [];
    return words.flatMap((word, at) => {
      if (word !== "-o") return [];
      const file = (words[at + 1] ?? "").replaceAll(/["']/gu, "");
      return [file === "$@" ? target : file];
    });
  });
  // What tests and benchmarks need is beside the tool.
  linked.push(...implicitPrograms(makefile, buildGoals(makefile)));
  const own = linked.filter((file) => !TESTS.test(file));
  return (own.length > 0 ? own : linked).map(nameOf);
}

function programsOf(makefile: Makefile, name: string, given: Readonly<Record<string, string>>): readonly string[] {
  const installed = installedPrograms(makefile, given);
  const named = [...makefile.variables].flatMap(([variable, value]) =>
    PROGRAM_VARIABLES.test(variable)
      ? expandVariables(value, makefile.variables)
          .split(/\s+/u)
          .filter((word) => !TESTS.test(word))
          .map(nameOf)
      : [],
  );
  for (const found of [installed, named, linkedPrograms(makefile)]) {
    const words = [...new Set(found)].filter((word) => PROGRAM_NAME.test(word) && !NO_PROGRAM.test(word));
    if (words.length > 0) return words;
  }
  // A word of its own: `ripcat.o` is of a library.
  const mentions = new RegExp(`(?<![\\w.-])${name.replaceAll(/[^\w-]/gu, String.raw`\$&`)}(?![\\w.-])`, "u");
  return makefile.rules.has(name) || mentions.test(makefile.text) ? [name] : [];
}

function detect(input: DetectInput): readonly Candidate[] {
  const main = makefileOf(input.files);
  const makefile = readInput(input);
  if (main === undefined || makefile === undefined) return [];
  const rule = makefile.rules.get("install");
  const commands = commandsOf(makefile, "install").join("\n");
  const { usable, variables, staged } = findDestinations(makefile, "install");
  const programs = programsOf(makefile, input.name.toLowerCase(), variables);
  // Scripts that its rules neither build nor install belong where they are, beside what they load.
  const areScripts = programs.every((name) =>
    input.files.some(({ path, executable }) => executable && nameOf(path) === name),
  );
  if (!usable && programs.length > 0 && areScripts) return [];
  const doubts: string[] = [];
  const isForDevelopers = rule !== undefined && OTHER_MANAGER.test(commands);
  if (isForDevelopers)
    doubts.push("its install target calls another package manager: perhaps it only sets up a development environment");
  if (rule === undefined) doubts.push("no install target: the programs are copied out of the checkout");
  else if (!usable) doubts.push("its install target writes to fixed folders: the programs are copied");
  if (programs.length === 0) doubts.push("which commands it builds is not written in the Makefile");
  const libraries = [...makefile.text.matchAll(/(?:^|\s)-l([A-Za-z0-9_+.-]+)/gu)].map((match) => match[1] ?? "");
  const needed = [...new Set(libraries)].filter(
    (library) => !["m", "c", "dl", "rt", "pthread", "stdc++", "util"].includes(library),
  );
  if (needed.length > 0) doubts.push(`links with ${needed.map((library) => `lib${library}`).join(", ")}`);
  const at = lineOfMatch(input.texts[main] ?? "", /^(?:PREFIX|prefix)\s*[?:]?=/mu);
  const prefix = Object.keys(variables).join(", ");
  return [
    {
      recipe: ID,
      dir: null,
      confidence: rule !== undefined && usable && !isForDevelopers && programs.length > 0 ? "likely" : "possible",
      evidence: [
        main,
        ...(rule === undefined ? [] : [`${rule.at} installs${prefix === "" ? "" : `, told where by ${prefix}`}`]),
        ...(at > 0 ? [`${main}:${at} prefix`] : []),
        ...(staged ? ["DESTDIR with fixed folders"] : []),
      ],
      bins: Object.fromEntries(programs.map((name) => [name, null])),
      requires: [toolRequirement("make", "builds it"), ...compilersOf(input.files)],
      options: {},
      about: { ...NO_FACTS, name: input.name === "" ? null : input.name.toLowerCase() },
      doubts,
    },
  ];
}

/** A program with a Makefile, from the checkout: built, and installed by its own rules into the prefix. */
export const makeRecipe: Recipe = {
  id: ID,
  summary: "Build with make and install into the prefix, told by the variables that the Makefile itself has for that.",
  options: {
    targets:
      "what to build first; default: `all`, `build` or the plain target, unless that only prints help; [none]: nothing",
    install: "the targets that install, default [install]; [none]: copy the programs instead",
    variables:
      "further variables for make's command line, or other values for those that ipm sets: {CC: clang}; {prefix} is known",
    copy: "launcher to the built file in the checkout; then no install target is used: {mlp: examples/mlp}",
    parallel: "false: one job at a time, for Makefiles with missing dependencies",
  },
  reads: ({ files }) => makefileParts(files),
  expand,
  expandWorkspace,
  detectReads: (files) => makefileParts(files),
  detect,
};
