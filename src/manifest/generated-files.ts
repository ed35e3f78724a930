import { jsonSchemas } from "./json-schema.ts";
import { lintReference } from "./lint/lint-reference.ts";
import { manifestReference } from "./manifest-reference.ts";

/** The files of the repository that come from the schema and the lint rules: path from its root to content. */
export function generatedFiles(): Readonly<Record<string, string>> {
  const schemas = Object.entries(jsonSchemas()).map(([name, schema]) => [
    `schema/${name}.schema.json`,
    `${JSON.stringify(schema, null, 2)}\n`,
  ]);
  return { ...Object.fromEntries(schemas), "docs/lint.md": lintReference(), "docs/manifest.md": manifestReference() };
}
