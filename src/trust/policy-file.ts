import { z } from "zod";
import { IpmError } from "../core/errors.ts";
import { isToolName } from "../core/ids.ts";
import { nearest } from "../core/nearest.ts";
import { ECOSYSTEMS } from "../manifest/ecosystems.ts";
import { type FindingCode, formatFinding } from "../manifest/finding.ts";
import { parseFile } from "../manifest/parse-manifest.ts";
import { RECIPE_NAMES } from "../manifest/recipe-names.ts";
import { SPDX_LICENSES } from "../manifest/spdx.ts";
import type { PartialData, PathProblem } from "../manifest/validate.ts";
import type { RiskCode } from "../plan/plan.ts";
import { type Policy, TRUST_LEVELS } from "./policy.ts";

type Issue = { readonly code: FindingCode; readonly message: string; readonly hint?: string } | undefined;

/** Every risk, in the order of `docs/policy.md`. */
export const RISKS: readonly RiskCode[] = [
  "privilege-escalation",
  "download-to-shell",
  "writes-outside",
  "long-running",
  "background-process",
  "network-without-lock",
  "secrets",
];
const STEP_KINDS = [...RECIPE_NAMES, "run"];
const SANDBOXES = ["required", "preferred"] as const;
const MAX_ITEMS = 1_000;
const DAY_MS = 24 * 3_600_000;

/** A text with a rule; `convert` is called for texts that the rule lets through. */
function checked<Out>(refuse: (value: string) => Issue, convert: (value: string) => Out): z.ZodType<Out, string> {
  return z.string().transform((value, context): Out => {
    const issue = refuse(value);
    if (issue !== undefined) {
      const params = { finding: issue.code, hint: issue.hint };
      context.issues.push({ code: "custom", input: value, message: issue.message, params });
    }
    return convert(value);
  });
}

function same(value: string): string {
  return value;
}

function oneOf(words: readonly string[]) {
  return (value: string): Issue => {
    if (words.includes(value)) return undefined;
    const [near] = nearest(value, words, 1);
    const message = `\`${value}\` is not one of: ${words.join(", ")}`;
    return { code: "INVALID_VALUE", message, ...(near === undefined ? {} : { hint: `did you mean \`${near}\`?` }) };
  };
}

/** One of several words, as the type that lists them. */
function word<Word extends string>(words: readonly Word[]): z.ZodType<Word, string> {
  // oxlint-disable-next-line no-unsafe-type-assertion -- the rule lets nothing else through
  return checked(oneOf(words), (value) => value as Word);
}

function list<Item>(item: z.ZodType<Item, string>): z.ZodOptional<z.ZodArray<z.ZodType<Item, string>>> {
  return z.array(item).max(MAX_ITEMS).optional();
}

const days = checked(
  (value) =>
    /^[1-9][0-9]{0,4}d$/u.test(value)
      ? undefined
      : { code: "INVALID_DURATION", message: `\`${value}\` is no number of days`, hint: "write it as `90d`" },
  (value) => Number(value.slice(0, -1)) * DAY_MS,
);

const flag = checked(oneOf(["true", "false"]), (value) => value === "true");

const HOST_PATTERN = /^(?:\*\.)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/u;

const host = checked(
  (value) =>
    ECOSYSTEMS.some((known) => known === value) || HOST_PATTERN.test(value)
      ? undefined
      : {
          code: "INVALID_VALUE",
          message: `\`${value}\` is neither an ecosystem nor a host name`,
          hint: `one of ${ECOSYSTEMS.join(", ")}, \`example.org\` or \`*.example.org\``,
        },
  same,
);

const source = checked(
  (value) =>
    /^(?:https:\/\/|ssh:\/\/|file:\/\/|\/)[^\s]+$/u.test(value)
      ? undefined
      : {
          code: "INVALID_URL",
          message: `\`${value}\` is neither a URL nor an absolute path`,
          hint: "`*` stands for any characters: `https://github.com/our-org/*`",
        },
  same,
);

