import { parseGitUrl } from "../core/git-url.ts";
import { nearest } from "../core/nearest.ts";
import { fillPlaceholdersInPattern, fillPrefixInPattern, isKnownPlaceholder, placeholdersIn } from "./placeholders.ts";
import { PACKAGE_RECIPES, parsePackageReference } from "./package-reference.ts";
import { isProtectedLauncher } from "./protected-launchers.ts";
import type { ManifestInput } from "./schema.ts";
import { soundsSecret } from "./secret-name.ts";
import { quoted } from "./source-text.ts";
import type { PartialData, Path, PathProblem } from "./validate.ts";

/** What is left of a manifest once its refused parts are out: any key may be missing, any list may have holes. */
type Partly<Value> = Value extends readonly (infer Item)[]
  ? readonly (Partly<Item> | undefined)[]
  : Value extends object
    ? { readonly [Key in keyof Value]?: Partly<Value[Key]> | undefined }
    : Value;

type Draft = Partly<ManifestInput>;
type DraftMethod = Exclude<NonNullable<Draft["methods"]>[number], undefined>;
type DraftStep = Exclude<NonNullable<Draft["steps"]>[number], undefined>;
type DraftRequirement = Exclude<NonNullable<Draft["requires"]>[number], undefined>;
type DraftBin = NonNullable<Draft["bin"]>;

export interface CheckOptions {
  /** `registry`: an entry of a registry. `repository`: a repository's own `ipm.yaml`. */
  readonly kind: "registry" | "repository";
  /** The user named this file, so ssh and file URLs are allowed in `source.git`. */
  readonly named: boolean;
}

/** What the refused parts were, where "it is not there" would be the wrong thing to say. */
export interface Written {
  /** True when the file has something at the path, be it refused. */
  has(path: Path): boolean;
  /** True when the map at the path has an unknown key, which may be the missing one misspelt. */
  hasUnknownKey(path: Path): boolean;
}

type Report = (path: Path, problem: Omit<PathProblem, "path">) => void;

interface Check {
  readonly report: Report;
  readonly options: CheckOptions;
  /** True when none of the keys is written in the map at the path, and none may be meant by an unknown one. */
  readonly lacks: (path: Path, keys: readonly string[]) => boolean;
}

const REQUIREMENT_KINDS = ["tool", "header", "pkg-config", "library", "env", "service", "hardware"] as const;

function entriesOf<Item>(items: readonly (Item | undefined)[] | undefined): [number, Item][] {
  return [...(items ?? []).entries()].filter((entry): entry is [number, Item] => entry[1] !== undefined);
}

/**
 * Everything about a manifest that concerns more than one key: what excludes what, names that must differ, placeholders,
 * and patterns. `draft` is the data in the schema's input form without its refused parts.
 * @returns the problems, unsorted
 */
export function checkManifest(data: PartialData, written: Written, options: CheckOptions): PathProblem[] {
  const problems: PathProblem[] = [];
  const report: Report = (path, problem) => void problems.push({ path, ...problem });
  const check: Check = {
    report,
    options,
    lacks: (path, keys) => !written.hasUnknownKey(path) && !keys.some((key) => written.has([...path, key])),
  };
  // `validate` has taken out whatever is not of the schema's form.
  // oxlint-disable-next-line no-unsafe-type-assertion -- the type says no more than that
  const draft = data as unknown as Draft;
  const { git, bundle, package: packaged } = draft.source ?? {};
  checkPlaceholders(data, [], packaged === undefined || (git ?? bundle) !== undefined, report);
  checkNames(draft, report);
  if (options.kind === "registry") {
    checkSource(draft, check);
    checkVersions(draft, check);
    checkTrack(draft, check);
  }
  checkShape(draft, check);
  checkMethods(draft, check);
  for (const [index, requirement] of entriesOf(draft.requires))
    checkRequirement(["requires", index], requirement, check);
  checkInputs(draft.inputs, report);
  checkPersist(draft, report);
  checkTests(["tests"], draft.tests, check);
  checkDuringStart(draft, check);
  checkSteps(["steps"], draft.steps, check);
  checkFrom(["steps"], draft.steps, draft, check);
  checkBin(["bin"], draft.bin, check);
  return problems;
}

