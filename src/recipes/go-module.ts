import { type SourceFile, folderOf, hasFile, insidePath, lineOfMatch, nameOf } from "./listing.ts";

/** What go.mod, go.sum and the vendor folder say together. */
export interface GoModule {
  readonly path: string;
  /** Line of the `module` directive. */
  readonly line: number;
  /** The `go` directive, or null. */
  readonly goVersion: string | null;
  /** `isLocal`: replaced by a folder of the checkout. */
  readonly requires: readonly { readonly path: string; readonly version: string; readonly isLocal: boolean }[];
  /** Whether vendor/modules.txt agrees with go.mod as the go tool checks it. */
  readonly vendor: "none" | "consistent" | "stale";
  /** go.sum has a line for each required module. */
  readonly sumIsComplete: boolean;
  readonly hasWorkFile: boolean;
}

/** A folder with a program. */
export interface GoMain {
  /** The root is the empty text. */
  readonly folder: string;
  readonly file: string;
  readonly line: number;
  /** Name of the variable that holds the version, where one is declared in the package. */
  readonly versionVariable: string | null;
  readonly usesC: boolean;
  /** False for generators and other helpers of the build. */
  readonly isTool: boolean;
}

interface ReadInput {
  readonly files: readonly SourceFile[];
  readonly texts: Readonly<Record<string, string>>;
}

const MAX_READS = 80;
const MAX_READS_PER_FOLDER = 12;
const ASIDE =
  /(?:^|\/)(?:vendor|testdata|_[^/]*|\.[^/]*|node_modules|examples?|tools?|hack|scripts?|internal|test|tests|docs?|benchmarks?)(?:\/|$)/u;
const MODULE = /^[ \t]*module[ \t]+"?([^\s"]+)"?/mu;

/** Directives of a go.mod without comments: `require (…)` blocks and single lines alike. */
function directives(text: string): { readonly verb: string; readonly words: readonly string[] }[] {
  const found: { verb: string; words: string[] }[] = [];
  let block: string | null = null;
  for (const raw of text.split(/\r?\n/u)) {
    const line = raw.replace(/\/\/.*$/u, "").trim();
    if (line === "") continue;
    if (line === ")") block = null;
    else if (block !== null) found.push({ verb: block, words: line.split(/\s+/u) });
    else {
      const [verb = "", ...words] = line.split(/\s+/u);
      if (words.length === 1 && words[0] === "(") block = verb;
      else found.push({ verb, words });
    }
  }
  return found;
}

/** As `go build` with -mod=vendor checks it: each requirement is explicit there at its version, and nothing else is. */
function vendorState(
  input: ReadInput,
  requires: GoModule["requires"],
  replaced: ReadonlySet<string>,
  goVersion: string | null,
): GoModule["vendor"] {
  const text = input.texts["vendor/modules.txt"];
  if (text === undefined) return hasFile(input.files, "vendor/modules.txt") ? "stale" : "none";
  const [, major = 0, minor = 0] = /^(\d+)\.(\d+)/u.exec(goVersion ?? "")?.map(Number) ?? [];
  const checks = major > 1 || minor >= 14;
  const listed = new Map<string, string>();
  const explicit = new Map<string, string>();
  let current: { path: string; version: string } | null = null;
  for (const line of text.split(/\r?\n/u)) {
    const [, path, version] = /^# (\S+) (v\S+)/u.exec(line) ?? [];
    if (path !== undefined && version !== undefined) {
      current = { path, version };
      listed.set(path, version);
    } else if (line.startsWith("## ") && /\bexplicit\b/u.test(line) && current !== null)
      explicit.set(current.path, current.version);
  }
  const agrees =
    requires.every(({ path, version }) => explicit.get(path) === version) &&
    [...explicit.keys()].every((path) => requires.some((one) => one.path === path) || replaced.has(path));
  // Before go 1.14 nothing was marked, and only versions that differ are an error.
  const agreesAsBefore =
    !checks && explicit.size === 0 && requires.every(({ path, version }) => (listed.get(path) ?? version) === version);
  return agrees || agreesAsBefore ? "consistent" : "stale";
}

