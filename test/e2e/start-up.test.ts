import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Script } from "node:vm";
import { describe, expect, test } from "vitest";
import { IPM, ROOT, runIpm } from "../helpers/built-ipm.ts";
import { loadedBy } from "../helpers/loaded-by.ts";
import { GitRepository } from "../helpers/git-repository.ts";
import { registryFiles } from "../helpers/registry-folder.ts";
import { temporaryFolder } from "../helpers/temporary-folder.ts";

const ID_LENGTH = 16;

/** A copy of what is installed of ipm, to spoil. */
function copyOfIpm(): { folder: string; program: readonly [string, string] } {
  const folder = temporaryFolder();
  for (const part of ["bin", "dist"]) cpSync(path.join(ROOT, part), path.join(folder, part), { recursive: true });
  return { folder, program: [process.execPath, path.join(folder, "bin/ipm.cjs")] };
}

/** The code caches of a build. */
function cachesOf(root: string): string[] {
  const names = readdirSync(path.join(root, "dist"), { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".cjs.cache")).map((name) => path.join(root, "dist", name));
}

describe("a command loads little", () => {
  test.each([
    [["--version"], []],
    [["-V"], []],
    [["--version", "--json"], ["ipm.cjs"]],
    [["list"], ["ipm.cjs"]],
    // As at a terminal.
    [
      ["list", "--reporter", "tty"],
      ["ipm.cjs", "terminal.cjs", "errors.cjs"],
    ],
    [
      ["show", "lstm-demo"],
      ["ipm.cjs", "frequent.cjs"],
    ],
    [
      ["search", "lstm"],
      ["ipm.cjs", "frequent.cjs", "search.cjs"],
    ],
    [["--help"], ["ipm.cjs", "commands.cjs", "frequent.cjs", "errors.cjs"]],
    [["instal"], ["ipm.cjs", "commands.cjs", "frequent.cjs", "errors.cjs"]],
  ])("%j", (words, files) => {
    expect(loadedBy(temporaryFolder(), words)).toEqual({ files, slow: [] });
  });

  test("installing what is installed", async () => {
    const home = temporaryFolder();
    const words = ["install", "lstm-demo"];
    expect(await runIpm([...words, "--no-sandbox"], { home })).toMatchObject({ exitCode: 0 });
    expect(loadedBy(home, words)).toEqual({ files: ["ipm.cjs", "frequent.cjs"], slow: [] });
    // The first one asks the registries whether what is installed was withdrawn, and remembers the answer.
    expect(loadedBy(home, ["list"]).files).toEqual(["ipm.cjs", "frequent.cjs"]);
    expect(loadedBy(home, ["list"])).toEqual({ files: ["ipm.cjs"], slow: [] });
    const { exitCode, stdout } = await runIpm([...words, "--json"], { home });
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      result: { installed: [], unchanged: [{ name: "lstm-demo" }] },
    });
  });
});

test("a look-up in a registry that was fetched loads one file more", async () => {
  const folder = temporaryFolder();
  const home = path.join(folder, "home");
  mkdirSync(home);
  const repository = new GitRepository(path.join(folder, "team"));
  repository.commit(registryFiles("team", [{ name: "one" }]));
  expect(await runIpm(["registry", "add", `file://${repository.folder}`], { home })).toMatchObject({ exitCode: 0 });
  // The first one parses config.yaml, and remembers what it means.
  expect(await runIpm(["show", "one"], { home })).toMatchObject({ exitCode: 0 });
  const files = ["ipm.cjs", "frequent.cjs", "configured.cjs"];
  expect(loadedBy(home, ["show", "one"])).toEqual({ files, slow: [] });
  expect(loadedBy(home, ["show", "lstm-demo"])).toEqual({ files, slow: [] });
});

describe("the code caches", () => {
  const caches = cachesOf(ROOT);
  /** The version of V8 that a cache is for; it comes after the id and a magic number. */
  const versionIn = (cache: Buffer): string => cache.toString("hex", 4, 8);
  const builtByThisNode = caches.some(
    (file) => versionIn(readFileSync(file).subarray(ID_LENGTH)) === versionIn(new Script("0").createCachedData()),
  );

  test.skipIf(!builtByThisNode)("are there for what is loaded often, and are taken by the Node that built them", () => {
    expect(caches.map((file) => path.basename(file, ".cache"))).toEqual(
      expect.arrayContaining(["ipm.cjs", "commands.cjs", "frequent.cjs"]),
    );
    for (const file of caches) {
      const code = readFileSync(file.replace(/\.cache$/u, ""), "utf8");
      const cache = readFileSync(file);
      expect(cache.toString("latin1", 0, ID_LENGTH)).toBe(code.slice(2, 2 + ID_LENGTH));
      expect(new Script(code, { cachedData: cache.subarray(ID_LENGTH) }).cachedDataRejected).toBe(false);
    }
  });

  test.each([
    ["are gone", (file: string) => rmSync(file)],
    ["are cut off", (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 1000))],
    ["are of another build", (file: string) => writeFileSync(file, readFileSync(file).fill("x", 0, ID_LENGTH))],
    [
      "are of another V8",
      (file: string) => writeFileSync(file, readFileSync(file).fill(7, ID_LENGTH + 4, ID_LENGTH + 8)),
    ],
  ])("change nothing when they %s", async (_, spoil) => {
    const { folder, program } = copyOfIpm();
    for (const file of cachesOf(folder)) spoil(file);
    const ours = await runIpm(["show", "lstm-demo"], { home: folder, program });
    expect(ours).toEqual(await runIpm(["show", "lstm-demo"], { home: folder }));
    expect(ours.exitCode).toBe(0);
  });
});

test("files that were replaced while ipm was running are told, not mixed", async () => {
  const { folder, program } = copyOfIpm();
  const frequent = path.join(folder, "dist/frequent.cjs");
  writeFileSync(frequent, readFileSync(frequent, "utf8").replace(/^\/\*./u, "/*-"));
  const { exitCode, stderr } = await runIpm(["show", "lstm-demo"], { home: folder, program });
  expect(exitCode).toBe(70);
  expect(stderr).toContain("the files of ipm were replaced while it was running");
});

test("what is not built says how it is", async () => {
  const { folder, program } = copyOfIpm();
  rmSync(path.join(folder, "dist"), { recursive: true });
  const { exitCode, stderr } = await runIpm(["list"], { home: folder, program });
  expect(exitCode).toBe(70);
  expect(stderr).toContain("npm --prefix");
});

test("what cannot say its version at once says it as any other command does", async () => {
  const { folder, program } = copyOfIpm();
  const said = await runIpm(["--version"], { home: folder, program });
  expect(said).toMatchObject({ exitCode: 0, stderr: "" });
  rmSync(path.join(folder, "dist/version.txt"));
  expect(await runIpm(["--version"], { home: folder, program })).toEqual(said);
});

test("a link to bin/ipm.cjs is ipm", async () => {
  const folder = temporaryFolder();
  symlinkSync(IPM, path.join(folder, "ipm"));
  const { exitCode, stdout } = await runIpm(["--version"], { home: folder, program: [path.join(folder, "ipm")] });
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/u);
});
