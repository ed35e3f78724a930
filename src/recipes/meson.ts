import { IpmError } from "../core/errors.ts";
import type { Requirement } from "../manifest/manifest.ts";
import { type Candidate, type DetectInput, NO_FACTS } from "./candidate.ts";
import { hasFile, lineOfMatch } from "./listing.ts";
import type { SourceFile } from "./listing.ts";
import {
  collectLaunchers,
  makesSharedLibraries,
  nativeEnvironment,
  nativeRun,
  toolRequirement,
} from "./native-build.ts";
import { listOption, mapOption } from "./options.ts";
import type { DraftStep, Recipe, RecipeInput, RecipeOutput } from "./recipe.ts";
import { shellLine } from "./shell-words.ts";

const ID = "meson";
const MAIN = "meson.build";
const MAX_READ = 60;
const BUILD = '"$TMPDIR/ipm-build"';

function buildFiles(files: readonly SourceFile[]): readonly string[] {
  if (!hasFile(files, MAIN)) return [];
  const below = files
    .map(({ path }) => path)
    .filter((path) => path.endsWith(`/${MAIN}`) && !path.startsWith("subprojects/"));
  return [MAIN, ...below.slice(0, MAX_READ)];
}

interface MesonProject {
  readonly all: string;
  readonly name: string | null;
  readonly version: string | null;
  readonly license: string | null;
  readonly minimum: string | null;
  readonly languages: readonly string[];
  /** Programs with `install: true`, and all programs. */
  readonly installed: readonly string[];
  readonly programs: readonly string[];
}

/** The text of each call of a function, up to its closing parenthesis. */
function callsOf(text: string, name: string): readonly string[] {
  return [...text.matchAll(new RegExp(String.raw`\b${name}\s*\(((?:[^()]|\([^()]*\))*)\)`, "gu"))].map(
    (match) => match[1] ?? "",
  );
}

function readProject(input: Pick<RecipeInput, "files" | "texts">): MesonProject | undefined {
  const raw = input.texts[MAIN];
  if (raw === undefined) return undefined;
  const withoutComments = (text: string): string => text.replaceAll(/(^|\s)#[^\n]*/gu, "$1");
  const all = buildFiles(input.files)
    .map((path) => withoutComments(input.texts[path] ?? ""))
    .join("\n");
  const project = callsOf(withoutComments(raw), "project")[0] ?? "";
  const [positional = ""] = project.split(/\b[a-z_]+\s*:/u);
  const words = [...positional.matchAll(/'([^']*)'/gu)].map((match) => match[1] ?? "");
  const keyword = (name: string): string | null =>
    new RegExp(String.raw`\b${name}\s*:\s*\[?\s*'([^']*)'`, "u").exec(project)?.[1] ?? null;
  const executables = callsOf(all, "executable").map((call) => ({
    name: /^\s*'([^']+)'/u.exec(call)?.[1] ?? "",
    isInstalled: /\binstall\s*:\s*true\b/u.test(call) || /\binstall_dir\s*:/u.test(call),
  }));
  const named = executables.filter(({ name }) => name !== "");
  const scripts = [...callsOf(all, "install_data")].filter((call) => /\bbindir\b|'bin'/u.test(call));
  const copied = scripts.flatMap((call) =>
    [...call.matchAll(/'([^']+)'/gu)].map((match) => (match[1] ?? "").split("/").at(-1) ?? ""),
  );
  return {
    all,
    name: words[0] ?? null,
    version: keyword("version"),
    license: keyword("license"),
    minimum: /([0-9]+(?:\.[0-9]+)*)/u.exec(keyword("meson_version") ?? "")?.[1] ?? null,
    languages: [
      ...words.slice(1),
      ...callsOf(all, "add_languages").flatMap((call) =>
        [...call.matchAll(/'([a-z]+)'/gu)].map((match) => match[1] ?? ""),
      ),
    ],
    installed: [...named.filter(({ isInstalled }) => isInstalled).map(({ name }) => name), ...copied],
    programs: named.map(({ name }) => name),
  };
}