/** Read a module; null when there is no go.mod. Pure. */
export function readGoModule(input: ReadInput): GoModule | null {
  const text = input.texts["go.mod"];
  const path = MODULE.exec(text ?? "")?.[1];
  if (text === undefined || path === undefined) return null;
  const all = directives(text);
  const replaced = new Map(
    all.flatMap(({ verb, words }) => {
      const arrow = words.indexOf("=>");
      const from = words[0];
      const to = words[arrow + 1];
      return verb === "replace" && arrow > 0 && from !== undefined && to !== undefined ? [[from, to] as const] : [];
    }),
  );
  const requires = all.flatMap(({ verb, words: [module, version] }) =>
    verb === "require" && module !== undefined && version !== undefined
      ? [{ path: module, version, isLocal: /^\.{1,2}\//u.test(replaced.get(module) ?? "") }]
      : [],
  );
  const goVersion = all.find(({ verb }) => verb === "go")?.words[0] ?? null;
  const sum = input.texts["go.sum"] ?? "";
  const sums = new Set(sum.split("\n").map((line) => line.split(" ").slice(0, 2).join(" ")));
  return {
    path,
    line: lineOfMatch(text, MODULE),
    goVersion:
      goVersion !== null && /^\d+(?:\.\d+){1,2}/u.test(goVersion)
        ? (/^\d+(?:\.\d+){1,2}/u.exec(goVersion)?.[0] ?? null)
        : null,
    requires,
    vendor: vendorState(input, requires, new Set(replaced.keys()), goVersion),
    sumIsComplete: requires.every(
      ({ path: module, version }) => replaced.has(module) || sums.has(`${module} ${version}/go.mod`),
    ),
    hasWorkFile: hasFile(input.files, "go.work"),
  };
}

/** What `go install` names the program of a folder: its last path element, without a major version (`/v2`). */
export function binaryName(module: GoModule, folder: string): string {
  return programName(folder === "" ? module.path : `${module.path}/${folder}`);
}

/** What `go install` names the program of a package, by its path: `mvdan.cc/sh/v3/cmd/shfmt`, `example.org/tool/v2`. */
export function programName(packagePath: string): string {
  const parts = packagePath.split("/");
  const last = parts.at(-1) ?? "";
  return (/^v\d+$/u.test(last) && parts.length > 1 ? parts.at(-2) : last) ?? last;
}

/**
 * Go files to read in order to find main packages: of the root, of `cmd`, of folders that are named in `wanted`, and
 * every `main.go` elsewhere. Bounded; tests and files of other systems are left out.
 */
export function goFilesToRead(files: readonly SourceFile[], wanted: readonly string[]): string[] {
  const names = new Set(wanted.map((item) => insidePath(item) ?? item));
  const folders = new Map<string, string[]>();
  for (const { path } of files) {
    if (!path.endsWith(".go") || path.endsWith("_test.go") || /_(?:windows|darwin|plan9|js|wasm)\.go$/u.test(path))
      continue;
    const folder = folderOf(path);
    const isPlace =
      folder === "" ||
      /^cmd(?:\/[^/]+)?$/u.test(folder) ||
      names.has(folder) ||
      names.has(nameOf(folder)) ||
      (nameOf(path) === "main.go" && !ASIDE.test(`${folder}/`));
    if (!isPlace || /(?:^|\/)vendor\//u.test(path)) continue;
    const list = folders.get(folder);
    if (list === undefined) folders.set(folder, [path]);
    else list.push(path);
  }
  const isFirst = (path: string): number => Number(["main.go", "version.go"].includes(nameOf(path)));
  return [...folders.entries()]
    .toSorted(([a], [b]) => a.split("/").length - b.split("/").length || (a < b ? -1 : 1))
    .flatMap(([, list]) => list.toSorted((a, b) => isFirst(b) - isFirst(a)).slice(0, MAX_READS_PER_FOLDER))
    .slice(0, MAX_READS);
}

const IGNORED = /^\/\/(?:go:build\s+ignore\b|\s*\+build\s+ignore\b)/mu;
const MAIN = /^package main\b/mu;

function versionVariable(text: string): string | null {
  return /^(?:var[ \t]+|[ \t]+)([vV]ersion)[ \t]*(?:string[ \t]*)?(?:=[ \t]*["`]|$)/mu.exec(text)?.[1] ?? null;
}

/** Folders whose files say `package main`, nearest to the root first. Pure. */
export function readGoMains({ texts }: ReadInput): readonly GoMain[] {
  const mains = new Map<string, GoMain>();
  for (const [file, text] of Object.entries(texts).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (!file.endsWith(".go") || !MAIN.test(text) || IGNORED.test(text)) continue;
    const folder = folderOf(file);
    const known = mains.get(folder);
    const hasEntry = /^func main\(\)/mu.test(text);
    mains.set(folder, {
      folder,
      file: known === undefined || hasEntry ? file : known.file,
      line: known === undefined || hasEntry ? lineOfMatch(text, MAIN) : known.line,
      versionVariable: known?.versionVariable ?? versionVariable(text),
      usesC: (known?.usesC ?? false) || /^import "C"|^\s*"C"$/mu.test(text),
      isTool: folder === "" || !ASIDE.test(`${folder}/`),
    });
  }
  return [...mains.values()].toSorted(
    (a, b) => a.folder.split("/").length - b.folder.split("/").length || (a.folder < b.folder ? -1 : 1),
  );
}
