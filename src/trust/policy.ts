import { escapeUntrusted } from "../core/untrusted-text.ts";
import { ECOSYSTEMS, type Ecosystem } from "../manifest/ecosystems.ts";
import type { Plan, PlanTrust, PlannedStep, RiskCode } from "../plan/plan.ts";
import { formatAge } from "./trust-of-plan.ts";

/** Levels of trust, the least first. */
export const TRUST_LEVELS = [
  "unverified",
  "reviewed",
  "verified-elsewhere",
  "verified",
] as const satisfies readonly PlanTrust["level"][];

/** One `policy.yaml` as read; null: the file says nothing about it. */
export interface Policy {
  readonly file: string;
  /** Line of each key, for messages. */
  readonly lines: Readonly<Record<string, number>>;
  /** The least level that may be installed, whatever flags say. */
  readonly trust: (typeof TRUST_LEVELS)[number] | null;
  /** What is not verified goes on without a question; false: not even where another file says so. */
  readonly allowUnverified: boolean | null;
  readonly attestationAgeMs: number | null;
  readonly versionAgeMs: number | null;
  /** `required`: never without. `preferred`: what is verified goes on where a machine cannot isolate. */
  readonly sandbox: "required" | "preferred" | null;
  readonly registries: readonly string[] | null;
  readonly sources: readonly string[] | null;
  readonly licenses: readonly string[] | null;
  readonly hosts: readonly string[] | null;
  /** Ecosystems whose credentials steps are given; empty where the file says nothing. */
  readonly credentials: readonly Ecosystem[];
  readonly steps: readonly string[] | null;
  readonly refuseRisks: readonly RiskCode[];
}

/** What the decision needs to know besides plan and policies. */
export interface PolicyFacts {
  readonly sandbox: "isolated" | "unavailable" | "switched-off";
  readonly now: Date;
}

/** One rule that refuses a plan. Part of the JSON contract (`error.data.refusals`). */
export interface PolicyRefusal {
  readonly file: string;
  readonly line: number | null;
  /** The key of the file. */
  readonly rule: string;
  readonly why: string;
}

export interface PolicyDecision {
  /** Empty: nothing refuses. */
  readonly refusals: readonly PolicyRefusal[];
  /** What is not verified needs no question. */
  readonly allowUnverified: boolean;
  /** What is verified goes on where this machine cannot isolate. */
  readonly allowWithoutSandbox: boolean;
}

const DAY_MS = 24 * 3_600_000;

/** `*` stands for any characters, everything else for itself. */
function matches(pattern: string, text: string): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/gu, String.raw`\$&`));
  return new RegExp(`^${parts.join(".*")}$`, "su").test(text);
}

/** `*.example.org` covers every name below it, but not itself. */
function coversHost(pattern: string, host: string): boolean {
  return pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : pattern === host;
}

/** The words of an SPDX expression with its brackets. */
function tokensOf(expression: string): string[] {
  return expression.match(/[()]|[^\s()]+/gu) ?? [];
}

/**
 * Whether an SPDX expression can be met with the allowed licences: one side of an OR is enough, both sides of an AND are
 * needed, and what follows WITH only takes conditions away (SPDX specification, annex D: AND binds more than OR).
 */
export function isLicenseAllowed(expression: string, allowed: ReadonlySet<string>): boolean {
  const tokens = tokensOf(expression);
  let at = 0;
  const factor = (): boolean => {
    const token = tokens[at++];
    if (token === "(") {
      const inner = either();
      if (tokens[at] === ")") at++;
      return inner;
    }
    if (tokens[at] === "WITH") at += 2;
    return token !== undefined && allowed.has(token);
  };
  const both = (): boolean => {
    let holds = factor();
    while (tokens[at] === "AND") {
      at++;
      holds = factor() && holds;
    }
    return holds;
  };
  const either = (): boolean => {
    let holds = both();
    while (tokens[at] === "OR") {
      at++;
      holds = both() || holds;
    }
    return holds;
  };
  const holds = either();
  // What is left over was not understood, so nothing is allowed by it.
  return holds && at >= tokens.length;
}

function kindOf(step: PlannedStep): string {
  return step.recipe ?? step.kind;
}

function listed(words: Iterable<string>): string {
  return [...new Set(words)].map(escapeUntrusted).join(", ");
}

type Judge = (policy: Policy, plan: Plan, facts: PolicyFacts) => string | undefined;

