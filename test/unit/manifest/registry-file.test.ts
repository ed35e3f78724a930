import { expect, test } from "vitest";
import { parseRegistryFile } from "../../../src/manifest/registry-file.ts";
import { bytesOf } from "../../helpers/manifests.ts";

test("a registry.yaml is read", () => {
  const result = parseRegistryFile(
    bytesOf("id: main\nname: The ipm registry\nmaintainers: [octocat]\nurl: https://example.org\n"),
    "registry.yaml",
  );
  expect(result).toEqual({
    ok: true,
    warnings: [],
    registry: { id: "main", name: "The ipm registry", maintainers: ["octocat"], url: "https://example.org" },
  });
});

test("its problems are reported like those of a manifest", () => {
  const result = parseRegistryFile(
    bytesOf("id: ../x\nnmae: x\nmaintainers: octocat\nschema: ipm/v2\n"),
    "registry.yaml",
  );
  expect(result.ok ? [] : result.findings.map(({ line, column, code }) => `${line}:${column} ${code}`)).toEqual([
    "1:1 MISSING_KEY",
    "1:5 INVALID_NAME",
    "2:1 UNKNOWN_KEY",
    "3:14 WRONG_TYPE",
    "4:9 SCHEMA_UNSUPPORTED",
  ]);
});
