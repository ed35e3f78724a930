import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { PACKAGE_RECIPES, parsePackageReference } from "../../../src/manifest/package-reference.ts";
import { findRecipe } from "../../../src/recipes/recipes.ts";
import { askEcosystem } from "../../../src/usecases/ask-ecosystem.ts";
import { install } from "../../../src/usecases/install.ts";
import { listTools } from "../../../src/usecases/list.ts";
import { reinstall } from "../../../src/usecases/reinstall.ts";
import { uninstall } from "../../../src/usecases/uninstall.ts";
import { upgrade } from "../../../src/usecases/upgrade.ts";
import { type FileSpec, GitRepository } from "../../helpers/git-repository.ts";
import { lacks, reaches, toolchainEnvironment } from "../../helpers/language-toolchains.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, type TestIpm, createTestIpm, treeText } from "../../helpers/test-ipm.ts";

interface Sample {
  readonly tools: readonly string[];
  readonly files: (version: string) => Readonly<Record<string, FileSpec>>;
}

interface PackageSample {
  readonly package: string;
  readonly network: Parameters<typeof reaches>[0];
  readonly tools: readonly string[];
  /** The older one first. */
  readonly versions: readonly [string, string];
  /** A command that proves which version it is, as far as the package has one. */
  readonly run: string;
  readonly says: string;
  /** What its `--help` has on standard output. */
  readonly help: RegExp;
}

function cProgram(version: string): string {
  return `#include <stdio.h>\nint main(void) { puts("${version}"); return 0; }\n`;
}

/** A program of each ecosystem that prints its version, without anything of others. */
const SAMPLES: Readonly<Record<string, Sample>> = {
  npm: {
    tools: ["node", "npm"],
    files: (version) => ({
      "package.json": JSON.stringify({
        name: "sample",
        version,
        bin: "dist/cli.js",
        scripts: { build: "node build.js" },
      }),
      "build.js": `const fs = require("fs");
fs.mkdirSync("dist");
fs.writeFileSync("dist/cli.js", "#!/usr/bin/env node\\nconsole.log(require('../package.json').version);\\n");
`,
    }),
  },
  python: {
    tools: ["python3"],
    files: (version) => ({
      "pyproject.toml": `[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "sample"
version = "${version}"
requires-python = ">=3.9"
scripts.sample = "sample:main"
`,
      "sample.py": `def main():\n    print("${version}")\n`,
      "backend.py": `import zipfile, pathlib
def build_wheel(folder, config_settings=None, metadata_directory=None):
    info = "sample-${version}.dist-info"
    name = "sample-${version}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        wheel.write("sample.py")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: sample\\nVersion: ${version}\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/entry_points.txt", "[console_scripts]\\nsample = sample:main\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name
`,
    }),
  },
  cargo: {
    tools: ["cargo", "cc"],
    files: (version) => ({
      "Cargo.toml": `[package]\nname = "sample"\nversion = "${version}"\nedition = "2021"\n[profile.release]\nopt-level = 0\n`,
      "Cargo.lock": `version = 3\n\n[[package]]\nname = "sample"\nversion = "${version}"\n`,
      "src/main.rs": 'fn main() {\n    println!("{}", env!("CARGO_PKG_VERSION"));\n}\n',
    }),
  },
  go: {
    tools: ["go"],
    files: () => ({
      "go.mod": "module example.org/sample\n\ngo 1.18\n",
      // Without a package of the library, which would have to be compiled first.
      "main.go":
        'package main\n\nimport "syscall"\n\nvar version = "none"\n\nfunc main() {\n\tsyscall.Write(1, []byte(version+"\\n"))\n}\n',
    }),
  },
  make: {
    tools: ["make", "cc"],
    files: (version) => ({
      Makefile: `PREFIX ?= /usr/local\nsample: sample.c\n\t$(CC) -o $@ sample.c\ninstall: sample\n\tinstall -D sample $(DESTDIR)$(PREFIX)/bin/sample\n`,
      "sample.c": cProgram(version),
    }),
  },
  cmake: {
    tools: ["cmake", "make", "cc"],
    files: (version) => ({
      "CMakeLists.txt":
        "cmake_minimum_required(VERSION 3.13)\nproject(sample LANGUAGES C)\nadd_executable(sample sample.c)\ninstall(TARGETS sample RUNTIME DESTINATION bin)\n",
      "sample.c": cProgram(version),
    }),
  },
  meson: {
    tools: ["meson", "ninja", "cc"],
    files: (version) => ({
      "meson.build": "project('sample', 'c')\nexecutable('sample', 'sample.c', install: true)\n",
      "sample.c": cProgram(version),
    }),
  },
  autotools: {
    tools: ["autoconf", "make", "cc"],
    files: (version) => ({
      "configure.ac": `AC_INIT([sample], [${version}])\nAC_PROG_CC\nAC_CONFIG_FILES([Makefile])\nAC_OUTPUT\n`,
      "install-sh": { run: '#!/bin/sh\nexec install "$@"\n' },
      "Makefile.in":
        "prefix = @prefix@\nCC = @CC@\nall: sample\nsample: sample.c\n\t$(CC) -o $@ sample.c\ninstall: all\n\tmkdir -p $(prefix)/bin\n\tcp sample $(prefix)/bin\n",
      "sample.c": cProgram(version),
    }),
  },
  copy: {
    tools: [],
    files: (version) => ({ "bin/sample": { run: `#!/bin/sh\necho ${version}\n` } }),
  },
};

