import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_DETECT_READS, detect, detectReads } from "../../../src/recipes/detect.ts";
import { missingImport } from "../../../src/recipes/package-json.ts";
import { RECIPES } from "../../../src/recipes/recipes.ts";
import { detectIn } from "../../helpers/recipe-input.ts";

const MAIN = "package main\n\nfunc main() {}\n";

describe("detect", () => {
  test("two implementations in one repository are both told (kubectx)", () => {
    const found = detectIn(
      {
        "go.mod": "module example.org/x\ngo 1.25\n",
        "cmd/kubectx/main.go": MAIN,
        "cmd/kubens/main.go": MAIN,
        kubectx: "!#!/bin/bash\n",
      },
      "kubectx",
    );
    expect(found.map(({ recipe, confidence }) => [recipe, confidence])).toEqual([
      ["go", "certain"],
      ["copy", "possible"],
    ]);
  });

  test("a script that is named like the repository (spark)", () => {
    expect(detectIn({ spark: "!#!/usr/bin/env bash\n", "spark-test.sh": "!" }, "spark")[0]).toMatchObject({
      recipe: "copy",
      bins: { spark: "spark" },
    });
    expect(detectIn({ spark: "text" }, "spark")).toEqual([]);
  });

  test("nothing known is no candidate", () => {
    expect(detectIn({ "README.md": "pip install x" })).toEqual([]);
  });

  test("every recipe has its page's parts", () => {
    for (const { id, summary, options } of RECIPES) {
      expect([id, summary]).toEqual([id, expect.stringMatching(/\.$/u)]);
      for (const [name, text] of Object.entries(options))
        expect([id, name, text.length > 10]).toEqual([id, name, true]);
    }
    expect(new Set(RECIPES.map(({ id }) => id)).size).toBe(RECIPES.length);
  });

  test("reads few files of a large repository", () => {
    const names = ["package.json", "Cargo.toml", "go.mod", "main.go", "pyproject.toml"];
    const files = Array.from({ length: 3000 }, (_, at) => ({
      path: `p${at % 700}/${names[at % names.length]}`,
      executable: false,
    }));
    expect(detectReads(files).length).toBeLessThanOrEqual(MAX_DETECT_READS);
  });

  test("hostile files: any text in the places that are read ends in candidates whose evidence names a file", () => {
    const places = [
      "package.json",
      "pyproject.toml",
      "setup.cfg",
      "setup.py",
      "Cargo.toml",
      "Cargo.lock",
      "go.mod",
      "main.go",
    ];
    const pieces = [
      "[project]\n",
      'name = "a"\n',
      "{",
      "}",
      '"bin"',
      ":",
      '"__proto__"',
      "[[bin]]\n",
      "module ",
      "require (",
      "\n",
      "package main",
      "=",
      "console_scripts",
    ];
    const text = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((list) => list.join(""));
    fc.assert(
      fc.property(fc.constantFrom(...places), text, (place, content) => {
        const found = detect({ files: [{ path: place, executable: true }], texts: { [place]: content }, name: "x" });
        for (const { evidence } of found)
          expect(evidence.every((line) => line.includes(place) || line.includes("Cargo.lock"))).toBe(true);
      }),
      { numRuns: 1500 },
    );
  });

  test.each<[string, string, string]>([
    ["keys", "pyproject.toml", Array.from({ length: 60_000 }, (_, at) => `k${at} = 1\n`).join("")],
    ["tables", "Cargo.toml", "[[bin]]\n".repeat(100_000)],
    ["empty lines", "setup.cfg", `[metadata]\n${"\n".repeat(1_000_000)}`],
    ["blanks", "setup.cfg", `[metadata]\n${" x".repeat(10)}${" ".repeat(1_000_000)}`],
    ["one line of setup.py", "setup.py", `setup(${"name ".repeat(200_000)}`],
    ["parentheses of go.mod", "go.mod", "require (\n".repeat(100_000)],
  ])("hostile size: many %s in %s do not hold up a plan", (_what, file, text) => {
    expect(
      detect({ files: [{ path: file, executable: false }], texts: { [file]: text }, name: "x" }).length,
    ).toBeLessThan(2);
  });

  test("hostile size: a launcher of empty lines, and one with very many imports", () => {
    const files = Array.from({ length: 20_000 }, (_, at) => ({ path: `f${at}`, executable: false }));
    expect(missingImport(files, "cli.js", "\n".repeat(1_000_000))).toBeUndefined();
    expect(missingImport(files, "cli.js", 'require("./f1");\n'.repeat(60_000))).toBeUndefined();
  });
});

describe("a root that is no project", () => {
  const CARGO = '[package]\nname = "rc"\n';

  test("the folders below it are looked at, tests and examples are not", () => {
    const found = detectIn({
      "README.md": "",
      "python/setup.py": "setup(name='rc', entry_points={'console_scripts': ['rc = rc:main']})",
      "examples/setup.py": "setup(name='rc', entry_points={'console_scripts': ['rc = rc:main']})",
    });
    expect(found.map(({ recipe, dir, bins, evidence }) => ({ recipe, dir, bins, evidence }))).toEqual([
      {
        recipe: "python",
        dir: "python",
        bins: { rc: null },
        evidence: ["python/setup.py:1 a setuptools project", "python/setup.py:1 commands rc"],
      },
    ]);
  });

  test("a guide's complete project comes before its initial one", () => {
    const go = { "initial/go.mod": "module rc\n", "initial/main.go": "package main\nfunc main() {}\n" };
    const found = detectIn({
      ...go,
      ...Object.fromEntries(Object.entries(go).map(([file, text]) => [file.replace("initial", "complete"), text])),
    });
    expect(found.map(({ dir }) => dir)).toEqual(["complete", "initial"]);
  });

  test("nothing below is looked at where the root is a project", () => {
    const found = detectIn({ "Cargo.toml": CARGO, "src/main.rs": "", "python/setup.py": "setup(name='x')" });
    expect(found.map(({ recipe }) => recipe)).toEqual(["cargo"]);
  });
});
