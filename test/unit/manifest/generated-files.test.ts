import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { generatedFiles } from "../../../src/manifest/generated-files.ts";
import { jsonSchemas } from "../../../src/manifest/json-schema.ts";
import type { JsonSchema } from "../../../src/manifest/json-schema.ts";

const ROOT = path.join(import.meta.dirname, "../../..");

describe("generated files", () => {
  test.each(Object.entries(generatedFiles()))(
    "%s is what the schema says; else run: npm run manifest-docs",
    (file, content) => {
      expect(readFileSync(path.join(ROOT, file), "utf8")).toBe(content);
    },
  );
});

/** Every schema below one, with the path that leads to it. */
function nodes(schema: JsonSchema, at = ""): [string, JsonSchema][] {
  const below: [string, JsonSchema][] = [
    ...Object.entries(schema.properties ?? {}),
    ...Object.entries(schema.definitions ?? {}),
    ...(schema.anyOf ?? []).map((branch, index): [string, JsonSchema] => [String(index), branch]),
    ...(schema.items === undefined ? [] : [["[]", schema.items] satisfies [string, JsonSchema]]),
    ...(typeof schema.additionalProperties === "object"
      ? [["*", schema.additionalProperties] satisfies [string, JsonSchema]]
      : []),
  ];
  return [[at, schema], ...below.flatMap(([key, member]) => nodes(member, `${at}/${key}`))];
}

describe("the JSON Schema", () => {
  const { manifest } = jsonSchemas();

  test("describes every key", () => {
    const keys = nodes(manifest).filter(([, { properties }]) => properties !== undefined);
    const silent = keys.flatMap(([at, { properties }]) =>
      Object.entries(properties ?? {})
        .filter(([, member]) => (member.description ?? member.$ref ?? member.allOf) === undefined)
        .map(([key]) => `${at}/${key}`),
    );
    expect(keys.length).toBeGreaterThan(10);
    expect(silent).toEqual([]);
  });

  test("takes a number where a text could be taken for one, and only there", () => {
    const version = manifest.definitions?.["version"]?.properties;
    expect(version?.["version"]?.type).toEqual(["string", "number"]);
    expect(version?.["commit"]?.type).toEqual(["string", "number"]);
    expect(version?.["prerelease"]?.type).toBe("boolean");
    expect(manifest.properties?.["kind"]).toMatchObject({ type: "string", enum: ["tool", "workspace", "library"] });
    expect(manifest.properties?.["schema"]).toMatchObject({ type: "string", const: "ipm/v1" });
  });

  test("allows no key that it does not know", () => {
    const open = nodes(manifest).filter(
      ([, { properties, additionalProperties }]) => properties !== undefined && additionalProperties !== false,
    );
    expect(open.map(([at]) => at)).toEqual([]);
  });

  test("holds every key of the format, built or not", () => {
    const keys = new Set(nodes(manifest).flatMap(([, { properties }]) => Object.keys(properties ?? {})));
    const format =
      "schema name kind summary license homepage keywords notes maintainers aliases formerly deprecated why use source git bundle path submodules track package versions version ref commit tree integrity lock added files platform url sha256 size withdrawn prerelease requires tool header pkg-config library env service hardware for optional inputs secret persist bin run methods id platforms steps uses with since until dir timeout network provides share completions tests stdin expect exit stdout output during start elsewhere";
    expect(format.split(" ").filter((key) => !keys.has(key))).toEqual([]);
  });
});
