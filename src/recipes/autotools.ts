import { IpmError } from "../core/errors.ts";
import type { Requirement } from "../manifest/manifest.ts";
import { type Candidate, type DetectInput, NO_FACTS } from "./candidate.ts";
import { firstFile, hasFile, lineOfMatch } from "./listing.ts";
import type { SourceFile } from "./listing.ts";
import { compilersOf, makesSharedLibraries, nativeEnvironment, nativeRun, toolRequirement } from "./native-build.ts";
import { flagOption, listOption, mapOption, textOption, wordOption } from "./options.ts";
import type { DraftStep, Recipe, RecipeInput, RecipeOutput } from "./recipe.ts";
import { shellLine } from "./shell-words.ts";

const ID = "autotools";
const INPUTS = ["configure.ac", "configure.in"];
const GENERATORS = ["autogen.sh", "autogen", "bootstrap", "bootstrap.sh", "buildconf", "buildconf.sh"];
const MAX_READ = 40;

function readsOf(files: readonly SourceFile[]): readonly string[] {
  const automake = files
    .map(({ path }) => path)
    .filter((path) => path === "Makefile.am" || path.endsWith("/Makefile.am"));
  return [...INPUTS, "Makefile.in"].filter((name) => hasFile(files, name)).concat(automake.slice(0, MAX_READ));
}

interface AutotoolsProject {
  readonly input: string | null;
  readonly text: string;
  readonly hasConfigure: boolean;
  readonly generator: string | undefined;
  /** A hand-written `configure` knows few of the usual flags. */
  readonly isHandWritten: boolean;
}

