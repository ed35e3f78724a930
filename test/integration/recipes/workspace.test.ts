import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { enterWorkspace, workspaceEnvironment } from "../../../src/usecases/enter-workspace.ts";
import { install } from "../../../src/usecases/install.ts";
import { readWorkspaces } from "../../../src/usecases/list.ts";
import { runTool } from "../../../src/usecases/run-tool.ts";
import { uninstall } from "../../../src/usecases/uninstall.ts";
import { lacks, toolchainEnvironment } from "../../helpers/language-toolchains.ts";
import { OPTIONS } from "../../helpers/test-ipm.ts";
import { WorkspaceSite } from "../../helpers/workspace-site.ts";

/** Run a command in the workspace as `ipm run course -- …` does, with its output. */
async function inside(site: WorkspaceSite, ...words: readonly [string, ...string[]]): Promise<string> {
  const [workspace] = await readWorkspaces(site.ipm.context);
  if (workspace === undefined) throw new Error("no workspace");
  const env = await workspaceEnvironment(site.ipm.context, workspace);
  const [program, ...args] = words;
  const ran = spawnSync(program, args, { cwd: workspace.folder, env, encoding: "utf8" });
  return `${ran.stdout}${ran.stderr}`.trim();
}

test.skipIf(lacks("python3"))(
  "python: a course of notebooks gets .venv, with a package of its own that can be changed",
  async () => {
    const site = await WorkspaceSite.open(
      [
        {
          version: "2026.1",
          files: {
            // A folder as a requirement: nothing is asked of an index.
            "requirements.txt": "./lib\n",
            "lib/pyproject.toml":
              '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\nname = "coursekit"\nversion = "1.0"\n',
            "lib/backend.py": `import zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "coursekit-1.0-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("coursekit.py", "def answer():\\n    return 42\\n")
        wheel.writestr("coursekit-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: coursekit\\nVersion: 1.0\\n")
        wheel.writestr("coursekit-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("coursekit-1.0.dist-info/RECORD", "")
    return name
`,
            "week1/series.ipynb": '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}\n',
          },
        },
      ],
      `steps: [{ uses: python, network: [] }]
tests: [{ run: 'python -c "import coursekit; print(coursekit.answer())"', expect: { stdout: "^42$" } }]
`,
      { env: toolchainEnvironment() },
    );
    await install(site.ipm.context, ["course"], OPTIONS);
    expect(await inside(site, "python", "-c", "import coursekit, sys; print(coursekit.answer(), sys.prefix)")).toBe(
      `42 ${site.path(".venv")}`,
    );
    expect(await inside(site, "sh", "-c", "echo $VIRTUAL_ENV; command -v pip")).toBe(
      `${site.path(".venv")}\n${site.path(".venv/bin/pip")}`,
    );
    expect(readFileSync(site.path(".git/info/exclude"), "utf8")).toContain("/.venv/\n");
    expect(site.git("status", "--porcelain")).toBe("");
    expect((await uninstall(site.ipm.context, ["course"], { purge: false })).workspaces[0]?.kept).toBeNull();
  },
);

test.skipIf(lacks("npm"))("npm: packages are in place, those for development too, and npm run works", async () => {
  const packageJson = {
    name: "lab",
    version: "1.0.0",
    private: true,
    scripts: { hello: "node -p \"require('kit')\"" },
    devDependencies: { kit: "file:kit" },
  };
  const lock = {
    name: "lab",
    version: "1.0.0",
    lockfileVersion: 3,
    requires: true,
    packages: {
      "": { name: "lab", version: "1.0.0", devDependencies: { kit: "file:kit" } },
      kit: { version: "1.0.0", dev: true },
      "node_modules/kit": { resolved: "kit", link: true },
    },
  };
  const site = await WorkspaceSite.open(
    [
      {
        version: "1.0.0",
        files: {
          "package.json": JSON.stringify(packageJson),
          "package-lock.json": JSON.stringify(lock),
          "kit/package.json": '{ "name": "kit", "version": "1.0.0", "main": "kit.js" }',
          "kit/kit.js": "module.exports = 'kit works';\n",
          ".gitignore": "node_modules\n",
        },
      },
    ],
    'steps: [{ uses: npm, network: [] }]\ntests: [{ run: npm run --silent hello, expect: { stdout: "^kit works$" } }]\n',
  );
  await install(site.ipm.context, ["course"], OPTIONS);
  expect(existsSync(site.path("node_modules/kit/kit.js"))).toBe(true);
  expect(await inside(site, "npm", "run", "--silent", "hello")).toBe("kit works");
  expect(site.git("status", "--porcelain")).toBe("");
});

