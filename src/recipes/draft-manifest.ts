import { isMap, isScalar, isSeq } from "yaml";
import type { Document, Node } from "yaml";
import { isIpmError } from "../core/errors.ts";
import { isToolName } from "../core/ids.ts";
import type { CommitSha, TreeSha } from "../core/ids.ts";
import { plainLine } from "../core/untrusted-text.ts";
import { documentText, newDocument } from "../manifest/format-manifest.ts";
import type { Requirement } from "../manifest/manifest.ts";
import type { Candidate, DetectInput, PackageFacts, Server } from "./candidate.ts";
import { detect } from "./detect.ts";
import {
  type ReadmeCommand,
  type Found,
  elsewhereOf,
  findLicense,
  findServerFramework,
  neededSubmodules,
  readmeCommands,
  readmeOf,
  serverUrl,
  startInReadme,
  summaryOfReadme,
  tidySummary,
} from "./draft-evidence.ts";
import { parsePackageJson } from "./package-json.ts";
import { alternativesOf, rankCandidates, usableBins } from "./rank-candidates.ts";
import { type FoundLibrary, findSystemLibraries } from "./system-libraries.ts";
import { toolchainVersions } from "./toolchain-files.ts";

/** A released version with its pin. */
export interface DraftVersion {
  readonly version: string;
  readonly ref: string | null;
  readonly commit: CommitSha;
  readonly tree: TreeSha;
  /** The tag that the commit came after, and by how many commits. */
  readonly after?: { readonly tag: string; readonly distance: number };
  /** The branch that the commit is on, where there is no release at all: the version is its day. */
  readonly track?: string;
}

export interface DraftInput extends DetectInput {
  /** The URL for `source.git`; null: an `ipm.yaml` without `source` and `versions` is drafted. */
  readonly git: string | null;
  readonly versions: readonly DraftVersion[];
  /** Paths of submodules. */
  readonly submodules: readonly string[];
  /** How many of the ranked candidates are passed over, because they were tried and failed. */
  readonly skip?: number;
  /** What runs of the candidate taught; nothing was run without it. */
  readonly learned?: Learned;
}

/** What a run of a draft taught that its repository does not say. */
export interface Learned {
  /** Requirements that a failed build names, each with the line that does. */
  readonly missing: readonly FoundLibrary[];
  /** The smoke test: `probe` finds out which question the tool answers; an answer is one that it gave. */
  readonly test: "probe" | SmokeAnswer | null;
}

/** What a probe saw. */
export interface SmokeAnswer {
  readonly ask: string;
  /** The pattern that the answer is held to; `{version}` is known. */
  readonly output: string;
  /** The line of the answer that the pattern is for. */
  readonly line: string;
}

/** A value of the draft and why it is what it is. */
export interface DraftValue {
  /** Path of the key: `license`, `steps`, `tests`. */
  readonly key: string;
  readonly value: string;
  /** `package.json:12 what was concluded`. */
  readonly evidence: readonly string[];
}

/** A candidate in plain words, for those that were not taken. */
export interface DraftAlternative {
  readonly recipe: string;
  readonly dir: string | null;
  readonly confidence: Candidate["confidence"];
  readonly bins: readonly string[];
  readonly evidence: readonly string[];
  readonly doubts: readonly string[];
}

export interface Draft {
  readonly name: string;
  readonly kind: "tool" | "library" | "workspace";
  /** The manifest: of a registry, or an `ipm.yaml` where `git` is null. Each `# TODO` is in `todos` too. */
  readonly text: string;
  readonly values: readonly DraftValue[];
  /** What a person must look at. */
  readonly todos: readonly string[];
  /** What the README runs and the draft does not. */
  readonly notes: readonly string[];
  /** Submodules that its build speaks of: in `source`, where the draft has one. */
  readonly submodules: readonly string[];
  /** Every way that was seen, the best first; the draft is made of the one at `chosen`. */
  readonly candidates: readonly DraftAlternative[];
  readonly chosen: number;
}

