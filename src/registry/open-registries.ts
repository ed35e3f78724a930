import { IpmError, isIpmError } from "../core/errors.ts";
import type { ToolName } from "../core/ids.ts";
import { escapeUntrusted, redactCredentials } from "../core/untrusted-text.ts";
import { relativePathProblem } from "../manifest/relative-path.ts";
import type { ManifestSource } from "../manifest/schema.ts";
import type { AttestationSummary } from "../trust/attestation.ts";
import type { IndexRecord } from "./index-records.ts";
import type { KeyKind } from "./name-table.ts";
import { type OpenRegistry, openEmbedded } from "./open-registry.ts";
import { type ConfiguredRegistry, type RegistryConfig, readConfig } from "./read-config.ts";
import type { RegistryContext } from "./registry-context.ts";
import { manifestPath } from "./registry-tree.ts";

/** An entry that was asked for, and how it was found. */
export interface LookUp {
  readonly registry: ToolName;
  /** It is the registry that ships with ipm. */
  readonly embedded: boolean;
  readonly entry: ManifestSource;
  /** Path of the manifest below the registry's root. */
  readonly manifestFile: string;
  readonly how: "name" | "alias" | "formerly" | "source";
  /** What the registry's own verification has seen of the entry's versions. */
  readonly attestations: readonly AttestationSummary[];
  /**
   * Absolute path of a file of the registry, such as the manifest's bundle.
   * @throws IpmError REGISTRY_INVALID when the registry holds no such plain file
   */
  bundleFile(file: string): Promise<string>;
}

export interface SearchHit {
  readonly name: string;
  readonly registry: ToolName;
  readonly summary: string;
  /** The version that a plain `install` takes, or null when there is none (pre-releases only, or all withdrawn). */
  readonly version: string | null;
  /** Larger is better; comparable between registries. */
  readonly score: number;
}

/** The embedded and the configured registries, open for look-ups and search. Nothing here touches the network. */
export interface Registries {
  /**
   * The entry with this name, alias or former name.
   * @throws IpmError TOOL_NOT_FOUND with the nearest names, NAME_AMBIGUOUS when several registries have it,
   *   MANIFEST_INVALID when the entry cannot be used, REGISTRY_NOT_UPDATED when a registry that may have it was never fetched
   */
  lookUp(name: string): Promise<LookUp>;
  /** The same in one registry. @throws IpmError also REGISTRY_NOT_FOUND */
  lookUpIn(registry: string, name: string): Promise<LookUp>;
  /**
   * The entry of a repository, by its URL or `owner/repo`, also by its former ones; undefined when no registry has it.
   * @throws IpmError NAME_AMBIGUOUS when several entries come from this repository, MANIFEST_INVALID, REGISTRY_NOT_UPDATED
   */
  lookUpSource(urlOrOwnerRepo: string): Promise<LookUp | undefined>;
  /** The best entries for some words, typos allowed, at most `limit` (default 20). Registries that were never fetched are left out. */
  search(words: string, limit?: number): Promise<readonly SearchHit[]>;
  close(): void;
}

/** A registry that look-ups ask; opened at the first one. */
interface Slot {
  readonly id: ToolName;
  open(): Promise<OpenRegistry>;
}

interface Found {
  readonly registry: OpenRegistry;
  readonly kind: KeyKind;
  readonly record: IndexRecord;
}

const NEAREST = 3;
const DEFAULT_HITS = 20;
const HOW: Readonly<Partial<Record<KeyKind, LookUp["how"]>>> = {
  name: "name",
  alias: "alias",
  formerly: "formerly",
  source: "source",
  "former-source": "formerly",
};

/** Everything that one registry has under a key, best kind first. */
async function find(registry: OpenRegistry, key: string, kinds: readonly KeyKind[]): Promise<Found[]> {
  return (await registry.find(key, kinds)).map((found) => ({ registry, ...found }));
}

const NAME_KINDS: readonly KeyKind[] = ["name", "broken", "alias", "formerly", "removed"];
const SOURCE_KINDS: readonly KeyKind[] = ["source", "former-source"];

