import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { type SelectOptions, selectSubjects } from "../../../src/usecases/verify-targets.ts";
import { writeDemoRegistry } from "../../helpers/demo-registry.ts";
import { GitRepository } from "../../helpers/git-repository.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, type TestIpm, createTestIpm } from "../../helpers/test-ipm.ts";

const ALL: SelectOptions = { all: true, changed: null, shard: null };

async function registryInGit(): Promise<{ ipm: TestIpm; registry: string; repository: GitRepository }> {
  const folder = temporaryFolder();
  const root = path.join(folder, "checkout");
  mkdirSync(root);
  const registry = writeDemoRegistry(path.join(root, "registry"), [
    { name: "alpha", versions: ["1.0.0"] },
    { name: "bravo", versions: ["1.0.0", "2.0.0"] },
  ]);
  const ipm = await createTestIpm(folder, registry);
  const repository = new GitRepository(root);
  repository.commit({}, "the registry");
  repository.tag("base");
  return { ipm, registry, repository };
}

async function selected(ipm: TestIpm, registry: string, options: Partial<SelectOptions>): Promise<string[]> {
  const subjects = await selectSubjects(ipm.context, [registry], { ...ALL, all: false, ...options }, OPTIONS);
  return subjects.map(({ name, version }) => `${name} ${version}`);
}

describe("--changed", () => {
  let ipm: TestIpm;
  let registry: string;
  let repository: GitRepository;
  const manifest = (name: string): string => path.join(registry, "packages", name, "manifest.yaml");
  const edit = (name: string, change: (yaml: string) => string): void => {
    const before = readFileSync(manifest(name), "utf8");
    writeFileSync(manifest(name), change(before));
  };

  async function start(): Promise<void> {
    ({ ipm, registry, repository } = await registryInGit());
  }

  test("nothing, when only prose and attestations are new", async () => {
    await start();
    expect(await selected(ipm, registry, { changed: "base" })).toEqual([]);
    edit("alpha", (yaml) => yaml.replace("The tool alpha", "Another summary"));
    mkdirSync(path.join(registry, "packages/bravo/attestations"));
    writeFileSync(path.join(registry, "packages/bravo/attestations/x.json"), "{}");
    expect(await selected(ipm, registry, { changed: "base" })).toEqual([]);
  });

  test("a bump is the new version alone, committed or not; another step is every version", async () => {
    await start();
    writeDemoRegistry(registry, [
      { name: "alpha", versions: ["1.0.0", "1.1.0"] },
      { name: "bravo", versions: ["1.0.0", "2.0.0"] },
    ]);
    expect(await selected(ipm, registry, { changed: "base" })).toEqual(["alpha 1.1.0"]);
    repository.commit({}, "a bump");
    expect(await selected(ipm, registry, { changed: "base" })).toEqual(["alpha 1.1.0"]);
    edit("bravo", (yaml) => yaml.replace("steps: [uses: copy]", "steps: [{ run: 'true' }, uses: copy]"));
    expect(await selected(ipm, registry, { changed: "base" })).toEqual(["alpha 1.1.0", "bravo 2.0.0", "bravo 1.0.0"]);
  });

  test("a new entry is every version of it, also before git knows it; one that was removed is nothing", async () => {
    await start();
    rmSync(path.join(registry, "packages/alpha"), { recursive: true });
    const added = path.join(registry, "packages/charlie");
    mkdirSync(added);
    writeFileSync(
      path.join(added, "manifest.yaml"),
      readFileSync(manifest("bravo"), "utf8").replaceAll(/^name: bravo$/gmu, "name: charlie"),
    );
    expect(await selected(ipm, registry, { changed: "base" })).toEqual(["charlie 2.0.0", "charlie 1.0.0"]);
  });

  test("a base that is no commit, or looks like a flag, is a wrong call", async () => {
    await start();
    for (const changed of ["nowhere", "--output=/tmp/x", "base --"]) {
      await expect(selected(ipm, registry, { changed })).rejects.toMatchObject({ code: "USAGE" });
    }
  });
});

test("the parts of --shard make the whole, each tool in one part", async () => {
  const { ipm, registry } = await registryInGit();
  const whole = await selected(ipm, registry, { all: true });
  const parts = await Promise.all(
    [1, 2, 3].map((index) => selected(ipm, registry, { all: true, shard: { index, of: 3 } })),
  );
  expect(whole).toEqual(["alpha 1.0.0", "bravo 2.0.0", "bravo 1.0.0"]);
  expect(parts.flat().toSorted()).toEqual(whole.toSorted());
});