function checkNames(draft: Draft, report: Report): void {
  const lists = {
    aliases: draft.aliases,
    formerly: draft.formerly,
    keywords: draft.keywords,
    maintainers: draft.maintainers,
  };
  for (const [key, names] of Object.entries(lists)) {
    const severity = key === "keywords" || key === "maintainers" ? "warning" : "error";
    const seen = new Set<string>();
    for (const [index, name] of entriesOf<string>(names)) {
      if (seen.has(name)) {
        report([key, index], {
          code: severity === "error" ? "DUPLICATE_NAME" : "NEEDLESS_ENTRY",
          severity,
          message: `${quoted(name)} is listed twice`,
        });
      } else if (severity === "error" && name === draft.name) {
        report([key, index], { code: "DUPLICATE_NAME", message: `${quoted(name)} is the entry's own name` });
      }
      seen.add(name);
    }
  }
  if (draft.deprecated?.use !== undefined && draft.deprecated.use === draft.name) {
    report(["deprecated", "use"], { code: "DUPLICATE_NAME", message: "an entry cannot replace itself" });
  }
}

function checkSource(draft: Draft, { report, options, lacks }: Check): void {
  const { source } = draft;
  if (source === undefined) return;
  if (source.git !== undefined && source.bundle !== undefined) {
    report(["source", "bundle"], {
      code: "CONFLICTING_KEYS",
      key: true,
      message: "`git` and `bundle` exclude each other",
    });
  }
  if (lacks(["source"], ["git", "bundle", "package"])) {
    report(["source"], { code: "MISSING_KEY", key: true, message: "`source` needs `git`, `bundle` or `package`" });
  }
  if (source.git === undefined || options.named) return;
  const url = parseGitUrl(source.git);
  if (url.ok && url.value.transport !== "https") {
    report(["source", "git"], {
      code: "INVALID_URL",
      message: `a manifest of a registry uses https, not ${url.value.transport}`,
    });
  }
}

/** `2026.11.20`, and `2026.11.20.2` for the third one of a day: the version of a commit that nobody has tagged. */
const DATE_VERSION = /^\d{4}\.(?:0[1-9]|1[0-2])\.(?:0[1-9]|[12]\d|3[01])(?:\.[1-9]\d?)?$/u;

/** A repository without tags: its versions are dates, on the branch that is followed. */
function checkTrack({ source, versions }: Draft, { report, lacks }: Check): void {
  const track = source?.track;
  if (track === undefined) return;
  if (lacks(["source"], ["git"])) {
    report(["source", "track"], { code: "CONFLICTING_KEYS", key: true, message: "`track` needs `source.git`" });
  }
  for (const [index, { version, ref }] of entriesOf(versions)) {
    if (ref === undefined || !ref.startsWith("refs/heads/")) continue;
    if (ref !== `refs/heads/${track}`) {
      report(["versions", index, "ref"], {
        code: "INVALID_REF",
        message: `${quoted(ref)} is not the branch that \`track\` names`,
        hint: `write refs/heads/${track}`,
      });
    } else if (version !== undefined && !DATE_VERSION.test(version)) {
      report(["versions", index, "version"], {
        code: "INVALID_VERSION",
        message: `${quoted(version)} is no date, and the commit has no tag that would tell its version`,
        hint: "write the day of the commit, such as 2026.11.20",
      });
    }
  }
}