/** `@scope/My_Tool` as `my_tool`: the nearest name that an entry may have, or undefined. */
export function toolNameOf(text: string): string | undefined {
  const bare = text.slice(text.lastIndexOf("/") + 1).toLowerCase();
  const name = bare
    .replaceAll(/[^a-z0-9._-]+/gu, "-")
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/gu, "")
    .slice(0, 64);
  return isToolName(name) ? name : undefined;
}

const GENERIC = new Set([
  "cli",
  "app",
  "server",
  "client",
  "main",
  "core",
  "tool",
  "project",
  "monorepo",
  "root",
  "workspace",
]);

function nameFor(candidate: Candidate, bins: readonly string[], repository: string): { value: string; why: string } {
  const own = toolNameOf(repository);
  const package_ = candidate.about.name === null ? undefined : toolNameOf(candidate.about.name);
  if (own !== undefined && bins.includes(own)) return { value: own, why: "the repository's name, and a command's" };
  if (package_ !== undefined && !GENERIC.has(package_)) return { value: package_, why: "the package's name" };
  const [bin] = bins.map(toolNameOf);
  if (own !== undefined && !GENERIC.has(own)) return { value: own, why: "the repository's name" };
  return {
    value: bin ?? own ?? package_ ?? "tool",
    why: bin === undefined ? "the repository's name" : "a command's name",
  };
}

type Plain = string | readonly Plain[] | { readonly [key: string]: Plain };

/** A value for `with`: texts, lists and maps of them. */
function plain(value: unknown): Plain {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
  return String(value);
}

function requirementSource(requirement: Requirement): Plain {
  const { version, for: when, optional, why, ...kind } = requirement;
  const isUsual = when === ("header" in kind || "pkg-config" in kind ? "build" : "both");
  return {
    ...kind,
    ...(version === null ? {} : { version }),
    ...(isUsual ? {} : { for: when }),
    ...(optional ? { optional: "true" } : {}),
    ...(why === null ? {} : { why }),
  };
}

const NATIVE = new Set(["make", "cmake", "meson", "autotools"]);

/** What the manifest must say of a candidate's requirements: recipes bring their own toolchain themselves. */
function statedRequirements(candidate: Candidate, input: DraftInput): { stated: Requirement[]; evidence: string[] } {
  const stated = candidate.requires.filter((requirement) => !("tool" in requirement));
  const evidence: string[] = [];
  for (const { value, evidence: line } of toolchainVersions(input.texts)) {
    const own = candidate.requires.filter((one) => "tool" in one && one.tool === value.tool);
    // What the package itself says is the better range; what its developers use is advice.
    if (own.length === 0 || own.some(({ version }) => version !== null)) continue;
    const file = line.split(":")[0] ?? "";
    stated.push({
      tool: value.tool,
      version: value.range,
      for: own[0]?.for ?? "both",
      optional: true,
      why: `what it is developed with, by ${file}`,
    });
    evidence.push(line);
  }
  if (candidate.recipe === "make") {
    for (const found of findSystemLibraries(
      input.texts,
      input.files.map(({ path }) => path),
    )) {
      stated.push(found.requirement);
      evidence.push(found.evidence);
    }
  }
  if (candidate.recipe === "copy") {
    for (const path of Object.values(candidate.bins)) {
      const shebang =
        path === null
          ? null
          : /^#!\s*(?:\/usr\/bin\/env\s+(?:-S\s+)?|\S*\/)([A-Za-z0-9._+-]+)/u.exec(input.texts[path] ?? "");
      const tool = shebang?.[1];
      if (tool === undefined || tool === "sh" || stated.some((one) => "tool" in one && one.tool === tool)) continue;
      stated.push({ tool, version: null, for: "run", optional: false, why: "runs the script" });
      evidence.push(`${path}:1 begins with #! of ${tool}`);
    }
  }
  return { stated, evidence };
}

function stepSource(candidate: Candidate): Plain {
  return {
    uses: candidate.recipe,
    ...(Object.keys(candidate.options).length === 0 ? {} : { with: plain(candidate.options) }),
    ...(candidate.dir === null ? {} : { dir: candidate.dir }),
  };
}

function binSource(bins: Readonly<Record<string, string | null>>): Plain {
  const entries = Object.entries(bins);
  if (entries.every(([, path]) => path === null)) return entries.map(([name]) => name);
  return Object.fromEntries(entries.map(([name, path]) => [name, path ?? `bin/${name}`]));
}

