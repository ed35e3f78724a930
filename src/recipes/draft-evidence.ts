import { plainLine } from "../core/untrusted-text.ts";
import { identifyLicense, normalizeLicense } from "../manifest/identify-license.ts";
import { recipeFor } from "../manifest/lint/rules/shell-instead-of-recipe.ts";
import { operandsOf, programOf, shellCommands } from "../manifest/shell-commands.ts";
import type { Candidate } from "./candidate.ts";
import type { SourceFile } from "./listing.ts";
import { nameOf } from "./listing.ts";
import { TOOLCHAIN_FILES } from "./toolchain-files.ts";

/** A value that a repository says, and where. */
export interface Found<Value> {
  readonly value: Value;
  /** `file:line`, or `file`; what was concluded, after a space. */
  readonly evidence: string;
}

const README = /^(?:readme|README|Readme)(?:\.(?:md|markdown|rst|txt|org|adoc|asciidoc))?$/u;
const LICENSE = /^(?:LICEN[CS]E|License|Licence|license|licence|COPYING|Copying|UNLICENSE)(?:[-.][A-Za-z0-9.-]+)?$/u;
const C_SOURCE = /\.(?:c|cc|cpp|cxx|h|hpp)$/u;
const ASIDE = /(?:^|\/)(?:tests?|examples?|docs?|third_party|vendor|contrib|bench(?:marks?)?|node_modules)\//u;
const MAX_SOURCES = 60;

/** Files, beside those of the recipes, whose text a draft is made from; few and small ones. */
export function evidenceReads(files: readonly SourceFile[]): readonly string[] {
  const paths = files.map(({ path }) => path);
  const atRoot = paths.filter((path) => !path.includes("/"));
  return [
    ...atRoot.filter((path) => README.test(path)).slice(0, 2),
    ...atRoot.filter((path) => LICENSE.test(path)).slice(0, 4),
    ...atRoot.filter((path) => TOOLCHAIN_FILES.includes(path)),
    ...atRoot.filter((path) => /^(?:Procfile|\.gitmodules|(?:GNU)?[Mm]akefile)$/u.test(path)),
    ...paths
      .filter((path) => C_SOURCE.test(path) && !ASIDE.test(path) && path.split("/").length <= 3)
      .slice(0, MAX_SOURCES),
  ];
}

/** The README's text and path. */
export function readmeOf(texts: Readonly<Record<string, string>>): { path: string; text: string } | undefined {
  const path = Object.keys(texts).find((file) => README.test(file));
  return path === undefined ? undefined : { path, text: texts[path] ?? "" };
}

/** The licence: what the package says where that is an SPDX expression, else by the text of the licence's file. */
export function findLicense(
  texts: Readonly<Record<string, string>>,
  about: Candidate["about"] | undefined,
  evidence: string,
): Found<string> | undefined {
  const stated = about?.license ?? null;
  const expression = stated === null ? null : normalizeLicense(stated);
  if (expression !== null) return { value: expression, evidence: `${evidence} license ${stated}` };
  const files = Object.keys(texts).filter((path) => LICENSE.test(path));
  const identified = files.flatMap((path) => {
    const id = identifyLicense(texts[path] ?? "");
    return id === null ? [] : [{ id, path }];
  });
  const ids = [...new Set(identified.map(({ id }) => id))];
  if (ids.length > 0) {
    // `LICENSE-MIT` beside `LICENSE-APACHE` is a choice; other pairs are for a person, and begin with the first.
    const isChoice =
      identified.length > 1 && identified.every(({ path }) => /[-.](?:mit|apache|bsd|unlicense|isc|zlib)/iu.test(path));
    return {
      value: isChoice ? ids.toSorted().join(" OR ") : (ids[0] ?? ""),
      evidence: `${identified.map(({ path }) => path).join(", ")} text of ${ids.join(", ")}`,
    };
  }
  const readme = readmeOf(texts);
  const sentence =
    readme === undefined
      ? null
      : /^.*\b(MIT|Apache[- ]2(?:\.0)?|GPL-?v?[23]|BSD|ISC|MPL[- ]2(?:\.0)?) licen[cs]ed?\b/imu.exec(readme.text);
  const fromReadme = sentence === null ? null : normalizeLicense(sentence[1] ?? "");
  if (readme === undefined || sentence === null || fromReadme === null) return undefined;
  return { value: fromReadme, evidence: `${readme.path}:${lineOf(readme.text, sentence.index)} says so` };
}

const BUILD_FILE =
  /(?:^|\/)(?:CMakeLists\.txt|[\w.-]+\.cmake|(?:GNU)?[Mm]akefile(?:\.\w+)?|[\w.-]+\.mk|meson\.build|configure(?:\.ac)?|Cargo\.toml|go\.mod|setup\.py|pyproject\.toml|package\.json)$/u;

