import { fillPlaceholders } from "./placeholders.ts";
import type { ManifestSource } from "./schema.ts";
import { versionOf } from "./version-of.ts";

/**
 * Where else an entry can be had, `{version}` and `{commit}` filled in for a version of its list: for entries without
 * methods, which `resolveManifest` refuses.
 * @throws IpmError VERSION_NOT_FOUND
 */
export function resolveElsewhere(source: ManifestSource, version: string): Readonly<Record<string, string>> {
  const { commit } = versionOf(source, version);
  const names = Object.entries(source.elsewhere ?? {});
  const values = { version, commit: commit ?? "" };
  return Object.fromEntries(names.map(([ecosystem, name]) => [ecosystem, fillPlaceholders(name, values)]));
}
