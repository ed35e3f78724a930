import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { bump } from "../../../src/usecases/bump.ts";
import { install } from "../../../src/usecases/install.ts";
import { listTools } from "../../../src/usecases/list.ts";
import { outdated } from "../../../src/usecases/outdated.ts";
import { reinstall } from "../../../src/usecases/reinstall.ts";
import { upgrade } from "../../../src/usecases/upgrade.ts";
import { GitRepository } from "../../helpers/git-repository.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, type TestIpm, createTestIpm } from "../../helpers/test-ipm.ts";

const URL_OF_SOURCE = "https://git.example.org/lab/moving.git";
const UNVERIFIED = { ...OPTIONS, allowUnverified: true };
const script = (word: string): { run: string } => ({ run: `#!/bin/sh\necho ${word}\n` });

interface Site {
  readonly ipm: TestIpm;
  readonly repository: GitRepository;
  readonly manifest: string;
  readonly says: () => string;
  /** The registry as it is on the disk now, in place of the embedded one. */
  readonly publish: () => Promise<void>;
}

/** A registry with one entry that follows `main`, pinned at the branch's first commit. */
async function site(): Promise<Site> {
  const folder = temporaryFolder();
  const repository = new GitRepository(path.join(folder, "moving"));
  const commit = repository.commit({ "moving.sh": script("one") });
  const registry = path.join(folder, "registry");
  const manifest = path.join(registry, "packages/moving/manifest.yaml");
  mkdirSync(path.dirname(manifest), { recursive: true });
  writeFileSync(path.join(registry, "registry.yaml"), "id: main\nname: Test\nmaintainers: [test]\n");
  writeFileSync(
    manifest,
    `schema: ipm/v1
name: moving
summary: A tool without tags
license: MIT
source: { git: ${URL_OF_SOURCE}, track: main }
versions:
  - { version: 2023.11.14, ref: refs/heads/main, commit: ${commit}, tree: ${repository.treeOf("HEAD")} }
steps: [uses: copy]
bin: { moving: moving.sh }
tests: [{ run: moving }]
`,
  );
  const machine = path.join(folder, "machine");
  mkdirSync(path.join(machine, "home"), { recursive: true });
  const settings = `[url "file://${repository.folder}"]\n\tinsteadOf = ${URL_OF_SOURCE}\n`;
  writeFileSync(path.join(machine, "home/.gitconfig"), settings);
  const ipm = await createTestIpm(machine, registry);
  const launcher = path.join(ipm.layout.current, "bin/moving");
  return {
    ipm,
    repository,
    manifest,
    says: () => execFileSync(launcher, { encoding: "utf8" }).trim(),
    publish: () => ipm.setRegistry(registry),
  };
}

const versions = async (ipm: TestIpm): Promise<string[]> => (await listTools(ipm.context)).map((tool) => tool.version);

test("a date version is pinned like any other: the branch may move on, the registry says when", async () => {
  const { ipm, repository, manifest, says, publish } = await site();
  await install(ipm.context, ["moving"], OPTIONS);
  expect(await versions(ipm)).toEqual(["2023.11.14"]);
  repository.commit({ "moving.sh": script("two") });
  expect((await outdated(ipm.context)).tools).toEqual([]);
  // The commit's own day, and another one of the same day beside it.
  const bumped = await bump(ipm.context, manifest, null, false);
  expect(bumped.added).toMatchObject({ version: "2023.11.14.2", ref: "refs/heads/main" });
  expect((await bump(ipm.context, manifest, null, false)).added).toBeNull();
  expect(readFileSync(manifest, "utf8")).toMatch(/versions:\n {2}- \{ version: 2023\.11\.14\.2, /u);
  await publish();
  expect((await outdated(ipm.context)).tools).toMatchObject([{ name: "moving", latest: "2023.11.14.2" }]);
  await upgrade(ipm.context, [], OPTIONS);
  expect(says()).toBe("two");
});

test("NAME@HEAD is the newest commit, which nobody has verified, and follows the branch from then on", async () => {
  const { ipm, repository, says } = await site();
  const tip = repository.commit({ "moving.sh": script("two") });
  // The registry's reviewed version is no consent to anything else.
  await expect(install(ipm.context, ["moving@HEAD"], OPTIONS)).rejects.toMatchObject({ code: "UNVERIFIED" });
  const { plans } = await install(ipm.context, ["moving@HEAD"], UNVERIFIED);
  expect(plans[0]?.notices).toContain("unreleased: the newest commit of main, which nobody has verified");
  expect(await versions(ipm)).toEqual([`0.0.0-${tip.slice(0, 12)}`]);
  expect(says()).toBe("two");
  expect((await outdated(ipm.context)).tools).toEqual([]);
  const next = repository.commit({ "moving.sh": script("three") });
  const latest = `0.0.0-${next.slice(0, 12)}`;
  expect((await outdated(ipm.context)).tools).toMatchObject([{ name: "moving", latest, registry: "main" }]);
  expect((await outdated(ipm.context, { offline: true })).tools).toEqual([]);
  // The very commit again, not the newest one.
  await reinstall(ipm.context, "moving", UNVERIFIED);
  expect(says()).toBe("two");
  // Nobody is asked and nobody has named it: it stays.
  expect((await upgrade(ipm.context, [], OPTIONS)).unchanged).toMatchObject([{ name: "moving", newer: latest }]);
  expect((await upgrade(ipm.context, ["moving"], UNVERIFIED)).upgraded).toMatchObject([{ to: latest }]);
  expect(says()).toBe("three");
  // And back to what was released.
  await install(ipm.context, ["moving@2023.11.14"], OPTIONS);
  expect(says()).toBe("one");
});

test("an entry with releases has no HEAD", async () => {
  const { ipm, manifest, publish } = await site();
  writeFileSync(
    manifest,
    readFileSync(manifest, "utf8").replace(", track: main", "").replace("refs/heads/main", "refs/tags/v1"),
  );
  await publish();
  await expect(install(ipm.context, ["moving@HEAD"], UNVERIFIED)).rejects.toMatchObject({ code: "VERSION_NOT_FOUND" });
});
