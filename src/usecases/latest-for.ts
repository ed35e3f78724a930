import { isUnreleasedVersion } from "../manifest/complete-repository-manifest.ts";
import type { ManifestSource } from "../manifest/schema.ts";
import { selectVersion } from "../manifest/select-version.ts";

/**
 * The version that an installed one would be upgraded to, or null when it is the newest. From one that was withdrawn an
 * older one is the way out too.
 */
export function latestFor(entry: ManifestSource, installed: string): string | null {
  const newest = selectVersion(entry, null);
  if (!newest.ok) return null;
  const position = (version: string): number => entry.versions.findIndex((item) => item.version === version);
  const at = position(installed);
  // What was installed as `NAME@HEAD` follows the branch: a release is older.
  if (at === -1 && entry.source.track !== undefined && isUnreleasedVersion(installed)) return null;
  if (entry.versions[at]?.withdrawn !== undefined) return newest.version.version;
  return at === -1 || position(newest.version.version) < at ? newest.version.version : null;
}