/** What nearly every tool answers at least one of, the one that says most first. */
const ASKS = ["--version", "--help", "-V", "-h"];

/** The answer of a tool that knows none of them and explains itself when it is started without arguments. */
const USAGE = "usage";

/** The usual questions, the first one that the tool has an answer to ends it; a probe says which one. */
function questions(command: string, test: Learned["test"]): string {
  // With a flag first: without one a server would begin to serve.
  const usage = ["-h", ""].map((ask) => `${`${command} ${ask}`.trim()} 2>&1 | grep -i ${USAGE}`).join(" || ");
  if (test === null) return [...ASKS.map((ask) => `${command} ${ask}`), usage].join(" || ");
  if (test !== "probe") return test.ask === USAGE ? usage : `${command} ${test.ask}`;
  const answers = `said="$(${command} $ask 2>&1)" && [ -n "$said" ]`;
  return `for ask in ${ASKS.join(" ")}; do if ${answers}; then printf '${ANSWERED}%s\\n%s\\n' "$ask" "$said"; exit; fi; done; printf '%s\\n' "$said"; said="$(${usage})" || exit 1; printf '${ANSWERED}%s\\n%s\\n' ${USAGE} "$said"`;
}

const ANSWERED = "answered to ";

/**
 * Read what a probe printed. Where the answer holds the version as a word of its own, that is what the test expects.
 * @param version the drafted version, or null where it is not known beforehand
 */
export function readProbe(lines: readonly string[], name: string, version: string | null): SmokeAnswer | undefined {
  const known = new Set([...ASKS, USAGE]);
  const start = lines.findIndex((line) => line.startsWith(ANSWERED) && known.has(line.slice(ANSWERED.length)));
  const ask = lines[start]?.slice(ANSWERED.length);
  const said = lines.slice(start + 1).filter((line) => line.trim() !== "");
  const [first] = said;
  if (ask === undefined || first === undefined) return undefined;
  const word = version === null ? undefined : new RegExp(`(?<![0-9.])${quotePattern(version)}(?![0-9]|\\.[0-9])`, "u");
  // A usage text may hold the version of something else; what is asked for it says its own.
  const line = word !== undefined && /^(?:--version|-V)$/u.test(ask) ? said.find((one) => word.test(one)) : undefined;
  if (line === undefined || version === null) return { ask, output: String.raw`\S`, line: first };
  // The whole line where it is nothing but the name and the version, as most tools print them.
  const before = [`${name} `, `${name} v`, `${name} version `, "v", ""].find((text) => line === `${text}${version}`);
  return { ask, output: before === undefined ? "{version}" : `^${quotePattern(before)}{version}$`, line };
}

function quotePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`);
}

/** A command that answers whichever of the usual questions the tool knows, or the one that it is known to answer. */
function smokeTest(
  command: string,
  texts: Readonly<Record<string, string>>,
  test: Learned["test"],
  isScript: boolean,
): Plain {
  const asks = questions(command, test);
  // Programs that draw on the terminal want to know which one it is.
  const toldVersion = test !== null && test !== "probe" && test.output.includes("{version}");
  const isCurses = Object.values(texts).some((text) => /-l(?:n?cursesw?|tinfo)\b|#\s*include\s*<n?curses/u.test(text));
  return {
    run: `${isCurses ? "export TERM=xterm; " : ""}${asks}`,
    // A filter answers nothing but what it reads; what told its version needed none.
    ...(isScript && !toldVersion ? { stdin: "some text" } : {}),
    expect: { output: test === null || test === "probe" ? String.raw`\S` : test.output },
  };
}

/** A server has no other answer than to be there: whatever it says at its address, it runs. */
function serverTest({ url }: Server): Plain {
  return { run: `curl -sS -o /dev/null ${url}`, during: "start" };
}

/**
 * How a server is started: as the README runs it just before it names the address, where the project is one by its
 * dependencies or its sources; by its command alone where the summary says that it is one. Never by a guess.
 */
function startOf(
  input: DraftInput,
  candidate: Candidate,
  command: string,
  summary: Plain | undefined,
): Found<{ run: string; url: string }> | undefined {
  const isServer = /\bserver\b/iu.test(JSON.stringify(summary ?? ""));
  if (isServer || findServerFramework(input.texts) !== undefined) {
    const shown = startInReadme(input.texts, Object.keys(candidate.bins));
    if (shown !== undefined) return shown;
  }
  const url = isServer ? serverUrl(input.texts) : undefined;
  return url === undefined ? undefined : { value: { run: command, url: url.value }, evidence: url.evidence };
}

function primaryBin(bins: readonly string[], name: string, repository: string): string | undefined {
  return bins.find((bin) => bin === name) ?? bins.find((bin) => bin === repository.toLowerCase()) ?? bins[0];
}

function flow(document: Document, path: readonly (string | number)[]): void {
  const node = document.getIn(path, true);
  if (isMap(node) || isSeq(node)) node.flow = true;
}

function comment(document: Document, key: string, lines: readonly string[]): void {
  if (!isMap(document.contents) || lines.length === 0) return;
  const pair = document.contents.items.find((item) => isScalar(item.key) && item.key.value === key);
  if (pair === undefined || !isScalar(pair.key)) return;
  const keyNode: Node = pair.key;
  keyNode.commentBefore = lines.map((line) => ` ${line}`).join("\n");
}

/** Texts for people and commands of somebody else's repository must not become more than one line of a comment. */
function oneLine(text: string): string {
  return plainLine(text).slice(0, 200);
}

function keywordsOf({ keywords }: PackageFacts): readonly string[] {
  const words = keywords.map((word) => word.toLowerCase().trim());
  return [...new Set(words)].filter((word) => /^[a-z0-9][a-z0-9+#._ -]{0,39}$/u.test(word)).slice(0, 8);
}

function homepageOf({ homepage }: PackageFacts, git: string | null): string | undefined {
  if (homepage === null || !URL.canParse(homepage)) return undefined;
  const url = new URL(homepage);
  if (url.protocol !== "https:" || url.username !== "" || url.password !== "" || url.hash !== "") return undefined;
  const bare = (text: string): string => text.replace(/(?:\.git)?\/?$/u, "").toLowerCase();
  return git !== null && bare(url.href) === bare(git) ? undefined : url.href;
}

function describe(candidate: Candidate): DraftAlternative {
  const { recipe, dir, confidence, evidence, doubts } = candidate;
  return {
    recipe,
    dir,
    confidence,
    bins: Object.keys(usableBins(candidate)),
    evidence: evidence.map(oneLine),
    doubts: doubts.map(oneLine),
  };
}

const REGISTRY_OF: Readonly<Record<string, string>> = { npm: "npm", python: "pypi", cargo: "crates", go: "go" };

interface Parts {
  readonly data: Record<string, Plain>;
  readonly values: DraftValue[];
  readonly comments: Record<string, string[]>;
}

function todo(parts: Parts, key: string, text: string): void {
  (parts.comments[key] ??= []).push(`TODO: ${oneLine(text)}`);
}

function set(parts: Parts, key: string, value: Plain, evidence: readonly string[]): void {
  parts.data[key] = value;
  const shown = typeof value === "string" ? value : JSON.stringify(value);
  parts.values.push({ key, value: shown, evidence: evidence.map(oneLine) });
}

/**
 * What the repository says of the tool, and in which file. A recipe whose own file says nothing of it (a script, a
 * Makefile) takes the word of a package.json at the root that has the tool's name: projects publish themselves with one.
 */
function statedFacts(
  { recipe, evidence, about }: Candidate,
  texts: DraftInput["texts"],
  name: string,
): { about: PackageFacts; packageFile: string } {
  const [file = recipe] = evidence;
  const own = { about, packageFile: file.split(/[: ]/u)[0] ?? file };
  const text = texts["package.json"];
  if (text === undefined || about.summary !== null || about.license !== null) return own;
  try {
    const beside = parsePackageJson(text, [], "package.json").about;
    const isSame = beside.name?.replace(/^@[^/]*\//u, "").toLowerCase() === name.toLowerCase();
    return isSame ? { about: beside, packageFile: "package.json" } : own;
  } catch (error) {
    if (isIpmError(error)) return own;
    throw error;
  }
}

function describeTool(
  parts: Parts,
  candidate: Candidate,
  input: Pick<DraftInput, "texts" | "git">,
  name: string,
): void {
  const { about, packageFile } = statedFacts(candidate, input.texts, name);
  const stated = about.summary === null ? undefined : tidySummary(about.summary, name);
  const summary =
    stated === undefined
      ? summaryOfReadme(input.texts, name)
      : { value: stated, evidence: `${packageFile} description` };
  set(
    parts,
    "summary",
    summary?.value ?? `The ${name} of its repository`,
    summary === undefined ? [] : [summary.evidence],
  );
  if (summary === undefined) todo(parts, "summary", "say what it does, in one line");
  const license = findLicense(input.texts, about, packageFile);
  set(parts, "license", license?.value ?? "LicenseRef-unknown", license === undefined ? [] : [license.evidence]);
  if (license === undefined) todo(parts, "license", "no licence was recognised: without one nobody may use it");
  else if (/^A?L?GPL-[0-9.]+$/u.test(license.value))
    todo(parts, "license", `${license.value}-only or ${license.value}-or-later: the text does not say`);
  const homepage = homepageOf(about, input.git);
  if (homepage !== undefined) set(parts, "homepage", homepage, [`${packageFile} homepage`]);
  const keywords = keywordsOf(about);
  if (keywords.length > 0) set(parts, "keywords", keywords, [`${packageFile} keywords`]);
}

function describeSource(parts: Parts, input: DraftInput, needed: readonly Found<string>[]): void {
  if (input.git === null) return;
  const track = input.versions.find((version) => version.track !== undefined)?.track;
  const follows = track === undefined ? [] : [`no tag looks like a version: ${track} is followed, by its days`];
  const source = {
    git: input.git,
    ...(needed.length === 0 ? {} : { submodules: needed.map(({ value }) => value) }),
    ...(track === undefined ? {} : { track }),
  };
  set(parts, "source", source, ["the target", ...needed.map(({ evidence }) => evidence), ...follows]);
  const versions = input.versions.map(({ version, ref, commit, tree }) => ({
    version,
    ...(ref === null ? {} : { ref }),
    commit,
    tree,
  }));
  set(
    parts,
    "versions",
    versions,
    input.versions.map(({ ref, commit, after }) =>
      after === undefined
        ? `${ref ?? "HEAD"} is ${commit}`
        : `${commit} is ${after.distance} ${after.distance === 1 ? "commit" : "commits"} after ${after.tag}`,
    ),
  );
  const after = input.versions.find((version) => version.after !== undefined)?.after;
  if (after !== undefined) todo(parts, "versions", `no release: what came after ${after.tag}`);
  else if (track === undefined && input.versions.every(({ ref }) => ref?.startsWith("refs/tags/") !== true))
    todo(parts, "versions", "no tag looks like a version: this is a commit of a branch");
}

function describeMethods(
  parts: Parts,
  first: Candidate,
  others: readonly Candidate[],
  input: DraftInput,
  bins: Readonly<Record<string, string | null>>,
): void {
  const needs = [first, ...others].map((candidate) => statedRequirements(candidate, input));
  for (const { requirement, evidence } of input.learned?.missing ?? []) {
    needs[0]?.stated.push(requirement);
    needs[0]?.evidence.push(evidence);
  }
  const requires = (index: number): Plain[] => (needs[index]?.stated ?? []).map(requirementSource);
  const evidence = (index: number): string[] => [
    ...([first, ...others][index]?.evidence ?? []),
    ...(needs[index]?.evidence ?? []),
  ];
  if (others.length === 0) {
    if (requires(0).length > 0) set(parts, "requires", requires(0), needs[0]?.evidence ?? first.evidence);
    set(parts, "steps", [stepSource(first)], evidence(0));
  } else {
    const methods = [first, ...others].map((candidate, index) => ({
      ...(requires(index).length === 0 ? {} : { requires: requires(index) }),
      steps: [stepSource(candidate)],
    }));
    set(
      parts,
      "methods",
      methods,
      [first, ...others].flatMap((_, index) => evidence(index)),
    );
  }
  set(
    parts,
    "bin",
    binSource(bins),
    first.evidence.filter((line) => /command|bin|program|entry|script|main/iu.test(line)),
  );
}

const SCRIPT = /^(?!setup|conftest|noxfile|tasks|fabfile|versioneer|_)\w+\.py$/u;
const STUDY = /\b(?:course|tutorials?|workshop|lessons?|exercises|notebooks?|from[- ]scratch|paper|reproduc\w+)\b/iu;

/**
 * What tells that a repository without a command is worked in: a course, a paper's code, notebooks. Not one whose README
 * installs it from the index: that is a library.
 */
function workspaceSign(candidate: Candidate, input: DraftInput, summary: string): string | undefined {
  if (candidate.recipe !== "python") return undefined;
  const paths = input.files.map(({ path }) => path);
  const readme = readmeOf(input.texts);
  const name = candidate.about.name ?? input.name;
  const plain = name.replaceAll(/[^\w-]/gu, "");
  const isPublished = new RegExp(`\\bpip3? install (?:-U |--upgrade )?${plain}(?![\\w/.-])`, "iu");
  if (readme !== undefined && isPublished.test(readme.text)) return undefined;
  const notebook = paths.find((path) => path.endsWith(".ipynb") && !/(?:^|\/)(?:tests?|docs?)\//u.test(path));
  if (notebook !== undefined) return `${notebook} is a notebook`;
  const script = paths.find((path) => SCRIPT.test(path));
  if (script !== undefined) return `${script} is a script to run in it`;
  return STUDY.test(`${summary} ${input.name.replaceAll(/[-_]/gu, " ")}`) ? "it is there to learn from" : undefined;
}

/** A first test of what a workspace has: its package can be loaded, or its environment is whole. */
function workspaceTest(input: DraftInput): Plain {
  const packages = input.files.flatMap(({ path }) => /^(?:src\/)?([A-Za-z]\w*)\/__init__\.py$/u.exec(path)?.[1] ?? []);
  const own = packages.find((name) => !/^(?:tests?|docs?|examples?|scripts?|utils|data|config)$/u.test(name));
  return { run: own === undefined ? "python -m pip check" : `python -c "import ${own}"` };
}

function todosOf(
  parts: Parts,
  first: Candidate,
  ranked: readonly Candidate[],
  input: DraftInput,
  needed: readonly Found<string>[],
): void {
  const key = parts.data["methods"] === undefined ? (parts.data["steps"] === undefined ? "kind" : "steps") : "methods";
  for (const doubt of first.doubts) todo(parts, key, doubt);
  const left = input.submodules.filter((path) => !needed.some(({ value }) => value === path));
  if (left.length > 0) todo(parts, key, `it has submodules, which are not fetched: ${left.slice(0, 5).join(", ")}`);
  const hidden = Object.keys(first.bins).filter((bin) => usableBins(first)[bin] === undefined);
  if (hidden.length > 0)
    todo(parts, "bin", `not provided, because every system has a command of that name: ${hidden.join(", ")}`);
  const rest = ranked
    .filter((candidate) => candidate !== first && Object.keys(usableBins(candidate)).length > 0)
    .slice(0, 4);
  for (const other of rest) {
    const where = other.dir === null ? "" : ` in ${other.dir}`;
    const how = Object.keys(other.options).length === 0 ? "" : ` with ${JSON.stringify(other.options)}`;
    (parts.comments[key] ??= []).push(
      oneLine(
        `another way that was seen: uses: ${other.recipe}${how}${where}, for ${Object.keys(usableBins(other)).slice(0, 6).join(", ")}`,
      ),
    );
  }
}

function notesOf(commands: readonly ReadmeCommand[]): string[] {
  return commands.filter(({ isCovered }) => !isCovered).map(({ text, evidence }) => oneLine(`${evidence} ${text}`));
}

/** A package of an ecosystem's registry, for a draft that installs it by a lock. */
export interface PackageDraft {
  /** `npm:ripcat`. */
  readonly package: string;
  readonly recipe: string;
  readonly about: PackageFacts;
  readonly bins: readonly string[];
  readonly version: string;
  readonly integrity: string;
  /** Where the lock is, beside the manifest. */
  readonly lock: string;
  /** `2026-11-01`. */
  readonly added: string;
  readonly prerelease: boolean;
  readonly notices: readonly string[];
}

/** The name that an entry for a package is given: the package's, without `-cli` where its command has none either. */
export function nameOfPackage(name: string, bins: readonly string[]): string {
  const own = toolNameOf(name.replace(/\/v\d+$/u, "").replace(/^.*:/u, ""));
  const scope = toolNameOf(/^@([^/]+)\//u.exec(name)?.[1] ?? "");
  const commands = bins.map(toolNameOf);
  const stem = own?.replace(/-cli$/u, "");
  if (stem !== undefined && commands.includes(stem)) return stem;
  if (own !== undefined && !GENERIC.has(own)) return own;
  return commands[0] ?? scope ?? own ?? "tool";
}

/**
 * Draft a manifest for a package by what its registry says of it. Pure.
 * @param name as `nameOfPackage` has it
 */
export function draftPackage(input: PackageDraft, name: string): Draft {
  const candidate: Candidate = {
    recipe: input.recipe,
    dir: null,
    confidence: "certain",
    evidence: [input.package],
    bins: Object.fromEntries(input.bins.map((bin) => [bin, null])),
    requires: [],
    options: {},
    about: input.about,
    doubts: input.notices,
  };
  const says = [`${input.package} in its registry`];
  const parts: Parts = { data: {}, values: [], comments: {} };
  parts.data["schema"] = "ipm/v1";
  set(parts, "name", name, ["the package's name, or its command's"]);
  describeTool(parts, candidate, { texts: {}, git: null }, name);
  set(parts, "source", { package: input.package }, ["the target"]);
  const { version, integrity, lock, added, prerelease } = input;
  const entry = { version, integrity, lock, added, ...(prerelease ? { prerelease: "true" } : {}) };
  set(parts, "versions", [entry], ["the newest that the registry has, and its lock"]);
  const bins = usableBins(candidate);
  const names = Object.keys(bins);
  const isLibrary = names.length === 0;
  if (isLibrary) {
    set(parts, "kind", "library", ["no command is declared"]);
    parts.data["versions"] = [{ version, added }];
    set(parts, "elsewhere", { [input.package.split(":")[0] ?? ""]: input.about.name ?? name }, says);
  } else {
    set(parts, "steps", [stepSource(candidate)], says);
    set(parts, "bin", binSource(bins), says);
    const command = primaryBin(names, name, name) ?? name;
    set(parts, "tests", [smokeTest(command, {}, null, false)], [`${command} is a command of it`]);
    todo(parts, "tests", "a test with a known answer proves more than that it starts");
  }
  for (const notice of input.notices) todo(parts, isLibrary ? "kind" : "steps", notice);
  const todos = Object.values(parts.comments).flat();
  return {
    name,
    kind: isLibrary ? "library" : "tool",
    text: yamlOf(parts),
    values: parts.values,
    todos: todos.map((line) => line.slice("TODO: ".length)),
    notes: [],
    submodules: [],
    candidates: [describe(candidate)],
    chosen: 0,
  };
}

/** Build the YAML of the parts, in canonical order and style. */
function yamlOf(parts: Parts): string {
  const order = [
    "schema",
    "name",
    "kind",
    "summary",
    "license",
    "homepage",
    "keywords",
    "source",
    "versions",
    "requires",
    "steps",
    "methods",
    "bin",
    "tests",
    "start",
    "elsewhere",
  ];
  const sorted = Object.fromEntries(
    order.flatMap((key) => (parts.data[key] === undefined ? [] : [[key, parts.data[key]]])),
  );
  const document = newDocument(sorted);
  for (const key of ["source", "keywords", "bin", "start", "elsewhere"]) flow(document, [key]);
  for (const [key, list] of Object.entries(sorted)) {
    if (!Array.isArray(list) || key === "methods") continue;
    for (const index of list.keys()) flow(document, [key, index]);
  }
  const methods = sorted["methods"];
  if (Array.isArray(methods))
    for (const index of methods.keys())
      for (const part of ["requires", "steps"]) flow(document, ["methods", index, part]);
  for (const [key, lines] of Object.entries(parts.comments)) comment(document, key, lines);
  return documentText(document);
}

/**
 * Draft a manifest from what a repository says: which recipe, which commands, licence, summary, requirements, a first test,
 * each with its evidence. Pure: no disk, no network, no language model.
 * @returns the draft, or undefined when no recipe sees anything that it could install (or all were skipped)
 */
export function draftManifest(input: DraftInput): Draft | undefined {
  const ranked = rankCandidates(detect(input), input.name);
  const chosen = input.skip ?? 0;
  const first = ranked[chosen];
  if (first === undefined) return undefined;
  const bins = usableBins(first);
  const names = Object.keys(bins);
  const hasNone = names.length === 0;
  // What failed before is no alternative any more.
  const others = hasNone ? [] : alternativesOf(first, ranked.slice(chosen + 1));
  const { value: name, why } = nameFor(first, names, input.name);
  const parts: Parts = { data: {}, values: [], comments: {} };
  parts.data["schema"] = "ipm/v1";
  set(parts, "name", name, [why]);
  describeTool(parts, first, input, name);
  // A workspace's are its user's, a library builds nothing.
  const needed = hasNone ? [] : neededSubmodules(input.texts, input.submodules).slice(0, 32);
  describeSource(parts, input, needed);
  const commands = readmeCommands(input.texts, first.recipe);
  const elsewhere = { ...elsewhereOf(commands, name) };
  const sign = hasNone ? workspaceSign(first, input, JSON.stringify(parts.data["summary"])) : undefined;
  const isLibrary = hasNone && sign === undefined;
  if (sign !== undefined) {
    set(parts, "kind", "workspace", [sign]);
    const { stated, evidence } = statedRequirements(first, input);
    if (stated.length > 0) set(parts, "requires", stated.map(requirementSource), evidence);
    set(parts, "steps", [stepSource(first)], first.evidence);
    set(parts, "tests", [workspaceTest(input)], ["what the steps prepare"]);
  } else if (isLibrary) {
    set(parts, "kind", "library", first.doubts.length > 0 ? first.doubts : ["no command is declared"]);
    const registry = REGISTRY_OF[first.recipe];
    if (registry !== undefined && first.about.name !== null) elsewhere[registry] ??= first.about.name;
  } else {
    describeMethods(parts, first, others, input, bins);
    const command = primaryBin(names, name, input.name) ?? names[0] ?? name;
    const test = input.learned?.test ?? null;
    const answer = test === "probe" ? null : test;
    const { server } = first;
    set(
      parts,
      "tests",
      server !== undefined
        ? [serverTest(server)]
        : [smokeTest(command, NATIVE.has(first.recipe) ? input.texts : {}, test, first.recipe === "copy")],
      [
        server !== undefined
          ? `${server.evidence}, which answers`
          : answer === null
            ? `${command} is a command of it`
            : `${command} ${answer.ask} said: ${answer.line}`,
      ],
    );
    todo(parts, "tests", "a test with a known answer proves more than that it starts");
    if (server !== undefined)
      set(parts, "start", { run: `${command} ${server.arguments}`, url: server.url }, [server.evidence]);
    const start = server === undefined ? startOf(input, first, command, parts.data["summary"]) : undefined;
    if (start !== undefined) set(parts, "start", start.value, [start.evidence]);
  }
  if (Object.keys(elsewhere).length > 0)
    set(parts, "elsewhere", elsewhere, ["commands of the README, or the package's name"]);
  todosOf(parts, first, ranked, input, input.git === null ? [] : needed);
  const todos = Object.values(parts.comments).flatMap((lines) =>
    lines.filter((line) => line.startsWith("TODO: ")).map((line) => line.slice(6)),
  );
  return {
    name,
    kind: sign === undefined ? (isLibrary ? "library" : "tool") : "workspace",
    text: yamlOf(parts),
    values: parts.values,
    todos,
    notes: notesOf(commands),
    candidates: ranked.map(describe),
    chosen,
    submodules: needed.map(({ value }) => value),
  };
}
