import type { z } from "zod";
import { checkManifest } from "./check-manifest.ts";
import type { Written } from "./check-manifest.ts";
import type { Finding } from "./finding.ts";
import { MAX_FINDINGS } from "./limits.ts";
import { manifestSchema, repositoryManifestSchema } from "./schema.ts";
import type { ManifestSource, RepositoryManifestSource } from "./schema.ts";
import { findingAt } from "./source-text.ts";
import { readPlainYaml } from "./plain-yaml.ts";
import { isRefused, locatedAt, rangeAt, validValue, validate } from "./validate.ts";
import type { PartialData, Path, PathProblem } from "./validate.ts";
import { type PlainData, readYamlDocument } from "./yaml-document.ts";

export interface ParseOptions {
  /** `registry` (default): an entry of a registry. `repository`: a repository's own `ipm.yaml`, without `source` and `versions`. */
  readonly kind?: "registry" | "repository";
  /** The user named this file as the target, so ssh and file URLs are allowed in `source.git`. Default: false. */
  readonly named?: boolean;
}

export type ParseResult<Value> =
  | { readonly ok: true; readonly manifest: Value; readonly warnings: readonly Finding[] }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** Sorted by place, each place and code once, at most `MAX_FINDINGS` and a word about the rest. */
function listed(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  const sorted = findings
    .toSorted((a, b) => a.line - b.line || a.column - b.column)
    .filter((finding) => {
      const key = `${finding.line}:${finding.column}:${finding.code}:${finding.message}`;
      return seen.has(key) ? false : (seen.add(key), true);
    });
  const last = sorted[MAX_FINDINGS - 1];
  if (sorted.length <= MAX_FINDINGS || last === undefined) return sorted;
  const more: Finding = {
    ...last,
    code: "TOO_MANY_PROBLEMS",
    message: `only the first ${MAX_FINDINGS} problems are listed`,
  };
  return [...sorted.slice(0, MAX_FINDINGS), more];
}

/** The value of data that has nothing wrong with it; undefined otherwise, because only the full parser knows the places. */
function validPlain<Value>(
  data: PlainData,
  schema: z.ZodType<Value>,
  check: (data: PartialData, written: Written) => readonly PathProblem[],
): Value | undefined {
  const value = validValue(schema, data);
  if (value === undefined) return undefined;
  const has = (path: Path): boolean => {
    let at: PlainData | undefined = data;
    for (const part of path) {
      if (typeof at !== "object") return false;
      at = Array.isArray(at) ? at[Number(part)] : Object.hasOwn(at, part) ? at[part] : undefined;
    }
    return at !== undefined;
  };
  return check(data, { has, hasUnknownKey: () => false }).length === 0 ? value : undefined;
}

/**
 * Read one file by a schema and a check of what concerns several keys.
 * @returns the value, or every problem of the file sorted by place
 */
export function parseFile<Value>(
  bytes: Uint8Array,
  file: string,
  schema: z.ZodType<Value>,
  check: (data: PartialData, written: Written) => readonly PathProblem[],
): { readonly value: Value | undefined; readonly findings: readonly Finding[] } {
  const plain = readPlainYaml(bytes);
  const quick = plain === undefined ? undefined : validPlain(plain, schema, check);
  if (quick !== undefined) return { value: quick, findings: [] };
  const yaml = readYamlDocument(bytes, file);
  if (!yaml.ok) return { value: undefined, findings: listed(yaml.findings) };
  const { root, source } = yaml;
  const validation = validate(schema, root);
  const unknownKeys = new Set(
    validation.problems
      .filter(({ code }) => code === "UNKNOWN_KEY")
      .map(({ path }) => JSON.stringify(path.slice(0, -1))),
  );
  const written: Written = {
    has: (path) => locatedAt(root, path) !== undefined,
    hasUnknownKey: (path) => unknownKeys.has(JSON.stringify(path)),
  };
  const further = check(validation.rest, written).filter((problem) => !isRefused(root, problem));
  const findings = [
    ...yaml.findings,
    ...[...validation.problems, ...further].map((problem) => findingAt(source, rangeAt(root, problem), problem)),
  ];
  const failed = findings.some(({ severity }) => severity === "error");
  return { value: failed ? undefined : validation.value, findings: listed(findings) };
}

/**
 * Parse a manifest: bytes in, the manifest as written out, or every problem with its place. Never throws for anything that
 * the bytes hold. `file` is only shown. Text stays as written (`2.10`, `012`, a commit of digits); `true` and numbers are
 * converted where the schema says so; no default is filled in. Values below `with` are texts, lists and maps, never numbers.
 */
export function parseManifest(
  bytes: Uint8Array,
  file: string,
  options: ParseOptions & { kind: "repository" },
): ParseResult<RepositoryManifestSource>;
export function parseManifest(
  bytes: Uint8Array,
  file: string,
  options?: ParseOptions & { kind?: "registry" },
): ParseResult<ManifestSource>;
export function parseManifest(
  bytes: Uint8Array,
  file: string,
  { kind = "registry", named = false }: ParseOptions = {},
): ParseResult<ManifestSource | RepositoryManifestSource> {
  const schema: z.ZodType<ManifestSource | RepositoryManifestSource> =
    kind === "registry" ? manifestSchema : repositoryManifestSchema;
  const { value, findings } = parseFile(bytes, file, schema, (data, written) =>
    checkManifest(data, written, { kind, named }),
  );
  return value === undefined ? { ok: false, findings } : { ok: true, manifest: value, warnings: findings };
}
