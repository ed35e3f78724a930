import { escapeUntrusted } from "../core/untrusted-text.ts";
import { parseManifest } from "../manifest/parse-manifest.ts";
import { isAttestationSummary } from "../trust/attestation.ts";
import type { BrokenRecord, EntryRecord } from "./index-records.ts";
import type { KeyKind } from "./name-table.ts";
import type { FoundRecord } from "./registry-index.ts";
import { manifestPath } from "./registry-tree.ts";
import { treeFinding } from "./tree-finding.ts";

function checkEntry(record: EntryRecord, kind: KeyKind, key: string): EntryRecord | BrokenRecord {
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
 * What was found in the index of a static registry, as this ipm reads it. Another program wrote the index, and nobody
 * vouches for it: what comes out of it passes the same checks as a manifest that is read from a file.
 * @param key under which it was found
 */
export function checkRecord({ kind, record }: FoundRecord, key: string): FoundRecord {
  if ("removed" in record) return { kind, record: { removed: escapeUntrusted(record.removed) } };
  if (!("manifest" in record)) {
    const file = manifestPath(escapeUntrusted(key));
    const finding = treeFinding("INVALID_VALUE", file, "the registry says that this entry cannot be used");
    return { kind: "broken", record: { file, broken: [finding] } };
  }
  const checked = checkEntry(record, kind, key);
  return { kind: "broken" in checked ? "broken" : kind, record: checked };
}
