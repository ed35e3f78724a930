import { IpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { Requirement } from "../manifest/manifest.ts";
import { type Candidate, type DetectInput, type PackageFacts, NO_FACTS } from "./candidate.ts";
import { type SourceFile, firstFile, hasFile, lineOfMatch, nameOf } from "./listing.ts";
import { type Options, flagOption, listOption, pathsOption, wordOption, wordsOption } from "./options.ts";
import { COMPILE, CREATE, PIP, PIP_SETTINGS, REMOVE_INSTALLERS, pythonRun, quote } from "./python-environment.ts";
import { pythonPackage } from "./python-package.ts";
import { type PythonProject, PROJECT_FILES, readPythonProject } from "./python-project.ts";
import {
  type DraftRun,
  type DraftStep,
  type Recipe,
  type RecipeInput,
  type RecipeOutput,
  type WorkspaceOutput,
} from "./recipe.ts";

const ID = "python";
const REQUIREMENTS = "requirements.txt";
const LOCKS: Readonly<Record<string, string>> = {
  "uv.lock": "uv",
  "poetry.lock": "poetry",
  "pdm.lock": "pdm",
  "Pipfile.lock": "pipenv",
};

const UV_ENVIRONMENT = {
  // The interpreter is the plan's, and the certificates are this machine's: by itself uv brings its own of both.
  UV_PYTHON_DOWNLOADS: "never",
  UV_NATIVE_TLS: "1",
  UV_SYSTEM_CERTS: "1",
  UV_LINK_MODE: "copy",
};

/**
 * The last setuptools with `pkg_resources` (https://setuptools.pypa.io/en/latest/history.html): a `setup.py` that loads it
 * and names no version is from before it went.
 */
const OLD_SETUPTOOLS = "setuptools<81";
/** For pip's own environment of the build too: by its old variable, and by the one that came with 25.3. */
const CONSTRAIN = `
printf '%s\n' '${OLD_SETUPTOOLS}' > "$TMPDIR/constraints.txt"
export PIP_CONSTRAINT="$TMPDIR/constraints.txt" PIP_BUILD_CONSTRAINT="$TMPDIR/constraints.txt"
`.trim();

function requirement(tool: string, version: string | null, when: Requirement["for"], why: string): Requirement {
  return { tool, version, for: when, optional: false, why };
}

/** The files of the checkout that a launcher without an entry point may mean. */
function scriptOf(input: Pick<RecipeInput, "files">, bin: string): string | undefined {
  const names = [bin, `${bin}.py`, `${bin.replaceAll("-", "_")}.py`];
  return firstFile(
    input.files,
    ["", "bin/", "scripts/", "src/"].flatMap((folder) => names.map((name) => `${folder}${name}`)),
  );
}

/** A setup.py that loads `pkg_resources`, and no pyproject.toml that says what it is built with. */
function needsOldSetuptools(texts: Readonly<Record<string, string>>): boolean {
  return PKG_RESOURCES.test(texts["setup.py"] ?? "") && !/^\[build-system\]/mu.test(texts["pyproject.toml"] ?? "");
}

const PKG_RESOURCES = /^[ \t]*(?:import|from)[ \t]+pkg_resources\b/mu;
/** Packages of the index with versions, as pip reads them (PEP 508 without markers). @throws IpmError MANIFEST_INVALID */
function packagesOption(options: Options): readonly string[] {
  const list = listOption(ID, options, "also");
  const odd = list.find(
    (item) => !/^[A-Za-z0-9][\w.-]*(?:\[[\w.,-]+\])?(?:,?(?:[=~!]=|[<>]=?)[\w.*+!-]+)*$/u.test(item),
  );
  if (odd === undefined) return list;
  throw new IpmError("MANIFEST_INVALID", `recipe python: option also: ${escapeUntrusted(odd)} is not a package`, {
    hint: "write NAME, NAME==1.2 or NAME>=1,<2",
  });
}

const HASHED = /(?:^|\s)--hash=/mu;

interface Choice {
  readonly extras: readonly string[];
  readonly requirements: readonly string[];
  readonly also: readonly string[];
  readonly installer: "auto" | "pip" | "uv";
  readonly project: PythonProject | null;
}

function choose(input: RecipeInput): Choice {
  const { options, files } = input;
  const requirements = pathsOption(ID, options, "requirements");
  const lost = requirements.find((file) => !hasFile(files, file));
  if (lost !== undefined) {
    throw new IpmError("MANIFEST_INVALID", `recipe python: the repository has no ${lost} at this commit`, {
      hint: "correct the option requirements",
    });
  }
  return {
    extras: wordsOption(ID, options, "extras"),
    requirements,
    also: packagesOption(options),
    installer: wordOption(ID, options, "installer", ["auto", "pip", "uv"]),
    project: readPythonProject(input),
  };
}

/** The steps that put a project (or only requirement files) into the environment. */
function installSteps(input: RecipeInput, choice: Choice, notices: string[]): { steps: DraftStep[]; usesUv: boolean } {
  const { project, extras, requirements, also } = choice;
  const needsIndex =
    project === null || project.fetches || extras.length > 0 || also.length > 0 || requirements.length > 0;
  const lock = Object.keys(LOCKS).find((file) => hasFile(input.files, file));
  const usesUv = choice.installer === "uv" || (choice.installer === "auto" && lock === "uv.lock");
  const target = project === null ? [] : [extras.length === 0 ? "." : `.[${extras.join(",")}]`];
  const files = requirements.flatMap((file) => ["-r", file]);
  const words = [...files, ...target, ...also];
  if (words.length === 0) return { steps: [], usesUv: false };
  const steps: DraftStep[] = [];
  const command = (program: string, list: readonly string[]): string => [program, ...list.map(quote)].join(" ");
  const pip = (list: readonly string[]): string => command("pip install --no-compile", list);
  const isOld = project !== null && needsOldSetuptools(input.texts);
  const withPip = (text: string): string => `${isOld ? `${CONSTRAIN}\n` : ""}${PIP}\n${text}`;
  const hashed = requirements.length > 0 && requirements.every((file) => HASHED.test(input.texts[file] ?? ""));
  const locked = lock !== undefined && project !== null ? LOCKS[lock] : undefined;
  const names = [...requirements, ...(project === null ? [] : ["the package"]), ...also];
  const title = `install ${names.join(" and ")}`;
  if (hashed && project !== null) {
    // A file with hashes must not meet a package without: first what is locked, then the project alone.
    const first = withPip(pip(["--require-hashes", ...files]));
    steps.push(pythonRun(`install ${requirements.join(" and ")}`, first, "locked with hashes", true));
    const second = withPip([pip(["--no-deps", ...target]), ...(also.length === 0 ? [] : [pip(also)])].join("\n"));
    steps.push(pythonRun("install the package", second, null, project.fetchesToBuild || also.length > 0));
  } else if (usesUv && lock === "uv.lock" && project !== null) {
    const groups = extras.map((extra) => ` --extra ${extra}`).join("");
    const sync = `uv sync --frozen --no-dev --no-editable --no-progress${groups}`;
    const start =
      choice.installer === "uv" ? sync : `if command -v uv > /dev/null; then ${sync}\nelse ${pip(target)}\nfi`;
    const more = files.length + also.length === 0 ? "" : `\n${pip([...files, ...also])}`;
    const why = "the versions of uv.lock, where uv is there to read it";
    const draft = pythonRun(title, withPip(`${start}${more}`), why, needsIndex);
    steps.push({
      ...draft,
      env: { ...draft.env, ...UV_ENVIRONMENT, UV_PROJECT_ENVIRONMENT: "{prefix}/venv" },
    });
  } else if (usesUv) {
    const draft = pythonRun(
      title,
      command('uv pip install --python "$IPM_PREFIX/venv/bin/python"', words),
      null,
      needsIndex,
    );
    steps.push({ ...draft, env: { ...draft.env, ...UV_ENVIRONMENT } });
  } else steps.push(pythonRun(title, withPip(pip(words)), hashed ? "locked with hashes" : null, needsIndex));
  if (
    needsIndex &&
    !hashed &&
    (project === null || project.hasDependencies || words.length > 1) &&
    !(usesUv && lock === "uv.lock")
  ) {
    notices.push(
      locked === undefined
        ? "no lock with hashes: the versions of its dependencies are whatever is newest today"
        : `${lock} is ${locked}'s own: pip does not read it, so the versions of dependencies are whatever is newest today`,
    );
  }
  return { steps, usesUv };
}

/**
 * What tells setuptools-scm the version, for this package alone: by itself it reads the newest tag, which is not there
 * when the pin is a commit between two tags, or which it cannot read. Dependencies that are built from source keep their
 * own, as they would not with the variable that has no name in it, which is the only one that hatch-vcs knows
 * (https://setuptools-scm.readthedocs.io/en/latest/overrides/).
 */
function versionForPackage(project: PythonProject | null, version: string): Readonly<Record<string, string>> {
  const name = project?.about.name ?? "";
  // PEP 440; the version of a commit without one (`0.0.0-1a2b…`) is none, and the tool makes a better one of its own.
  const isPython = /^\d+(?:\.\d+)*(?:(?:a|b|rc|\.post|\.dev)\d+)?(?:\+[a-z0-9]+(?:\.[a-z0-9]+)*)?$/u.test(version);
  if (project?.versionFromGit !== true || !isPython || !/^[\w.-]+$/u.test(name)) return {};
  return { [`SETUPTOOLS_SCM_PRETEND_VERSION_FOR_${name.replaceAll(/[-_.]+/gu, "_").toUpperCase()}`]: version };
}

/** The script without the packages that the manifest asks for by name. */
function removeInstallers(also: readonly string[]): string {
  const names = new Set(also.map((word) => (/^[\w.-]+/u.exec(word)?.[0] ?? "").toLowerCase()));
  return REMOVE_INSTALLERS.replace(/^spare = \{(.*)\}$/mu, (_, list: string) => {
    const kept = list.split(", ").filter((name) => !names.has(name.slice(1, -1)));
    return `spare = {${kept.join(", ")}}`;
  });
}

/** Launchers of plain scripts, for a repository that is no Python package. */
function scriptSteps(input: RecipeInput): { steps: DraftStep[]; bins: Record<string, string> } {
  const scripts = input.bins.flatMap((bin) => {
    const file = scriptOf(input, bin);
    return file === undefined ? [] : [{ bin, file }];
  });
  if (scripts.length === 0) {
    throw new IpmError(
      "MANIFEST_INVALID",
      `recipe python: there is no ${PROJECT_FILES.join(", ")} here, and no script with a launcher's name`,
      { hint: "set source.path, or use plain steps" },
    );
  }
  const lines = scripts.map(({ bin, file }) => {
    const text = `#!/bin/sh\\nexec "%s/venv/bin/python" "%s/lib/app/${file}" "$@"\\n`;
    const place = `"$IPM_PREFIX/bin/${bin}"`;
    return `printf ${quote(text)} "$IPM_PREFIX" "$IPM_PREFIX" > ${place}\nchmod 755 ${place}`;
  });
  return {
    steps: [
      { kind: "copy", title: "copy the scripts to lib/app", why: null, from: ".", to: "lib/app", exclude: [] },
      { ...pythonRun("write the launchers", `mkdir -p "$IPM_PREFIX/bin"\n${lines.join("\n")}`, null), env: {} },
    ],
    bins: Object.fromEntries(scripts.map(({ bin }) => [bin, `bin/${bin}`])),
  };
}

function expand(input: RecipeInput): RecipeOutput {
  const choice = choose(input);
  const { project } = choice;
  const notices: string[] = [];
  const effective: Choice =
    project === null && choice.requirements.length === 0 && hasFile(input.files, REQUIREMENTS)
      ? { ...choice, requirements: [REQUIREMENTS] }
      : choice;
  const scripts = project === null ? scriptSteps(input) : { steps: [], bins: {} };
  const { steps, usesUv } = installSteps(input, effective, notices);
  const told = versionForPackage(project, input.version);
  const keepsInstallers = flagOption(ID, input.options, "installers") === true;
  const all: DraftStep[] = [
    CREATE,
    ...steps.map((step) => (step.kind === "run" ? { ...step, env: { ...step.env, ...told } } : step)),
    ...scripts.steps,
  ];
  if (!keepsInstallers) {
    all.push(
      pythonRun(
        "remove pip and setuptools where nothing needs them",
        `"$IPM_PREFIX/venv/bin/python" -I -c ${quote(removeInstallers(choice.also))}`,
        "a sealed environment installs nothing",
      ),
    );
  }
  all.push(COMPILE);
  if (project !== null && project.scripts !== null) {
    const missing = input.bins.filter((bin) => project.scripts?.[bin] === undefined);
    if (missing.length > 0 && !project.scriptsAreComputed) {
      notices.push(`${project.file} declares no command ${missing.join(", ")}`);
    }
  }
  return {
    steps: all,
    requires: [
      requirement("python3", project?.pythonRange ?? null, "both", "runs the tool"),
      ...(usesUv && choice.installer === "auto"
        ? [{ ...requirement("uv", null, "build", "installs the versions of uv.lock"), optional: true }]
        : []),
      ...(choice.installer === "uv" ? [requirement("uv", null, "build", "installs its packages")] : []),
    ],
    bins: project === null ? scripts.bins : Object.fromEntries(input.bins.map((bin) => [bin, `venv/bin/${bin}`])),
    notices,
  };
}

/** Where people and editors look for the environment of a checkout. */
const WORKSPACE_VENV = ".venv";

/**
 * The checkout with an environment in `.venv`, pip included: the project is installed so that changes of its files count at
 * once, beside what its requirement files name. A uv.lock is used where uv is there, development dependencies included.
 */
function expandWorkspace(input: RecipeInput): WorkspaceOutput {
  const { project, extras, requirements: named, also, installer } = choose(input);
  const requirements = named.length > 0 || !hasFile(input.files, REQUIREMENTS) ? named : [REQUIREMENTS];
  const notices: string[] = [];
  const usesUv = installer === "uv" || (installer === "auto" && project !== null && hasFile(input.files, "uv.lock"));
  const target = project === null ? [] : ["--editable", extras.length === 0 ? "." : `.[${extras.join(",")}]`];
  const words = [...requirements.flatMap((file) => ["-r", file]), ...target, ...also];
  const isHashed = requirements.length > 0 && requirements.every((file) => HASHED.test(input.texts[file] ?? ""));
  const list = (items: readonly string[]): string => items.map(quote).join(" ");
  const pip = (items: readonly string[]): string => `"${WORKSPACE_VENV}/bin/python" -m pip install ${list(items)}`;
  const names = [...requirements, ...(project === null ? [] : ["the package"]), ...also];
  const commands: string[] = [];
  if (isHashed && target.length + also.length > 0) {
    // A file with hashes must not meet a package without.
    commands.push(pip(requirements.flatMap((file) => ["-r", file])), pip([...target, ...also]));
  } else if (words.length > 0) commands.push(pip(words));
  const groups = extras.map((extra) => ` --extra ${quote(extra)}`).join("");
  const sync = `uv sync --frozen --no-progress${groups}`;
  const more = words.length === target.length ? "" : `\n${pip(words.filter((word) => !target.includes(word)))}`;
  const plain = commands.join("\n");
  const install = !usesUv
    ? plain
    : installer === "uv"
      ? `${sync}${more}`
      : `if command -v uv > /dev/null; then ${sync}${more}\nelse ${plain}\nfi`;
  if (words.length > 0 && !isHashed && !usesUv)
    notices.push("no lock with hashes: the versions of its dependencies are whatever is newest today");
  const own = (title: string, command: string, why: string | null, network = false): DraftRun => ({
    ...pythonRun(title, command, why, network),
    env: usesUv ? { ...PIP_SETTINGS, ...UV_ENVIRONMENT, UV_PROJECT_ENVIRONMENT: WORKSPACE_VENV } : PIP_SETTINGS,
  });
  return {
    steps: [
      own(
        "create the virtual environment in .venv",
        `python3 -m venv ${WORKSPACE_VENV}`,
        "an environment of its own: nothing of the system's Python is touched",
      ),
      ...(install === "" ? [] : [own(`install ${names.join(" and ")}`, install, null, true)]),
    ],
    requires: [
      requirement("python3", project?.pythonRange ?? null, "both", "runs what is in the workspace"),
      ...(usesUv
        ? [{ ...requirement("uv", null, "build", "installs the versions of uv.lock"), optional: installer === "auto" }]
        : []),
    ],
    notices,
    environment: { path: [`${WORKSPACE_VENV}/bin`], variables: { VIRTUAL_ENV: WORKSPACE_VENV } },
  };
}

function aboutOf(project: PythonProject): PackageFacts {
  return { ...NO_FACTS, ...project.about };
}

/** Modules that may load `pkg_resources` when the tool runs; few, since only old projects have them. */
function modulesOf(files: readonly SourceFile[]): readonly string[] {
  if (!hasFile(files, "setup.py")) return [];
  return files
    .map(({ path }) => path)
    .filter(
      (path) =>
        path.endsWith(".py") && path.split("/").length <= 3 && !/(?:^|\/)(?:tests?|docs?|examples?)\//u.test(path),
    )
    .slice(0, MAX_MODULES);
}

const MAX_MODULES = 60;

function detect(input: DetectInput): readonly Candidate[] {
  const base = { recipe: ID, dir: null, options: {} } as const;
  const project = readPythonProject(input);
  if (project !== null) {
    const runs = modulesOf(input.files).find(
      (path) => path !== "setup.py" && PKG_RESOURCES.test(input.texts[path] ?? ""),
    );
    // Who names it gets it; who does not has relied on its being everywhere.
    const isNamed = ["setup.py", "setup.cfg", "pyproject.toml"].some((file) =>
      /install_requires[^\]]*\bsetuptools\b|^dependencies[^\]]*\bsetuptools\b/mu.test(input.texts[file] ?? ""),
    );
    const needs = runs === undefined || isNamed ? undefined : runs;
    const scripts = Object.keys(project.scripts ?? {});
    const doubts: string[] = [];
    if (scripts.length === 0) doubts.push("no command is declared: perhaps a library");
    if (project.versionFromGit) doubts.push("its version comes from the tag");
    return [
      {
        ...base,
        options: needs === undefined ? {} : { also: [OLD_SETUPTOOLS] },
        confidence: scripts.length > 0 ? (project.file === "pyproject.toml" ? "certain" : "likely") : "possible",
        evidence: [
          ...project.evidence,
          ...(needs === undefined
            ? []
            : [`${needs}:${lineOfMatch(input.texts[needs] ?? "", PKG_RESOURCES)} loads pkg_resources`]),
        ],
        bins: Object.fromEntries(scripts.map((name) => [name, null])),
        requires: [requirement("python3", project.pythonRange, "both", "runs the tool")],
        about: aboutOf(project),
        doubts,
      },
    ];
  }
  if (!hasFile(input.files, REQUIREMENTS) || input.name === "") return [];
  const bin = input.name.toLowerCase();
  const script = scriptOf(input, bin);
  if (script === undefined) {
    const isWorkedIn = input.files.some(({ path }) => /^\w+\.py$|\.ipynb$/u.test(path));
    if (!isWorkedIn) return [];
    return [
      {
        ...base,
        confidence: "possible",
        evidence: [`${REQUIREMENTS} packages that its scripts need`],
        bins: {},
        requires: [requirement("python3", null, "both", "runs the tool")],
        about: NO_FACTS,
        doubts: ["no packaging metadata and no command"],
      },
    ];
  }
  return [
    {
      ...base,
      confidence: "possible",
      evidence: [REQUIREMENTS, `${script} named like the repository`],
      bins: { [bin]: null },
      requires: [requirement("python3", null, "both", "runs the tool")],
      about: { ...NO_FACTS, name: nameOf(bin) },
      doubts: ["no packaging metadata: the script is started as it is"],
    },
  ];
}

/** A Python project from the checkout, in a virtual environment inside the prefix. */
export const pythonRecipe: Recipe = {
  id: ID,
  summary:
    "Install a Python project into a virtual environment of its own: from its checkout, or from PyPI by a lock with hashes.",
  options: {
    extras: "optional dependency groups of the project to install too: [yaml, http2]",
    requirements:
      "requirement files to install besides; one with hashes for every line is installed with --require-hashes",
    also: 'packages to install besides, such as one that the project forgets to declare: [attrs, "setuptools<81"]',
    installer: "pip, uv, or auto (default): uv where the repository has a uv.lock and uv is there, else pip",
    installers: "true: keep pip and setuptools in the environment",
  },
  reads: ({ files, options }) => [
    ...PROJECT_FILES.filter((file) => hasFile(files, file)),
    ...pathsOption(ID, options, "requirements").filter((file) => hasFile(files, file)),
    ...(hasFile(files, REQUIREMENTS) ? [REQUIREMENTS] : []),
  ],
  expand,
  expandWorkspace,
  detectReads: (files) => [...PROJECT_FILES.filter((file) => hasFile(files, file)), ...modulesOf(files)],
  detect,
  package: pythonPackage,
};
