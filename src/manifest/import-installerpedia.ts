import { isMap, isScalar } from "yaml";
import { forgeUrl } from "../core/git-url.ts";
import { isToolName } from "../core/ids.ts";
import { plainLine } from "../core/untrusted-text.ts";
import { documentText, newDocument } from "./format-manifest.ts";
import type { ImportDefect, ImportFinding } from "./import-defects.ts";
import { blockingReason } from "./lint/blocking-command.ts";
import { findPlaceholder } from "./lint/left-placeholder.ts";
import { recipeFor } from "./lint/rules/shell-instead-of-recipe.ts";
import { type ShellCommand, operandsOf, programOf, shellCommands } from "./shell-commands.ts";

/** One record of Installerpedia as a draft: never something that could be installed as it is. */
export interface ImportedDraft {
  /** `owner/repo` as the record has it. */
  readonly repository: string;
  readonly name: string;
  /** A manifest without versions: the schema refuses it until somebody has pinned and completed it. */
  readonly text: string;
  readonly findings: readonly ImportFinding[];
  readonly methods: number;
  readonly commands: number;
}

type Json = Readonly<Record<string, unknown>>;

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const MAX_TEXT = 2_000;
const MAX_ITEMS = 200;

function textOf(value: unknown): string {
  return typeof value === "string" ? value.slice(0, MAX_TEXT) : "";
}

function shown(text: string, length = 100): string {
  const line = plainLine(text).trim();
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}

class Report {
  readonly findings: ImportFinding[] = [];

  add(defect: ImportDefect, path: string, message: string): void {
    this.findings.push({ defect, path, message: shown(message, 200) });
  }

  /** A list of a record; anything else is a finding and an empty list. */
  list(value: unknown, path: string): readonly unknown[] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) {
      if (value.length > MAX_ITEMS) this.add("MALFORMED", path, `more than ${MAX_ITEMS} members`);
      return value.slice(0, MAX_ITEMS);
    }
    this.add("MALFORMED", path, "is no list");
    return [];
  }
}