/** What a record means for somebody who asked for it. @throws IpmError MANIFEST_INVALID, TOOL_NOT_FOUND */
async function lookUpOf({ registry, kind, record }: Found, asked: string): Promise<LookUp> {
  if ("removed" in record) {
    throw new IpmError(
      "TOOL_NOT_FOUND",
      `${escapeUntrusted(asked)} was taken out of the registry ${registry.id}: ${record.removed}`,
      {
        hint: `ipm search ${escapeUntrusted(asked)}`,
        data: { name: asked, registry: registry.id, removed: record.removed },
      },
    );
  }
  if ("broken" in record || !("manifest" in record)) {
    const { formatFinding } = await import("../manifest/finding.ts");
    const broken = "broken" in record ? record.broken : [];
    throw new IpmError("MANIFEST_INVALID", broken.map(formatFinding).join("\n"), {
      hint: `the registry ${registry.id} has to mend it; ipm update brings it once it has`,
      data: { name: asked, registry: registry.id, findings: broken },
    });
  }
  return {
    registry: registry.id,
    embedded: registry.kind === "embedded",
    entry: record.manifest,
    manifestFile: manifestPath(record.manifest.name),
    how: HOW[kind] ?? "name",
    attestations: record.attestations ?? [],
    bundleFile: async (file) => {
      const found = relativePathProblem(file) === undefined ? await registry.file(file) : undefined;
      if (found !== undefined) return found;
      throw new IpmError("REGISTRY_INVALID", `the registry ${registry.id} has no file ${escapeUntrusted(file)}`, {
        hint: registry.kind === "git" || registry.kind === "static" ? "ipm update" : `look into ${registry.location}`,
        data: { registry: registry.id, path: file },
      });
    },
  };
}

function ambiguous(asked: string, forms: readonly string[]): IpmError {
  return new IpmError("NAME_AMBIGUOUS", `${escapeUntrusted(asked)} can mean ${forms.join(" or ")}`, {
    hint: `name the one you mean: ipm install ${forms[0] ?? ""}`,
    data: { name: asked, candidates: forms },
  });
}

/**
 * Which registries there are, each id once. Of the embedded registry and a configured one of the same id the one with the
 * higher sequence is used; with equal ones the embedded, which is the reviewed copy that came with this ipm. A configured
 * one that was never fetched does not count then.
 */
async function slotsOf(
  context: RegistryContext,
  config: RegistryConfig,
  embedded: OpenRegistry | undefined,
): Promise<Slot[]> {
  const slots: Slot[] = config.registries.map((registry) => ({
    id: registry.id,
    open: once(async () => openConfigured(context, registry)),
  }));
  if (embedded === undefined) return slots;
  const rival = slots.find((slot) => slot.id === embedded.id);
  const own: Slot = { id: embedded.id, open: async () => embedded };
  if (rival === undefined) return [own, ...slots];
  const others = slots.filter((slot) => slot !== rival);
  const sequence = await sequenceOf(rival);
  return [sequence !== undefined && sequence > embedded.meta.sequence ? rival : own, ...others];
}

async function sequenceOf(slot: Slot): Promise<number | undefined> {
  return (await slot.open().catch(unlessNeverFetched))?.meta.sequence;
}

