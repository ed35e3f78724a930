import { IpmError } from "../core/errors.ts";
import { parseGitUrl } from "../core/git-url.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { matchesPlatform, platformId } from "../core/host.ts";
import type { Platform } from "../core/host.ts";
import { parseDuration } from "./duration.ts";
import type {
  Expectation,
  LauncherTarget,
  Manifest,
  ManifestFile,
  ManifestInput,
  ManifestStep,
  ManifestTest,
  ManifestVersion,
  Provides,
  Requirement,
  RunText,
  SourceKind,
} from "./manifest.ts";
import { type NamedMethod, methodsOf } from "./methods-of.ts";
import { PACKAGE_RECIPES, parsePackageReference } from "./package-reference.ts";
import { fillPlaceholders, fillPlaceholdersInPattern } from "./placeholders.ts";
import { resolveElsewhere } from "./resolve-elsewhere.ts";
import type {
  BinSource,
  InputSource,
  ManifestSource,
  MethodSource,
  RequirementSource,
  StepSource,
  TestSource,
  VersionSource,
} from "./schema.ts";
import { versionOf } from "./version-of.ts";

/** Whether a method fits a version and a platform; `why` completes "ID: …". */
export type MethodChoice =
  | { readonly id: string; readonly applies: true }
  | { readonly id: string; readonly applies: false; readonly why: string };

/** What a resolved manifest is for. */
export interface ResolveRequest {
  /** A version of the manifest's list, exactly as written. */
  readonly version: string;
  /** A method's id, or null for the first that fits. */
  readonly method: string | null;
  readonly platform: Platform;
}

type Values = { readonly version: string; readonly commit: string };

const FROM_PACKAGE: ReadonlySet<string> = new Set(Object.values(PACKAGE_RECIPES));

/** What a method works from: as its recipe says by `from`, else the checkout where there is one. */
export function sourceOfMethod(
  source: Partial<Pick<ManifestSource, "source">>,
  method: Pick<MethodSource, "steps">,
): SourceKind {
  const said = method.steps.map((step) => step.with?.["from"]).find((from) => from !== undefined);
  if (said === "package" || said === "checkout") return said;
  const { git, bundle, package: package_ } = source.source ?? {};
  return package_ !== undefined && git === undefined && bundle === undefined ? "package" : "checkout";
}

/** Why a version cannot be had from a source, or undefined when it is pinned there. */
function missingPin(version: VersionSource | undefined, from: SourceKind): string | undefined {
  if (version === undefined) return undefined;
  if (from === "checkout")
    return version.commit !== undefined && version.tree !== undefined ? undefined : "has no commit and tree to build";
  return version.integrity !== undefined && version.lock !== undefined
    ? undefined
    : "has no package with a lock to install";
}

/** @throws IpmError USAGE when the manifest has no method of this name (`--method`) */
export function demandMethod(source: Pick<ManifestSource, "name" | "methods" | "steps">, wanted: string): void {
  const ids = methodsOf(source).map(({ id }) => id);
  if (ids.includes(wanted)) return;
  throw new IpmError("USAGE", `${source.name} has no method ${escapeUntrusted(wanted)}; it has ${ids.join(", ")}`, {
    hint: `--method ${ids[0] ?? "ID"}`,
    data: { name: source.name, methods: ids },
  });
}

/**
 * Every method and whether it fits, in the manifest's order: by `platforms` (the method's, else the manifest's) and by
 * `since` and `until`, which count by position in the list of versions and include the version they name, and by the pin
 * that the version has for what the method works from.
 * @param version a version of the manifest's list
 */
export function methodChoices(
  source: Pick<ManifestSource, "methods" | "steps" | "platforms" | "versions"> &
    Partial<Pick<ManifestSource, "source">>,
  version: string,
  platform: Platform,
): readonly MethodChoice[] {
  const positionOf = (wanted: string): number => source.versions.findIndex((entry) => entry.version === wanted);
  const position = positionOf(version);
  return methodsOf(source).map(({ id, method }): MethodChoice => {
    const platforms = method.platforms ?? source.platforms;
    if (platforms !== undefined && !platforms.some((pattern) => matchesPlatform(pattern, platform))) {
      return { id, applies: false, why: `is for ${platforms.join(", ")}, and this is ${platformId(platform)}` };
    }
    // Newest first: a smaller position is a newer version.
    if (method.since !== undefined && position > positionOf(method.since)) {
      return { id, applies: false, why: `is for ${method.since} and newer` };
    }
    if (method.until !== undefined && position < positionOf(method.until)) {
      return { id, applies: false, why: `is for ${method.until} and older` };
    }
    const missing = missingPin(source.versions[position], sourceOfMethod(source, method));
    if (missing !== undefined) return { id, applies: false, why: `${version} ${missing}` };
    return { id, applies: true };
  });
}

