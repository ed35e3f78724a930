import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { InstalledTool } from "../../../src/usecases/list.ts";
import { addRegistry, removeRegistry } from "../../../src/usecases/registries.ts";
import { update } from "../../../src/usecases/update.ts";
import { listWithWarnings, withdrawnFile } from "../../../src/usecases/withdrawn.ts";
import { GitRepository } from "../../helpers/git-repository.ts";
import { registryFiles, writeTree } from "../../helpers/registry-folder.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { type TestIpm, createTestIpm } from "../../helpers/test-ipm.ts";

const WHY = "CVE-2026-1: use 2.0.0";

/** What is installed of a registry. */
function installed(registry: string | null, name: string, version = "1.0.0"): InstalledTool {
  const entry = `${name}/${version}-0123456789ab`;
  const rest = { method: "make", trust: "verified", bins: [name], held: false, installed: "2026-01-01T00:00:00.000Z" };
  return { name, version, entry, registry, ...rest };
}

/** Files of a registry with these entries, of which some have their version 1.0.0 withdrawn. */
function filesOf(id: string, names: readonly string[], withdrawn: readonly string[] = []): Record<string, string> {
  const files = registryFiles(
    id,
    names.map((name) => ({ name })),
  );
  for (const name of withdrawn) {
    const file = `packages/${name}/manifest.yaml`;
    files[file] = (files[file] ?? "").replace("version: 1.0.0,", `version: 1.0.0, withdrawn: "${WHY}",`);
  }
  return files;
}

interface Fixture {
  readonly ipm: TestIpm;
  /** The registry `team`, configured by its URL. */
  readonly repository: GitRepository;
}

/** An embedded registry `main` with `one`, and a git registry `team` with `two` and `three`. */
async function createFixture(): Promise<Fixture> {
  const folder = temporaryFolder();
  writeTree(path.join(folder, "main"), filesOf("main", ["one"]));
  const ipm = await createTestIpm(path.join(folder, "run"), path.join(folder, "main"));
  const repository = new GitRepository(path.join(folder, "team"));
  repository.commit(filesOf("team", ["two", "three"]));
  await addRegistry(ipm.context, `file://${repository.folder}`);
  return { ipm, repository };
}

async function withdrawnOf({ ipm }: Fixture, tools: readonly InstalledTool[]): Promise<string[]> {
  const listed = await listWithWarnings(ipm.context, tools);
  expect(listed.map(({ name }) => name)).toEqual(tools.map(({ name }) => name));
  return listed.flatMap(({ name, withdrawn }) => (withdrawn === WHY ? [name] : []));
}

/** What tells whether the answer was found anew: the file is replaced then. */
const remembered = ({ ipm }: Fixture): number => statSync(withdrawnFile(ipm.context)).ino;

const TOOLS = [installed("main", "one"), installed("team", "two"), installed(null, "loose")];

