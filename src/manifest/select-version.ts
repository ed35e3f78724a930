import { nearest } from "../core/nearest.ts";
import type { VersionSource } from "./schema.ts";

/** Which version is meant, or why none is. `message` completes "NAME …". */
export type VersionChoice =
  | { readonly ok: true; readonly version: VersionSource }
  | {
      readonly ok: false;
      /** `unknown`: no such version. `withdrawn`: it exists and must not be installed. `none`: nothing can be chosen by itself. */
      readonly reason: "unknown" | "withdrawn" | "none";
      readonly message: string;
      /** Versions to suggest: the nearest ones, or all that can be chosen; newest first. */
      readonly suggestions: readonly string[];
    };

/**
 * The version that is meant: the wanted one, exactly as written, or the newest that is neither withdrawn nor a pre-release.
 * Newest is by position: the list begins with the newest.
 * @param wanted the version as the user typed it, or null for the newest
 */
export function selectVersion(
  source: { readonly versions: readonly VersionSource[] },
  wanted: string | null,
): VersionChoice {
  const { versions } = source;
  const open = versions.filter(({ withdrawn }) => withdrawn === undefined);
  const released = open.filter(({ prerelease }) => prerelease !== true);
  if (wanted === null) {
    const [newest] = released;
    if (newest !== undefined) return { ok: true, version: newest };
    const suggestions = open.map(({ version }) => version);
    if (open.length > 0)
      return { ok: false, reason: "none", message: "has pre-releases only: name the version", suggestions };
    const [last] = versions;
    const why = last === undefined ? "" : `; ${last.version}: ${last.withdrawn ?? ""}`;
    return { ok: false, reason: "withdrawn", message: `has no version that is not withdrawn${why}`, suggestions };
  }
  const found = versions.find(({ version }) => version === wanted);
  if (found === undefined) {
    const names = versions.map(({ version }) => version);
    const bare = wanted.replace(/^v(?=[0-9])/u, "");
    const near = names.includes(bare) ? [bare] : nearest(wanted, names, 3);
    return { ok: false, reason: "unknown", message: `has no version ${wanted}`, suggestions: near };
  }
  if (found.withdrawn !== undefined) {
    const suggestions = released.slice(0, 1).map(({ version }) => version);
    return {
      ok: false,
      reason: "withdrawn",
      message: `${found.version} has been withdrawn: ${found.withdrawn}`,
      suggestions,
    };
  }
  return { ok: true, version: found };
}
