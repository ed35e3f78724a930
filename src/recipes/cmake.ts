import { IpmError } from "../core/errors.ts";
import type { Requirement } from "../manifest/manifest.ts";
import { type Candidate, type DetectInput, NO_FACTS } from "./candidate.ts";
import { hasFile, lineOfMatch } from "./listing.ts";
import type { SourceFile } from "./listing.ts";
import { collectLaunchers, nativeEnvironment, nativeRun, toolRequirement } from "./native-build.ts";
import { flagOption, listOption, mapOption } from "./options.ts";
import type { DraftStep, Recipe, RecipeInput, RecipeOutput } from "./recipe.ts";
import { shellLine } from "./shell-words.ts";

const ID = "cmake";
const MAIN = "CMakeLists.txt";
const MAX_LISTS = 60;
/** `cmake --install` came with 3.15. */
const OLDEST = [3, 15];
/** Out of the source: many projects glob their own folder for sources. */
const BUILD = '"$TMPDIR/ipm-build"';
/** Switches of a project for what only its developers need. */
const DEVELOPERS = /(?:^|_)(?:TESTS?|TESTING|UNITTESTS?|BENCH|BENCHMARKS?|FUZZ|FUZZERS?|FUZZING)(?:_|$)/u;

/** The root's file and those below, the shallowest first. */
function listFiles(files: readonly SourceFile[]): readonly string[] {
  if (!hasFile(files, MAIN)) return [];
  const depth = (path: string): number => path.split("/").length;
  return files
    .map(({ path }) => path)
    .filter((path) => path === MAIN || path.endsWith(`/${MAIN}`))
    .toSorted((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1))
    .slice(0, MAX_LISTS);
}

/** A program that the project builds. */
interface Program {
  readonly target: string;
  /** The file's name, which a property may tell apart from the target's. */
  readonly file: string;
}

const MAX_EXPANDED = 4 * 1024 * 1024;

/** Put in the project's name and what `set` gives a variable as a single word; others stay as they are. */
function withVariables(text: string, name: string | null): string {
  const known = new Map<string, string>(name === null ? [] : [["PROJECT_NAME", name]]);
  if (name !== null) known.set("CMAKE_PROJECT_NAME", name);
  for (const match of text.matchAll(/\bset\s*\(\s*([A-Za-z_][\w-]*)\s+"?([^\s"()]+)"?\s*\)/giu)) {
    if (!known.has(match[1] ?? "")) known.set(match[1] ?? "", match[2] ?? "");
  }
  let expanded = text;
  for (let depth = 0; depth < 3; depth++) {
    const next = expanded.replaceAll(/\$\{([A-Za-z_][\w-]*)\}/gu, (whole, key: string) => known.get(key) ?? whole);
    if (next === expanded || next.length > MAX_EXPANDED) break;
    expanded = next;
  }
  return expanded;
}