function checkVersions(draft: Draft, { report, lacks }: Check): void {
  const seen = new Set<string>();
  const pinned = draft.source?.git !== undefined || draft.source?.bundle !== undefined;
  const packaged = draft.source?.package !== undefined;
  const installs = draft.kind !== "library" && (draft.steps ?? draft.methods) !== undefined;
  for (const [index, entry] of entriesOf(draft.versions)) {
    if (entry.version !== undefined) {
      // Store folders are named after versions, and some file systems do not know case.
      const folded = entry.version.toLowerCase();
      if (seen.has(folded)) {
        report(["versions", index, "version"], {
          code: "DUPLICATE_VERSION",
          message: `the version ${quoted(entry.version)} is listed twice`,
        });
      }
      seen.add(folded);
    }
    const hasPackage = !lacks(["versions", index], ["integrity", "lock"]);
    for (const key of ["integrity", "lock"] as const) {
      // Without a lock what was verified is not what the next user gets.
      if (packaged && installs && (hasPackage || !pinned) && lacks(["versions", index], [key])) {
        report(["versions", index, key], {
          code: "MISSING_KEY",
          message: `the key \`${key}\` is missing: a package is pinned by its integrity and a lock`,
          hint: "ipm bump writes both",
        });
      } else if (!packaged && entry[key] !== undefined) {
        report(["versions", index, key], {
          code: "CONFLICTING_KEYS",
          key: true,
          message: `\`${key}\` needs \`source.package\``,
        });
      }
    }
    for (const key of ["commit", "tree"] as const) {
      // With a package beside the repository a version may be pinned in one of the two.
      if (packaged && hasPackage && lacks(["versions", index], ["commit", "tree"])) continue;
      if (pinned && lacks(["versions", index], [key])) {
        report(["versions", index, key], { code: "MISSING_KEY", message: `the key \`${key}\` is missing` });
      }
    }
  }
}

/** `steps` or `methods`, and nothing to install where nothing can be. */
function checkShape(draft: Draft, { report, lacks }: Check): void {
  if (draft.steps !== undefined && draft.methods !== undefined) {
    report(["steps"], {
      code: "CONFLICTING_KEYS",
      key: true,
      message: "`steps` and `methods` exclude each other",
      hint: "move the steps into a method",
    });
  }
  if (draft.kind === "library" && (draft.steps ?? draft.methods) !== undefined) {
    const key = draft.steps === undefined ? "methods" : "steps";
    report([key], {
      code: "CONFLICTING_KEYS",
      key: true,
      message: "a library installs nothing: it has no `steps` and no `methods`",
    });
  }
  if (draft.kind === "workspace") {
    for (const key of ["bin", "persist", "start"] as const) {
      if (draft[key] !== undefined)
        report([key], {
          code: "CONFLICTING_KEYS",
          key: true,
          message: `a workspace puts nothing on PATH and keeps its data in its own folder: it has no \`${key}\``,
        });
    }
  }
  if (draft.kind === "workspace" && draft.source?.package !== undefined) {
    report(["source", "package"], {
      code: "CONFLICTING_KEYS",
      key: true,
      message: "a workspace is a clone: its source is `git` or `bundle`",
    });
  }
  if (draft.kind === "workspace" && draft.source?.submodules !== undefined) {
    report(["source", "submodules"], {
      code: "CONFLICTING_KEYS",
      key: true,
      message: "the submodules of a workspace are the user's: `git submodule update --init` fetches them",
    });
  }
  if (draft.kind === "workspace") {
    for (const [index, input] of entriesOf(draft.inputs)) {
      if (input.secret !== "true") continue;
      report(["inputs", index, "secret"], {
        code: "CONFLICTING_KEYS",
        key: true,
        message: "a workspace is run with the caller's own environment: a secret is set there",
      });
    }
  }
  if (!lacks([], ["steps", "methods"])) return;
  for (const key of ["bin", "tests", "platforms", "start"] as const) {
    if (draft[key] !== undefined)
      report([key], { code: "CONFLICTING_KEYS", key: true, message: `\`${key}\` needs \`steps\` or \`methods\`` });
  }
}

function impliedId(method: DraftMethod): string {
  return (
    method.id ?? entriesOf<DraftStep>(method.steps).find(([, step]) => step.uses !== undefined)?.[1].uses ?? "steps"
  );
}