// Snippets of build files that records hold as "commands".
const SNIPPET =
  /^\s*(?:<[a-z!?/]|(?:implementation|api|compile|compileOnly|classpath|testImplementation|id|plugins|dependencies|repositories|buildscript|maven|libraryDependencies|resolvers)\b\s*(?:[({'"]|\+=)|(?:pod|gem|github|use_frameworks!|target|platform)\s*[:'"]|\.package\(|binary |import\s+\w|from\s+\w+\s+import|const\s|let\s|var\s|[{[]|"[^"]+"\s*:|FetchContent_|find_package\s*\(|target_link_libraries|add_subdirectory\s*\(|CPMAddPackage|#include)/u;

/** A sentence for people: begins with a capital and goes on in words, as no program's name does. */
function isProse(text: string): boolean {
  if (/^(?:[A-Z_][A-Z0-9_]*=|[A-Z][\w.-]*\/)/u.test(text)) return false;
  const words = text.split(/\s+/u);
  const isSentence =
    /^[A-Z][a-z]+$/u.test(words[0] ?? "") &&
    words.slice(1).some((word) => /^(?:[a-z]{2,}|[A-Z][a-z]+)[,.;:]?$/u.test(word));
  return isSentence && !/^(?:Rscript|Xcode|Invoke-\w+|Set-\w+|New-\w+|Add-\w+|Install-\w+)$/u.test(words[0] ?? "");
}

function isNoCommand(text: string): boolean {
  const line = text.trim();
  return (
    line === "" ||
    /^https?:\/\/\S+$/u.test(line) ||
    /^(?:#|\/\/|\/\*)/u.test(line) ||
    SNIPPET.test(line) ||
    isProse(line)
  );
}

function isEchoOfProse(commands: readonly ShellCommand[]): boolean {
  return (
    commands.length === 1 &&
    commands.every(
      (command) =>
        programOf(command) === "echo" &&
        command.redirects.length === 0 &&
        command.words.slice(1).join(" ").split(/\s+/u).length >= 3,
    )
  );
}

/** True when a command works on files of the repository's checkout. */
function needsCheckout(command: ShellCommand): boolean {
  const program = programOf(command);
  const [verb, what] = operandsOf(command);
  if (/^(?:npm|pnpm|yarn|bun)$/u.test(program))
    return (/^(?:install|i|ci)$/u.test(verb ?? "install") && what === undefined) || verb === "run";
  if (/^pip[0-9.]*$/u.test(program))
    return (
      verb === "install" &&
      (what?.startsWith(".") === true || command.words.includes("-r") || command.words.includes("-e"))
    );
  if (/^python[0-9.]*$/u.test(program)) return verb?.endsWith(".py") === true;
  if (program === "cargo")
    return (
      (verb === "build" || verb === "run" || verb === "install") &&
      (what === undefined || command.words.includes("--path"))
    );
  if (program === "go") return verb === "build" || (verb === "install" && (what === undefined || what.startsWith(".")));
  if (program === "docker") return verb === "build" || verb === "compose";
  if (
    /^(?:make|gmake|cmake|meson|ninja|mvn|gradle|bundle|poetry|flutter|fvm|dart|xcodebuild|pod|swift|docker-compose|dotnet|mix|stack|cabal|conda-env)$/u.test(
      program,
    )
  )
    return true;
  if (program === "conda") return command.words.some((word) => /\.ya?ml$/u.test(word));
  // A program of the repository itself.
  return /^\.{1,2}\//u.test(command.words[0]);
}

const LOST_STATE =
  /^(?:conda activate|conda deactivate|source activate|poetry shell|pipenv shell|nvm use|rvm use|pyenv shell|workon)\b/u;

function losesState(command: ShellCommand): boolean {
  const line = command.words.join(" ");
  return LOST_STATE.test(line) || (/^(?:source|\.)$/u.test(command.words[0]) && /activate/u.test(line));
}

const ROOT = /^(?:sudo|doas|su|apt|apt-get|dnf|yum|zypper|pacman|apk|systemctl|snap)$/u;
const SYSTEM_WORD = /\b(linux|ubuntu|debian|fedora|arch|macos|mac ?os ?x?|osx|windows|freebsd)\b/iu;

/** Which system a command is for, where it says so by itself. */
function systemOf(command: ShellCommand): string | undefined {
  const program = programOf(command) === "sudo" ? (command.words[1] ?? "") : programOf(command);
  if (/^(?:apt|apt-get|dnf|yum|pacman|zypper|apk)$/u.test(program)) return "linux";
  if (/^(?:winget|choco|scoop|powershell|pwsh)$/u.test(program) || /\.(?:exe|bat|ps1)$/iu.test(program))
    return "windows";
  return /^(?:port|xcodebuild|xcode-select)$/u.test(program) ? "macos" : undefined;
}

interface Instruction {
  readonly path: string;
  readonly text: string;
  readonly meaning: string;
  readonly commands: readonly ShellCommand[];
}

function checkAlternatives(all: readonly Instruction[], path: string, report: Report): void {
  const managers = new Set<string>();
  const pipSpecs = new Map<string, Set<string>>();
  const exported = new Set<string>();
  const clones = new Set<string>();
  for (const { commands } of all) {
    for (const command of commands) {
      const program = programOf(command);
      const [verb = "install", ...what] = operandsOf(command);
      if (/^(?:npm|pnpm|yarn|bun)$/u.test(program) && /^(?:install|i|add|ci)$/u.test(verb)) managers.add(program);
      if (/^pip[0-9.]*$/u.test(program) && verb === "install") {
        for (const spec of what.filter((word) => /^[A-Za-z][\w.-]*(?:==|>=|$)/u.test(word))) {
          const name = spec.split(/[=<>]/u)[0] ?? spec;
          pipSpecs.set(
            name,
            (pipSpecs.get(name) ?? new Set()).add(
              `${spec} ${command.words.filter((word) => word.startsWith("http")).join(" ")}`,
            ),
          );
        }
      }
      if (program === "export" || program === "set") {
        const name = command.words[1]?.split("=")[0];
        if (name !== undefined && !name.startsWith("-")) exported.add(`${program} ${name}`);
      }
      if (program === "git" && verb === "clone")
        clones.add((what[0] ?? "").replace(/^git@([^:]+):/u, "https://$1/").replace(/\.git$/u, ""));
    }
  }
  if (managers.size > 1) report.add("ALTERNATIVES_IN_ONE", path, `${[...managers].join(" and ")} would both install`);
  for (const [name, specs] of pipSpecs)
    if (specs.size > 1) report.add("ALTERNATIVES_IN_ONE", path, `${specs.size} builds of ${name}`);
  for (const entry of exported) {
    const [how, name] = entry.split(" ");
    if (how === "export" && exported.has(`set ${name}`))
      report.add("ALTERNATIVES_IN_ONE", path, `export and set of ${name}`);
  }
  const lone = all
    .flatMap(({ commands }) => commands)
    .filter((command) => programOf(command) === "git" && operandsOf(command)[0] === "clone");
  if (lone.length > clones.size) report.add("ALTERNATIVES_IN_ONE", path, "the same repository is cloned twice");
}

function checkSystems(all: readonly Instruction[], path: string, report: Report): void {
  const systems = new Set<string>();
  for (const { text, commands } of all) {
    const named = /^(?:#|\/\/)/u.test(text.trim()) ? SYSTEM_WORD.exec(text)?.[1]?.toLowerCase() : undefined;
    if (named !== undefined)
      systems.add(
        /ubuntu|debian|fedora|arch/u.test(named)
          ? "linux"
          : named.startsWith("mac") || named === "osx"
            ? "macos"
            : named,
      );
    for (const command of commands) {
      const system = systemOf(command);
      if (system !== undefined) systems.add(system);
    }
  }
  if (systems.size > 1) report.add("SYSTEMS_IN_ONE", path, `for ${[...systems].join(", ")}`);
}

function checkPlace(all: readonly Instruction[], path: string, report: Report): void {
  const commands = all.flatMap((instruction) => instruction.commands);
  const isClone = (command: ShellCommand): boolean =>
    programOf(command) === "git" && operandsOf(command)[0] === "clone";
  const clone = commands.findIndex(isClone);
  const needy = commands.findIndex((command) => needsCheckout(command) && !isClone(command));
  if (needy === -1) return;
  const entersFirst = commands.slice(0, needy).some((command) => programOf(command) === "cd");
  const shownCommand = commands[needy]?.words.slice(0, 4).join(" ") ?? "";
  if (clone === -1 || clone > needy) {
    report.add("NO_CHECKOUT", path, `\`${shownCommand}\` needs the repository's files`);
  } else if (!entersFirst) {
    report.add("CLONE_WITHOUT_CD", path, `\`${shownCommand}\` would run beside the clone`);
  }
}

function checkFiles(all: readonly Instruction[], report: Report): void {
  const written = new Set<string>();
  for (const { path, text, commands } of all) {
    for (const command of commands) {
      for (const file of command.redirects) {
        // Appending keeps what is there.
        if (written.has(file) && !text.includes(">>"))
          report.add("OVERWRITES_FILE", path, `${file} is written a second time`);
        written.add(file);
      }
    }
  }
}

function checkInstruction({ path, commands }: Instruction, report: Report): void {
  for (const command of commands) {
    const line = command.words.slice(0, 4).join(" ");
    const reason = blockingReason(command);
    if (reason !== undefined) report.add("BLOCKING_COMMAND", path, `\`${line}\` ${reason}`);
    if (losesState(command)) report.add("LOST_SHELL_STATE", path, `\`${line}\` does not outlive its step`);
    if (ROOT.test(programOf(command))) report.add("NEEDS_ROOT", path, `\`${line}\``);
    if (/^(?:curl|wget)$/u.test(programOf(command))) report.add("UNPINNED_DOWNLOAD", path, `\`${line}\``);
  }
}

/** What can be kept of a method as steps: recipes where there is one, else the command with its meaning. */
function stepsOf(all: readonly Instruction[]): Record<string, string>[] {
  const steps: Record<string, string>[] = [];
  for (const { text, meaning, commands } of all) {
    const recipes = new Set(commands.map(recipeFor).filter((recipe) => recipe !== undefined));
    const isMoves = commands.every((command) => /^(?:cd|git|mkdir)$/u.test(programOf(command)) || losesState(command));
    if (isMoves) continue;
    const [recipe] = recipes;
    if (recipe !== undefined) {
      if (!steps.some((step) => step["uses"] === recipe)) steps.push({ uses: recipe });
    } else steps.push({ run: plainLine(text).trim(), ...(meaning === "" ? {} : { why: shown(meaning, 160) }) });
  }
  return steps;
}

interface Method {
  readonly title: string;
  readonly steps: readonly Record<string, string>[];
  readonly elsewhere: Readonly<Record<string, string>>;
  readonly commands: number;
}

/** Methods that only fetch a package of another package manager belong to `elsewhere`. */
function elsewhereOf(all: readonly Instruction[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const command of all.flatMap(({ commands }) => commands)) {
    const program = programOf(command);
    const words = operandsOf(command);
    const key = {
      brew: "brew",
      flatpak: "flatpak",
      docker: "docker",
      snap: "snap",
      winget: "winget",
      choco: "choco",
      scoop: "scoop",
    }[program];
    const name = words.at(-1);
    const isGet = words[0] === "install" || (program === "docker" && words[0] === "pull");
    if (key !== undefined && isGet && name !== undefined && words.length > 1 && name.length <= 200)
      found[key] ??= plainLine(name);
  }
  return found;
}

function readMethod(value: unknown, path: string, report: Report): Method | undefined {
  if (!isJson(value)) {
    report.add("MALFORMED", path, "is no map");
    return undefined;
  }
  const all: Instruction[] = [];
  const instructions = report.list(value["instructions"], `${path}.instructions`);
  for (const [index, raw] of instructions.entries()) {
    const place = `${path}.instructions[${index}]`;
    const text = isJson(raw) ? textOf(raw["command"]) : textOf(raw);
    const meaning = isJson(raw) ? textOf(raw["meaning"]) : "";
    if (text === "") report.add("MALFORMED", place, "has no command");
    const none = isNoCommand(text);
    const commands = none ? [] : shellCommands(text);
    const instruction = { path: place, text, meaning, commands };
    if (none && text !== "") report.add("NOT_A_COMMAND", place, `\`${shown(text, 80)}\``);
    else if (isEchoOfProse(commands)) report.add("ECHO_OF_PROSE", place, `\`${shown(text, 80)}\``);
    else checkInstruction(instruction, report);
    const placeholder = findPlaceholder(text);
    if (placeholder !== undefined)
      report.add("PLACEHOLDER_LEFT", place, `\`${placeholder}\` in \`${shown(text, 60)}\``);
    all.push(isEchoOfProse(commands) ? { ...instruction, commands: [] } : instruction);
  }
  checkAlternatives(all, path, report);
  checkSystems(all, path, report);
  checkPlace(all, path, report);
  checkFiles(all, report);
  const runnable = all.filter(({ commands }) => commands.length > 0);
  const elsewhere = elsewhereOf(runnable);
  return {
    title: shown(textOf(value["title"]), 80),
    steps: Object.keys(elsewhere).length > 0 && runnable.length === 1 ? [] : stepsOf(runnable),
    elsewhere,
    commands: instructions.length,
  };
}

const PROGRAM_TYPES =
  /^(?:system_?tool|tool|cli|command|package_?manager|language|language_?runtime|runtime|build_?tool|compiler|build_?system|version_?control|vcs|software|program|shell|toolchain)$/u;
const TOOL_NAMES: Readonly<Record<string, string>> = {
  python: "python3",
  python3: "python3",
  "node.js": "node",
  nodejs: "node",
  node: "node",
  golang: "go",
  go: "go",
  rust: "cargo",
  cargo: "cargo",
  "rust and cargo": "cargo",
  java: "java",
  jdk: "javac",
  maven: "mvn",
  gradle: "gradle",
  "c compiler": "cc",
  gcc: "gcc",
  clang: "clang",
  cmake: "cmake",
  ffmpeg: "ffmpeg",
};
/** Recipes bring these themselves, and every checkout needs git. */
const IMPLIED = new Set(["git", "npm", "pip", "pip3", "yarn", "pnpm"]);

function readRequirement(value: unknown, path: string, report: Report): Record<string, string> | undefined {
  if (!isJson(value)) {
    report.add("MALFORMED", path, "is no map");
    return undefined;
  }
  const name = plainLine(textOf(value["name"])).trim();
  const type = textOf(value["type"]).toLowerCase();
  if (name === "") {
    report.add("EMPTY_REQUIREMENT", path, `of the type ${shown(type, 40)}`);
    return undefined;
  }
  const tool =
    TOOL_NAMES[name.toLowerCase()] ?? (/^[A-Za-z0-9][\w.+-]{0,30}$/u.test(name) ? name.toLowerCase() : undefined);
  if (!PROGRAM_TYPES.test(type) || tool === undefined) {
    report.add("REQUIREMENT_NO_PROGRAM", path, `${name} (${shown(type, 40)})`);
    return undefined;
  }
  if (IMPLIED.has(tool)) return undefined;
  const number = /(\d+(?:\.\d+){0,3})/u.exec(textOf(value["version"]))?.[1];
  const isOptional = value["optional"] === true;
  return {
    tool,
    ...(number === undefined ? {} : { version: `>=${number}` }),
    ...(isOptional ? { optional: "true" } : {}),
  };
}

function nameOf(repository: string): string {
  const name = repository
    .slice(repository.lastIndexOf("/") + 1)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/gu, "-")
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/gu, "")
    .slice(0, 64);
  return isToolName(name) ? name : "unnamed";
}

function summaryOf(description: string, repository: string): string {
  const sentence = /^(.{3,117}?)[.!](?:\s|$)/u.exec(plainLine(description).trim())?.[1] ?? shown(description, 120);
  return sentence.length >= 3 ? sentence : `The repository ${repository}`;
}

const KINDS: Readonly<Record<string, string>> = {
  library: "library",
  framework: "library",
  sdk: "library",
  plugin: "library",
};

interface Read {
  readonly repository: string;
  readonly methods: readonly Method[];
  readonly requires: readonly Record<string, string>[];
}

function yamlOf(record: Json, { repository, methods, requires }: Read, findings: readonly ImportFinding[]): string {
  const git = forgeUrl(repository);
  const kind = KINDS[textOf(record["repo_type"]).toLowerCase()];
  const usable = methods.filter(({ steps }) => steps.length > 0);
  const elsewhere = Object.fromEntries(methods.flatMap((method) => Object.entries(method.elsewhere)));
  const ids = new Set<string>();
  const idOf = (title: string, index: number): string => {
    const words = title
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/gu, "-")
      .replaceAll(/^-+|-+$/gu, "")
      .slice(0, 40)
      .replace(/-+$/u, "");
    const id = words === "" || ids.has(words) ? `method-${index + 1}` : words;
    ids.add(id);
    return id;
  };
  const data = {
    schema: "ipm/v1",
    name: nameOf(repository),
    ...(kind === undefined ? {} : { kind }),
    summary: summaryOf(textOf(record["description"]), repository),
    license: "LicenseRef-unknown",
    ...(git === null ? {} : { source: { git } }),
    ...(requires.length === 0 ? {} : { requires }),
    ...(usable.length === 0 || kind !== undefined
      ? {}
      : { methods: usable.map(({ title, steps }, index) => ({ id: idOf(title, index), steps })) }),
    ...(Object.keys(elsewhere).length === 0 ? {} : { elsewhere }),
  };
  const document = newDocument(data);
  const counts = new Map<ImportDefect, number>();
  for (const { defect } of findings) counts.set(defect, (counts.get(defect) ?? 0) + 1);
  const found = [...counts].map(([defect, count]) => `${count} ${defect}`).join(", ");
  document.commentBefore = [
    ` TODO: imported from Installerpedia (${repository}), by nobody checked, and not installable as it is:`,
    ` TODO: pin a version (ipm init ${repository} does), choose the methods, write a test, find the licence`,
    ...(found === "" ? [] : [` found: ${found}`]),
  ].join("\n");
  if (isMap(document.contents)) {
    for (const pair of document.contents.items) {
      if (isScalar(pair.key) && pair.key.value === "license") pair.key.commentBefore = " TODO: the record does not say";
    }
  }
  return documentText(document);
}

/**
 * Turn one record into a draft with findings, whatever is wrong with it. Reads both shapes: the index document (`name`,
 * `meaning`, `applies_to`) and the generated one (`repo`, `keywords`). The record's text is never run and never trusted.
 * @param record parsed JSON
 */
export function importInstallerpedia(record: unknown): ImportedDraft {
  const report = new Report();
  const entry: Json = isJson(record) ? record : {};
  if (!isJson(record)) report.add("MALFORMED", "", "the record is no map");
  const repository = plainLine(textOf(entry["repo"]) || textOf(entry["name"]))
    .trim()
    .slice(0, 140);
  if (forgeUrl(repository) === null)
    report.add("MALFORMED", "name", `${repository === "" ? "no name" : `\`${repository}\``} is no OWNER/REPO`);
  const methods = report
    .list(entry["installation_methods"], "installation_methods")
    .map((value, index) => readMethod(value, `installation_methods[${index}]`, report))
    .filter((method) => method !== undefined);
  const requires = report
    .list(entry["prerequisites"], "prerequisites")
    .map((value, index) => readRequirement(value, `prerequisites[${index}]`, report))
    .filter((requirement) => requirement !== undefined);
  const unique = [...new Map(requires.map((requirement) => [requirement["tool"], requirement])).values()];
  for (const [index, value] of report.list(entry["resources_of_interest"], "resources_of_interest").entries()) {
    const address = isJson(value) ? textOf(value["url_or_path"]) : "";
    if (!/^https?:\/\//u.test(address))
      report.add("RELATIVE_RESOURCE", `resources_of_interest[${index}]`, shown(address, 80));
  }
  for (const [index, value] of report.list(entry["post_installation"], "post_installation").entries()) {
    const text = typeof value === "string" ? value : "";
    if (text.includes("```") || /^\s*\d+\. |\n\s*(?:\d+\.|[-*]) /u.test(text))
      report.add("PROSE_AFTERWARDS", `post_installation[${index}]`, shown(text, 80));
  }
  return {
    repository,
    name: nameOf(repository),
    text: yamlOf(entry, { repository, methods, requires: unique }, report.findings),
    findings: report.findings,
    methods: methods.length,
    commands: methods.reduce((sum, method) => sum + method.commands, 0),
  };
}
