import { knownHardware } from "../manifest/known-hardware.ts";
import { KNOWN_SERVICES, isServiceName } from "../manifest/known-services.ts";
import type { Requirement } from "../manifest/manifest.ts";
import type { ResolvedRequirement } from "./plan.ts";
import { satisfiesRange } from "./version-range.ts";

/** What a look at the host found for one requirement; null: it is not there. */
export interface FoundRequirement {
  /** As found: on PATH, by the compiler, by pkg-config, by the loader; the address that answered, the device's file. */
  readonly path: string;
  /** The program behind shims and links, by its stable path. */
  readonly real: string;
  /** As it prints it; null when it could not be read or the kind has none. */
  readonly version: string | null;
}

export const REQUIREMENT_KINDS = ["tool", "header", "pkg-config", "library", "env", "service", "hardware"] as const;
export type RequirementKind = (typeof REQUIREMENT_KINDS)[number];

/** Kind and name of a requirement. */
export function identifyRequirement(requirement: Requirement): {
  readonly kind: RequirementKind;
  readonly name: string;
} {
  if ("tool" in requirement) return { kind: "tool", name: requirement.tool };
  if ("header" in requirement) return { kind: "header", name: requirement.header };
  if ("library" in requirement) return { kind: "library", name: requirement.library };
  if ("env" in requirement) return { kind: "env", name: requirement.env };
  if ("service" in requirement) return { kind: "service", name: requirement.service };
  if ("hardware" in requirement) return { kind: "hardware", name: requirement.hardware };
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
  if (kind === "env") return `the variable ${name}`;
  return kind === "pkg-config" ? `${name} (pkg-config)` : `the ${kind} ${name}`;
}

const ABSENT: Readonly<Partial<Record<RequirementKind, string>>> = {
  env: "not set",
  service: "nothing answers",
};

const PRESENT: Readonly<Partial<Record<RequirementKind, string>>> = {
  env: "set",
  service: "answers",
  hardware: "found",
};

/** How the state of a requirement is said in a table: `3.1`, `answers`, `not set`; null for one that has only a version. */
export function stateOfRequirement(requirement: ResolvedRequirement): string | null {
  const { kind } = identifyRequirement(requirement);
  // A range that is not met by a version that nobody knows: that one must be said.
  if (requirement.found !== null && requirement.version !== null) return null;
  return (requirement.found === null ? ABSENT[kind] : PRESENT[kind]) ?? null;
}

/**
 * What to do for a requirement that no package gives, in words: an `env`, `service` or `hardware` one. Null for other
 * kinds, whose remedy is a package.
 */
export function adviceFor(requirement: Requirement): string | null {
  if ("env" in requirement) return `export ${requirement.env}=VALUE`;
  if ("service" in requirement) {
    const { service } = requirement;
    return isServiceName(service) ? KNOWN_SERVICES[service].start : `start what answers at ${service}`;
  }
  if ("hardware" in requirement) {
    const known = knownHardware(requirement.hardware);
    return `this machine shows no ${requirement.hardware}${known === undefined ? "" : ` (${known.is})`}; another method may do without`;
  }
  return null;
}

/** `node >=20 (found 18.19.0 at /usr/bin/node)`: one requirement in words. */
export function describeRequirement(requirement: ResolvedRequirement): string {
  const { version, found } = requirement;
  const { kind } = identifyRequirement(requirement);
  const wanted = version === null ? nameRequirement(requirement) : `${nameRequirement(requirement)} ${version}`;
  if (found === null) return `${wanted} (${ABSENT[kind] ?? "not found"})`;
  // What has no version is there or not; where is all that can be said.
  if (found.version === null && version === null && PRESENT[kind] !== undefined)
    return `${wanted} (${PRESENT[kind]}${kind === "env" ? "" : ` at ${found.path}`})`;
  return `${wanted} (found ${found.version ?? "an unreadable version"} at ${found.path})`;
}