function checkMethods(draft: Draft, check: Check): void {
  const { report } = check;
  const ids = new Set<string>();
  const positions = new Map(entriesOf(draft.versions).map(([index, entry]) => [entry.version, index]));
  for (const [index, method] of entriesOf(draft.methods)) {
    const path = ["methods", index];
    const id = impliedId(method);
    if (ids.has(id)) {
      const place = method.id === undefined ? path : [...path, "id"];
      report(place, {
        code: "DUPLICATE_METHOD",
        message: `two methods have the id ${quoted(id)}`,
        hint: "give one of them another `id`",
      });
    }
    ids.add(id);
    checkRangeOfVersions(path, method, positions, check);
    for (const [at, requirement] of entriesOf(method.requires))
      checkRequirement([...path, "requires", at], requirement, check);
    checkSteps([...path, "steps"], method.steps, check);
    checkFrom([...path, "steps"], method.steps, draft, check);
    checkTests([...path, "tests"], method.tests, check);
    checkBin([...path, "provides", "bin"], method.provides?.bin, check);
    if (draft.kind === "workspace" && method.provides !== undefined) {
      report([...path, "provides"], {
        code: "CONFLICTING_KEYS",
        key: true,
        message: "a workspace puts nothing on PATH: its methods have no `provides`",
      });
    }
  }
}

function checkRangeOfVersions(
  path: Path,
  method: DraftMethod,
  positions: ReadonlyMap<string | undefined, number>,
  { report, options }: Check,
): void {
  for (const key of ["since", "until"] as const) {
    const version = method[key];
    if (version === undefined) continue;
    if (options.kind === "repository") {
      report([...path, key], {
        code: "CONFLICTING_KEYS",
        key: true,
        message: `\`${key}\` needs a list of versions, which an \`ipm.yaml\` does not have`,
      });
    } else if (!positions.has(version)) {
      const [near] = nearest(
        version,
        [...positions.keys()].filter((known) => known !== undefined),
        1,
      );
      const hint = near === undefined ? undefined : `did you mean \`${near}\`?`;
      report([...path, key], {
        code: "UNKNOWN_VERSION",
        message: `${quoted(version)} is not in the list of versions`,
        hint,
      });
    }
  }
  const since = positions.get(method.since);
  const until = positions.get(method.until);
  if (
    method.since !== undefined &&
    method.until !== undefined &&
    since !== undefined &&
    until !== undefined &&
    since < until
  ) {
    report([...path, "until"], {
      code: "UNKNOWN_VERSION",
      message: "`until` is older than `since`, so no version is left",
    });
  }
}

function checkRequirement(path: Path, requirement: DraftRequirement, { report, lacks }: Check): void {
  const kinds = REQUIREMENT_KINDS.filter((kind) => requirement[kind] !== undefined);
  if (lacks(path, REQUIREMENT_KINDS))
    report(path, { code: "MISSING_KEY", message: `a requirement needs one of: ${REQUIREMENT_KINDS.join(", ")}` });
  for (const kind of kinds.slice(1)) {
    report([...path, kind], {
      code: "CONFLICTING_KEYS",
      key: true,
      message: `\`${kinds[0]}\` and \`${kind}\` exclude each other: write two requirements`,
    });
  }
  const [kind] = kinds;
  if (kind !== "env" && kind !== "service") return;
  if (requirement.for !== undefined && requirement.for !== "run") {
    report([...path, "for"], {
      code: "CONFLICTING_KEYS",
      message:
        kind === "env"
          ? "a step does not see the user's environment: `env` is `for: run`"
          : "a step reaches no service of the machine: `service` is `for: run`",
      ...(kind === "env" ? { hint: "a value for the steps is one of `inputs`" } : {}),
    });
  }
  if (requirement.version !== undefined) {
    report([...path, "version"], { code: "CONFLICTING_KEYS", key: true, message: `\`${kind}\` has no version` });
  }
}

/** True when a path is another one or lies below it, on a file system that does not know case as well. */
function isAtOrBelow(folder: string, file: string): boolean {
  return `${file.toLowerCase()}/`.startsWith(`${folder.toLowerCase()}/`);
}

