import { describe, expect, test } from "vitest";
import { toolchainVersions } from "../../../src/recipes/toolchain-files.ts";

function ranges(texts: Readonly<Record<string, string>>): string[] {
  return toolchainVersions(texts).map(({ value, evidence }) => `${value.tool} ${value.range}; ${evidence}`);
}

describe("files of version managers", () => {
  test.each([
    [".nvmrc", "v20.11.1\n", "node >=20; .nvmrc:1 developed with node 20.11.1"],
    [".node-version", "22\n", "node >=22; .node-version:1 developed with node 22"],
    [".python-version", "# ours\n3.12.4\n", "python3 >=3.12; .python-version:2 developed with python3 3.12.4"],
    [
      "rust-toolchain.toml",
      '[toolchain]\nchannel = "1.79.0"\n',
      "cargo >=1.79; rust-toolchain.toml:2 developed with cargo 1.79.0",
    ],
    ["rust-toolchain", "1.70\n", "cargo >=1.70; rust-toolchain:1 developed with cargo 1.70"],
    ["go.mod", "module m\n\ngo 1.21\ntoolchain go1.22.3\n", "go >=1.22; go.mod:4 developed with go 1.22.3"],
    [".java-version", "temurin-21.0.2\n", "java >=21; .java-version:1 developed with java 21.0.2"],
  ])("%s: %j", (file, text, wanted) => {
    expect(ranges({ [file]: text })).toEqual([wanted]);
  });

  test(".tool-versions names several; a tool's own file is read first", () => {
    const several = "# asdf\nnodejs 18.2.0\npython 3.11.2 system\njava temurin-17.0.1+12\nconstructor 1.0\n";
    expect(ranges({ ".tool-versions": several, ".nvmrc": "20" })).toEqual([
      "node >=20; .nvmrc:1 developed with node 20",
      "python3 >=3.11; .tool-versions:3 developed with python3 3.11.2",
      "java >=17; .tool-versions:4 developed with java 17.0.1",
    ]);
  });

  test.each([
    [".nvmrc", "lts/iron\n"],
    ["rust-toolchain", "nightly-2024-01-01\n"],
    ["rust-toolchain.toml", '[toolchain]\nchannel = "stable"\n'],
    [".python-version", "pypy3.9-7.3.9\n"],
    [".tool-versions", "nodejs system\nrust ref:master\n"],
  ])("%s: %j names no version", (file, text) => {
    expect(ranges({ [file]: text })).toEqual([]);
  });
});
