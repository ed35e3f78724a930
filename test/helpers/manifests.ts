import { parseManifest } from "../../src/manifest/parse-manifest.ts";
import type { ParseOptions } from "../../src/manifest/parse-manifest.ts";
import type { Finding } from "../../src/manifest/finding.ts";
import type { ManifestSource } from "../../src/manifest/schema.ts";

/** A commit that YAML's usual types would make a number of. */
export const DIGITS = "1234567890123456789012345678901234567890";

const LINES: Readonly<Record<string, string>> = {
  schema: "schema: ipm/v1",
  name: "name: ripcat",
  summary: "summary: Search text in archives",
  license: "license: MIT",
  source: "source: { git: https://github.com/owner/ripcat.git }",
  versions: `versions:\n  - { version: 2.10, ref: refs/tags/v2.10, commit: ${DIGITS}, tree: ${DIGITS} }`,
  steps: "steps: [uses: npm]",
  bin: "bin: [rc]",
  tests: `tests: [{ run: printf abc | rc b, expect: { stdout: "^abc$" } }]`,
};

/** The smallest manifest as YAML, with some of its keys replaced (whole lines), left out (null) or added at the end. */
export function manifestYaml(change: Readonly<Record<string, string | null>> = {}): string {
  const lines = Object.entries({ ...LINES, ...change }).flatMap(([, line]) => (line === null ? [] : [line]));
  return `${lines.join("\n")}\n`;
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The findings of a text: errors of a refused manifest, warnings of an accepted one. */
export function findingsOf(text: string | Uint8Array, options?: ParseOptions): readonly Finding[] {
  const bytes = typeof text === "string" ? bytesOf(text) : text;
  const result =
    options?.kind === "repository"
      ? parseManifest(bytes, "m.yaml", { ...options, kind: "repository" })
      : parseManifest(bytes, "m.yaml", { named: options?.named ?? false });
  return result.ok ? result.warnings : result.findings;
}

/** `line:column CODE` of every finding. */
export function placesOf(text: string | Uint8Array, options?: ParseOptions): string[] {
  return findingsOf(text, options).map(({ line, column, code }) => `${line}:${column} ${code}`);
}

/** The codes of the findings of the smallest manifest with a change. */
export function codesOf(change: Readonly<Record<string, string | null>>, options?: ParseOptions): string[] {
  return findingsOf(manifestYaml(change), options).map(({ code }) => code);
}

/** The manifest that a text holds. @throws Error with the findings when it is refused */
export function manifestOf(text: string): ManifestSource {
  const result = parseManifest(bytesOf(text), "m.yaml");
  if (result.ok) return result.manifest;
  throw new Error(result.findings.map(({ line, code, message }) => `${line} ${code} ${message}`).join("\n"));
}