/** For `catch`: a registry that was never fetched is none. */
function unlessNeverFetched(error: unknown): undefined {
  if (!isIpmError(error, "REGISTRY_NOT_UPDATED")) throw error;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

async function openConfigured(context: RegistryContext, registry: ConfiguredRegistry): Promise<OpenRegistry> {
  if (registry.kind === "static") return (await import("./open-static.ts")).openStatic(context, registry);
  if (registry.kind === "folder") return (await import("./open-folder.ts")).openFolder(context, registry);
  return (await import("./open-git.ts")).openGit(context, registry);
}

/**
 * Open the embedded registry and those of `config.yaml`.
 * @param config what to use in place of `config.yaml`
 * @throws IpmError CONFIG_INVALID; REGISTRY_INVALID when the embedded registry cannot be read
 */
export async function openRegistries(context: RegistryContext, config?: RegistryConfig): Promise<Registries> {
  const embedded = context.embedded === null ? undefined : await openEmbedded(context.host.files, context.embedded);
  const opened: OpenRegistry[] = embedded === undefined ? [] : [embedded];
  const slots = await slotsOf(context, config ?? (await readConfig(context)), embedded);
  const open = async (slot: Slot): Promise<OpenRegistry> => {
    const registry = await slot.open();
    if (!opened.includes(registry)) opened.push(registry);
    return registry;
  };

  // A registry that cannot be asked ends the look-up: a name that it may hold must never be taken from another one.
  const findAll = async (key: string, kinds: readonly KeyKind[]): Promise<Found[]> => {
    const found: Found[] = [];
    for (const slot of slots) found.push(...(await find(await open(slot), key, kinds)));
    return found;
  };

  const notFound = async (asked: string, where: readonly Slot[]): Promise<IpmError> => {
    const near: string[] = [];
    for (const slot of where) {
      const registry = await open(slot);
      near.push(...(await registry.read((index) => index.nearestNames(asked, NEAREST))));
    }
    // Of a static registry nobody has looked at what search knows.
    const nearest = [...new Set(near)].slice(0, NEAREST).map(escapeUntrusted);
    const shown = escapeUntrusted(asked);
    const only = where.length === 1 && slots.length > 1 ? ` in the registry ${where[0]?.id ?? ""}` : "";
    const suggestion = nearest.length === 0 ? "" : `; the nearest names: ${nearest.join(", ")}`;
    return new IpmError("TOOL_NOT_FOUND", `there is no tool "${shown}"${only}${suggestion}`, {
      hint: `ipm search ${shown}`,
      data: { name: asked, nearest },
    });
  };

  return {
    lookUp: async (name) => {
      const found = await findAll(name, NAME_KINDS);
      const byRegistry = new Map<ToolName, Found>();
      for (const each of found) if (!byRegistry.has(each.registry.id)) byRegistry.set(each.registry.id, each);
      const present = [...byRegistry.values()].filter(({ record }) => !("removed" in record));
      if (present.length > 1)
        throw ambiguous(
          name,
          present.map(({ registry }) => `${registry.id}:${escapeUntrusted(name)}`),
        );
      const [only] = present.length > 0 ? present : found;
      if (only === undefined) throw await notFound(name, slots);
      return lookUpOf(only, name);
    },
    lookUpIn: async (id, name) => {
      const slot = slots.find((each) => each.id === id);
      if (slot === undefined) {
        const known = slots.map((each) => each.id).join(", ");
        throw new IpmError("REGISTRY_NOT_FOUND", `there is no registry "${escapeUntrusted(id)}"; there are: ${known}`, {
          hint: "ipm registry list",
          data: { id },
        });
      }
      const [best] = await find(await open(slot), name, NAME_KINDS);
      if (best === undefined) throw await notFound(name, [slot]);
      return lookUpOf(best, name);
    },
    lookUpSource: async (urlOrOwnerRepo) => {
      const { forgeUrl, sourceKey } = await import("../core/git-url.ts");
      const key = sourceKey(forgeUrl(urlOrOwnerRepo) ?? urlOrOwnerRepo);
      if (key === null) return undefined;
      const found = await findAll(key, SOURCE_KINDS);
      // Whoever lives there now goes before those who have moved away.
      const now = found.filter(({ kind }) => kind === "source");
      const candidates = now.length > 0 ? now : found;
      const [only, ...others] = candidates;
      if (only === undefined) return undefined;
      if (others.length === 0) return lookUpOf(only, urlOrOwnerRepo);
      const asked = redactCredentials(urlOrOwnerRepo);
      throw ambiguous(
        asked,
        candidates.map((each) => `${each.registry.id}:${"manifest" in each.record ? each.record.manifest.name : ""}`),
      );
    },
    search: async (words, limit = DEFAULT_HITS) => {
      const { searchRegistries } = await import("./search-registries.ts");
      const fetched = (slot: Slot): Promise<OpenRegistry | undefined> => open(slot).catch(unlessNeverFetched);
      return searchRegistries(
        slots.map((slot) => async () => fetched(slot)),
        words,
        limit,
      );
    },
    close: () => {
      for (const registry of opened.splice(0)) registry.close();
    },
  };
}
