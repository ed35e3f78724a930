import type { Requirement } from "../manifest/manifest.ts";
import type { ResolvedRequirement } from "./plan.ts";
import { satisfiesRange } from "./version-range.ts";

/** What a look at the host found for one tool; null: it is not there. */
export interface FoundTool {
  /** As found on PATH. */
  readonly path: string;
  /** The program behind shims and links, by its stable path. */
  readonly real: string;
  /** As it prints it; null when it could not be read. */
  readonly version: string | null;
}

/** Compare one requirement with what was found. A version that cannot be read meets no range. */
export function resolveRequirement(requirement: Requirement, found: FoundTool | null): ResolvedRequirement {
  const fits =
    found !== null &&
    (requirement.version === null || (found.version !== null && satisfiesRange(found.version, requirement.version)));
  return { ...requirement, found, met: fits };
}

/** The requirements that keep a plan from running. */
export function unmetRequirements(requirements: readonly ResolvedRequirement[]): ResolvedRequirement[] {
  return requirements.filter(({ met, optional }) => !met && !optional);
}

/** `node >=20 (found 18.19.0 at /usr/bin/node)`: one requirement in words. */
export function describeRequirement({ tool, version, found }: ResolvedRequirement): string {
  const wanted = version === null ? tool : `${tool} ${version}`;
  if (found === null) return `${wanted} (not found)`;
  return `${wanted} (found ${found.version ?? "an unreadable version"} at ${found.path})`;
}