/** Packages of the ecosystems' registries with two versions, and what each prints of its own. */
const PACKAGES: readonly PackageSample[] = [
  {
    package: "npm:semver",
    network: "npm",
    tools: ["node", "npm"],
    versions: ["7.6.2", "7.6.3"],
    run: "semver --help",
    says: "^SemVer {version}$",
    help: /^SemVer /u,
  },
  {
    package: "pypi:pyflakes",
    network: "pypi",
    tools: ["python3"],
    versions: ["3.1.0", "3.2.0"],
    run: "pyflakes --version",
    says: "^{version} ",
    help: /^usage: /iu,
  },
  {
    package: "crates:tac",
    network: "crates",
    tools: ["cargo", "cc"],
    versions: ["2.0.0", "2.1.0"],
    run: "tac --version",
    says: "{version}",
    help: /tac/u,
  },
  {
    package: "go:github.com/yuin/gopher-lua/cmd/glua",
    network: "go",
    tools: ["go"],
    versions: ["1.1.0", "1.1.1"],
    run: "glua -e 'print(40 + 2)'",
    says: "^42$",
    help: /^Usage: /u,
  },
];

/** What Go's compiler and linker have left for the next build, in the build caches of all tools. */
function compiledFor(cache: string): string[] {
  const folder = path.join(cache, "builds");
  const all = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
  return all.filter((file) => /\/go\/[0-9a-f]{2}\/[0-9a-f]{64}-d$/u.test(file)).toSorted();
}

/** Everything that a person does with a tool of two versions, and what is to be seen after each. @returns the versions */
async function journey(
  ipm: TestIpm,
  [older, newer]: readonly [string, string],
  recipe: string,
  command: string,
  prints: (version: string) => RegExp,
): Promise<readonly string[]> {
  const { context, layout } = ipm;
  const current = async (): Promise<string[]> => (await listTools(context)).map(({ version }) => version);
  const starts = (): boolean => existsSync(path.join(layout.current, "bin", command));
  // Its manifest's test has seen what it prints; that it does so without any PATH is seen here.
  const printed = (): string =>
    spawnSync(path.join(layout.current, "bin", command), ["--help"], {
      env: { PATH: "/nonexistent" },
      encoding: "utf8",
    }).stdout;

  expect((await install(context, [`sample@${older}`], OPTIONS)).installed).toMatchObject([{ method: recipe }]);
  expect(printed()).toMatch(prints(older));
  expect((await install(context, [`sample@${older}`], OPTIONS)).installed).toEqual([]);
  const compiled = compiledFor(context.host.homes.cache);
  await reinstall(context, "sample", OPTIONS);
  // The second build of a tool finds what the first one compiled: Go's own library, and the crates of a lock.
  expect(compiledFor(context.host.homes.cache)).toEqual(compiled);
  const seen = await current();
  expect((await upgrade(context, [], OPTIONS)).upgraded).toEqual([{ name: "sample", from: older, to: newer }]);
  seen.push(...(await current()));
  expect(printed()).toMatch(prints(newer));
  await uninstall(context, ["sample"], { purge: true });
  expect(starts()).toBe(false);
  expect(await context.host.files.list(layout.store)).toEqual([]);
  expect(compiledFor(context.host.homes.cache)).toEqual([]);
  // Caches of the package managers went with the private HOME; the caller's has nothing of them.
  expect(treeText(String(context.host.facts.env["HOME"]))).toEqual([]);
  return seen;
}

