import { IpmError } from "../core/errors.ts";
import type { ManifestSource, VersionSource } from "./schema.ts";

export function versionOf(source: ManifestSource, wanted: string): VersionSource {
  const found = source.versions.find(({ version }) => version === wanted);
  if (found !== undefined) return found;
  throw new IpmError("VERSION_NOT_FOUND", `${source.name} has no version ${wanted}`, {
    hint: `run: ipm show ${source.name}`,
    data: { name: source.name, version: wanted, versions: source.versions.map(({ version }) => version) },
  });
}