/** Programs by their targets; `set_target_properties(x PROPERTIES OUTPUT_NAME y)` and `set_property` name the file. */
function programsOf(all: string): readonly Program[] {
  const named = new Map(
    [
      ...all.matchAll(
        /\bset_(?:target_properties\s*\(\s*|property\s*\(\s*TARGET\s+)([A-Za-z0-9_.+-]+)\s[^)]*?\b(?:RUNTIME_)?OUTPUT_NAME\s+"?([A-Za-z0-9_.+-]+)"?/giu,
      ),
    ].map((match) => [match[1] ?? "", match[2] ?? ""]),
  );
  const targets = [...all.matchAll(/\badd_executable\s*\(\s*([A-Za-z0-9_.+-]+)(?!\s+(?:IMPORTED|ALIAS))\b/giu)];
  return [...new Set(targets.map((match) => match[1] ?? ""))].map((target) => ({
    target,
    file: named.get(target) ?? target,
  }));
}

/** Without comments: `#` to the end of the line, and `#[[ … ]]`. */
function withoutComments(text: string): string {
  return text.replaceAll(/#\[(=*)\[[\s\S]*?\]\1\]/gu, "").replaceAll(/(^|\s)#[^\n]*/gu, "$1");
}

interface CmakeProject {
  readonly text: string;
  /** Everything of all files. */
  readonly all: string;
  readonly name: string | null;
  readonly version: string | null;
  readonly languages: readonly string[];
  /** `cmake_minimum_required`, as numbers. */
  readonly minimum: readonly [number, number] | null;
  readonly programs: readonly Program[];
  /** What its developers can switch off. */
  readonly developerSwitches: readonly string[];
}

function readProject(input: Pick<RecipeInput, "files" | "texts">): CmakeProject | undefined {
  const raw = input.texts[MAIN];
  if (raw === undefined) return undefined;
  const text = withoutComments(raw);
  const project = /\bproject\s*\(\s*"?([^\s")]+)"?([^)]*)\)/iu.exec(text);
  const name = project?.[1]?.includes("$") === true ? null : (project?.[1] ?? null);
  const all = withVariables(
    listFiles(input.files)
      .map((path) => withoutComments(input.texts[path] ?? ""))
      .join("\n"),
    name,
  );
  const rest = project?.[2] ?? "";
  const keyed = /\bLANGUAGES\b([^)]*)/u.exec(rest)?.[1];
  const plain = /\b(?:VERSION|DESCRIPTION|HOMEPAGE_URL)\b/u.test(rest) ? undefined : rest;
  const words = (keyed ?? plain ?? "")
    .split(/\s+/u)
    .filter((word) => /^(?:C|CXX|ASM|NONE|Fortran|CUDA|OBJC|Swift)$/u.test(word));
  const minimum = /\bcmake_minimum_required\s*\(\s*VERSION\s+([0-9]+)\.([0-9]+)/iu.exec(text);
  const switches = [...all.matchAll(/\b(?:option|cmake_dependent_option)\s*\(\s*([A-Za-z_][A-Za-z0-9_]*)/giu)].map(
    (match) => match[1] ?? "",
  );
  return {
    text,
    all,
    name,
    programs: programsOf(all),
    version: /\bVERSION\s+"?([0-9][0-9.]*)/u.exec(rest)?.[1] ?? null,
    languages: words.length > 0 ? words : ["C", "CXX"],
    minimum: minimum === null ? null : [Number(minimum[1]), Number(minimum[2])],
    developerSwitches: [
      ...new Set(switches.filter((name) => DEVELOPERS.test(name.toUpperCase()) && name !== "BUILD_TESTING")),
    ],
  };
}

function isOlder(version: readonly number[], than: readonly number[]): boolean {
  const [major = 0, minor = 0] = version;
  const [otherMajor = 0, otherMinor = 0] = than;
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}

function requirementsOf(project: CmakeProject): Requirement[] {
  const wanted = project.minimum === null || isOlder(project.minimum, OLDEST) ? OLDEST : project.minimum;
  return [
    toolRequirement("cmake", "builds it", { version: `>=${wanted.join(".")}` }),
    toolRequirement("make", "runs the build"),
    toolRequirement("ninja", "runs the build faster", { optional: true }),
    ...(project.languages.includes("C") ? [toolRequirement("cc", "compiles C")] : []),
    ...(project.languages.includes("CXX") ? [toolRequirement("c++", "compiles C++")] : []),
    ...(/\bpkg_(?:check|search)_modules?\s*\(|\bFindPkgConfig\b|find_package\s*\(\s*PkgConfig\b/iu.test(project.all)
      ? [toolRequirement("pkg-config", "finds the libraries that it needs")]
      : []),
  ];
}

/** True when a rule of the project itself installs this program, by its target or its file's name. */
function isInstalled(project: CmakeProject, bin: string): boolean {
  const target = project.programs.find(({ file }) => file === bin)?.target ?? bin;
  return [...project.all.matchAll(/\binstall\s*\(\s*(?:TARGETS|PROGRAMS|FILES)\b([^)]*)\)/giu)].some((match) =>
    (match[1] ?? "").split(/[\s"/]+/u).some((word) => word === bin || word === target),
  );
}

function expand(input: RecipeInput): RecipeOutput {
  const project = readProject(input);
  if (project === undefined) {
    throw new IpmError("MANIFEST_INVALID", "recipe cmake: the repository has no CMakeLists.txt here", {
      hint: "set source.path or the step's dir, or use plain steps",
    });
  }
  const { options } = input;
  const own = mapOption(ID, options, "define");
  const asked = listOption(ID, options, "targets");
  const fetches = flagOption(ID, options, "downloads") === true;
  const covered = input.bins.every((bin) => isInstalled(project, bin));
  const hasRules = /\binstall\s*\(/iu.test(project.all);
  // Without install rules only the programs count: tests and examples need not even compile.
  const wanted = input.bins.map((bin) => project.programs.find(({ file }) => file === bin)?.target);
  const targets = asked.length > 0 || hasRules ? asked : wanted.every((name) => name !== undefined) ? wanted : [];
  const settings: Record<string, string> = {
    CMAKE_BUILD_TYPE: "Release",
    CMAKE_INSTALL_PREFIX: "{prefix}",
    // Not lib64 and not lib/x86_64-linux-gnu: the run path names one folder.
    CMAKE_INSTALL_LIBDIR: "lib",
    // Without these an installed program loses the way to its own library, or finds an older one of the system.
    CMAKE_INSTALL_RPATH: "{prefix}/lib",
    CMAKE_INSTALL_RPATH_USE_LINK_PATH: "ON",
    CMAKE_INSTALL_NAME_DIR: "{prefix}/lib",
    // What is copied out of the build folder must not look for libraries in there.
    ...(covered ? {} : { CMAKE_BUILD_WITH_INSTALL_RPATH: "ON" }),
    CMAKE_EXPORT_NO_PACKAGE_REGISTRY: "ON",
    CMAKE_FIND_USE_PACKAGE_REGISTRY: "OFF",
    BUILD_TESTING: "OFF",
    ...Object.fromEntries(project.developerSwitches.map((name) => [name, "OFF"])),
    ...(fetches ? {} : { FETCHCONTENT_FULLY_DISCONNECTED: "ON" }),
    // CMake 4 refuses what was written for older ones than 3.5.
    ...(project.minimum !== null && isOlder(project.minimum, [3, 5]) ? { CMAKE_POLICY_VERSION_MINIMUM: "3.5" } : {}),
    ...own,
  };
  const env = nativeEnvironment({});
  const defines = Object.entries(settings).map(([name, value]) => shellLine([`-D${name}=${value}`]));
  const configure = [
    `rm -rf ${BUILD}`,
    "set -- # the generator",
    "if command -v ninja > /dev/null; then set -- -G Ninja; fi",
    `cmake -S . -B ${BUILD} "$@" \\`,
    ...defines.map((define, index) => `  ${define}${index === defines.length - 1 ? "" : " \\"}`),
  ].join("\n");
  const what = targets.length === 0 ? "" : ` --target ${shellLine(targets)}`;
  const steps: DraftStep[] = [
    nativeRun("cmake configure", configure, env, "out of the source, for release, told where the prefix is"),
    nativeRun("cmake build", `cmake --build ${BUILD} --parallel "$IPM_JOBS"${what}`, env),
  ];
  if (hasRules && !listOption(ID, options, "install").includes("none")) {
    const component = listOption(ID, options, "install");
    const parts = component.length === 0 ? [""] : component.map((name) => ` --component ${shellLine([name])}`);
    steps.push(
      nativeRun(
        "cmake install",
        parts.map((part) => `cmake --install ${BUILD}${part}`).join("\n"),
        env,
        "everything goes into the tool's own prefix",
      ),
    );
  }
  if (!covered) {
    steps.push(
      nativeRun(
        "copy the libraries",
        [
          'mkdir -p "$IPM_PREFIX/lib"',
          `cd ${BUILD}`,
          // Links stay links: the name that a program asks for is one.
          'find . \\( -name "*.so" -o -name "*.so.*" -o -name "*.dylib" \\) \\( -type f -o -type l \\) -exec cp -RP {} "$IPM_PREFIX/lib/" \\;',
          'rmdir "$IPM_PREFIX/lib" 2> /dev/null || :',
        ].join("\n"),
        {},
        "no install rule names every program: what they load must come along",
      ),
      collectLaunchers(input.bins, BUILD, mapOption(ID, options, "copy"), {}, "no install rule names every program"),
    );
  }
  const fetching =
    /\b(?:FetchContent_(?:Declare|MakeAvailable)|ExternalProject_Add|file\s*\(\s*DOWNLOAD|CPMAddPackage)\b/iu.test(
      project.all,
    );
  return {
    steps,
    requires: requirementsOf(project),
    bins: {},
    notices:
      fetching && !fetches
        ? ["parts of it may be downloaded while it is configured: without network these are left out"]
        : [],
  };
}

/** Names of programs that are not the tool. */
const ASIDE =
  /(?:^|[_-])(?:unit)?(?:tests?|examples?|demos?|samples?|bench(?:marks?)?|fuzz(?:er|ing)?)(?:$|[_-])|test$/iu;

/** Packages that every system has or that CMake brings itself. */
const OWN_PACKAGES = new Set([
  "PkgConfig",
  "Threads",
  "Git",
  "Doxygen",
  "GTest",
  "PythonInterp",
  "Python",
  "Python3",
  "Perl",
]);

function detect(input: DetectInput): readonly Candidate[] {
  const project = readProject(input);
  if (project === undefined) return [];
  const programs = project.programs.map(({ file }) => file);
  const installed = programs.filter((name) => isInstalled(project, name));
  const likely = programs.filter(
    (name) => name.toLowerCase() === input.name.toLowerCase() || name.toLowerCase() === project.name?.toLowerCase(),
  );
  // The only one that is no test and no example is the tool, whatever it is called.
  const others = programs.filter((name) => !ASIDE.test(name));
  const bins = [installed, likely, others.length === 1 ? others : []].find((names) => names.length > 0) ?? [];
  const found = [...project.all.matchAll(/\bfind_package\s*\(\s*([A-Za-z0-9_+-]+)([^)]*)\)/giu)];
  const needed = found.flatMap((match) =>
    OWN_PACKAGES.has(match[1] ?? "") || !/\bREQUIRED\b/u.test(match[2] ?? "") ? [] : [match[1] ?? ""],
  );
  const modules = [...project.all.matchAll(/\bpkg_(?:check|search)_modules?\s*\(\s*\S+([^)]*)\)/giu)]
    .filter((match) => /\bREQUIRED\b/u.test(match[1] ?? ""))
    .flatMap((match) => (match[1] ?? "").split(/\s+/u))
    .filter((word) => /^[a-z0-9][A-Za-z0-9_.+-]*(?:[<>=]+[0-9.]+)?$/u.test(word));
  const doubts: string[] = [];
  if (needed.length > 0) doubts.push(`asks for ${[...new Set(needed)].join(", ")}`);
  if (programs.length === 0) doubts.push("it builds no program: perhaps a library");
  else if (installed.length === 0) doubts.push("no install rule for a program: they are copied out of the build");
  if (/\bFetchContent_|ExternalProject_Add|CPMAddPackage/iu.test(project.all))
    doubts.push("parts of it may be downloaded while it is configured");
  const line = lineOfMatch(input.texts[MAIN] ?? "", /\bproject\s*\(/iu);
  return [
    {
      recipe: ID,
      dir: null,
      confidence: installed.length > 0 ? "likely" : "possible",
      evidence: [
        line > 0 ? `${MAIN}:${line} project ${project.name ?? ""}`.trim() : MAIN,
        ...(installed.length > 0 ? [`installs ${installed.join(", ")}`] : []),
      ],
      bins: Object.fromEntries([...new Set(bins)].map((name) => [name, null])),
      requires: [
        ...requirementsOf(project),
        ...[...new Set(modules)].map((word): Requirement => {
          const [, name = word, operator, version] = /^(.*?)(?:([<>=]+)([0-9.]+))?$/u.exec(word) ?? [];
          return {
            "pkg-config": name,
            version: operator === undefined ? null : `${operator}${version}`,
            for: "build",
            optional: false,
            why: "asked for with pkg-config",
          };
        }),
      ],
      options: {},
      about: { ...NO_FACTS, name: project.name?.toLowerCase() ?? null, version: project.version },
      doubts,
    },
  ];
}

/** A CMake project from the checkout: configured out of the source, built for release, installed into the prefix. */
export const cmakeRecipe: Recipe = {
  id: ID,
  summary: "Configure out of the source, build for release and install into the prefix, with run paths into it.",
  options: {
    define: "cache variables: {WITH_ICU: OFF}; {prefix} is known",
    targets: "the targets to build; default: all",
    install: "the components to install; default: all; [none]: copy the programs instead",
    copy: "launcher to the built file in the build folder, where no install rule covers it and the name differs",
    downloads: "true: let FetchContent download; the step then needs `network`",
  },
  reads: ({ files }) => listFiles(files),
  expand,
  detectReads: (files) => listFiles(files).slice(0, 20),
  detect,
};
