import { describe, expect, test } from "vitest";
import type { Manifest, ManifestStep } from "../../../src/manifest/manifest.ts";
import { expandSteps, filesToRead } from "../../../src/plan/expand-steps.ts";

const COMMON = { why: null, dir: null, env: {}, timeoutMs: null, network: null, optional: false } as const;

function uses(
  recipe: string,
  more: Partial<ManifestStep> & { readonly with?: Record<string, unknown> } = {},
): ManifestStep {
  return { ...COMMON, uses: recipe, with: {}, ...more };
}

function manifestOf(steps: readonly ManifestStep[], requires: Manifest["requires"] = []): Manifest {
  const bin = { tool: { file: null, env: {} } };
  const version = {
    version: "1.0.0",
    ref: null,
    commit: "",
    tree: "",
    added: null,
    prerelease: false,
    withdrawn: null,
  };
  const source = { git: null, bundle: null, path: null, package: null, from: "checkout", submodules: [] };
  return { source, steps, requires, provides: { bin, share: {}, completions: {} }, version } as unknown as Manifest;
}

const FILES = {
  "package.json": JSON.stringify({ name: "outer", bin: { tool: "outer.js" } }),
  "cli/package.json": JSON.stringify({ name: "inner", bin: { tool: "inner.js" }, engines: { node: ">=20" } }),
  "cli/inner.js": "",
};

function expandIn(manifest: Manifest): ReturnType<typeof expandSteps> {
  const files = Object.keys(FILES).map((path) => ({ path, executable: true }));
  const texts = Object.fromEntries(
    filesToRead(manifest, files).map((name) => [name, FILES[name as keyof typeof FILES]] as const),
  );
  return expandSteps(manifest, { files, texts });
}

describe("a recipe's step with `dir`", () => {
  test("sees that folder as its root, and its steps work there", () => {
    const { steps, provides } = expandIn(manifestOf([uses("npm", { dir: "cli" })]));
    expect(steps).toMatchObject([{ kind: "copy", from: "cli", to: "lib/node_modules/inner" }]);
    expect(provides.bin["tool"]?.file).toBe("lib/node_modules/inner/inner.js");
  });

  test("asks for that folder's files, and then for those that they name", () => {
    const manifest = manifestOf([uses("npm", { dir: "cli" })]);
    const files = Object.keys(FILES).map((path) => ({ path, executable: true }));
    expect(filesToRead(manifest, files)).toEqual(["cli/package.json"]);
    expect(filesToRead(manifest, files, { "cli/package.json": FILES["cli/package.json"] })).toContain("cli/inner.js");
  });
});

describe("what the manifest says about a recipe's step", () => {
  test("network can be narrowed, and is not given to steps that need none", () => {
    const python = manifestOf([uses("python", { network: [] })]);
    const files = [{ path: "setup.py", executable: false }];
    const text = { "setup.py": "from setuptools import setup\nsetup(install_requires=['x'])" };
    const open = expandSteps(manifestOf([uses("python")]), { files, texts: text }).steps;
    expect(open.map((step) => (step.kind === "run" ? step.network : null))).toEqual([[], ["pypi"], [], []]);
    const closed = expandSteps(python, { files, texts: text }).steps;
    expect(closed.every((step) => step.kind === "run" && step.network.length === 0)).toBe(true);
  });

  test("its requirement replaces all that the recipe says of that tool", () => {
    const own = { tool: "node", version: ">=18", for: "both", optional: false, why: null } as const;
    expect(expandIn(manifestOf([uses("npm", { dir: "cli" })])).requires).toMatchObject([
      { tool: "node", version: null, optional: false },
      { tool: "node", version: ">=20", optional: true },
    ]);
    expect(expandIn(manifestOf([uses("npm", { dir: "cli" })], [own])).requires).toEqual([own]);
  });

  test("a recipe or an option that does not exist is refused with the nearest", () => {
    expect(() => expandIn(manifestOf([uses("pyton")]))).toThrow("did you mean python?");
    expect(() => expandIn(manifestOf([uses("npm", { with: { workspaces: "x" } })]))).toThrow("did you mean workspace?");
  });

  test("optional steps are left out, and told", () => {
    const { steps, notices } = expandIn(manifestOf([uses("copy"), uses("npm", { optional: true, why: "manuals" })]));
    expect(steps).toHaveLength(1);
    expect(notices).toEqual(["left out, optional: npm (manuals)"]);
  });
});