function checkPersist(draft: Draft, report: Report): void {
  const places = entriesOf<string>(draft.persist);
  for (const [index, place] of places) {
    const other = places.find(([at, outer]) => at !== index && isAtOrBelow(outer, place));
    if (other !== undefined && (other[0] < index || other[1].toLowerCase() !== place.toLowerCase()))
      report(["persist", index], {
        code: "NEEDLESS_ENTRY",
        message: `${quoted(place)} is kept with ${quoted(other[1])} already`,
      });
  }
  const bins: [Path, DraftBin | undefined][] = [[["bin"], draft.bin]];
  for (const [index, method] of entriesOf(draft.methods))
    bins.push([["methods", index, "provides", "bin"], method.provides?.bin]);
  for (const [path, bin] of bins) {
    if (bin === undefined || Array.isArray(bin)) continue;
    for (const [name, launcher] of Object.entries(bin)) {
      const file = typeof launcher === "string" ? launcher : launcher?.file;
      if (file === undefined || !places.some(([, place]) => isAtOrBelow(place, file))) continue;
      report([...path, name], {
        code: "CONFLICTING_KEYS",
        message: `the command ${quoted(name)} is in what \`persist\` names: programs are not the user's to change`,
      });
    }
  }
}

function checkInputs(inputs: Draft["inputs"], report: Report): void {
  const seen = new Set<string>();
  for (const [index, { env, secret, for: when }] of entriesOf(inputs)) {
    const isSecret = secret === "true";
    if (env !== undefined) {
      if (seen.has(env))
        report(["inputs", index, "env"], {
          code: "DUPLICATE_NAME",
          message: `the input ${quoted(env)} is listed twice`,
        });
      seen.add(env);
      // What is not secret goes to the steps, which may have a network: a name must not bring a key of the user's there.
      if (!isSecret && soundsSecret(env))
        report(["inputs", index], {
          code: "MISSING_KEY",
          message: `${quoted(env)} is a secret by its name, and the input does not say so`,
          hint: "add `secret: true`",
        });
    }
    if (isSecret && when !== undefined && when !== "run")
      report(["inputs", index, "for"], {
        code: "CONFLICTING_KEYS",
        message: "no step is given a secret: it is `for: run`",
      });
  }
}

function checkSteps(path: Path, steps: readonly (DraftStep | undefined)[] | undefined, { report, lacks }: Check): void {
  for (const [index, step] of entriesOf<DraftStep>(steps)) {
    const place = [...path, index];
    if (lacks(place, ["uses", "run"])) report(place, { code: "MISSING_KEY", message: "a step needs `uses` or `run`" });
    if (step.uses !== undefined && step.run !== undefined) {
      report([...place, "run"], {
        code: "CONFLICTING_KEYS",
        key: true,
        message: "`uses` and `run` exclude each other: write two steps",
      });
    }
    if (step.with !== undefined && lacks(place, ["uses"])) {
      report([...place, "with"], { code: "CONFLICTING_KEYS", key: true, message: "`with` needs `uses`" });
    }
  }
}

const RECIPES_OF_PACKAGES: ReadonlySet<string> = new Set(Object.values(PACKAGE_RECIPES));