const registry = checked(
  (value) => (isToolName(value) ? undefined : { code: "INVALID_NAME", message: `\`${value}\` is no id of a registry` }),
  same,
);

const license = checked((value) => {
  if (SPDX_LICENSES.has(value) || /^(?:DocumentRef-[\w.-]+:)?LicenseRef-[\w.-]+$/u.test(value)) return undefined;
  const [near] = nearest(value, SPDX_LICENSES, 1);
  return {
    code: "INVALID_LICENSE",
    message: `\`${value}\` is no licence of the SPDX list`,
    ...(near === undefined ? {} : { hint: `did you mean \`${near}\`?` }),
  };
}, same);

const policySchema = z.strictObject({
  schema: word(["ipm-policy/v1"]),
  trust: word(TRUST_LEVELS).optional(),
  "allow-unverified": flag.optional(),
  "attestation-age": days.optional(),
  "version-age": days.optional(),
  sandbox: word(SANDBOXES).optional(),
  registries: list(registry),
  sources: list(source),
  licenses: list(license),
  hosts: list(host),
  credentials: list(word(ECOSYSTEMS)),
  steps: list(checked(oneOf(STEP_KINDS), same)),
  "refuse-risks": list(word(RISKS)),
});

/** Every key, in the order of `docs/policy.md`. */
export const POLICY_KEYS: readonly string[] = Object.keys(policySchema.shape);

type Written = z.output<typeof policySchema>;

function checkPolicy(data: PartialData): PathProblem[] {
  if (typeof data !== "object" || Array.isArray(data)) return [];
  // oxlint-disable-next-line no-unsafe-type-assertion -- not a text and not a list: a map
  const map = data as Readonly<Record<string, PartialData | undefined>>;
  const problems: PathProblem[] = [];
  if (map["allow-unverified"] === "true" && map["trust"] !== undefined && map["trust"] !== "unverified") {
    const message = "`allow-unverified: true` and a minimum of `trust` exclude each other";
    problems.push({ path: ["allow-unverified"], key: true, code: "CONFLICTING_KEYS", message });
  }
  return problems;
}

/** Lines of the top-level keys, from 1. */
function linesOf(content: string): Record<string, number> {
  const lines: Record<string, number> = {};
  for (const [index, line] of content.split(/\r?\n/u).entries()) {
    const key = /^["']?([a-z-]+)["']?\s*:/u.exec(line)?.[1];
    if (key !== undefined) lines[key] ??= index + 1;
  }
  return lines;
}

function policyOf(value: Written, file: string, content: string): Policy {
  return {
    file,
    lines: linesOf(content),
    trust: value.trust ?? null,
    allowUnverified: value["allow-unverified"] ?? null,
    attestationAgeMs: value["attestation-age"] ?? null,
    versionAgeMs: value["version-age"] ?? null,
    sandbox: value.sandbox ?? null,
    registries: value.registries ?? null,
    sources: value.sources ?? null,
    licenses: value.licenses ?? null,
    hosts: value.hosts ?? null,
    credentials: value.credentials ?? [],
    steps: value.steps ?? null,
    refuseRisks: value["refuse-risks"] ?? [],
  };
}

/**
 * Parse a `policy.yaml`, with the same limits and messages as a manifest.
 * @param file shown in messages and decisions
 * @throws IpmError POLICY_INVALID with every problem as `file:line:column: code: message`; a policy that cannot be read
 *   must never count as none
 */
export function parsePolicy(content: string, file: string): Policy {
  const { value, findings } = parseFile(Buffer.from(content), file, policySchema, checkPolicy);
  if (value !== undefined) return policyOf(value, file, content);
  throw new IpmError("POLICY_INVALID", findings.map(formatFinding).join("\n"), {
    hint: `correct ${file}; docs/policy.md describes each key`,
    data: { path: file, findings },
  });
}
