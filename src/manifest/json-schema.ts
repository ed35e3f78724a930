import { z } from "zod";
import { manifestSchema, registryFileSchema, repositoryManifestSchema } from "./schema.ts";

/** As much of JSON Schema (draft 7) as these schemas use. */
export interface JsonSchema {
  readonly $id?: string;
  readonly $ref?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly format?: string;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly definitions?: Readonly<Record<string, JsonSchema>>;
}

/**
 * Editors read YAML with its usual types, where `2.10` and a commit of digits are numbers: a text key takes both there.
 * Words, constants and URLs can only be texts.
 */
function publish(jsonSchema: Record<string, unknown>): void {
  const { published } = jsonSchema;
  if (typeof published !== "object" || published === null) return;
  delete jsonSchema["published"];
  const words = "enum" in published || "const" in published;
  const text = words || "format" in published;
  Object.assign(jsonSchema, { type: text ? "string" : ["string", "number"] }, published);
  if (!words) return;
  delete jsonSchema["minLength"];
  delete jsonSchema["maxLength"];
}

function jsonSchemaOf(schema: z.ZodType, id: string): JsonSchema {
  const made = z.toJSONSchema(schema, {
    target: "draft-7",
    io: "input",
    override: ({ jsonSchema }) => publish(jsonSchema),
  });
  const { $schema, ...rest } = made;
  // oxlint-disable-next-line no-unsafe-type-assertion -- the part of JSON Schema that is used is the one above
  return { $schema, $id: `urn:ipm:schema:${id}`, ...rest } as JsonSchema;
}

/** The JSON Schemas that editors complete and check with, by file name below `schema/`. */
export function jsonSchemas(): Readonly<Record<"manifest" | "repository" | "registry", JsonSchema>> {
  return {
    manifest: jsonSchemaOf(manifestSchema, "manifest:v1"),
    repository: jsonSchemaOf(repositoryManifestSchema, "repository:v1"),
    registry: jsonSchemaOf(registryFileSchema, "registry:v1"),
  };
}
