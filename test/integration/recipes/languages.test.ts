import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { install } from "../../../src/usecases/install.ts";
import { reinstall } from "../../../src/usecases/reinstall.ts";
import { uninstall } from "../../../src/usecases/uninstall.ts";
import { upgrade } from "../../../src/usecases/upgrade.ts";
import { type FileSpec, GitRepository } from "../../helpers/git-repository.ts";
import { lacks, toolchainEnvironment } from "../../helpers/language-toolchains.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, createTestIpm, treeText } from "../../helpers/test-ipm.ts";

interface Sample {
  readonly tools: readonly string[];
  readonly files: (version: string) => Readonly<Record<string, FileSpec>>;
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
};

/** What Go's compiler and linker have left for the next build, in the build caches of all tools. */
function compiledFor(cache: string): string[] {
  const folder = path.join(cache, "builds");
  const all = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
  return all.filter((file) => /\/go\/[0-9a-f]{2}\/[0-9a-f]{64}-d$/u.test(file)).toSorted();
}

describe.each(Object.entries(SAMPLES))("%s, from the checkout", (recipe, { tools, files }) => {
  test.skipIf(lacks(...tools))(
    `fresh, again, anew from ipm's cache, upgraded, and nothing left (needs ${tools.join(", ")})`,
    async () => {
      const folder = temporaryFolder();
      const repository = new GitRepository(path.join(folder, "repository"));
      const versions = ["1.0.0", "1.1.0"].map((version) => {
        const commit = repository.commit(files(version));
        repository.tag(`v${version}`);
        return `  - { version: ${version}, ref: refs/tags/v${version}, commit: ${commit}, tree: ${repository.treeOf("HEAD")} }\n`;
      });
      const registry = path.join(folder, "registry");
      for (const part of ["packages/sample", "sources"]) mkdirSync(path.join(registry, part), { recursive: true });
      repository.bundle(path.join(registry, "sources/sample.bundle"));
      writeFileSync(path.join(registry, "registry.yaml"), "id: main\nname: Test\nmaintainers: [test]\n");
      writeFileSync(
        path.join(registry, "packages/sample/manifest.yaml"),
        `schema: ipm/v1\nname: sample\nsummary: A sample\nlicense: MIT\nsource: { bundle: sources/sample.bundle }\nversions:\n${versions.toReversed().join("")}steps: [uses: ${recipe}]\nbin: [sample]\ntests: [{ run: sample, expect: { stdout: "^{version}$" } }]\n`,
      );
      const ipm = await createTestIpm(path.join(folder, "run"), registry, { env: toolchainEnvironment() });
      const { context, layout } = ipm;
      const printed = (): string =>
        spawnSync(path.join(layout.current, "bin/sample"), { env: { PATH: "/nonexistent" }, encoding: "utf8" }).stdout;

      expect((await install(context, ["sample@1.0.0"], OPTIONS)).installed).toMatchObject([{ method: recipe }]);
      expect(printed()).toBe("1.0.0\n");
      expect((await install(context, ["sample@1.0.0"], OPTIONS)).installed).toEqual([]);
      const compiled = compiledFor(context.host.homes.cache);
      await reinstall(context, "sample", { ...OPTIONS, offline: true });
      // The second build of a tool finds what the first one compiled: Go's own library, and the crates of a lock.
      expect(compiledFor(context.host.homes.cache)).toEqual(compiled);
      expect(printed()).toBe("1.0.0\n");
      expect((await upgrade(context, [], OPTIONS)).upgraded).toEqual([{ name: "sample", from: "1.0.0", to: "1.1.0" }]);
      expect(printed()).toBe("1.1.0\n");
      await uninstall(context, ["sample"], { purge: true });
      expect(await context.host.files.list(layout.store)).toEqual([]);
      expect(compiledFor(context.host.homes.cache)).toEqual([]);
      // Caches of the package managers went with the private HOME; the caller's has nothing of them.
      expect(treeText(path.join(folder, "run/home"))).toEqual([]);
    },
    120_000,
  );
});
