import type { PackageFacts } from "./candidate.ts";
import { type SourceFile, hasFile, lineOfMatch } from "./listing.ts";
import { type TomlDocument, parseToml, tomlAt, tomlTable, tomlText, tomlTexts } from "./toml.ts";

/** Files that make a folder a Python project, in the order in which they count. */
export const PROJECT_FILES = ["pyproject.toml", "setup.cfg", "setup.py"] as const;

/** What a Python project says about itself, as far as it can be read without running it. */
export interface PythonProject {
  /** The file that says most. */
  readonly file: string;
  /** Command to its object; null when they cannot be read (computed in setup.py). */
  readonly scripts: Readonly<Record<string, string>> | null;
  /** There may be more commands than those: a backend or setup.py computes them. */
  readonly scriptsAreComputed: boolean;
  /** Versions of Python that it works with, or null. */
  readonly pythonRange: string | null;
  readonly hasDependencies: boolean;
  /** Its build backend has to be fetched. */
  readonly fetchesToBuild: boolean;
  /** Anything at all has to be fetched. */
  readonly fetches: boolean;
  readonly versionFromGit: boolean;
  readonly evidence: readonly string[];
  readonly about: Partial<PackageFacts>;
}

interface ProjectInput {
  readonly files: readonly SourceFile[];
  readonly texts: Readonly<Record<string, string>>;
}

const RANGE = /^[\d.\s,<>=!~^*|]{1,100}$/u;

/** A range that ipm can check; null for none and for one with names or markers in it. */
function rangeOf(text: string | null): string | null {
  const trimmed = text?.trim() ?? "";
  return trimmed !== "" && RANGE.test(trimmed) ? trimmed : null;
}

function scriptsOf(document: TomlDocument, ...path: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  const table = tomlTable(document.root, ...path);
  for (const [name, value] of Object.entries(table)) {
    // Poetry also has the form { reference = "…", type = "file" }.
    const target = typeof value === "string" ? value : tomlText(table, name, "reference");
    if (target !== null && /^[\w.-]+$/u.test(name)) found[name] = target;
  }
  return found;
}

function at(document: TomlDocument, file: string, path: readonly string[], what: string): string[] {
  const line = document.lineOf(...path);
  return line === 0 ? [] : [`${file}:${line} ${what}`];
}

function licenseOf(document: TomlDocument): string | null {
  const { root } = document;
  return (
    tomlText(root, "project", "license") ??
    tomlText(root, "project", "license", "text") ??
    tomlText(root, "tool", "poetry", "license")
  );
}

function homepageOf(document: TomlDocument): string | null {
  const urls = Object.entries(tomlTable(document.root, "project", "urls"));
  const found = urls.find(([key]) => /^(?:homepage|home|source|repository)$/iu.test(key))?.[1];
  return typeof found === "string" ? found : tomlText(document.root, "tool", "poetry", "homepage");
}