/** Each rule by its key: why it refuses, or undefined. */
const RULES: Readonly<Record<string, Judge>> = {
  trust: ({ trust }, plan) => {
    if (trust === null || TRUST_LEVELS.indexOf(plan.trust.level) >= TRUST_LEVELS.indexOf(trust)) return undefined;
    return `it must be ${trust}, and it is ${plan.trust.level} (${escapeUntrusted(plan.trust.detail)})`;
  },
  "attestation-age": ({ attestationAgeMs }, { trust }, { now }) => {
    if (attestationAgeMs === null || trust.attestation === undefined) return undefined;
    const age = now.getTime() - Date.parse(trust.attestation.time);
    if (age <= attestationAgeMs) return undefined;
    return `it was verified ${formatAge(age)}, and ${attestationAgeMs / DAY_MS} days are the most`;
  },
  "version-age": ({ versionAgeMs }, { tool }, { now }) => {
    if (versionAgeMs === null) return undefined;
    const wanted = `a version must be ${versionAgeMs / DAY_MS} days old`;
    const added = tool.added === null ? Number.NaN : Date.parse(tool.added);
    if (Number.isNaN(added)) return `${wanted}, and nobody says when this one was added`;
    return now.getTime() - added >= versionAgeMs
      ? undefined
      : `${wanted}, and this one was added on ${tool.added ?? ""}`;
  },
  sandbox: ({ sandbox }, _, facts) => {
    if (sandbox !== "required" || facts.sandbox === "isolated") return undefined;
    return facts.sandbox === "switched-off"
      ? "steps must be isolated, so --no-sandbox is not for this machine"
      : "steps must be isolated, and this machine cannot";
  },
  registries: ({ registries }, { origin }) => {
    if (registries === null || (origin.registry !== null && registries.includes(origin.registry))) return undefined;
    const from = origin.registry === null ? "from no registry" : `from the registry ${origin.registry}`;
    return `it is ${from}; allowed: ${listed(registries) || "none"}`;
  },
  sources: ({ sources }, { origin }) => {
    // A bundle is a file of its registry, and that is for `registries` to say.
    if (sources === null || origin.source.startsWith("bundle ")) return undefined;
    if (sources.some((pattern) => matches(pattern, origin.source))) return undefined;
    return `its source is ${escapeUntrusted(origin.source)}`;
  },
  licenses: ({ licenses }, { tool }) =>
    licenses === null || isLicenseAllowed(tool.license, new Set(licenses))
      ? undefined
      : `its licence is ${escapeUntrusted(tool.license)}`,
  hosts: ({ hosts }, { what }) => {
    if (hosts === null) return undefined;
    const reached = what.steps.flatMap((step) => (step.kind === "run" ? step.network : []));
    const others = reached.filter((host) => !hosts.some((pattern) => coversHost(pattern, host)));
    return others.length === 0 ? undefined : `its steps reach ${listed(others)}`;
  },
  steps: ({ steps }, { what }) => {
    if (steps === null) return undefined;
    const others = what.steps.map(kindOf).filter((kind) => !steps.includes(kind));
    return others.length === 0 ? undefined : `it has steps of the kind ${listed(others)}`;
  },
  "refuse-risks": ({ refuseRisks }, { risks }) => {
    const found = risks.filter(({ code }) => refuseRisks.includes(code));
    return found.length === 0
      ? undefined
      : found.map(({ code, step, what }) => `step ${step} ${escapeUntrusted(what)} (${code})`).join("; ");
  },
};

/**
 * What the policies make of a plan. Pure. Each file applies: one that refuses is enough; what a file allows counts unless
 * another one forbids it.
 */
export function decidePolicy(policies: readonly Policy[], plan: Plan, facts: PolicyFacts): PolicyDecision {
  const refusals = policies.flatMap((policy) =>
    Object.entries(RULES).flatMap(([rule, judge]): PolicyRefusal[] => {
      const why = judge(policy, plan, facts);
      return why === undefined ? [] : [{ file: policy.file, line: policy.lines[rule] ?? null, rule, why }];
    }),
  );
  const allows = new Set(policies.map(({ allowUnverified }) => allowUnverified));
  const sandboxes = new Set(policies.map(({ sandbox }) => sandbox));
  return {
    refusals,
    allowUnverified: allows.has(true) && !allows.has(false),
    allowWithoutSandbox: sandboxes.has("preferred") && !sandboxes.has("required"),
  };
}

/**
 * The ecosystems whose credentials of this machine steps may be given: those that every file names. Without a file, and
 * with one that does not mention them, there are none.
 */
export function allowedCredentials(policies: readonly Policy[]): Ecosystem[] {
  if (policies.length === 0) return [];
  return ECOSYSTEMS.filter((ecosystem) => policies.every(({ credentials }) => credentials.includes(ecosystem)));
}
