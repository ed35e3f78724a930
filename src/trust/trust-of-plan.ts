import type { Platform } from "../core/host.ts";
import { platformId } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { PlanDigest } from "../core/ids.ts";
import type { PlanTrust } from "../plan/plan.ts";
import type { AttestationSummary } from "./attestation.ts";

/** Where a plan comes from and what is known of it; all of it values. */
export interface TrustInput {
  readonly digest: PlanDigest;
  readonly version: string;
  readonly method: string;
  readonly platform: Platform;
  /** Id of the registry, or null for a repository, folder or file outside of any. */
  readonly registry: string | null;
  /** It is the registry that ships with ipm. */
  readonly embedded: boolean;
  /** Of the registry's entry. Those that lie in the target's own repository are never asked for. */
  readonly attestations: readonly AttestationSummary[];
  /** Of this machine's own `ipm verify`. */
  readonly own: readonly AttestationSummary[];
  readonly now: Date;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** More toolchains than these do not help anybody who reads a plan. */
const SHOWN_TOOLS = 4;

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"} ago`;
}

/** How long ago something was, in one unit: `3 days ago`. A clock that is behind says `just now`. */
export function formatAge(ms: number): string {
  if (ms < MINUTE_MS) return "just now";
  if (ms < HOUR_MS) return plural(Math.floor(ms / MINUTE_MS), "minute");
  if (ms < DAY_MS) return plural(Math.floor(ms / HOUR_MS), "hour");
  if (ms < 60 * DAY_MS) return plural(Math.floor(ms / DAY_MS), "day");
  return plural(Math.floor(ms / (30 * DAY_MS)), "month");
}

/** glibc is what people take for granted. */
function shownPlatform(platform: string): string {
  return escapeUntrusted(platform.replace(/-glibc$/u, ""));
}

function shownTools({ tools }: AttestationSummary): string {
  const shown = Object.entries(tools)
    .filter((entry): entry is [string, string] => entry[0] !== "ipm" && entry[1] !== null)
    // git is in every one of them, so it comes last.
    .toSorted(([left], [right]) => Number(left === "git") - Number(right === "git"))
    .slice(0, SHOWN_TOOLS)
    .map(([name, version]) => `${escapeUntrusted(name)} ${escapeUntrusted(version.split(".").slice(0, 2).join("."))}`);
  return shown.length === 0 ? "" : ` (${shown.join(", ")})`;
}

function describe(attestation: AttestationSummary, now: Date): string {
  const age = formatAge(now.getTime() - Date.parse(attestation.time));
  const where = attestation.file === null ? ", by this machine" : "";
  return `on ${shownPlatform(attestation.platform)} ${age}${shownTools(attestation)}${where}`;
}

function newest(attestations: readonly AttestationSummary[]): AttestationSummary | undefined {
  return attestations.toSorted((left, right) => Date.parse(right.time) - Date.parse(left.time))[0];
}

/** Why nothing vouches for a plan, when something vouched for another plan of the same version and method. */
function voidWords(input: TrustInput): string {
  const former = newest(
    input.attestations.filter(({ version, method }) => version === input.version && method === input.method),
  );
  return former === undefined
    ? ""
    : `; what was verified on ${former.time.slice(0, 10)} was another plan (${former.digest.slice(0, 12)})`;
}

/**
 * How far a plan can be trusted. Verified: a machine of this platform has run exactly this plan in a clean room and its
 * registry (or this machine itself) says so. Verified elsewhere: the same plan, another platform. Only the plan digest
 * decides: a changed recipe voids an attestation, a bump of another version or better prose does not.
 */
export function trustOfPlan(input: TrustInput): PlanTrust {
  const platform = platformId(input.platform);
  // A machine's own runs are of its platform, by its own word, so they are no help for another one.
  const own = input.own.filter((attestation) => attestation.platform === platform);
  const matching = [...input.attestations, ...own].filter(({ digest }) => digest === input.digest);
  const here = newest(matching.filter((attestation) => attestation.platform === platform));
  if (here !== undefined) {
    return { level: "verified", detail: `verified ${describe(here, input.now)}`, attestation: here };
  }
  const elsewhere = newest(matching);
  if (elsewhere !== undefined) {
    return {
      level: "verified-elsewhere",
      detail: `verified elsewhere: ${describe(elsewhere, input.now)}, not on ${shownPlatform(platform)}`,
      attestation: elsewhere,
    };
  }
  if (input.embedded) {
    return { level: "reviewed", detail: `reviewed, in the registry that ships with ipm${voidWords(input)}` };
  }
  const origin =
    input.registry === null
      ? "from a repository or file outside of any registry"
      : `from the registry ${input.registry}`;
  return { level: "unverified", detail: `not verified, ${origin}${voidWords(input)}` };
}