/**
 * The submodules that a build speaks of: those whose path stands in one of its files, written from the root or from the
 * file's own folder. The others are often tests, benchmarks and pages.
 */
export function neededSubmodules(
  texts: Readonly<Record<string, string>>,
  submodules: readonly string[],
): readonly Found<string>[] {
  return submodules.flatMap((path) => {
    for (const [file, text] of Object.entries(texts)) {
      if (!BUILD_FILE.test(file)) continue;
      const folder = file.slice(0, file.lastIndexOf("/") + 1);
      const names = [path, ...(folder !== "" && path.startsWith(folder) ? [path.slice(folder.length)] : [])];
      for (const name of names) {
        const escaped = name.replaceAll(/[.*+?^${}()|[\]\\]/gu, String.raw`\$&`);
        const match = new RegExp(String.raw`(?<![\w-])${escaped}(?![\w-])`, "u").exec(text);
        if (match !== null) return [{ value: path, evidence: `${file}:${lineOf(text, match.index)} needs ${path}` }];
      }
    }
    return [];
  });
}

function lineOf(text: string, at: number): number {
  return text.slice(0, at).split("\n").length;
}

const MAX_SUMMARY = 120;

/** One line for lists: no mark-up, no name in front, no full stop, at most 120 characters. */
export function tidySummary(text: string, name: string): string | undefined {
  let line = plainLine(text)
    .replaceAll(/!\[[^\]]*\]\([^)]*\)/gu, "")
    .replaceAll(/\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/gu, "$1")
    .replaceAll(/<[^>]*>/gu, "")
    .replaceAll(/`{1,2}([^`]*)`{1,2}/gu, "$1")
    .replaceAll(/\*\*?|__|:[a-z_]+:/gu, "")
    .replaceAll(/[\u{1f000}-\u{1faff}]|\ufe0f/gu, " ")
    .replaceAll(/\s+/gu, " ")
    .trim();
  const lower = line.toLowerCase();
  for (const start of [
    `${name.toLowerCase()} is `,
    `${name.toLowerCase()} - `,
    `${name.toLowerCase()}: `,
    `${name.toLowerCase()} – `,
    `${name.toLowerCase()} — `,
  ]) {
    if (lower.startsWith(start)) line = line.slice(start.length).trim();
  }
  if (line.toLowerCase().startsWith(`${name.toLowerCase()} `)) line = line.slice(name.length).trim();
  line = line.replace(/^(?:an?|the) (?=[a-z])/u, "");
  line = `${(line[0] ?? "").toUpperCase()}${line.slice(1)}`;
  if (line.length > MAX_SUMMARY) {
    const sentence = /^(.{20,118}?)[.!?;](?:\s|$)/u.exec(line)?.[1];
    line = sentence ?? `${line.slice(0, MAX_SUMMARY - 1).replace(/\s+\S*$/u, "")}…`;
  }
  line = line.replace(/([^.])\.$/u, "$1");
  return line.length < 3 ? undefined : line;
}

/** The first paragraph of a README that says something: no heading, badge, picture, list or code. */
export function summaryOfReadme(texts: Readonly<Record<string, string>>, name: string): Found<string> | undefined {
  const readme = readmeOf(texts);
  if (readme === undefined) return undefined;
  const lines = readme.text.split("\n");
  let isCode = false;
  for (const [index, raw] of lines.slice(0, 80).entries()) {
    const line = raw.trim();
    if (/^(?:```|~~~)/u.test(line)) isCode = !isCode;
    if (
      line === "" ||
      isCode ||
      /^(?:#|=|:[\w!-]+:|\[[\w,="%. -]*\]$|image::|-{3}|\*{3}|```|~~~|\||<|!\[|\[!|\[\]|\.\.|::|>|[-*+] |\d+\. )/u.test(
        line,
      )
    )
      continue;
    // The line above a rule of `===` or `---` is a heading.
    if (/^(?:=+|-+|~+|\*+)$/u.test(lines[index + 1]?.trim() ?? "")) continue;
    const end = lines.findIndex((other, at) => at > index && !/^\s*[\p{L}\p{N}"'`*_([]/u.test(other));
    const paragraph = lines.slice(index, end === -1 ? index + 1 : end).join(" ");
    if (/\b(?:sponsor|donat|show your love|follow me|join (?:us|our)|chat on|star this)/iu.test(paragraph)) continue;
    const summary = tidySummary(paragraph, name);
    if (summary !== undefined && summary.split(" ").length >= 3 && !/https?:\/\//u.test(summary))
      return { value: summary, evidence: `${readme.path}:${index + 1}` };
  }
  return undefined;
}

/** What a README's installation section runs. */
export interface ReadmeCommand {
  readonly text: string;
  readonly evidence: string;
  /** The recipe does the same: nothing is to be added. */
  readonly isCovered: boolean;
}

const ASKS_FOR_INSTALL = /install|build|compil|setup|set up|getting started|quick ?start|from source/iu;

/** A line of a README, and what it is: mark-up is Markdown, reStructuredText or AsciiDoc by the file's ending. */
interface ReadmeLine {
  readonly text: string;
  /** From 1. */
  readonly line: number;
  readonly kind: "heading" | "code" | "text";
}

const RULE = /^([=\-~^"'`+*#.:_])\1{2,}$/u;

/** Tell headings and code from text. */
function readmeLines({ path, text }: { readonly path: string; readonly text: string }): readonly ReadmeLine[] {
  const isRst = /\.rst$/iu.test(path);
  const isAsciidoc = /\.(?:adoc|asciidoc)$/iu.test(path);
  const fence = isAsciidoc ? /^(?:-{4,}|\.{4,}|```)/u : /^(?:```|~~~)/u;
  const all = text.split("\n");
  let isCode = false;
  /** Of a reStructuredText block: how far the line is indented that announces it. */
  let literal: number | null = null;
  const found: ReadmeLine[] = [];
  for (const [index, raw] of all.entries()) {
    const line = raw.trim();
    const add = (kind: ReadmeLine["kind"], shown = line): void =>
      void found.push({ text: shown, line: index + 1, kind });
    if (!isRst && fence.test(line)) {
      isCode = !isCode;
      continue;
    }
    if (isCode) {
      add("code");
      continue;
    }
    if (line === "") continue;
    if (isRst) {
      const indent = raw.length - raw.trimStart().length;
      if (literal !== null && indent > literal) {
        if (!/^:[a-z-]+:/u.test(line)) add("code");
        continue;
      }
      literal = /^\.\.\s+(?:code(?:-block)?|sourcecode|parsed-literal)::|(?:^|[^:])::$/u.test(line) ? indent : null;
      const below = all[index + 1]?.trim() ?? "";
      if (RULE.test(below) && below.length >= Math.min(line.length, 3) && !RULE.test(line)) add("heading");
      else if (!RULE.test(line)) add("text");
      continue;
    }
    if (isAsciidoc ? /^={1,6} \S/u.test(line) : /^#{1,6} /u.test(line)) add("heading", line.replace(/^[#=]+ /u, ""));
    else if (/^(?: {4}|\t)\$? ?[a-z./]/u.test(raw)) add("code");
    else add("text");
  }
  return found;
}

/** Commands of the code blocks below headings about installation, at most twenty. */
export function readmeCommands(texts: Readonly<Record<string, string>>, recipe: string): readonly ReadmeCommand[] {
  const readme = readmeOf(texts);
  if (readme === undefined) return [];
  const found: ReadmeCommand[] = [];
  let isAbout = false;
  for (const { text: shown, line, kind } of readmeLines(readme)) {
    if (kind === "heading") isAbout = ASKS_FOR_INSTALL.test(shown);
    if (!isAbout || kind !== "code") continue;
    const text = shown.replace(/^[$%>#] /u, "");
    if (text === "" || text.startsWith("#")) continue;
    const commands = shellCommands(text);
    if (commands.length === 0 || !/^[a-z./$]/u.test(text)) continue;
    const isCovered = commands.every((command) => {
      const program = programOf(command);
      const what =
        program === "sudo"
          ? recipeFor({ ...command, words: [command.words[1] ?? "", ...command.words.slice(2)] })
          : recipeFor(command);
      return what === recipe || /^(?:cd|git|mkdir|source|\.|export|chmod|ls|which|echo)$/u.test(program);
    });
    found.push({ text: text.slice(0, 160), evidence: `${readme.path}:${line}`, isCovered });
    if (found.length >= 20) break;
  }
  return found;
}

/** Signs that a program is a server, by the file that has them: frameworks whose only use is to serve. */
const FRAMEWORKS: readonly (readonly [file: RegExp, sign: RegExp])[] = [
  [/(?:^|\/)package\.json$/u, /"(?:express|fastify|koa|@hapi\/hapi|@nestjs\/core|restify|polka)"\s*:/u],
  [
    /^(?:pyproject\.toml|setup\.(?:py|cfg)|requirements\.txt)$/u,
    /(?:^|["'\s])(?:flask|fastapi|uvicorn|gunicorn|hypercorn|django|tornado|aiohttp|sanic|starlette|bottle)\b/imu,
  ],
  [/\.go$/u, /\bhttp\.ListenAndServe(?:TLS)?\(|\bgin\.(?:Default|New)\(|\becho\.New\(|\bfiber\.New\(/u],
  [/(?:^|\/)Cargo\.toml$/u, /^\s*(?:actix-web|axum|rocket|warp|tide|poem)\s*=/mu],
];

/** The first sign of a web server in a project's own files. */
export function findServerFramework(texts: Readonly<Record<string, string>>): Found<string> | undefined {
  for (const [path, text] of Object.entries(texts)) {
    for (const [file, sign] of FRAMEWORKS) {
      const match = file.test(path) ? sign.exec(text) : null;
      if (match !== null)
        return { value: match[0].trim(), evidence: `${path}:${lineOf(text, match.index + 1)} ${match[0].trim()}` };
    }
  }
  return undefined;
}

const LOCAL_URL = /\bhttps?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::[0-9]{2,5})\b/u;
/** How many lines below its command an address may stand. */
const NEAR = 15;

/** A command line of the README, of one of these programs, that an address of this machine follows. */
export function startInReadme(
  texts: Readonly<Record<string, string>>,
  bins: readonly string[],
): Found<{ run: string; url: string }> | undefined {
  const readme = readmeOf(texts);
  if (readme === undefined) return undefined;
  const lines = readmeLines(readme);
  for (const [index, { text, line, kind }] of lines.entries()) {
    const run = text.replace(/^[$%>] /u, "").replace(/\s+#.*$/u, "");
    const [program = "", ...words] = run.split(/\s+/u);
    // Plain words only: what has a place holder or needs a shell is nothing to show.
    const isPlain = words.every((word) => /^[\w./:=@,-]*[\w./=@-]$/u.test(word)) && words.length <= 6;
    // A block with a prompt shows what the commands print too: only what stands after a prompt is one.
    const isPrinted =
      !/^[$%>] /u.test(text) &&
      lines.some(
        (other) => other.kind === "code" && Math.abs(other.line - line) <= NEAR && /^[$%>] /u.test(other.text),
      );
    if (isPrinted) continue;
    if (
      kind !== "code" ||
      !bins.includes(program) ||
      !isPlain ||
      words.some((word) => /^-{1,2}(?:h|help|v|version)$/iu.test(word))
    )
      continue;
    for (const near of lines.slice(index + 1)) {
      if (near.line > line + NEAR || near.kind === "heading") break;
      // The address belongs to the last command before it.
      const other = near.kind === "code" && bins.includes(near.text.replace(/^[$%>] /u, "").split(/\s+/u)[0] ?? "");
      if (other) break;
      const url = LOCAL_URL.exec(near.text)?.[0];
      if (url !== undefined)
        return {
          value: { run, url: `${url.replace(/localhost|0\.0\.0\.0/u, "127.0.0.1")}/` },
          evidence: `${readme.path}:${line} starts it, and line ${near.line} says where`,
        };
    }
  }
  return undefined;
}

/** Packages of other package managers that a README names: `brew install x` is `{brew: x}`. */
export function elsewhereOf(commands: readonly ReadmeCommand[], name: string): Readonly<Record<string, string>> {
  const elsewhere: Record<string, string> = {};
  for (const { text } of commands) {
    for (const command of shellCommands(text)) {
      const words = programOf(command) === "sudo" ? operandsOf(command) : [programOf(command), ...operandsOf(command)];
      const [program = "", verb = "", what = ""] = words;
      const manager = {
        brew: "brew",
        apt: "apt",
        "apt-get": "apt",
        dnf: "dnf",
        pacman: "pacman",
        snap: "snap",
        flatpak: "flatpak",
        port: "macports",
      }[program];
      const package_ = verb === "install" || verb === "add" ? what : program === "pacman" ? verb : "";
      if (manager === undefined || words.length > 3 || !nameOf(package_).toLowerCase().includes(name)) continue;
      if (/^[A-Za-z0-9][A-Za-z0-9@/._+-]*$/u.test(package_)) elsewhere[manager] ??= package_;
    }
  }
  return elsewhere;
}

/** The address that a README says the server is found at. */
export function serverUrl(texts: Readonly<Record<string, string>>): Found<string> | undefined {
  const readme = readmeOf(texts);
  if (readme === undefined) return undefined;
  const match = /\bhttps?:\/\/(?:localhost|127\.0\.0\.1)(?::[0-9]{2,5})\b/u.exec(readme.text);
  if (match === null) return undefined;
  return {
    value: `${match[0].replace("localhost", "127.0.0.1")}/`,
    evidence: `${readme.path}:${lineOf(readme.text, match.index)}`,
  };
}
