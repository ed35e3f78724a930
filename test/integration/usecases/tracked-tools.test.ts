import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { install } from "../../../src/usecases/install.ts";
import { outdated } from "../../../src/usecases/outdated.ts";
import { upgrade } from "../../../src/usecases/upgrade.ts";
import { GitRepository } from "../../helpers/git-repository.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, type TestIpm, createTestIpm } from "../../helpers/test-ipm.ts";

const REGISTRY = path.resolve(import.meta.dirname, "../../../registry");
const UNVERIFIED = { ...OPTIONS, allowUnverified: true };

const MANIFEST = `schema: ipm/v1
name: moving
summary: A tool whose branch moves
license: MIT
steps: [uses: copy]
bin: { moving: moving.sh }
tests: [{ run: moving }]
`;

async function installed(ref = ""): Promise<{ ipm: TestIpm; repository: GitRepository; says: () => string }> {
  const folder = temporaryFolder();
  const repository = new GitRepository(path.join(folder, "moving"));
  repository.commit({ "ipm.yaml": MANIFEST, "moving.sh": { run: "#!/bin/sh\necho one\n" } });
  repository.tag("v1.0.0");
  const ipm = await createTestIpm(path.join(folder, "machine"), REGISTRY);
  await install(ipm.context, [`file://${repository.folder}${ref}`], UNVERIFIED);
  const launcher = path.join(ipm.layout.current, "bin/moving");
  return { ipm, repository, says: () => execFileSync(launcher, { encoding: "utf8" }).trim() };
}

function move(repository: GitRepository): string {
  return `0.0.0-${repository.commit({ "moving.sh": { run: "#!/bin/sh\necho two\n" } }).slice(0, 12)}`;
}

test("a tool from a repository's branch is outdated when the branch has moved, and upgrades to it", async () => {
  const { ipm, repository, says } = await installed();
  expect((await outdated(ipm.context)).tools).toEqual([]);
  const latest = move(repository);
  expect((await outdated(ipm.context)).tools).toMatchObject([{ name: "moving", latest, registry: null }]);
  expect(says()).toBe("one");
  const result = await upgrade(ipm.context, [], UNVERIFIED);
  expect(result.upgraded).toMatchObject([{ name: "moving", to: latest }]);
  expect(says()).toBe("two");
  expect((await outdated(ipm.context)).tools).toEqual([]);
});

test("nobody is asked when offline, and an unverified tool that nobody named is left alone", async () => {
  const { ipm, repository, says } = await installed();
  const latest = move(repository);
  expect((await outdated(ipm.context, { offline: true })).tools).toEqual([]);
  const result = await upgrade(ipm.context, [], OPTIONS);
  expect(result.upgraded).toEqual([]);
  expect(result.unchanged).toMatchObject([{ name: "moving", newer: latest }]);
  expect(says()).toBe("one");
});

test("a tag and a commit are not to move", async () => {
  const { ipm, repository } = await installed("@v1.0.0");
  move(repository);
  expect((await outdated(ipm.context)).tools).toEqual([]);
});

test("a server that is gone is a warning, and the others are still told", async () => {
  const { ipm, repository } = await installed();
  rmSync(repository.folder, { recursive: true });
  expect((await outdated(ipm.context)).tools).toEqual([]);
  expect(ipm.events.some((event) => event.type === "warning" && event.message.includes("moving"))).toBe(true);
});
