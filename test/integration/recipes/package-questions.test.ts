import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { parsePackageReference } from "../../../src/manifest/package-reference.ts";
import type { PackageAnswer } from "../../../src/recipes/package-recipe.ts";
import { askEcosystem } from "../../../src/usecases/ask-ecosystem.ts";
import { bump } from "../../../src/usecases/bump.ts";
import { install } from "../../../src/usecases/install.ts";
import { lacks, reaches, toolchainEnvironment } from "../../helpers/language-toolchains.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, type TestIpm, createTestIpm } from "../../helpers/test-ipm.ts";

const MINUTES = 60_000;

async function machine(): Promise<TestIpm> {
  const folder = temporaryFolder();
  mkdirSync(path.join(folder, "registry/packages"), { recursive: true });
  writeFileSync(path.join(folder, "registry/registry.yaml"), "id: main\nname: Test\nmaintainers: [test]\n");
  const env = { PATH: process.env["PATH"] ?? "", ...toolchainEnvironment() };
  return createTestIpm(path.join(folder, "run"), path.join(folder, "registry"), { env });
}

async function ask(text: string, version: string | null): Promise<PackageAnswer> {
  const reference = parsePackageReference(text);
  if (reference === undefined) throw new Error(`no package: ${text}`);
  return askEcosystem((await machine()).context, reference, version);
}

test.skipIf(lacks("cargo") || !reaches("crates"))(
  "network: a crate at a version; one that does not exist is not found",
  { timeout: 5 * MINUTES },
  async () => {
    const answer = await ask("crates:choose", "1.3.7");
    expect(answer).toMatchObject({
      integrity: "sha256-1reNMNhHnV9XzR4mGSlEIgpD5kHhOsEnQ2DZ3dAZuB8=",
      bins: ["choose"],
      about: { homepage: "https://github.com/theryangeary/choose" },
    });
    expect(answer.lock["Cargo.lock"]).toMatch(/^# The crate's own Cargo\.lock/u);
    await expect(ask("crates:choose", "99.0.0")).rejects.toMatchObject({ code: "PACKAGE_NOT_FOUND" });
  },
);

describe.skipIf(lacks("go") || !reaches("go"))("network: a Go program", () => {
  test(
    "is locked by go.mod and go.sum, installs from them and knows its version",
    { timeout: 10 * MINUTES },
    async () => {
      const ipm = await machine();
      const { context, folder, layout } = ipm;
      const entry = path.join(folder, "own/packages/xurls");
      mkdirSync(entry, { recursive: true });
      writeFileSync(path.join(folder, "own/registry.yaml"), "id: main\nname: Test\nmaintainers: [test]\n");
      writeFileSync(
        path.join(entry, "manifest.yaml"),
        `schema: ipm/v1
name: xurls
summary: Extracts URLs
license: BSD-3-Clause
homepage: https://github.com/mvdan/xurls
source: { package: "go:mvdan.cc/xurls/v2/cmd/xurls" }
versions:
  - { version: 2.5.0, integrity: sha256-${"A".repeat(43)}=, lock: locks/2.5.0.go }
steps: [uses: go]
bin: [xurls]
tests: [{ run: "echo see https://example.org/a | xurls", expect: { stdout: "^https://example.org/a$" } }]
`,
      );
      const own = {
        ...context,
        host: { ...context.host, facts: { ...context.host.facts, cwd: path.join(folder, "own") } },
      };
      const { added } = await bump(own, "xurls", "2.6.0", false);
      expect(added).toMatchObject({ version: "2.6.0", lock: "locks/2.6.0.go" });
      expect(readFileSync(path.join(entry, "locks/2.6.0.go/go.sum"), "utf8")).toContain("mvdan.cc/xurls/v2 v2.6.0 h1:");
      // The version that was invented for the bump goes: it has no lock.
      const manifest = path.join(entry, "manifest.yaml");
      writeFileSync(manifest, readFileSync(manifest, "utf8").replace(/^.*version: 2\.5\.0.*\n/mu, ""));
      await ipm.setRegistry(path.join(folder, "own"));
      await install(context, ["xurls"], OPTIONS);
      expect(readFileSync(path.join(layout.current, "bin/xurls")).includes("mvdan.cc/xurls/v2\tv2.6.0\th1:")).toBe(
        true,
      );
    },
  );

  test("a library is refused, and so is a version that is not there", { timeout: 5 * MINUTES }, async () => {
    await expect(ask("go:mvdan.cc/xurls/v2", "2.6.0")).rejects.toMatchObject({ code: "PACKAGE_UNUSABLE" });
    await expect(ask("go:mvdan.cc/xurls/v2/cmd/xurls", "2.99.0")).rejects.toMatchObject({
      code: expect.stringMatching(/^PACKAGE_(?:NOT_FOUND|UNREACHABLE)$/u),
    });
  });
});

test.skipIf(lacks("mvn", "java", "unzip") || !reaches("maven"))(
  "network: jars with every library, down to the last one",
  { timeout: 10 * MINUTES },
  async () => {
    const { lock, integrity } = await ask("maven:org.antlr:ST4", "4.3.4");
    expect(lock["jars.lock"]).toMatch(
      /^java 8\n[0-9a-f]{64} org\.antlr:ST4:4\.3\.4\n[0-9a-f]{64} org\.antlr:antlr-runtime:3\.5\.3\n$/u,
    );
    expect(integrity).toMatch(/^sha256-/u);
  },
);