/** `pyproject.toml` with a `[project]` or Poetry table, or null when it only configures tools. */
function readPyproject(input: ProjectInput): PythonProject | null {
  const file = "pyproject.toml";
  const text = input.texts[file];
  const document = text === undefined ? null : parseToml(text);
  if (document === null) return null;
  const { root, lineOf } = document;
  const hasProject = tomlAt(root, "project") !== undefined;
  const hasPoetry = tomlText(root, "tool", "poetry", "name") !== null;
  const hasFlit = tomlAt(root, "tool", "flit", "metadata") !== undefined;
  const backend = tomlText(root, "build-system", "build-backend");
  if (!hasProject && !hasPoetry && !hasFlit) return null;
  const dynamic = tomlTexts(root, "project", "dynamic");
  const scripts = {
    ...scriptsOf(document, "tool", "poetry", "scripts"),
    ...scriptsOf(document, "tool", "flit", "scripts"),
    ...scriptsOf(document, "project", "scripts"),
    ...scriptsOf(document, "project", "gui-scripts"),
  };
  const requires = tomlTexts(root, "build-system", "requires");
  const isInTree = tomlTexts(root, "build-system", "backend-path").length > 0;
  const fetchesToBuild = !(isInTree && requires.length === 0);
  const poetryDependencies = Object.keys(tomlTable(root, "tool", "poetry", "dependencies")).filter(
    (name) => name !== "python",
  );
  const hasDependencies =
    tomlTexts(root, "project", "dependencies").length > 0 ||
    dynamic.includes("dependencies") ||
    poetryDependencies.length > 0 ||
    hasFlit;
  const versionFromGit =
    requires.some((name) =>
      /^(?:setuptools[-_]scm|hatch-vcs|versioneer|pdm|poetry-dynamic-versioning|dunamai|setuptools-git-versioning|pbr|versioningit)\b/u.test(
        name,
      ),
    ) &&
    (dynamic.includes("version") || !hasProject);
  const first = Object.keys(scripts)[0];
  return {
    file,
    scripts,
    scriptsAreComputed: dynamic.includes("scripts") || dynamic.includes("entry-points"),
    pythonRange: rangeOf(
      tomlText(root, "project", "requires-python") ?? tomlText(root, "tool", "poetry", "dependencies", "python"),
    ),
    hasDependencies,
    fetchesToBuild,
    fetches: fetchesToBuild || hasDependencies,
    versionFromGit,
    evidence: [
      ...at(
        document,
        file,
        hasProject ? ["project"] : hasPoetry ? ["tool", "poetry", "name"] : ["tool", "flit", "metadata"],
        "a Python project",
      ),
      ...at(document, file, ["build-system", "build-backend"], `built by ${backend ?? "setuptools"}`),
      ...(first === undefined
        ? []
        : [
            ["project", "scripts", first],
            ["tool", "poetry", "scripts", first],
            ["tool", "flit", "scripts", first],
            ["project", "gui-scripts", first],
          ]
            .filter((path) => lineOf(...path) > 0)
            .slice(0, 1)
            .flatMap((path) => at(document, file, path, `commands ${Object.keys(scripts).join(", ")}`))),
    ],
    about: {
      name: tomlText(root, "project", "name") ?? tomlText(root, "tool", "poetry", "name"),
      version: tomlText(root, "project", "version") ?? tomlText(root, "tool", "poetry", "version"),
      summary: tomlText(root, "project", "description") ?? tomlText(root, "tool", "poetry", "description"),
      license: licenseOf(document),
      homepage: homepageOf(document),
      keywords: [...tomlTexts(root, "project", "keywords"), ...tomlTexts(root, "tool", "poetry", "keywords")],
    },
  };
}

const MAX_LINE = 2000;

/** Sections of a `setup.cfg` by name: key to the lines of its value. ConfigParser's form, without interpolation. */
function parseConfig(text: string): Map<string, Map<string, string[]>> {
  const sections = new Map<string, Map<string, string[]>>();
  let section = new Map<string, string[]>();
  let value: string[] | undefined;
  for (const line of text.split(/\r?\n/u)) {
    if (/^\s*[#;]/u.test(line) || line.trim() === "" || line.length > MAX_LINE) continue;
    const heading = /^\[([^\]]+)\]/u.exec(line)?.[1];
    if (heading !== undefined) {
      section = sections.get(heading.trim()) ?? new Map<string, string[]>();
      sections.set(heading.trim(), section);
      value = undefined;
      continue;
    }
    if (/^\s/u.test(line) && value !== undefined) {
      value.push(line.trim());
      continue;
    }
    const [, key, first] = /^([^=:]+?)\s*[=:]\s*(.*)$/u.exec(line) ?? [];
    if (key === undefined) continue;
    value = first === undefined || first === "" ? [] : [first.trim()];
    section.set(key.trim().toLowerCase().replaceAll("-", "_"), value);
  }
  return sections;
}

/** `name = package.module:function` lines. */
function entryPoints(lines: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const line of lines) {
    const [, name, target] = /^([\w.-]+)\s*=\s*([\w.]+\s*:\s*[\w.]+.*)$/u.exec(line) ?? [];
    if (name !== undefined && target !== undefined) found[name] = target.trim();
  }
  return found;
}