/** `from: package` and `from: checkout` name a source that is there; a method works from one of them. */
function checkFrom(
  path: Path,
  steps: readonly (DraftStep | undefined)[] | undefined,
  { source }: Draft,
  { report, options }: Check,
): void {
  const reference = source?.package === undefined ? undefined : parsePackageReference(source.package);
  const hasCheckout = options.kind === "repository" || source?.git !== undefined || source?.bundle !== undefined;
  let first: string | undefined;
  for (const [index, step] of entriesOf<DraftStep>(steps)) {
    if (step.uses === undefined || !RECIPES_OF_PACKAGES.has(step.uses)) continue;
    const place = [...path, index];
    const said = step.with?.["from"];
    if (said !== undefined && said !== "package" && said !== "checkout") {
      report([...place, "with", "from"], {
        code: "INVALID_VALUE",
        message: "`from` is `package` or `checkout`",
      });
      continue;
    }
    const from = said ?? first ?? (hasCheckout ? "checkout" : "package");
    first ??= from;
    if (from !== first) {
      report([...place, "with", "from"], {
        code: "CONFLICTING_KEYS",
        message: "a method works from the package or from the checkout, not from both",
        hint: "write two methods",
      });
    } else if (from === "checkout" ? !hasCheckout : source?.package === undefined) {
      const missing = from === "checkout" ? "`source.git` or `source.bundle`" : "`source.package`";
      if (said !== undefined)
        report([...place, "with", "from"], { code: "CONFLICTING_KEYS", message: `\`from: ${from}\` needs ${missing}` });
    } else if (from === "package" && reference !== undefined && PACKAGE_RECIPES[reference.ecosystem] !== step.uses) {
      report([...place, "uses"], {
        code: "CONFLICTING_KEYS",
        message: `a package of ${reference.ecosystem} is installed by the recipe \`${PACKAGE_RECIPES[reference.ecosystem]}\``,
      });
    }
  }
}

/** Hosts that a server which is started for a test can be asked at: its network is its own. */
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Tests that run beside the server need to know when it is there. */
function checkDuringStart(draft: Draft, { report, lacks }: Check): void {
  const lists: [Path, Draft["tests"]][] = [[["tests"], draft.tests]];
  for (const [index, method] of entriesOf(draft.methods)) lists.push([["methods", index, "tests"], method.tests]);
  for (const [path, tests] of lists) {
    for (const [index, { during }] of entriesOf(tests)) {
      if (during === undefined) continue;
      const place = [...path, index, "during"];
      if (lacks([], ["start"]))
        report(place, { code: "MISSING_KEY", message: "`during: start` needs `start`, with `run` and `url`" });
      else if (draft.start !== undefined && lacks(["start"], ["url"]))
        report(place, {
          code: "MISSING_KEY",
          message: "`during: start` needs `start.url`, which says when the server is there",
        });
      else if (draft.start?.url !== undefined && !LOOPBACK.has(new URL(draft.start.url).hostname))
        report(["start", "url"], {
          code: "INVALID_URL",
          message: "a test with `during: start` reaches only this machine",
          hint: "write http://127.0.0.1:PORT/",
        });
    }
  }
}

function checkTests(path: Path, tests: Draft["tests"], { report }: Check): void {
  for (const [index, test] of entriesOf(tests)) {
    const expect = test.expect ?? {};
    if (expect.output !== undefined && (expect.stdout !== undefined || expect.stderr !== undefined)) {
      report([...path, index, "expect", "output"], {
        code: "CONFLICTING_KEYS",
        key: true,
        message: "`output` is both streams: it excludes `stdout` and `stderr`",
      });
    }
    for (const key of ["stdout", "stderr", "output"] as const) {
      const pattern = expect[key];
      const problem = pattern === undefined ? undefined : patternProblem(pattern);
      if (problem !== undefined)
        report([...path, index, "expect", key], {
          code: "INVALID_PATTERN",
          message: `not a regular expression: ${problem}`,
        });
    }
  }
}

function patternProblem(pattern: string): string | undefined {
  // An unknown placeholder is reported as such, and would be a syntax error here.
  if (placeholdersIn(pattern).some(({ name }) => !isKnownPlaceholder(name))) return undefined;
  const filled = fillPrefixInPattern(fillPlaceholdersInPattern(pattern, { version: "1", commit: "1" }), "/p");
  try {
    void new RegExp(filled, "mu");
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^.*: /u, "") : "it cannot be read";
  }
}

