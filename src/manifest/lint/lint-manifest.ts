import { isMap } from "yaml";
import type { Document } from "yaml";
import type { Finding } from "../finding.ts";
import { documentText, editableDocument, orderKeys } from "../format-manifest.ts";
import { inKeyOrder, keyOrderAt } from "../key-order.ts";
import { parseManifest } from "../parse-manifest.ts";
import { findingAt } from "../source-text.ts";
import type { Path } from "../validate.ts";
import { rangeAt } from "../validate.ts";
import { readYamlDocument } from "../yaml-document.ts";
import type { Located } from "../yaml-document.ts";
import type { LintFacts, LintFix, LintProblem, LintRule, LintSubject } from "./rule.ts";
import { LINT_RULES } from "./rules.ts";
import { keyOrder } from "./rules/key-order.ts";

export interface LintOptions {
  readonly facts: LintFacts;
  /** The user named this file, so ssh and file URLs are allowed in `source.git`. */
  readonly named?: boolean;
}

export interface LintResult {
  /** Sorted by place. */
  readonly findings: readonly Finding[];
  /** What `applyFixes` can do about them. */
  readonly fixes: readonly LintFix[];
  /** The manifest, where the schema accepts it. */
  readonly subject: LintSubject | undefined;
}

/** Facts for a manifest that is looked at by itself, without a registry, a network and what recipes take. */
export function factsAlone(kind: LintFacts["kind"]): LintFacts {
  return { kind, attested: null, pins: {}, recipeOptions: null };
}

/** The first map whose keys are out of order, by its first such key. */
function disorder(located: Located, path: Path): Path | undefined {
  if (located.members === undefined) return undefined;
  const keys = [...located.members.keys()];
  const order = Array.isArray(located.value) ? undefined : keyOrderAt(path);
  if (order !== undefined) {
    const sorted = inKeyOrder(keys, order);
    const wrong = keys.find((key, index) => key !== sorted[index]);
    if (wrong !== undefined) return [...path, wrong];
  }
  for (const [key, member] of located.members) {
    const found = disorder(member, [...path, Array.isArray(located.value) ? Number(key) : key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function orderProblem(root: Located): LintProblem[] {
  const path = disorder(root, []);
  if (path === undefined) return [];
  const key = String(path.at(-1));
  return [
    {
      path,
      key: true,
      message: `\`${key}\` is not where the reference has it`,
      hint: "ipm fmt",
      fix: { kind: "order" },
    },
  ];
}

/**
 * Everything there is to say about one manifest: the schema's findings, and those of the rules where the schema accepts it.
 * Pure: what only a registry or a network knows comes in as facts.
 * @param file is only shown
 */
export function lintManifest(bytes: Uint8Array, file: string, { facts, named = false }: LintOptions): LintResult {
  const parsed =
    facts.kind === "registry"
      ? parseManifest(bytes, file, { kind: "registry", named })
      : parseManifest(bytes, file, { kind: "repository", named });
  const yaml = readYamlDocument(bytes, file);
  if (!parsed.ok || !yaml.ok)
    return { findings: parsed.ok ? parsed.warnings : parsed.findings, fixes: [], subject: undefined };
  const subject: LintSubject = parsed.manifest;
  const { root, source } = yaml;
  const problemsOf = (rule: LintRule): readonly LintProblem[] =>
    rule === keyOrder ? orderProblem(root) : rule.check(subject, facts);
  const found = LINT_RULES.flatMap((rule) => problemsOf(rule).map((problem) => ({ rule, problem })));
  const findings = found.map(({ rule, problem }): Finding => {
    const { path, key, message, hint, fix } = problem;
    const place = { path, code: rule.code, message, ...(key === undefined ? {} : { key }) };
    const finding = findingAt(source, rangeAt(root, place), { ...place, severity: rule.severity, hint });
    return fix === undefined ? finding : { ...finding, fixable: true };
  });
  return {
    findings: [...parsed.warnings, ...findings].toSorted((a, b) => a.line - b.line || a.column - b.column),
    fixes: found.flatMap(({ problem }) => problem.fix ?? []),
    subject,
  };
}

function apply(document: Document, fix: LintFix): void {
  if (fix.kind === "order") orderKeys(document.contents);
  else if (fix.kind === "remove") document.deleteIn(fix.path);
  else if (isMap(document.contents)) document.setIn(fix.path, fix.value);
}

/** The text with the fixes made; comments and everything else stay as they are, in canonical form. */
export function applyFixes(text: string, fixes: readonly LintFix[]): string {
  const document = editableDocument(text);
  for (const fix of fixes) apply(document, fix);
  return documentText(document, text);
}
