import type { Requirement } from "../manifest/manifest.ts";
import type { ResolvedRequirement } from "./plan.ts";
import { satisfiesRange } from "./version-range.ts";

/** What a look at the host found for one requirement; null: it is not there. */
export interface FoundRequirement {
  /** As found: on PATH, by the compiler, by pkg-config, by the loader. */
  readonly path: string;
  /** The program behind shims and links, by its stable path. */
  readonly real: string;
  /** As it prints it; null when it could not be read or the kind has none. */
  readonly version: string | null;
}

export type RequirementKind = "tool" | "header" | "pkg-config" | "library";

/** Kind and name of a requirement. */
export function identifyRequirement(requirement: Requirement): {
  readonly kind: RequirementKind;
  readonly name: string;
} {
  if ("tool" in requirement) return { kind: "tool", name: requirement.tool };
  if ("header" in requirement) return { kind: "header", name: requirement.header };
  if ("library" in requirement) return { kind: "library", name: requirement.library };
  return { kind: "pkg-config", name: requirement["pkg-config"] };
}

/** `tool node`: the same for requirements of the same thing, whatever their range. */
export function requirementKey(requirement: Requirement): string {
  const { kind, name } = identifyRequirement(requirement);
  return `${kind} ${name}`;
}

/** Compare one requirement with what was found. A version that cannot be read meets no range. */
export function resolveRequirement(requirement: Requirement, found: FoundRequirement | null): ResolvedRequirement {
  const fits =
    found !== null &&
    (requirement.version === null || (found.version !== null && satisfiesRange(found.version, requirement.version)));
  return { ...requirement, found, met: fits };
}

/** The requirements that keep a plan from running. */
export function unmetRequirements(requirements: readonly ResolvedRequirement[]): ResolvedRequirement[] {
  return requirements.filter(({ met, optional }) => !met && !optional);
}

/** `node`, `the header zlib.h`: a requirement's name, with its kind where that is not a program. */
export function nameRequirement(requirement: Requirement): string {
  const { kind, name } = identifyRequirement(requirement);
  if (kind === "tool") return name;
  return kind === "pkg-config" ? `${name} (pkg-config)` : `the ${kind} ${name}`;
}

/** `node >=20 (found 18.19.0 at /usr/bin/node)`: one requirement in words. */
export function describeRequirement(requirement: ResolvedRequirement): string {
  const { version, found } = requirement;
  const wanted = version === null ? nameRequirement(requirement) : `${nameRequirement(requirement)} ${version}`;
  if (found === null) return `${wanted} (not found)`;
  return `${wanted} (found ${found.version ?? "an unreadable version"} at ${found.path})`;
}