function checkBin(path: Path, bin: DraftBin | undefined, { report, lacks }: Check): void {
  if (bin === undefined) return;
  const names: [string, Path, boolean][] = Array.isArray(bin)
    ? entriesOf<string>(bin).map(([index, name]) => [name, [...path, index], false])
    : Object.keys(bin).map((name) => [name, [...path, name], true]);
  const seen = new Set<string>();
  for (const [name, place, key] of names) {
    if (isProtectedLauncher(name))
      report(place, { code: "PROTECTED_LAUNCHER", key, message: `a tool may not provide the command ${quoted(name)}` });
    // Some file systems do not know case.
    if (seen.has(name.toLowerCase()))
      report(place, { code: "DUPLICATE_NAME", key, message: `the command ${quoted(name)} is listed twice` });
    seen.add(name.toLowerCase());
  }
  if (Array.isArray(bin)) return;
  for (const [name, launcher] of Object.entries(bin)) {
    if (launcher === undefined || typeof launcher === "string") continue;
    if (launcher.file !== undefined && launcher.run !== undefined) {
      report([...path, name, "run"], {
        code: "CONFLICTING_KEYS",
        key: true,
        message: "`file` and `run` exclude each other",
      });
    }
    if (lacks([...path, name], ["file", "run", "env"])) {
      report([...path, name], { code: "MISSING_KEY", message: "a launcher needs `file`, `run` or `env`" });
    }
  }
}

/** The keys of a path without indexes and without a leading `methods`. */
function wordsOf(path: Path): string[] {
  const words = path.filter((part) => typeof part === "string");
  return words[0] === "methods" ? words.slice(1) : words;
}

function membersOf(value: Exclude<PartialData, string>): [string | number, PartialData | undefined][] {
  return Array.isArray(value) ? [...value.entries()] : Object.entries(value);
}

/** In these, placeholders are filled; `with` and `env` with everything below them. */
function fillsPlaceholders(path: Path): boolean {
  const words = wordsOf(path);
  if (words[0] === "elsewhere") return true;
  if (words[0] === "steps") return words[1] === "with" || words[1] === "env";
  if (words[0] === "tests") return words[1] === "expect";
  const launcher = words[0] === "provides" ? words.slice(1) : words;
  return launcher[0] === "bin" && launcher[2] === "env";
}

/** What to write for a placeholder in a command, or undefined. */
function insteadOfPlaceholder(path: Path, name: string): string | undefined {
  const words = wordsOf(path);
  const launcher = words[0] === "provides" ? words.slice(1) : words;
  if (launcher[0] === "bin") return name === "prefix" ? "relative paths are of the prefix" : undefined;
  if ((words[0] !== "steps" && words[0] !== "tests") || words[1] !== "run" || name === "commit") return undefined;
  const variable = `$IPM_${name.toUpperCase()}`;
  // A list has no shell that would know it.
  return typeof path.at(-1) === "number"
    ? `write \`run\` as one text, with ${variable}`
    : `in \`run\` it is ${variable}`;
}

/** @param hasCommit false for an entry of a package alone */
function checkPlaceholders(value: PartialData | undefined, path: Path, hasCommit: boolean, report: Report): void {
  if (value === undefined) return;
  if (typeof value === "object") {
    for (const [key, member] of membersOf(value)) checkPlaceholders(member, [...path, key], hasCommit, report);
    return;
  }
  const filled = fillsPlaceholders(path);
  for (const { name, shell } of placeholdersIn(value)) {
    const known = isKnownPlaceholder(name);
    if (filled && (!known || shell)) {
      const message = shell
        ? `\`\${${name}}\` is shell syntax; nothing fills it in`
        : `unknown placeholder \`{${name}}\``;
      report(path, { code: "UNKNOWN_PLACEHOLDER", message, hint: "placeholders: {version}, {commit}, {prefix}" });
    } else if (filled && name === "commit" && !hasCommit) {
      report(path, { code: "PLACEHOLDER_NOT_ALLOWED", message: "`{commit}` is empty here: a package has no commit" });
    } else if (!filled && known && !shell) {
      const hint = insteadOfPlaceholder(path, name);
      report(path, { code: "PLACEHOLDER_NOT_ALLOWED", message: `\`{${name}}\` is not filled in here`, hint });
    }
  }
}
