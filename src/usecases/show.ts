import { IpmError, isIpmError } from "../core/errors.ts";
import { type Platform, platformId } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { BinSource, ManifestSource, StepSource } from "../manifest/schema.ts";
import { methodsOf } from "../manifest/methods-of.ts";
import { resolveElsewhere } from "../manifest/resolve-elsewhere.ts";
import { selectVersion } from "../manifest/select-version.ts";
import type { PlanTrust } from "../plan/plan.ts";
import { titleOfRun } from "../plan/title-of-run.ts";
import { type LookUp, openRegistries } from "../registry/open-registries.ts";
import { nameTarget } from "../source/name-target.ts";
import type { RunText } from "../manifest/manifest.ts";
import type { Context } from "./context.ts";
import { type InstalledTool, listTools } from "./list.ts";
import { registryContext } from "./registry-context.ts";

export interface ShownMethod {
  readonly id: string;
  /** Empty: everywhere. */
  readonly platforms: readonly string[];
  readonly requires: readonly string[];
  readonly steps: readonly string[];
}

/** Everything that `ipm show` tells of an entry. Part of the JSON contract. */
export interface ShowResult {
  readonly name: string;
  readonly registry: string;
  readonly kind: string;
  readonly summary: string;
  readonly license: string;
  readonly homepage: string | null;
  readonly source: string | null;
  readonly keywords: readonly string[];
  readonly aliases: readonly string[];
  readonly formerly: readonly string[];
  readonly deprecated: { readonly why: string; readonly use: string | null } | null;
  /** Newest first. */
  readonly versions: readonly {
    readonly version: string;
    readonly commit: string | null;
    readonly added: string | null;
    readonly prerelease: boolean;
    readonly withdrawn: string | null;
  }[];
  readonly methods: readonly ShownMethod[];
  readonly bins: readonly string[];
  readonly notes: string | null;
  readonly start: string | null;
  readonly elsewhere: Readonly<Record<string, string>>;
  /** Of the newest version. */
  readonly trust: string;
  readonly installed: InstalledTool | null;
}

function namesOf(bin: BinSource | undefined): string[] {
  return bin === undefined ? [] : Array.isArray(bin) ? [...bin] : Object.keys(bin);
}

function words(run: string | readonly string[]): RunText {
  return typeof run === "string" ? run : [run[0] ?? "", ...run.slice(1)];
}

function stepTitle(step: StepSource): string {
  return step.run === undefined ? `uses ${step.uses ?? ""}` : titleOfRun(words(step.run));
}

function requirementText(requirement: {
  tool?: string | undefined;
  header?: string | undefined;
  "pkg-config"?: string | undefined;
  library?: string | undefined;
  env?: string | undefined;
  service?: string | undefined;
  hardware?: string | undefined;
  version?: string | undefined;
  optional?: boolean | undefined;
}): string {
  const range = requirement.version === undefined ? "" : ` ${requirement.version}`;
  const { tool, header, library, env, service, hardware, "pkg-config": package_ } = requirement;
  const kinds = { variable: env, service, hardware };
  const [kind, other] = Object.entries(kinds).find(([, value]) => value !== undefined) ?? [];
  const name = tool ?? header ?? package_ ?? library ?? `${kind ?? ""} ${other ?? "?"}`;
  return `${name}${range}${requirement.optional === true ? " (optional)" : ""}`;
}

/** @throws IpmError VERSION_NOT_FOUND for a version that the entry does not have; a withdrawn one is shown */
function demandVersion(entry: ManifestSource, wanted: string | null): void {
  const choice = wanted === null ? null : selectVersion(entry, wanted);
  if (choice === null || choice.ok || choice.reason !== "unknown") return;
  const [near] = choice.suggestions;
  throw new IpmError("VERSION_NOT_FOUND", `${entry.name} ${escapeUntrusted(choice.message)}`, {
    hint: `ipm show ${near === undefined ? entry.name : `${entry.name}@${near}`}`,
    data: { name: entry.name, wanted, suggestions: choice.suggestions },
  });
}

