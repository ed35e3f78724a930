import { parsePackageReference } from "../manifest/package-reference.ts";
import type { ManifestSource, VersionSource } from "../manifest/schema.ts";
import { packageRecipeOf } from "./expand-steps.ts";

/** The files of a version's lock, as paths beside the entry's manifest; none for a version without. */
export function lockFilesOf(
  { source }: Pick<ManifestSource, "source">,
  { lock }: Pick<VersionSource, "lock">,
): readonly string[] {
  const reference = source.package === undefined ? undefined : parsePackageReference(source.package);
  if (reference === undefined || lock === undefined) return [];
  return packageRecipeOf(reference).lockFiles.map((file) => `${lock}/${file}`);
}