function readProject(input: Pick<RecipeInput, "files" | "texts">): AutotoolsProject | undefined {
  const source = firstFile(input.files, INPUTS);
  const hasConfigure = hasFile(input.files, "configure");
  if (source === undefined && !hasConfigure) return undefined;
  const text = source === undefined ? "" : (input.texts[source] ?? "");
  return {
    input: source ?? null,
    // m4 comments.
    text: text.replaceAll(/(?:^|\s)(?:dnl\b|#).*$/gmu, ""),
    hasConfigure,
    generator: firstFile(input.files, GENERATORS),
    isHandWritten: source === undefined && !hasFile(input.files, "Makefile.in"),
  };
}

/** Sources in the languages of yacc and lex whose C is not in the repository. */
function lacksGenerated(files: readonly SourceFile[], ending: string): boolean {
  return files.some(({ path }) => {
    if (!path.endsWith(ending)) return false;
    const base = path.slice(0, -ending.length);
    return !["c", "cc", "cpp", "tab.c"].some((other) => hasFile(files, `${base}.${other}`));
  });
}

function requirementsOf(project: AutotoolsProject, files: readonly SourceFile[], generates: boolean): Requirement[] {
  const { text } = project;
  const prerequisite = /\bAC_PREREQ\s*\(\s*\[?\s*([0-9]+\.[0-9]+)/u.exec(text)?.[1] ?? null;
  const requires: Requirement[] = [toolRequirement("make", "builds it")];
  const compilers = new Map(compilersOf(files).map((one) => ["tool" in one ? one.tool : "", one]));
  if (/\bAC_PROG_CC\b/u.test(text)) compilers.set("cc", toolRequirement("cc", "compiles C"));
  if (/\bAC_PROG_CXX\b/u.test(text)) compilers.set("c++", toolRequirement("c++", "compiles C++"));
  requires.push(...compilers.values());
  if (generates) {
    requires.push(
      toolRequirement("autoconf", "makes the configure script", {
        version: prerequisite === null ? null : `>=${prerequisite}`,
      }),
    );
    if (/\bAM_INIT_AUTOMAKE\b/u.test(text)) requires.push(toolRequirement("automake", "makes the Makefiles"));
    if (/\bLT_INIT\b|\bA[CM]_PROG_LIBTOOL\b/u.test(text))
      requires.push(toolRequirement("libtoolize", "builds shared libraries"));
    if (/\bAM_GNU_GETTEXT\b/u.test(text)) requires.push(toolRequirement("autopoint", "translations"));
  }
  if (/\bPKG_(?:CHECK|PROG)_/u.test(text))
    requires.push(toolRequirement("pkg-config", "finds the libraries that it needs"));
  if (/\bAC_PROG_(?:YACC|BISON)\b/u.test(text) && lacksGenerated(files, ".y"))
    requires.push(toolRequirement("bison", "makes its parser"));
  if (/\bA[CM]_PROG_LEX\b/u.test(text) && lacksGenerated(files, ".l"))
    requires.push(toolRequirement("flex", "makes its scanner"));
  return requires;
}

/** A checkout gives files the times at which they were written: make would take generated ones for out of date. */
const SETTLE_TIMES = `
# Each later than what it is made from, so that no rule makes it anew.
for names in aclocal.m4 configure config.h.in Makefile.in; do
  find . -name .git -prune -o -type f -name "$names" -exec touch {} +
done
`.trim();

function generate(
  project: AutotoolsProject,
  files: readonly SourceFile[],
  how: "auto" | "autogen" | "autoreconf",
  flags: readonly string[],
): string {
  const reconf = "autoreconf --force --install";
  const script = how === "autoreconf" ? undefined : project.generator;
  if (script === undefined) return reconf;
  const isExecutable = files.some(({ path, executable }) => path === script && executable);
  const call = isExecutable ? `./${script}` : `sh ./${script}`;
  return [
    // Many of these run configure at the end, with the prefix of the system.
    `NOCONFIGURE=1 ${call}${flags.length === 0 ? "" : ` ${shellLine(flags)}`}`,
    `[ -f configure ] || ${reconf}`,
  ].join("\n");
}

function expand(input: RecipeInput): RecipeOutput {
  const project = readProject(input);
  if (project === undefined) {
    throw new IpmError(
      "MANIFEST_INVALID",
      "recipe autotools: the repository has neither configure nor configure.ac here",
      {
        hint: "set source.path or the step's dir, or use plain steps",
      },
    );
  }
  const { options, files } = input;
  const how = wordOption(ID, options, "generate", ["auto", "autogen", "autoreconf"]);
  const generates = !project.hasConfigure || how !== "auto";
  const variables = mapOption(ID, options, "variables");
  const flags = listOption(ID, options, "configure");
  const targets = listOption(ID, options, "targets");
  const installs = textOption(ID, options, "install") ?? "install";
  const { LD_RUN_PATH: runPath, ...others } = nativeEnvironment(input.texts);
  // libtool gives programs a run path by itself; a configure without it passes LDFLAGS on.
  const shared = makesSharedLibraries(input.texts)
    ? { LDFLAGS: "-Wl,-rpath,{prefix}/lib", LD_RUN_PATH: runPath ?? "" }
    : {};
  const env = { ...others, ...shared };
  const steps: DraftStep[] = [];
  if (generates) {
    const why = project.hasConfigure ? "asked for by the manifest" : "the repository has no configure script";
    const script = generate(project, files, how, listOption(ID, options, "autogen"));
    steps.push(
      nativeRun(
        how !== "autoreconf" && project.generator !== undefined ? project.generator : "autoreconf",
        script,
        env,
        why,
      ),
    );
  } else if (project.input !== null) {
    steps.push(
      nativeRun(
        "settle the times of generated files",
        SETTLE_TIMES,
        {},
        "or make would want the programs that made them",
      ),
    );
  }
  const isExecutable =
    !project.hasConfigure || files.some(({ path, executable }) => path === "configure" && executable);
  const settings = [
    "--prefix={prefix}",
    ...flags,
    ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
  ];
  const outside = flagOption(ID, options, "outside") === true;
  // A hand-written script is no portable `sh` more often than not: its first line decides, where it may.
  const script = outside ? '"$OLDPWD/configure"' : isExecutable ? "./configure" : "sh ./configure";
  const enter = outside ? 'mkdir -p "$TMPDIR/ipm-build" && cd "$TMPDIR/ipm-build"\n' : "";
  const jobs = flagOption(ID, options, "parallel") === false ? "" : ' -j"$IPM_JOBS"';
  // Not every hand-written one knows --prefix: then it is the Makefile that asks.
  const told = project.isHandWritten ? ` ${shellLine(["PREFIX={prefix}", "prefix={prefix}"])}` : "";
  steps.push(
    nativeRun("configure", `${enter}${script} ${shellLine(settings)}`, env, "told where the prefix is"),
    nativeRun("make", `${enter}make${jobs}${targets.length === 0 ? "" : ` ${shellLine(targets)}`}${told}`, env),
    nativeRun(
      `make ${installs}`,
      `${enter}make ${shellLine(installs.split(" "))}${told}`,
      env,
      "everything goes into the tool's own prefix",
    ),
  );
  return { steps, requires: requirementsOf(project, files, generates), bins: {}, notices: [] };
}

/**
 * Names of programs that automake installs. Of those that a condition decides about, only the ones with a wanted name
 * are sure to be the tool; else the first.
 */
function programsOf(texts: Readonly<Record<string, string>>, wanted: readonly string[]): readonly string[] {
  const sure: string[] = [];
  const conditional: string[] = [];
  for (const text of Object.values(texts)) {
    let depth = 0;
    for (const line of text.replaceAll("\\\n", " ").split("\n")) {
      if (/^\s*if\s/u.test(line)) depth++;
      else if (/^\s*endif\b/u.test(line)) depth--;
      const value = /^\s*(?:dist_)?bin_(?:PROGRAMS|SCRIPTS)\s*\+?=\s*([^#]*)/u.exec(line)?.[1] ?? "";
      const names = value.split(/\s+/u).filter((name) => /^[A-Za-z0-9][A-Za-z0-9._+-]*$/u.test(name));
      (depth > 0 ? conditional : sure).push(...names);
    }
  }
  const named = conditional.filter((name) => wanted.includes(name.toLowerCase()));
  const chosen = [...sure, ...named];
  return [...new Set(chosen.length > 0 ? chosen : conditional.slice(0, 1))];
}

function detect(input: DetectInput): readonly Candidate[] {
  const project = readProject(input);
  if (project === undefined) return [];
  const init = /\bAC_INIT\s*\(\s*\[?([^\],)]+)\]?\s*(?:,\s*\[?([^\],)]+)\]?)?/u.exec(project.text);
  const programs = programsOf(input.texts, [input.name.toLowerCase(), init?.[1]?.trim().toLowerCase() ?? ""]);
  const modules = [...project.text.matchAll(/\bPKG_CHECK_MODULES\s*\(\s*\[?\w+\]?\s*,\s*\[?([^\],)]+)/gu)].flatMap(
    (match) => {
      const words = (match[1] ?? "").trim().split(/\s+/u);
      const [name = "", operator, version] = words;
      const isName = /^[A-Za-z0-9][A-Za-z0-9_.+-]*$/u.test(name);
      const range =
        operator !== undefined && /^[<>]?=|^[<>]$/u.test(operator) && /^[0-9.]+$/u.test(version ?? "")
          ? `${operator}${version}`
          : null;
      return isName
        ? [
            {
              "pkg-config": name,
              version: range,
              for: "build",
              optional: true,
              why: "asked for by configure; it may be optional",
            } as const,
          ]
        : [];
    },
  );
  const unique = modules.filter(
    (one, index) => modules.findIndex((other) => other["pkg-config"] === one["pkg-config"]) === index,
  );
  const doubts: string[] = [];
  if (programs.length === 0) doubts.push("which commands it installs is not written in a Makefile.am");
  const libraries = [
    ...project.text.matchAll(/\bAC_(?:CHECK_LIB|SEARCH_LIBS)\s*\(\s*\[?([\w.+-]+)\]?\s*,\s*\[?([\w+ -]*)/gu),
  ].map((match) => match[1] ?? "");
  if (libraries.length > 0) doubts.push(`looks for the libraries ${[...new Set(libraries)].slice(0, 8).join(", ")}`);
  if (hasFile(input.files, ".gitmodules"))
    doubts.push("it has submodules: perhaps a switch of configure uses the system's library instead");
  if (project.isHandWritten) doubts.push("its configure is written by hand: it may not know --prefix");
  const file = project.input ?? "configure";
  const line = lineOfMatch(input.texts[file] ?? "", /\bAC_INIT\b/u);
  const name = init?.[1]?.trim().toLowerCase() ?? null;
  const version = init?.[2]?.trim() ?? null;
  return [
    {
      recipe: ID,
      dir: null,
      confidence: project.input !== null ? "likely" : "possible",
      evidence: [
        line > 0 ? `${file}:${line} AC_INIT` : file,
        ...(project.hasConfigure ? (file === "configure" ? [] : ["configure"]) : ["no configure: it is generated"]),
        ...(project.generator === undefined ? [] : [project.generator]),
      ],
      bins: Object.fromEntries(
        (programs.length > 0 ? programs : input.name === "" ? [] : [input.name.toLowerCase()]).map((bin) => [
          bin,
          null,
        ]),
      ),
      requires: [...requirementsOf(project, input.files, !project.hasConfigure), ...unique],
      options: {},
      about: {
        ...NO_FACTS,
        name: name !== null && /^[a-z0-9][a-z0-9._-]*$/u.test(name) ? name : null,
        version: version !== null && /^[0-9]/u.test(version) ? version : null,
      },
      doubts,
    },
  ];
}

/** `configure && make && make install` from the checkout, with everything that these words leave out. */
export const autotoolsRecipe: Recipe = {
  id: ID,
  summary: "Make the configure script where it is missing, configure for the prefix, build and install.",
  options: {
    configure: "flags for configure: [--without-x]; {prefix} is known",
    variables: "variables for configure: {CFLAGS: -O2}",
    generate:
      "autogen (the repository's own script) or autoreconf: make configure although it is there, or by this way; default auto",
    autogen: "arguments for the repository's own script",
    targets: "what make builds; default: its plain target",
    install: "the target that installs; default: install",
    parallel: "false: one job at a time",
    outside: "true: build in a folder of its own",
  },
  reads: ({ files }) => readsOf(files),
  expand,
  detectReads: (files) => readsOf(files),
  detect,
};