function methodOf(source: ManifestSource, request: ResolveRequest): NamedMethod {
  const choices = methodChoices(source, request.version, request.platform);
  const methods = methodsOf(source);
  if (methods.length === 0) {
    throw new IpmError("NOTHING_TO_INSTALL", `${source.name} has no way to install it`, {
      data: { name: source.name },
    });
  }
  const chosen =
    request.method === null ? choices.find(({ applies }) => applies) : choices.find(({ id }) => id === request.method);
  const named = methods.find(({ id }) => id === chosen?.id);
  if (chosen?.applies === true && named !== undefined) return named;
  const reasons = choices.map((choice) => (choice.applies ? `${choice.id} fits` : `${choice.id} ${choice.why}`));
  const message =
    request.method === null
      ? `no method of ${source.name} ${request.version} fits`
      : `the method ${request.method} of ${source.name} ${request.version} ${chosen === undefined ? "does not exist" : "does not fit"}`;
  throw new IpmError("METHOD_NOT_APPLICABLE", `${message}: ${reasons.join("; ")}`, {
    hint: `run: ipm show ${source.name}`,
    data: { name: source.name, version: request.version, method: request.method, choices },
  });
}

const UNITS: Readonly<Record<string, number>> = { B: 1, KB: 1000, MB: 1000 ** 2, GB: 1000 ** 3 };

function bytesOfSize(size: string | undefined): number | null {
  const [, number, unit] = /^([0-9.]+)([A-Z]+)$/u.exec(size ?? "") ?? [];
  return number === undefined ? null : Math.ceil(Number(number) * (UNITS[unit ?? "B"] ?? 1));
}

/** The downloads for a platform: of several with one name (or none) the one whose platform says most. */
function resolveFiles(files: VersionSource["files"], platform: Platform): readonly ManifestFile[] {
  const fitting = (files ?? [])
    .filter((file) => file.platform === undefined || matchesPlatform(file.platform, platform))
    .toSorted((a, b) => (b.platform?.length ?? 0) - (a.platform?.length ?? 0));
  const chosen = new Map<string | null, ManifestFile>();
  for (const { name = null, url, sha256, size } of fitting) {
    if (!chosen.has(name)) chosen.set(name, { name, url, sha256, bytes: bytesOfSize(size) });
  }
  return [...chosen.values()];
}

function resolveVersion(version: VersionSource, platform: Platform): ManifestVersion {
  return {
    version: version.version,
    ref: version.ref ?? null,
    commit: version.commit ?? null,
    tree: version.tree ?? null,
    integrity: version.integrity ?? null,
    lock: version.lock ?? null,
    added: version.added ?? null,
    prerelease: version.prerelease ?? false,
    withdrawn: version.withdrawn ?? null,
    files: resolveFiles(version.files, platform),
  };
}

/** The web page of a repository: its https URL without `.git`; null for other transports. */
function impliedHomepage(git: string | undefined): string | null {
  if (git === undefined) return null;
  const url = parseGitUrl(git);
  return url.ok && url.value.transport === "https" ? git.replace(/\.git$/u, "") : null;
}

function resolveRequirement(requirement: RequirementSource): Requirement {
  const common = {
    version: requirement.version ?? null,
    for: requirement.for ?? "both",
    optional: requirement.optional ?? false,
    why: requirement.why ?? null,
  };
  const { tool, header, library, "pkg-config": package_, env, service, hardware } = requirement;
  if (tool !== undefined) return { tool, ...common };
  // What is compiled against is not needed afterwards, unless the manifest says so.
  const built = { ...common, for: requirement.for ?? ("build" as const) };
  if (header !== undefined) return { header, ...built };
  if (package_ !== undefined) return { "pkg-config": package_, ...built };
  if (library !== undefined) return { library, ...common };
  if (hardware !== undefined) return { hardware, ...common };
  // What a step can neither see nor reach is for the tool itself.
  const running = { ...common, for: "run" as const };
  if (env !== undefined) return { env, ...running };
  if (service !== undefined) return { service, ...running };
  throw new TypeError("a requirement of no kind passed the schema");
}

function resolveInput({ env, secret = false, for: when, why }: InputSource): ManifestInput {
  return { env, secret, for: secret ? "run" : (when ?? "both"), why: why ?? null };
}

function mapValues<In, Out>(record: Readonly<Record<string, In>>, change: (value: In) => Out): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

function fillEnvironment(env: Readonly<Record<string, string>> | undefined, values: Values): Record<string, string> {
  return mapValues(env ?? {}, (value) => fillPlaceholders(value, values));
}

/** Texts of any depth below `with`. */
function fillDeep(value: unknown, values: Values): unknown {
  if (typeof value === "string") return fillPlaceholders(value, values);
  if (Array.isArray(value)) return value.map((item) => fillDeep(item, values));
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fillDeep(member, values)]));
  return value;
}

/** A list with at least one member, which the schema has seen to. */
function argv(list: readonly string[]): readonly [string, ...string[]] {
  const [program, ...rest] = list;
  if (program === undefined) throw new TypeError("an empty command passed the schema");
  return [program, ...rest];
}