function requirementsOf(project: MesonProject): Requirement[] {
  const has = (language: string): boolean => project.languages.includes(language);
  return [
    toolRequirement("meson", "builds it", { version: project.minimum === null ? null : `>=${project.minimum}` }),
    toolRequirement("ninja", "runs the build"),
    ...(has("c") ? [toolRequirement("cc", "compiles C")] : []),
    ...(has("cpp") ? [toolRequirement("c++", "compiles C++")] : []),
    ...(/\bdependency\s*\(/u.test(project.all)
      ? [toolRequirement("pkg-config", "finds the libraries that it needs")]
      : []),
  ];
}

function expand(input: RecipeInput): RecipeOutput {
  const project = readProject(input);
  if (project === undefined) {
    throw new IpmError("MANIFEST_INVALID", "recipe meson: the repository has no meson.build here", {
      hint: "set source.path or the step's dir, or use plain steps",
    });
  }
  const { options } = input;
  const settings = Object.entries(mapOption(ID, options, "define")).map(([name, value]) => `-D${name}=${value}`);
  const targets = listOption(ID, options, "targets");
  const { LD_RUN_PATH: _, ...others } = nativeEnvironment({});
  // meson takes its own run paths away when it installs and keeps those that LDFLAGS asked for.
  const env = makesSharedLibraries(input.texts) ? { ...others, LDFLAGS: "-Wl,-rpath,{prefix}/lib" } : others;
  const setup = shellLine([
    "meson",
    "setup",
    "--prefix={prefix}",
    "--libdir=lib",
    "--buildtype=release",
    // A wrap file names a download without a pin that ipm knows.
    "--wrap-mode=nodownload",
    ...settings,
  ]);
  const steps: DraftStep[] = [
    nativeRun(
      "meson setup",
      `rm -rf ${BUILD}\n${setup} ${BUILD} .`,
      env,
      "out of the source, for release, without downloads",
    ),
    nativeRun(
      "meson compile",
      `meson compile -C ${BUILD} -j "$IPM_JOBS"${targets.length === 0 ? "" : ` ${shellLine(targets)}`}`,
      env,
    ),
    nativeRun(
      "meson install",
      `meson install -C ${BUILD} --no-rebuild`,
      env,
      "everything goes into the tool's own prefix",
    ),
  ];
  const copy = mapOption(ID, options, "copy");
  const left = input.bins.filter((bin) => !project.installed.includes(bin));
  if (left.length > 0) steps.push(collectLaunchers(left, BUILD, copy, {}, "not every program has install: true"));
  return { steps, requires: requirementsOf(project), bins: {}, notices: [] };
}

function detect(input: DetectInput): readonly Candidate[] {
  const project = readProject(input);
  if (project === undefined) return [];
  const bins =
    project.installed.length > 0 ? project.installed : project.programs.filter((name) => name === project.name);
  const needed = callsOf(project.all, "dependency").flatMap((call): readonly Requirement[] => {
    const name = /^\s*'([A-Za-z0-9][A-Za-z0-9_.+-]*)'/u.exec(call)?.[1];
    if (name === undefined || ["threads", "dl", "openmp"].includes(name)) return [];
    const version = /\bversion\s*:\s*'\s*([<>=]{1,2})\s*([0-9.]+)'/u.exec(call);
    const optional = /\brequired\s*:\s*(?!true)/u.test(call);
    return [
      {
        "pkg-config": name,
        version: version === null ? null : `${version[1]}${version[2]}`,
        for: "build",
        optional,
        why: "a dependency of the build",
      },
    ];
  });
  const doubts: string[] = [];
  if (project.programs.length === 0) doubts.push("it builds no program: perhaps a library");
  if (input.files.some(({ path }) => /^subprojects\/[^/]+\.wrap$/u.test(path)))
    doubts.push("it has wrap files: without downloads the system must have these libraries");
  const line = lineOfMatch(input.texts[MAIN] ?? "", /\bproject\s*\(/u);
  return [
    {
      recipe: ID,
      dir: null,
      confidence: project.installed.length > 0 ? "likely" : "possible",
      evidence: [
        `${MAIN}:${line} project ${project.name ?? ""}`.trim(),
        ...(bins.length > 0 ? [`installs ${bins.join(", ")}`] : []),
      ],
      bins: Object.fromEntries([...new Set(bins)].map((name) => [name, null])),
      requires: [...requirementsOf(project), ...needed],
      options: {},
      about: {
        ...NO_FACTS,
        name: project.name?.toLowerCase() ?? null,
        version: project.version,
        license: project.license,
      },
      doubts,
    },
  ];
}

/** A meson project from the checkout: set up out of the source, without downloads, installed into the prefix. */
export const mesonRecipe: Recipe = {
  id: ID,
  summary:
    "Set up out of the source without downloads, build for release and install into the prefix, with run paths into it.",
  options: {
    define: "options of the project or of meson: {docs: disabled}; {prefix} is known",
    targets: "the targets to build; default: all",
    copy: "launcher to the built file in the build folder, where it is not installed and the name differs",
  },
  reads: ({ files }) => buildFiles(files),
  expand,
  detectReads: (files) => buildFiles(files).slice(0, 20),
  detect,
};