function writeRegistry(folder: string, manifest: string): string {
  const registry = path.join(folder, "registry");
  for (const part of ["packages/sample", "sources"]) mkdirSync(path.join(registry, part), { recursive: true });
  writeFileSync(path.join(registry, "registry.yaml"), "id: main\nname: Test\nmaintainers: [test]\n");
  writeFileSync(
    path.join(registry, "packages/sample/manifest.yaml"),
    `schema: ipm/v1\nname: sample\nsummary: A sample\nlicense: MIT\n${manifest}`,
  );
  return registry;
}

describe.each(Object.entries(SAMPLES))("%s, from the checkout", (recipe, { tools, files }) => {
  test.skipIf(lacks(...tools))(
    `fresh, again, anew, upgraded, and nothing left (needs ${tools.length === 0 ? "nothing" : tools.join(", ")})`,
    async () => {
      const folder = temporaryFolder();
      const repository = new GitRepository(path.join(folder, "repository"));
      const versions = ["1.0.0", "1.1.0"].map((version) => {
        const commit = repository.commit(files(version));
        repository.tag(`v${version}`);
        return `  - { version: ${version}, ref: refs/tags/v${version}, commit: ${commit}, tree: ${repository.treeOf("HEAD")} }\n`;
      });
      const registry = writeRegistry(
        folder,
        `source: { bundle: sources/sample.bundle }\nversions:\n${versions.toReversed().join("")}steps: [uses: ${recipe}]\nbin: { sample: ${recipe === "copy" ? "bin/sample" : "null"} }\ntests: [{ run: sample, expect: { stdout: "^{version}$" } }]\n`.replace(
          "{ sample: null }",
          "[sample]",
        ),
      );
      repository.bundle(path.join(registry, "sources/sample.bundle"));
      const ipm = await createTestIpm(path.join(folder, "run"), registry, { env: toolchainEnvironment() });
      const versionsOf = ["1.0.0", "1.1.0"] as const;
      expect(await journey(ipm, versionsOf, recipe, "sample", (version) => new RegExp(`^${version}\\n$`, "u"))).toEqual(
        versionsOf,
      );
    },
    120_000,
  );
});

/** Packages of an ecosystem can be installed once its recipe knows how. */
function isBuilt(text: string): boolean {
  const reference = parsePackageReference(text);
  return reference !== undefined && findRecipe(PACKAGE_RECIPES[reference.ecosystem])?.package !== undefined;
}

describe.each(PACKAGES)("$package, from the package", (sample) => {
  const { network, tools, versions, run, says, help } = sample;
  test.skipIf(!isBuilt(sample.package) || lacks(...tools) || !reaches(network))(
    `network: fresh, again, anew, upgraded, and nothing left (needs ${tools.join(", ")} and the registry of ${network})`,
    async () => {
      const folder = temporaryFolder();
      const reference = parsePackageReference(sample.package);
      if (reference === undefined) throw new TypeError(`no package: ${sample.package}`);
      const recipe = PACKAGE_RECIPES[reference.ecosystem];
      const registry = writeRegistry(
        folder,
        "kind: library\nsource: { git: https://example.org/sample.git }\nversions: []\n",
      );
      rmSync(path.join(registry, "packages/sample"), { recursive: true });
      const ipm = await createTestIpm(path.join(folder, "run"), registry, { env: toolchainEnvironment() });
      const pins: string[] = [];
      for (const version of versions) {
        const answer = await askEcosystem(ipm.context, reference, version);
        const lock = `locks/${version}.${reference.ecosystem}`;
        mkdirSync(path.join(registry, "packages/sample", lock), { recursive: true });
        for (const [name, text] of Object.entries(answer.lock))
          writeFileSync(path.join(registry, "packages/sample", lock, name), text);
        pins.unshift(`  - { version: ${version}, integrity: ${answer.integrity}, lock: ${lock} }\n`);
      }
      const [command = ""] = run.split(" ");
      writeRegistry(
        folder,
        `source: { package: "${sample.package}" }\nversions:\n${pins.join("")}steps: [uses: ${recipe}]\nbin: [${command}]\ntests: [{ run: ${JSON.stringify(run)}, expect: { stdout: '${says}' } }]\n`,
      );
      await ipm.setRegistry(registry);
      expect(await journey(ipm, versions, recipe, command, () => help)).toEqual(versions);
    },
    300_000,
  );
});
