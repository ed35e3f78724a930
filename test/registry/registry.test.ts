import { existsSync, readFileSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Platform } from "../../src/core/host.ts";
import { createFiles } from "../../src/host/files.ts";
import { formatFinding } from "../../src/manifest/finding.ts";
import { parseManifest } from "../../src/manifest/parse-manifest.ts";
import { methodsOf } from "../../src/manifest/methods-of.ts";
import { methodChoices, resolveManifest } from "../../src/manifest/resolve-manifest.ts";
import { type CompiledRegistry, compileRegistry } from "../../src/registry/compile-registry.ts";
import { openRegistries } from "../../src/registry/open-registries.ts";
import { lint } from "../../src/usecases/lint.ts";
import { createContext } from "../helpers/bare-context.ts";
import { registryContext } from "../helpers/registry-folder.ts";

/** Where ipm itself runs: an entry that names no platform claims all of them. */
const PLATFORMS: readonly Platform[] = [
  { os: "linux", arch: "x64", libc: "glibc" },
  { os: "linux", arch: "x64", libc: "musl" },
  { os: "linux", arch: "arm64", libc: "glibc" },
  { os: "linux", arch: "arm64", libc: "musl" },
  { os: "macos", arch: "x64", libc: null },
  { os: "macos", arch: "arm64", libc: null },
];

const registry = path.resolve("registry");
const names = readdirSync(path.join(registry, "packages"));
let folder: string;
let compiled: CompiledRegistry;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ipm-test-own-registry-"));
  compiled = await compileRegistry(createFiles(), registry, path.join(folder, "out"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe("the registry that ships with ipm", () => {
  test("compiles without a finding, every entry of it", () => {
    expect(compiled.findings.map(formatFinding)).toEqual([]);
    expect(compiled.meta).toMatchObject({ id: "main", entries: names.length });
  });

  test("has nothing that lint would say", async () => {
    expect(
      (await lint(createContext(folder), [registry], { offline: true, fix: false })).findings.map(formatFinding),
    ).toEqual([]);
  });

  test.each(names)("%s: every version resolves on each platform that it claims, by each method", (name) => {
    const file = `packages/${name}/manifest.yaml`;
    const parsed = parseManifest(readFileSync(path.join(registry, file)), file);
    if (!parsed.ok) throw new Error(parsed.findings.map(formatFinding).join("\n"));
    const { manifest } = parsed;
    const resolved = new Set<string>();
    for (const { version } of manifest.versions) {
      for (const platform of PLATFORMS) {
        for (const choice of methodChoices(manifest, version, platform)) {
          if (!choice.applies) continue;
          const found = resolveManifest(manifest, { version, platform, method: choice.id });
          expect(found).toMatchObject({ name, method: choice.id, version: { version } });
          resolved.add(`version ${version}`).add(`method ${choice.id}`);
        }
      }
    }
    // What nothing resolves to is claimed in vain; an entry without methods is only offered elsewhere.
    const methods = methodsOf(manifest).map(({ id }) => `method ${id}`);
    const versions = methods.length === 0 ? [] : manifest.versions.map(({ version }) => `version ${version}`);
    expect([...resolved].toSorted()).toEqual([...methods, ...versions].toSorted());
  });

  test.each(names)("%s: is found by its name, and search finds it by each of its keywords", async (name) => {
    const registries = await openRegistries(registryContext(folder, { embedded: path.join(folder, "out") }));
    const found = await registries.lookUp(name);
    const { entry } = found;
    expect(entry.name).toBe(name);
    for (const keyword of entry.keywords ?? []) {
      expect((await registries.search(keyword, 1_000)).map((hit) => hit.name)).toContain(name);
    }
    const { bundle } = entry.source;
    const bundles = bundle === undefined ? [] : [await found.bundleFile(bundle)];
    expect(bundles.every((file) => existsSync(file))).toBe(true);
    registries.close();
  });

  // The first line of the tour and the first example of the help: whoever tries it has to find something.
  test("the search that README and help begin with finds the flagship", async () => {
    const words = "neural network";
    expect(readFileSync("README.md", "utf8")).toContain(`ipm search ${words} `);
    const registries = await openRegistries(registryContext(folder, { embedded: path.join(folder, "out") }));
    expect((await registries.search(words, 10)).map((hit) => hit.name)).toEqual(["lstm-demo"]);
    registries.close();
  });
});