function resolveRun(run: string | readonly string[]): RunText {
  return typeof run === "string" ? run : argv(run);
}

function resolveDuration(duration: string | undefined): number | null {
  return duration === undefined ? null : (parseDuration(duration) ?? null);
}

function resolveStep(step: StepSource, values: Values): ManifestStep {
  const common = {
    why: step.why ?? null,
    dir: step.dir ?? null,
    env: fillEnvironment(step.env, values),
    timeoutMs: resolveDuration(step.timeout),
    network: step.network ?? null,
    optional: step.optional ?? false,
  };
  if (step.run !== undefined) return { ...common, run: resolveRun(step.run) };
  if (step.uses === undefined) throw new TypeError("a step without `uses` and `run` passed the schema");
  const { from, ...options } = step.with ?? {};
  // Which source a method works from is settled for all of its steps: for the recipe it is no option of its own.
  const given = from !== undefined && FROM_PACKAGE.has(step.uses) ? options : (step.with ?? {});
  return { ...common, uses: step.uses, with: mapValues(given, (value) => fillDeep(value, values)) };
}

function resolveBin(bin: BinSource | undefined, values: Values): Record<string, LauncherTarget> {
  if (bin === undefined) return {};
  if (Array.isArray(bin)) return Object.fromEntries(bin.map((name) => [name, { file: null, env: {} }]));
  return mapValues(bin, (launcher): LauncherTarget => {
    if (typeof launcher === "string") return { file: launcher, env: {} };
    const env = fillEnvironment(launcher.env, values);
    return launcher.run === undefined ? { file: launcher.file ?? null, env } : { run: argv(launcher.run), env };
  });
}

function resolveProvides(source: ManifestSource, method: MethodSource, values: Values): Provides {
  const completions = mapValues(method.provides?.completions ?? {}, (shells) =>
    Object.fromEntries(Object.entries(shells).filter((entry): entry is [string, string] => entry[1] !== undefined)),
  );
  return {
    bin: resolveBin(method.provides?.bin ?? source.bin, values),
    share: method.provides?.share ?? {},
    completions,
  };
}

function resolveTest(test: TestSource, values: Values): ManifestTest {
  const pattern = (text: string | undefined): string | null =>
    text === undefined ? null : fillPlaceholdersInPattern(text, values);
  const expect: Expectation = {
    exit: test.expect?.exit ?? 0,
    stdout: pattern(test.expect?.stdout),
    stderr: pattern(test.expect?.stderr),
    output: pattern(test.expect?.output),
  };
  return {
    run: resolveRun(test.run),
    stdin: test.stdin ?? null,
    timeoutMs: resolveDuration(test.timeout),
    duringStart: test.during === "start",
    expect,
  };
}

/**
 * Resolve a manifest for one version, method and platform: defaults are filled in, durations are milliseconds, `{version}`
 * and `{commit}` are filled (quoted in patterns). `{prefix}` stays as that very text in `env`, `with`, `expect` and
 * `elsewhere`, because it is only known when the plan runs: see `fillPrefix` and `fillPrefixInPattern`.
 * Whether a version is withdrawn is not looked at: that is `selectVersion`'s part.
 * @throws IpmError VERSION_NOT_FOUND, METHOD_NOT_APPLICABLE (with every method and why not), NOTHING_TO_INSTALL (no methods)
 */
export function resolveManifest(source: ManifestSource, request: ResolveRequest): Manifest {
  const version = resolveVersion(versionOf(source, request.version), request.platform);
  const { id, method } = methodOf(source, request);
  const values: Values = { version: version.version, commit: version.commit ?? "" };
  const { git = null, bundle = null, path = null, package: package_ } = source.source;
  return {
    name: source.name,
    kind: source.kind ?? "tool",
    summary: source.summary,
    license: source.license,
    homepage: source.homepage ?? impliedHomepage(source.source.git),
    notes: source.notes ?? null,
    deprecated:
      source.deprecated === undefined ? null : { why: source.deprecated.why, use: source.deprecated.use ?? null },
    source: {
      git,
      bundle,
      path,
      package: package_ === undefined ? null : (parsePackageReference(package_) ?? null),
      from: sourceOfMethod(source, method),
      submodules: sourceOfMethod(source, method) === "package" ? [] : (source.source.submodules ?? []).toSorted(),
    },
    version,
    method: id,
    requires: [...(source.requires ?? []), ...(method.requires ?? [])].map(resolveRequirement),
    inputs: (source.inputs ?? []).map(resolveInput),
    persist: source.persist ?? [],
    steps: method.steps.map((step) => resolveStep(step, values)),
    provides: resolveProvides(source, method, values),
    tests: (method.tests ?? source.tests ?? []).map((test) => resolveTest(test, values)),
    start: source.start === undefined ? null : { run: resolveRun(source.start.run), url: source.start.url ?? null },
    elsewhere: resolveElsewhere(source, version.version),
  };
}
