import path from "node:path";
import { IpmError, isIpmError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { type Ecosystem, isEcosystem } from "../manifest/ecosystems.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { methodsOf } from "../manifest/methods-of.ts";
import { resolveElsewhere } from "../manifest/resolve-elsewhere.ts";
import { demandMethod, methodChoices, resolveManifest } from "../manifest/resolve-manifest.ts";
import type { ManifestSource } from "../manifest/schema.ts";
import { tagsForSteps } from "../manifest/version-of-tag.ts";
import { type SettledInput, buildPlan } from "../plan/build-plan.ts";
import { type ExpandedSteps, type SourceView, expandSteps, filesToRead } from "../plan/expand-steps.ts";
import type { Plan, PlannedStep, PlanTrust, ResolvedRequirement } from "../plan/plan.ts";
import { describeRequirement, unmetRequirements } from "../plan/requirements.ts";
import type { FetchedSource } from "../source/source.ts";
import type { SourceKind } from "../manifest/manifest.ts";
import { allowedCredentials } from "../trust/policy.ts";
import { findRisks } from "../trust/risk-flags.ts";
import { trustOfPlan } from "../trust/trust-of-plan.ts";
import type { Context, PlanOptions } from "./context.ts";
import { describeSource, fetchSource, readPackage } from "./fetch-source.ts";
import { findOnPath, profileOnPath } from "./find-on-path.ts";
import { readOwnAttestations } from "./own-attestations.ts";
import { inTurn } from "./in-turn.ts";
import { installRequirements } from "./install-requirements.ts";
import { takeOptionalSteps } from "./optional-steps.ts";
import { probeRequirements } from "./probe-requirements.ts";
import { readPolicies } from "./read-policies.ts";
import { requirementMissing } from "./requirement-missing.ts";
import type { ResolvedTarget } from "./resolve-target.ts";
import { settleInputs } from "./settle-inputs.ts";
import { placeOfWorkspace } from "./workspace-place.ts";

/** A plan, and what building it needs. */
export interface PreparedPlan {
  readonly plan: Plan;
  readonly source: FetchedSource;
  /** Short name of the version's tag, or null. */
  readonly tag: string | null;
  /** Further tags that the steps see on the same commit. */
  readonly alsoTagged?: readonly string[];
  /** Ecosystems whose credentials the policy hands to the steps that reach them; a notice of the plan names them. */
  readonly credentials: readonly Ecosystem[];
  /** What the tool asks for, with the values; never shown or recorded. */
  readonly inputs: readonly SettledInput[];
}

/** Largest file of a repository that a recipe reads (lockfiles are large). */
const MAX_READ_BYTES = 32 * 1024 * 1024;

const MOST_SHOWN = 5;

function isLibrary(entry: ManifestSource): boolean {
  return entry.kind === "library" || methodsOf(entry).length === 0;
}

/** What gets a thing of an ecosystem, and the program that does it. */
const ELSEWHERE: Readonly<Record<string, readonly [program: string, command: string]>> = {
  npm: ["npm", "npm install"],
  pypi: ["pip", "pip install"],
  crates: ["cargo", "cargo add"],
  go: ["go", "go get"],
  flatpak: ["flatpak", "flatpak install"],
  docker: ["docker", "docker pull"],
  brew: ["brew", "brew install"],
  apt: ["apt", "sudo apt install"],
};

/** The refusal of an entry that installs nothing, with the line that fits instead: the first whose program is here. */
async function nothingToInstall(host: Host, entry: ManifestSource, version: string): Promise<IpmError> {
  const elsewhere = resolveElsewhere(entry, version);
  const lines: { line: string; fits: boolean }[] = [];
  for (const [where, what] of Object.entries(elsewhere)) {
    const [program, command] = ELSEWHERE[where] ?? [null, `${where}:`];
    const fits = program !== null && (await findOnPath(host, program)) !== undefined;
    lines.push({ line: `${command} ${escapeUntrusted(what)}`, fits });
  }
  const best = lines.find(({ fits }) => fits) ?? lines[0];
  return new IpmError(
    "NOTHING_TO_INSTALL",
    `${entry.name} is ${entry.kind === "library" ? "a library" : "an entry without methods"}: there is nothing for ipm to install`,
    {
      hint: best?.line ?? `see ${entry.homepage ?? entry.source.git ?? `ipm show ${entry.name}`}`,
      data: { name: entry.name, elsewhere },
    },
  );
}

/** The tree as the manifest's `source.path` shows it. */
async function viewOf(source: FetchedSource, manifest: Manifest): Promise<SourceView> {
  const isWhole = manifest.source.path === null || manifest.source.from === "package";
  const root = isWhole ? "" : `${manifest.source.path}/`;
  const files = source.listing
    .filter(({ path: file, mode }) => file.startsWith(root) && (mode === "100644" || mode === "100755"))
    .map(({ path: file, mode }) => ({ path: file.slice(root.length), executable: mode === "100755" }));
  const texts: Record<string, string> = {};
  const asked = new Set<string>();
  for (;;) {
    // One file can tell of another that matters: asked until nothing new is named.
    const wanted = filesToRead(manifest, files, texts).filter((file) => !asked.has(file));
    if (wanted.length === 0) return { files, texts };
    for (const file of wanted) {
      asked.add(file);
      const bytes = await source.readFile(`${root}${file}`, MAX_READ_BYTES);
      if (bytes !== undefined) texts[file] = new TextDecoder().decode(bytes);
    }
  }
}

interface ChosenMethod {
  readonly manifest: Manifest;
  readonly source: FetchedSource;
  readonly expanded: ExpandedSteps;
  readonly requirements: readonly ResolvedRequirement[];
  readonly passedOver: readonly { readonly id: string; readonly why: string }[];
}

/** A look at one method: what it would be, or why it cannot be used. */
type ExaminedMethod = { readonly id: string } & (
  | { readonly usable: Omit<ChosenMethod, "passedOver">; readonly view: SourceView }
  | {
      readonly usable: null;
      readonly why: string;
      readonly requirements: readonly ResolvedRequirement[];
      readonly unmet: readonly ResolvedRequirement[];
    }
);

function whyUnmet(unmet: readonly ResolvedRequirement[]): string {
  return `needs ${unmet.map(describeRequirement).join(", ")}`;
}

async function examineMethod(
  host: Host,
  { entry, version, sourceFor }: MethodQuestion,
  id: string,
): Promise<ExaminedMethod> {
  const manifest = resolveManifest(entry, { version, method: id, platform: host.facts.platform });
  const source = await sourceFor(manifest.source.from);
  let view: SourceView;
  let expanded: ExpandedSteps;
  try {
    view = await viewOf(source, manifest);
    expanded = expandSteps(manifest, view);
  } catch (error) {
    // A release without a file for this platform: another method may fit.
    if (isIpmError(error, "METHOD_NOT_APPLICABLE"))
      return { id, usable: null, why: error.message, requirements: [], unmet: [] };
    // What this machine cannot use need not be right for it: the next method may be.
    const requirements = await probeRequirements(host, manifest.requires);
    const unmet = unmetRequirements(requirements);
    if (unmet.length === 0) throw error;
    return { id, usable: null, why: whyUnmet(unmet), requirements, unmet };
  }
  const requirements = await probeRequirements(host, expanded.requires);
  const unmet = unmetRequirements(requirements);
  if (unmet.length === 0) return { id, usable: { manifest, source, expanded, requirements }, view };
  return { id, usable: null, why: whyUnmet(unmet), requirements, unmet };
}

/** What a method is looked for. */
interface MethodQuestion {
  readonly entry: ManifestSource;
  readonly version: string;
  readonly sourceFor: (kind: SourceKind) => Promise<FetchedSource>;
  /** Methods that are not to be tried again, with the reason. */
  readonly excluded: ReadonlyMap<string, string>;
}

/**
 * The first method that fits platform, version and host; why each other one was passed over.
 * @throws IpmError USAGE for a method that the manifest does not have, REQUIREMENT_MISSING when requirements alone are in the way, METHOD_NOT_APPLICABLE otherwise
 */
async function chooseMethod(
  host: Host,
  question: MethodQuestion,
  wanted: string | undefined,
  getMissing: ((unmet: readonly ResolvedRequirement[]) => Promise<boolean>) | null,
): Promise<ChosenMethod & { readonly view: SourceView }> {
  const { entry, version, excluded } = question;
  if (wanted !== undefined) demandMethod(entry, wanted);
  const passedOver: { id: string; why: string }[] = [];
  const missing: (readonly ResolvedRequirement[])[] = [];
  let chosen: (Omit<ChosenMethod, "passedOver"> & { readonly view: SourceView }) | undefined;
  for (const choice of methodChoices(entry, version, host.facts.platform)) {
    const excludedWhy = excluded.get(choice.id);
    if (excludedWhy !== undefined) passedOver.push({ id: choice.id, why: excludedWhy });
    else if (!choice.applies) passedOver.push({ id: choice.id, why: choice.why });
    else if (wanted !== undefined && choice.id !== wanted)
      passedOver.push({ id: choice.id, why: "another one was asked for" });
    else if (chosen !== undefined) passedOver.push({ id: choice.id, why: `${chosen.manifest.method} comes first` });
    else {
      const examined = await examineMethod(host, question, choice.id);
      if (examined.usable !== null) chosen = { ...examined.usable, view: examined.view };
      else {
        if (examined.unmet.length > 0) missing.push(examined.unmet);
        passedOver.push({ id: choice.id, why: examined.why });
      }
    }
  }
  if (chosen !== undefined) return { ...chosen, passedOver };
  const reasons = passedOver.map(({ id, why }) => `${id}: ${why}`).join("; ");
  const first = missing[0];
  if (first === undefined) {
    throw new IpmError("METHOD_NOT_APPLICABLE", `no method of ${entry.name} ${version} can be used here: ${reasons}`, {
      hint: `ipm show ${entry.name}`,
      data: { name: entry.name, version, passedOver },
    });
  }
  if (getMissing !== null && (await getMissing(first))) return chooseMethod(host, question, wanted, null);
  throw await requirementMissing(host, entry.name, version, first, passedOver);
}

/**
 * `--choose`: somebody at the terminal picks the method, from all of them with the reason of each that cannot be used.
 * @returns undefined where there is nothing to choose from
 * @throws IpmError USAGE without a terminal, DECLINED
 */
async function askForMethod(context: Context, question: MethodQuestion): Promise<string | undefined> {
  const { host, prompts = null } = context;
  const { entry, version, excluded } = question;
  const choices = methodChoices(entry, version, host.facts.platform);
  if (choices.length < 2) return undefined;
  if (prompts === null) {
    const first = choices.find(({ applies }) => applies) ?? choices[0];
    throw new IpmError("USAGE", `--choose asks which method of ${entry.name} is meant, and nobody can be asked`, {
      hint: `--method ${first?.id ?? "ID"} (one of: ${choices.map(({ id }) => id).join(", ")})`,
      data: { methods: choices },
    });
  }
  const offered: { id: string; why: string | null }[] = [];
  for (const choice of choices) {
    const excludedWhy = excluded.get(choice.id);
    if (excludedWhy !== undefined) offered.push({ id: choice.id, why: excludedWhy });
    else if (!choice.applies) offered.push({ id: choice.id, why: choice.why });
    else {
      const examined = await examineMethod(host, question, choice.id);
      offered.push({ id: choice.id, why: examined.usable === null ? examined.why : null });
    }
  }
  // What is missing is said as it always is.
  if (offered.every(({ why }) => why !== null)) return undefined;
  const text = `How to install ${entry.name} ${version}?`;
  const picked = await inTurn(host, "terminal", () => prompts.choose({ text, choices: offered }));
  if (picked !== null) return picked;
  throw new IpmError("DECLINED", `${entry.name} was not installed`, { hint: "nothing was changed" });
}

/** The steps with the optional ones that the user wants, and what these need besides. */
async function withOptionalSteps(
  context: Context,
  chosen: ChosenMethod & { readonly view: SourceView },
  question: MethodQuestion,
  options: PlanOptions,
): Promise<ChosenMethod> {
  const { entry, version } = question;
  const { optional } = chosen.expanded;
  const taken = await takeOptionalSteps(context, `${entry.name}@${version}`, optional, options);
  if (taken.size === 0) return chosen;
  const expanded = expandSteps(chosen.manifest, chosen.view, taken);
  const requirements = await probeRequirements(context.host, expanded.requires);
  const unmet = unmetRequirements(requirements);
  if (unmet.length > 0) throw await requirementMissing(context.host, entry.name, version, unmet, chosen.passedOver);
  return { ...chosen, expanded, requirements };
}

/** What vouches for a plan: its registry's attestations, and those of this machine's own runs. */
async function trustOf(context: Context, target: ResolvedTarget, plan: Plan): Promise<PlanTrust> {
  const trust = trustOfPlan({
    digest: plan.digest,
    version: plan.tool.version,
    method: plan.method.id,
    platform: plan.platform,
    registry: target.registry,
    embedded: target.embedded,
    attestations: target.attestations,
    own: await readOwnAttestations(context.host, plan.tool.name, plan.tool.version),
    now: context.host.now(),
  });
  return target.drafted && trust.level === "unverified"
    ? { ...trust, detail: "drafted from the repository, not verified" }
    : trust;
}

/** For each launcher, another program of that name on the caller's PATH, and whether it is found first. */
async function programsOnPath(
  host: Host,
  names: readonly string[],
): Promise<Record<string, { path: string; wins: boolean }>> {
  const { before } = profileOnPath(host);
  const found: Record<string, { path: string; wins: boolean }> = {};
  for (const name of names) {
    const first = await findOnPath(host, name);
    if (first !== undefined) found[name] = { path: first, wins: before.includes(path.dirname(first)) };
  }
  return found;
}

/** The credentials that the policy hands to these steps, and the sentence of the plan that says so. */
async function credentialsFor(
  context: Context,
  steps: readonly PlannedStep[],
): Promise<{ ecosystems: Ecosystem[]; notices: string[] }> {
  const reached = new Set(steps.flatMap((step) => (step.kind === "run" ? step.network.filter(isEcosystem) : [])));
  if (reached.size === 0) return { ecosystems: [], notices: [] };
  const policies = await readPolicies(context);
  const ecosystems = allowedCredentials(policies).filter((ecosystem) => reached.has(ecosystem));
  if (ecosystems.length === 0) return { ecosystems, notices: [] };
  const files = policies.map(({ file }) => file).join(" and ");
  return {
    ecosystems,
    notices: [`steps are given this machine's credentials of ${ecosystems.join(", ")}, by the policy ${files}`],
  };
}

/** Load what steps are started with, and see whether there is a sandbox. Whatever fails here fails again where it is needed. */
function prepareSteps(context: Context, { dryRun, noSandbox }: PlanOptions): void {
  if (dryRun) return;
  context.host.processes.prepare().catch(() => undefined);
  if (noSandbox) return;
  context
    .sandboxFor(false)
    .probe()
    .catch(() => undefined);
}

interface OpenOptions {
  readonly offline: boolean;
  /** Called once a transfer runs. */
  readonly meanwhile?: () => void;
}

/** What a method works from, fetched into ipm's cache or read from the registry. */
async function openFor(
  context: Context,
  target: ResolvedTarget,
  kind: SourceKind,
  tool: string,
  { offline, meanwhile }: OpenOptions,
): Promise<FetchedSource> {
  if (kind === "checkout" && target.fetched !== null) return target.fetched;
  if (kind === "checkout" && target.request !== null)
    return fetchSource(context, target.request, tool, offline, meanwhile);
  if (kind === "package" && target.package !== null) return readPackage(context, target.package, tool);
  // `methodChoices` passes over methods whose source a version has no pin for.
  throw new TypeError(`${tool} has no ${kind}`);
}

/** What methods work from, each fetched once. */
function openSources(
  context: Context,
  target: ResolvedTarget,
  tool: string,
  options: OpenOptions,
): MethodQuestion["sourceFor"] {
  const opened = new Map<SourceKind, Promise<FetchedSource>>();
  return (kind) => {
    const source = opened.get(kind) ?? openFor(context, target, kind, tool, options);
    opened.set(kind, source);
    return source;
  };
}

/** A method of a target and what this machine has of what it needs; `why`: why it cannot be used here, or null. */
export interface MethodNeeds {
  readonly id: string;
  readonly why: string | null;
  readonly requirements: readonly ResolvedRequirement[];
}

/**
 * What each method of a target needs, and what this machine has of it: the check of a plan alone. Nothing but the cache is
 * written.
 * @throws IpmError of fetch and source
 */
export async function examineMethods(
  context: Context,
  target: ResolvedTarget,
  offline: boolean,
): Promise<readonly MethodNeeds[]> {
  const { entry, version } = target;
  if (isLibrary(entry)) throw await nothingToInstall(context.host, entry, version);
  const sourceFor = openSources(context, target, `${entry.name}@${version}`, { offline });
  const question: MethodQuestion = { entry, version, sourceFor, excluded: new Map() };
  const found: MethodNeeds[] = [];
  for (const choice of methodChoices(entry, version, context.host.facts.platform)) {
    const { id } = choice;
    if (!choice.applies) found.push({ id, why: choice.why, requirements: [] });
    else {
      const examined = await examineMethod(context.host, question, id);
      found.push(
        examined.usable === null
          ? { id, why: examined.why, requirements: examined.requirements }
          : { id, why: null, requirements: examined.usable.requirements },
      );
    }
  }
  return found;
}

/** Which submodules the steps will not find. */
function submoduleNotices({ listing }: FetchedSource, { source, kind }: ManifestSource): string[] {
  const empty = listing.filter(({ mode }) => mode === "160000").map(({ path: file }) => escapeUntrusted(file));
  const lost = (source.submodules ?? []).filter((file) => !listing.some((entry) => entry.path.startsWith(`${file}/`)));
  const more = empty.length > MOST_SHOWN ? ` and ${empty.length - MOST_SHOWN} more` : "";
  const shown = `${empty.slice(0, MOST_SHOWN).join(", ")}${more}`;
  return [
    ...(empty.length === 0
      ? []
      : [
          kind === "workspace"
            ? `submodules are empty folders until \`git submodule update --init\`: ${shown}`
            : `submodules that the manifest does not list stay empty folders: ${shown}`,
        ]),
    ...(lost.length === 0
      ? []
      : [`submodules that the manifest lists and this version does not have: ${lost.map(escapeUntrusted).join(", ")}`]),
  ];
}

function workspaceNotices(workspace: Plan["workspace"]): string[] {
  if (workspace === undefined) return [];
  return [
    workspace.remote === null
      ? "its clone has no remote: the source is a bundle of the registry"
      : "its clone holds this commit alone; `git fetch --unshallow` brings the history",
  ];
}

/**
 * Fetch the pin of a target into ipm's cache and plan its installation. Nothing but the cache is written.
 * @param excluded methods that are not to be tried again, with the reason
 * @throws IpmError of look-up, fetch, source, requirements and POLICY_INVALID; see `docs/errors.md`
 */
export async function preparePlan(
  context: Context,
  target: ResolvedTarget,
  options: PlanOptions,
  excluded: ReadonlyMap<string, string> = new Map(),
): Promise<PreparedPlan> {
  const { host } = context;
  const { entry, version } = target;
  if (isLibrary(entry)) throw await nothingToInstall(host, entry, version);
  const tool = `${entry.name}@${version}`;
  const workspace = await placeOfWorkspace(context, target, options.into);
  const sourceFor = openSources(context, target, tool, {
    offline: options.offline,
    meanwhile: () => prepareSteps(context, options),
  });
  const question: MethodQuestion = { entry, version, sourceFor, excluded };
  const wanted = options.method ?? (options.choose === true ? await askForMethod(context, question) : undefined);
  const first = await chooseMethod(
    host,
    question,
    wanted,
    options.withRequirements === true && !options.dryRun
      ? (unmet) => installRequirements(context, tool, unmet, options)
      : null,
  );
  const chosen = await withOptionalSteps(context, first, question, options);
  const { source } = chosen;
  const request = chosen.manifest.source.from === "package" ? target.package : target.request;
  // Without a sandbox nobody hands anything out: the steps run as the caller.
  const credentials = await credentialsFor(context, options.noSandbox ? [] : chosen.expanded.steps);
  const origin = {
    registry: target.registry,
    source: request === null ? target.typed : describeSource(request),
    target: target.typed,
    again: target.again,
  };
  const inputs = await settleInputs(context, { name: entry.name, version }, chosen.manifest.inputs, origin, options);
  const draft = buildPlan({
    manifest: chosen.manifest,
    expanded: chosen.expanded,
    source,
    platform: host.facts.platform,
    requirements: chosen.requirements,
    inputs,
    passedOver: chosen.passedOver,
    trust: { level: "unverified", detail: "" },
    onPath: await programsOnPath(host, Object.keys(chosen.expanded.provides.bin)),
    notices: [
      ...target.notices,
      ...workspaceNotices(workspace),
      ...submoduleNotices(source, entry),
      ...credentials.notices,
    ],
    risks: findRisks(chosen.expanded.steps),
    origin,
    ...(workspace === undefined ? {} : { workspace }),
  });
  const plan: Plan = { ...draft, trust: await trustOf(context, target, draft) };
  context.emit({ type: "plan.ready", tool, digest: plan.digest, plan });
  const [tag = null, ...alsoTagged] =
    target.tag === undefined || target.tag === null
      ? tagsForSteps(chosen.manifest.version, entry.versions)
      : [target.tag];
  return { plan, source, tag, alsoTagged, credentials: credentials.ecosystems, inputs };
}