async function findEntry(context: Context, name: string): Promise<LookUp> {
  const target = nameTarget(name) ?? (await import("../source/parse-target.ts")).parseTarget(name);
  const registries = await openRegistries(registryContext(context));
  try {
    if (target.kind === "name") {
      const named =
        target.registry === null
          ? await registries.lookUp(target.name)
          : await registries.lookUpIn(target.registry, target.name);
      demandVersion(named.entry, target.version);
      return named;
    }
    const found = target.kind === "git" ? await registries.lookUpSource(target.url) : undefined;
    if (found !== undefined) return found;
    throw new IpmError("TOOL_NOT_FOUND", `${name} is in no registry`, { hint: `ipm plan ${name}` });
  } finally {
    registries.close();
  }
}

/**
 * What its registry says of a version: the level that a plan of it has unless the recipe has changed since, which only
 * the plan can tell.
 */
function trustOf(found: LookUp, version: string | undefined, platform: Platform): PlanTrust["level"] {
  const attested = found.attestations.filter((attestation) => attestation.version === version);
  if (attested.some((attestation) => attestation.platform === platformId(platform))) return "verified";
  if (attested.length > 0) return "verified-elsewhere";
  return found.embedded ? "reviewed" : "unverified";
}

function describe(found: LookUp, installed: InstalledTool | null, platform: Platform): ShowResult {
  const entry: ManifestSource = found.entry;
  const newest = selectVersion(entry, null);
  const version = newest.ok ? newest.version.version : entry.versions[0]?.version;
  const methods = methodsOf(entry);
  return {
    name: entry.name,
    registry: found.registry,
    kind: entry.kind ?? "tool",
    summary: entry.summary,
    license: entry.license,
    homepage: entry.homepage ?? entry.source.git?.replace(/\.git$/u, "") ?? null,
    source: entry.source.git ?? entry.source.bundle ?? entry.source.package ?? null,
    keywords: entry.keywords ?? [],
    aliases: entry.aliases ?? [],
    formerly: entry.formerly ?? [],
    deprecated:
      entry.deprecated === undefined ? null : { why: entry.deprecated.why, use: entry.deprecated.use ?? null },
    versions: entry.versions.map((item) => ({
      version: item.version,
      commit: item.commit ?? null,
      integrity: item.integrity ?? null,
      added: item.added ?? null,
      prerelease: item.prerelease ?? false,
      withdrawn: item.withdrawn ?? null,
    })),
    methods: methods.map(({ id, method }) => ({
      id,
      platforms: method.platforms ?? entry.platforms ?? [],
      requires: [...(entry.requires ?? []), ...(method.requires ?? [])].map(requirementText),
      steps: method.steps.map(stepTitle),
    })),
    bins: [
      ...new Set([...namesOf(entry.bin), ...methods.flatMap(({ method }) => namesOf(method.provides?.bin))]),
    ].toSorted(),
    notes: entry.notes ?? null,
    start: entry.start === undefined ? null : titleOfRun(words(entry.start.run)),
    elsewhere: version === undefined ? {} : resolveElsewhere(entry, version),
    trust: trustOf(found, version, platform),
    installed,
  };
}

/**
 * What is known of an entry, by name, alias, `registry:name`, `owner/repo` or URL. Takes no lock and needs no network.
 * @throws IpmError TOOL_NOT_FOUND, NAME_AMBIGUOUS, VERSION_NOT_FOUND
 */
export async function showTool(context: Context, name: string): Promise<ShowResult> {
  const found = await findEntry(context, name);
  const tools = await listTools(context).catch((error: unknown) => {
    // What is in the registry can be shown although what is installed cannot be read.
    if (isIpmError(error)) return [];
    throw error;
  });
  return describe(found, tools.find((tool) => tool.name === found.entry.name) ?? null, context.host.facts.platform);
}