describe("which versions were withdrawn is remembered", () => {
  test("until something changes", async () => {
    const fixture = await createFixture();
    expect(await withdrawnOf(fixture, TOOLS)).toEqual([]);
    const first = remembered(fixture);
    expect(await withdrawnOf(fixture, TOOLS)).toEqual([]);
    expect(remembered(fixture)).toBe(first);
    // What was remembered is what is told: no registry is opened.
    const text = readFileSync(withdrawnFile(fixture.ipm.context), "utf8");
    writeFileSync(
      withdrawnFile(fixture.ipm.context),
      JSON.stringify({ ...JSON.parse(text), withdrawn: [["two", WHY]] }),
    );
    expect(await withdrawnOf(fixture, TOOLS)).toEqual(["two"]);
  });

  test("and found anew after an update", async () => {
    const fixture = await createFixture();
    expect(await withdrawnOf(fixture, TOOLS)).toEqual([]);
    fixture.repository.commit(filesOf("team", ["two", "three"], ["two"]));
    expect(await withdrawnOf(fixture, TOOLS)).toEqual([]);
    await update(fixture.ipm.context, []);
    expect(await withdrawnOf(fixture, TOOLS)).toEqual(["two"]);
    fixture.repository.commit(filesOf("team", ["two", "three"]));
    await update(fixture.ipm.context, []);
    expect(await withdrawnOf(fixture, TOOLS)).toEqual([]);
  });

  test("after a new release of ipm", async () => {
    const fixture = await createFixture();
    expect(await withdrawnOf(fixture, TOOLS)).toEqual([]);
    writeTree(path.join(fixture.ipm.folder, "next"), filesOf("main", ["one"], ["one"]));
    await fixture.ipm.setRegistry(path.join(fixture.ipm.folder, "next"));
    expect(await withdrawnOf(fixture, TOOLS)).toEqual(["one"]);
  });

  test("after another installation, of another tool or version or from another registry", async () => {
    const fixture = await createFixture();
    fixture.repository.commit(filesOf("team", ["one", "two", "three"], ["one", "three"]));
    await update(fixture.ipm.context, []);
    expect(await withdrawnOf(fixture, TOOLS)).toEqual([]);
    expect(await withdrawnOf(fixture, [...TOOLS, installed("team", "three")])).toEqual(["three"]);
    expect(await withdrawnOf(fixture, [...TOOLS, installed("team", "three", "2.0.0")])).toEqual([]);
    expect(await withdrawnOf(fixture, [installed("team", "one")])).toEqual(["one"]);
    expect(await withdrawnOf(fixture, [installed("main", "one")])).toEqual([]);
  });

  test("after a registry was removed or added", async () => {
    const fixture = await createFixture();
    fixture.repository.commit(filesOf("team", ["two"], ["two"]));
    await update(fixture.ipm.context, []);
    expect(await withdrawnOf(fixture, TOOLS)).toEqual(["two"]);
    await removeRegistry(fixture.ipm.context, "team");
    expect(await withdrawnOf(fixture, TOOLS)).toEqual([]);
    await addRegistry(fixture.ipm.context, `file://${fixture.repository.folder}`);
    expect(await withdrawnOf(fixture, TOOLS)).toEqual(["two"]);
    rmSync(path.join(fixture.ipm.context.host.homes.cache, "registries/team/fetched.json"));
    expect(await withdrawnOf(fixture, TOOLS)).toEqual([]);
  });

  test("never of a folder, whose files are what it says", async () => {
    const fixture = await createFixture();
    const folder = path.join(fixture.ipm.folder, "mine");
    writeTree(folder, filesOf("mine", ["own"]));
    await addRegistry(fixture.ipm.context, folder);
    const own = [installed("mine", "own")];
    expect(await withdrawnOf(fixture, own)).toEqual([]);
    expect(existsSync(withdrawnFile(fixture.ipm.context))).toBe(false);
    writeTree(folder, filesOf("mine", ["own"], ["own"]));
    expect(await withdrawnOf(fixture, own)).toEqual(["own"]);
  });
});

describe("what is remembered may be damaged, and need not be written", () => {
  test.each([
    ["nothing", ""],
    ["no JSON", "{"],
    ["something else", "[1]"],
    ["half of it", '{"basis":"x"}'],
    ["values of other kinds", '{"basis":"x","seen":[1],"withdrawn":[[2,3]]}'],
  ])("a file with %s is replaced", async (_, content) => {
    const fixture = await createFixture();
    fixture.repository.commit(filesOf("team", ["two"], ["two"]));
    await update(fixture.ipm.context, []);
    writeFileSync(withdrawnFile(fixture.ipm.context), content);
    expect(await withdrawnOf(fixture, TOOLS)).toEqual(["two"]);
    const first = remembered(fixture);
    expect(await withdrawnOf(fixture, TOOLS)).toEqual(["two"]);
    expect(remembered(fixture)).toBe(first);
  });

  test("values of other kinds under the right basis are not told", async () => {
    const fixture = await createFixture();
    expect(await withdrawnOf(fixture, TOOLS)).toEqual([]);
    const right = JSON.parse(readFileSync(withdrawnFile(fixture.ipm.context), "utf8"));
    for (const wrong of [{ withdrawn: [["two", 7]] }, { withdrawn: { two: WHY } }, { seen: "all" }]) {
      writeFileSync(withdrawnFile(fixture.ipm.context), JSON.stringify({ ...right, ...wrong }));
      expect(await withdrawnOf(fixture, TOOLS)).toEqual([]);
    }
  });

  test("a cache that cannot be written to costs nothing but time", async () => {
    const fixture = await createFixture();
    fixture.repository.commit(filesOf("team", ["two"], ["two"]));
    await update(fixture.ipm.context, []);
    // A folder in its place can neither be read nor replaced, not even by root.
    mkdirSync(path.join(withdrawnFile(fixture.ipm.context), "in-the-way"), { recursive: true });
    expect(await withdrawnOf(fixture, TOOLS)).toEqual(["two"]);
    expect(await withdrawnOf(fixture, TOOLS)).toEqual(["two"]);
  });

  test("a registry that cannot be read says nothing, and that is not remembered", async () => {
    const fixture = await createFixture();
    const config = path.join(fixture.ipm.context.host.homes.config, "config.yaml");
    const right = readFileSync(config, "utf8");
    writeFileSync(config, "registries: 7\n");
    expect(await withdrawnOf(fixture, TOOLS)).toEqual([]);
    expect(existsSync(withdrawnFile(fixture.ipm.context))).toBe(false);
    writeFileSync(config, right);
    expect(await withdrawnOf(fixture, TOOLS)).toEqual([]);
    expect(existsSync(withdrawnFile(fixture.ipm.context))).toBe(true);
  });
});
