import path from "node:path";
import { isIpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { parseManifest } from "../manifest/parse-manifest.ts";
import { isAttestationSummary } from "../trust/attestation.ts";
import type { EntryRecord, IndexRecord } from "./index-records.ts";
import { fetchContent, fromFirstOf, refuseOffline } from "./fetch-static.ts";
import { openSet, registryCache } from "./index-set.ts";
import { removeOtherLayers } from "./keep-layers.ts";
import { notUpdated } from "./open-git.ts";
import { type OpenRegistry, openFrom } from "./open-registry.ts";
import { type ConfiguredRegistry, placesOf } from "./read-config.ts";
import type { RegistryContext } from "./registry-context.ts";
import type { FoundRecord } from "./registry-index.ts";
import { manifestPath } from "./registry-tree.ts";
import { MAX_FILE_BYTES, isContentFile } from "./static-root.ts";
import { damagedRegistry, readStaticState, writeStaticState } from "./static-state.ts";
import { treeFinding } from "./tree-finding.ts";

/**
 * The record of an entry as this ipm reads its manifest. Another program wrote the index, and nobody vouches for it: what
 * comes out of it passes the same checks as a manifest that is read from a file.
 */
function checkedRecord(record: EntryRecord, { kind }: FoundRecord, key: string): IndexRecord {
  // JSON is YAML, so the same parser with the same limits reads it.
  const file = manifestPath(record.manifest.name);
  const parsed = parseManifest(Buffer.from(JSON.stringify(record.manifest)), file);
  if (!parsed.ok) return { file, broken: parsed.findings };
  const { name } = parsed.manifest;
  if (kind === "name" && name !== key)
    return { file, broken: [treeFinding("NAME_MISMATCH", file, `\`${key}\` leads to the manifest of \`${name}\``)] };
  const attestations = Array.isArray(record.attestations) ? record.attestations.filter(isAttestationSummary) : [];
  const version = typeof record.version === "string" ? record.version : null;
  return { version, manifest: parsed.manifest, ...(attestations.length === 0 ? {} : { attestations }) };
}

/**
 * A static registry, as the last update fetched it. Look-ups and search use no network; a file that an entry needs is
 * fetched the first time it is asked for.
 * @throws IpmError REGISTRY_NOT_UPDATED when nothing has been fetched yet, REGISTRY_DAMAGED
 */
export async function openStatic(context: RegistryContext, registry: ConfiguredRegistry): Promise<OpenRegistry> {
  const state = await readStaticState(context, registry);
  if (state === undefined) throw notUpdated(registry.id);
  const { id } = registry;
  const opened = await openFrom(
    {
      open: async () => {
        if (state.layers.length === 0)
          throw damagedRegistry(registry, "the index was damaged, and was not fetched again");
        return openSet(context, id, { key: state.root, layers: state.layers });
      },
      rebuild: async (reason) => {
        try {
          // The next update fetches it again, and still knows the number that it must not go back behind.
          await writeStaticState(context, registry, { ...state, layers: [] });
          await removeOtherLayers(context, id, []);
        } catch (error) {
          if (!isIpmError(error, "IO_FAILED") && !isIpmError(error, "DISK_FULL")) throw error;
        }
        throw damagedRegistry(registry, reason);
      },
    },
    {
      id,
      kind: "static",
      location: registry.location,
      file: async (file) => {
        const found = (await opened.read((index) => index.find(file, ["file"]))).at(-1)?.record;
        if (!isContentFile(found, MAX_FILE_BYTES)) return undefined;
        const folder = path.join(registryCache(context, id), "files");
        const target = path.join(folder, found.sha256);
        if ((await context.host.files.facts(target)) === undefined)
          refuseOffline(context, `${file} of the registry ${id}`, "run the command once without --offline");
        // What is there is compared with its digest again.
        await fromFirstOf(context, placesOf(registry), async (place) => fetchContent(context, place, folder, found));
        return target;
      },
    },
  );
  // What the root says counts: the layers' own words are those of the publication that they were made for.
  const meta = { ...opened.meta, id, name: state.name, sequence: state.sequence, entries: state.entries };
  return {
    ...opened,
    meta,
    find: async (key, kinds) =>
      (await opened.find(key, kinds)).map((found): FoundRecord => {
        const { kind, record } = found;
        if ("removed" in record) return { kind, record: { removed: escapeUntrusted(record.removed) } };
        if (!("manifest" in record)) {
          const file = manifestPath(escapeUntrusted(key));
          const finding = treeFinding("INVALID_VALUE", file, "the registry says that this entry cannot be used");
          return { kind: "broken", record: { file, broken: [finding] } };
        }
        const checked = checkedRecord(record, found, key);
        return "broken" in checked ? { kind: "broken", record: checked } : { kind: found.kind, record: checked };
      }),
  };
}
