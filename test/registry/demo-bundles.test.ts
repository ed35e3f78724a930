import { execFile } from "node:child_process";
import { appendFile, chmod, cp, mkdtemp, readFile, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

// The script runs as a process of its own, as a maintainer and CI run it.
const script = resolve("scripts/build-demo-bundles.mjs");

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ipm-test-demo-bundles-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

function build(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      [script, ...args],
      { env: { ...process.env, ...env } },
      (_error, stdout, stderr) => done({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

/** A registry folder with copies of the demos, their manifests and their bundles. */
async function copyOfRegistry(): Promise<string> {
  const registry = join(folder, "registry");
  const demos = await readdir("registry/demos");
  for (const part of ["demos", "sources"]) await cp(join("registry", part), join(registry, part), { recursive: true });
  for (const name of demos) {
    await cp(join("registry/packages", name), join(registry, "packages", name), { recursive: true });
  }
  return registry;
}

async function filesBelow(at: string): Promise<string[]> {
  const entries = await readdir(at, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

test("the bundles hold the commits and trees that the demo folders give and that the manifests pin", async () => {
  const { code, stdout, stderr } = await build(["--check"]);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^lstm-demo 1\.0\.0 {2}commit [0-9a-f]{40} {2}tree [0-9a-f]{40}/m);
});

test("modes and times of the files and the host's git configuration do not matter", async () => {
  const registry = await copyOfRegistry();
  for (const [at, path] of (await filesBelow(join(registry, "demos"))).entries()) {
    await chmod(path, at % 2 ? 0o755 : 0o600);
    await utimes(path, 1, 1);
  }
  const config = join(folder, "gitconfig");
  await writeFile(
    config,
    "[user]\nname = Somebody\nemail = somebody@example.org\n[core]\nautocrlf = true\n[commit]\ngpgSign = true\n[init]\ndefaultBranch = trunk\ndefaultObjectFormat = sha256\n",
  );
  const here = await build(["--check"]);
  const there = await build(["--check", "--registry", registry], {
    GIT_CONFIG_GLOBAL: config,
    GIT_DIR: join(folder, "nowhere"),
    GIT_AUTHOR_DATE: "2001-01-01T00:00:00Z",
    TZ: "Asia/Tokyo",
  });
  expect(there).toEqual(here);
});

test("a changed file is found, and building again repairs bundle and manifest", async () => {
  const registry = await copyOfRegistry();
  await appendFile(join(registry, "demos/lstm-demo/README.md"), "One more line.\n");
  const before = await build(["--check", "--registry", registry]);
  expect(before.code).toBe(1);
  expect(before.stderr).toMatch(/the manifest has tree/);
  expect(before.stderr).toMatch(/the bundle has "refs\/heads\/main/);
  expect((await build(["--registry", registry])).code).toBe(0);
  expect((await build(["--check", "--registry", registry])).code).toBe(0);
});

test("a carriage return in a demo is refused", async () => {
  const registry = await copyOfRegistry();
  await appendFile(join(registry, "demos/lstm-demo/README.md"), "One more line.\r\n");
  const { code, stderr } = await build(["--registry", registry]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/README\.md holds a carriage return/);
});

/** Where a demo of each ecosystem says its version; Go has no such file, the build puts it in. */
const VERSION_PLACES: Readonly<Record<string, RegExp>> = {
  "package.json": /^ {2}"version": "(.*)"/mu,
  "pyproject.toml": /^version = "(.*)"$/mu,
  "Cargo.toml": /^version = "(.*)"$/mu,
};

test("every demo says itself the version that is tagged last", async () => {
  const wrong: string[] = [];
  for (const name of await readdir("registry/demos")) {
    const folder = join("registry/demos", name);
    const { versions } = JSON.parse(await readFile(join(folder, "bundle.json"), "utf8")) as {
      versions: { version: string }[];
    };
    const tagged = versions.at(-1)?.version;
    for (const [file, pattern] of Object.entries(VERSION_PLACES)) {
      const text = await readFile(join(folder, file), "utf8").catch(() => null);
      const said = text === null ? tagged : pattern.exec(text)?.[1];
      if (said !== tagged) wrong.push(`${name}: ${file} says ${said}, the newest tag is ${tagged}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("the demos' JavaScript passes the type checker, by its JSDoc types", async () => {
  const files = (await filesBelow("registry/demos")).filter(
    (path) => path.endsWith(".mjs") && !path.includes("/history/"),
  );
  expect(files.length).toBeGreaterThan(10);
  const options = ["--noEmit", "--allowJs", "--checkJs", "--strict", "--skipLibCheck", "--noUnusedLocals"];
  const target = ["--target", "es2023", "--lib", "es2023", "--module", "nodenext", "--types", "node", "--ignoreConfig"];
  const output = await new Promise<string>((done) => {
    execFile("node_modules/.bin/tsc", [...options, ...target, ...files], (_error, stdout, stderr) =>
      done(stdout + stderr),
    );
  });
  expect(output).toBe("");
});