test.skipIf(lacks("make", "cc"))(
  "make: programs are built where they are, and a change is built by make alone",
  async () => {
    const source = (word: string): string => `#include <stdio.h>\nint main(void) { puts("${word}"); return 0; }\n`;
    const site = await WorkspaceSite.open(
      [
        {
          version: "1.0.0",
          files: { Makefile: "all: hello\nhello: hello.c\n\tcc -o $@ $<\n", "hello.c": source("one") },
        },
      ],
      'steps: [uses: make]\ntests: [{ run: ./hello, expect: { stdout: "^one$" } }]\n',
    );
    await install(site.ipm.context, ["course"], OPTIONS);
    expect(site.git("status", "--porcelain")).toBe("");
    writeFileSync(site.path("hello.c"), source("two"));
    expect(await inside(site, "sh", "-c", "make -s && ./hello")).toBe("two");
  },
);

test.skipIf(lacks("cargo"))("cargo: the target folder is in place and on the environment's PATH", async () => {
  const site = await WorkspaceSite.open(
    [
      {
        version: "1.0.0",
        files: {
          "Cargo.toml": '[package]\nname = "lab"\nversion = "1.0.0"\nedition = "2021"\n',
          "Cargo.lock": 'version = 3\n\n[[package]]\nname = "lab"\nversion = "1.0.0"\n',
          "src/main.rs": 'fn main() { println!("lab works"); }\n',
        },
      },
    ],
    'steps: [uses: cargo]\ntests: [{ run: lab, expect: { stdout: "^lab works$" } }]\n',
    { env: toolchainEnvironment() },
  );
  await install(site.ipm.context, ["course"], OPTIONS);
  expect(await inside(site, "lab")).toBe("lab works");
  expect(site.git("status", "--porcelain")).toBe("");
});

test("a recipe that has nothing to do in a workspace is refused by name", async () => {
  const site = await WorkspaceSite.open([{ version: "1.0.0", files: { a: "" } }], "steps: [uses: copy]\n");
  await expect(install(site.ipm.context, ["course"], OPTIONS)).rejects.toMatchObject({
    code: "MANIFEST_INVALID",
    hint: expect.stringContaining("python") as string,
  });
});

test("run enters a workspace by its name: exit code, folder and environment; one that is not there is said", async () => {
  const steps = `steps: [{ run: 'mkdir -p "$IPM_PREFIX/bin"; printf "#!/bin/sh\\necho \\$PWD > out; exit 7\\n" > "$IPM_PREFIX/bin/go7"; chmod 755 "$IPM_PREFIX/bin/go7"' }]\n`;
  const site = await WorkspaceSite.open([{ version: "1.0.0", files: { "week1/a": "" } }], steps);
  const { context } = site.ipm;
  await expect(runTool(context, "course", ["go7"], OPTIONS)).rejects.toMatchObject({ code: "NOT_INSTALLED" });
  await install(context, ["course"], OPTIONS);
  expect(await runTool(context, "course", ["go7"], OPTIONS)).toEqual({ exitCode: 7, signal: null });
  expect(readFileSync(site.path("out"), "utf8").trim()).toBe(site.workspace);
  const [workspace] = await readWorkspaces(context);
  if (workspace === undefined) throw new Error("no workspace");
  const below = { ...context, host: { ...context.host, facts: { ...context.host.facts, cwd: site.path("week1") } } };
  await enterWorkspace(below, workspace, ["go7"]);
  expect(readFileSync(path.join(site.path("week1"), "out"), "utf8").trim()).toBe(site.path("week1"));
  await expect(runTool(context, "course", ["nothing-of-this-name"], OPTIONS)).rejects.toMatchObject({
    code: "COMMAND_NOT_PROVIDED",
  });
});