function readSetupConfig(input: ProjectInput): PythonProject | null {
  const file = "setup.cfg";
  const text = input.texts[file];
  if (text === undefined) return null;
  const sections = parseConfig(text);
  const metadata = sections.get("metadata");
  if (metadata === undefined) return null;
  const options = sections.get("options") ?? new Map<string, string[]>();
  const declared =
    sections.get("options.entry_points")?.get("console_scripts") ??
    // pbr reads a section of its own.
    sections.get("entry_points")?.get("console_scripts") ??
    [];
  const scripts = entryPoints(declared);
  const usesPbr = /\bpbr\b/u.test(input.texts["setup.py"] ?? "");
  const value = (key: string): string | null => metadata.get(key)?.join(" ") ?? null;
  const scriptLine = lineOfMatch(text, /^[ \t]*console_scripts\b/mu);
  return {
    file,
    scripts,
    scriptsAreComputed: Object.keys(scripts).length === 0 && hasFile(input.files, "setup.py"),
    pythonRange: rangeOf(
      options.get("python_requires")?.join("") ?? value("python_requires") ?? value("requires_python"),
    ),
    hasDependencies: (options.get("install_requires") ?? []).length > 0 || usesPbr,
    fetchesToBuild: true,
    fetches: true,
    versionFromGit: usesPbr || /setuptools_scm|versioneer/u.test(input.texts["setup.py"] ?? ""),
    evidence: [
      `${file}:${lineOfMatch(text, /^\[metadata\]/mu)} a setuptools project`,
      ...(scriptLine === 0 ? [] : [`${file}:${scriptLine} commands ${Object.keys(scripts).join(", ")}`]),
    ],
    about: {
      name: value("name"),
      version: /^[\d.]+\S*$/u.test(value("version") ?? "") ? value("version") : null,
      summary: value("description") ?? value("summary"),
      license: value("license"),
      homepage: value("url") ?? value("home_page"),
      keywords: (value("keywords") ?? "").split(/[\s,]+/u).filter((word) => word !== ""),
    },
  };
}

/** `setup.py` is a program: only what stands in it as plain text can be known without running it. */
function readSetupScript(input: ProjectInput): PythonProject | null {
  const file = "setup.py";
  const text = input.texts[file];
  if (text === undefined || !/\bsetup\s*\(/u.test(text)) return null;
  const literal = (key: string): string | null =>
    new RegExp(`\\b${key}\\s*=\\s*(['"])([^'"\\n]{1,200})\\1`, "u").exec(text)?.[2] ?? null;
  const lists = [...text.matchAll(/console_scripts['"]\s*:\s*\[([^\]]{0,4000})\]/gu)].map((list) =>
    entryPoints([...(list[1] ?? "").matchAll(/['"]([^'"\n]+)['"]/gu)].map((match) => match[1] ?? "")),
  );
  // Several are for several systems: what all of them have is there for sure.
  const scripts = Object.fromEntries(
    Object.entries(lists[0] ?? {}).filter(([name]) => lists.every((list) => Object.hasOwn(list, name))),
  );
  const line = lineOfMatch(text, /console_scripts/u);
  return {
    file,
    scripts: line === 0 ? null : scripts,
    scriptsAreComputed: true,
    pythonRange: rangeOf(literal("python_requires")),
    hasDependencies: /\binstall_requires\s*=/u.test(text),
    fetchesToBuild: true,
    fetches: true,
    versionFromGit: /use_scm_version|setuptools_scm|versioneer|\bpbr\b/u.test(text),
    evidence: [
      `${file}:${lineOfMatch(text, /\bsetup\s*\(/u)} a setuptools project`,
      ...(line === 0 ? [] : [`${file}:${line} commands ${Object.keys(scripts).join(", ")}`]),
    ],
    about: {
      name: literal("name"),
      version: literal("version"),
      summary: literal("description"),
      license: literal("license"),
      homepage: literal("url"),
      keywords: [],
    },
  };
}

/**
 * What makes the listing a Python project, or null. The first of pyproject.toml (unless it only configures tools),
 * setup.cfg and setup.py counts; commands are taken from the first of them that declares any, as setuptools does.
 */
export function readPythonProject(input: ProjectInput): PythonProject | null {
  const all = [readPyproject(input), readSetupConfig(input), readSetupScript(input)].filter((found) => found !== null);
  const [main, ...others] = all;
  if (main === undefined) return null;
  if (main.scripts !== null && Object.keys(main.scripts).length > 0) return main;
  const other = others.find(({ scripts }) => scripts !== null && Object.keys(scripts).length > 0);
  if (other === undefined) return main;
  return {
    ...main,
    scripts: other.scripts,
    scriptsAreComputed: other.scriptsAreComputed,
    pythonRange: main.pythonRange ?? other.pythonRange,
    hasDependencies: main.hasDependencies || other.hasDependencies,
    evidence: [...main.evidence, ...other.evidence],
    versionFromGit: main.versionFromGit || other.versionFromGit,
  };
}
