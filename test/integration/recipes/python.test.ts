import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { lacks, reaches, toolchainEnvironment } from "../../helpers/language-toolchains.ts";
import { installRepository } from "../../helpers/recipe-repository.ts";
import { treeText } from "../../helpers/test-ipm.ts";

/** A build backend of the repository's own that takes the version from git, as setuptools-scm and hatch-vcs do. */
const BACKEND = `import subprocess, zipfile, pathlib
def build_wheel(folder, config_settings=None, metadata_directory=None):
    version = subprocess.check_output(["git", "describe", "--tags"], text=True).strip().lstrip("v")
    info = f"sample-{version}.dist-info"
    name = f"sample-{version}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        wheel.write("sample.py")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: sample\\nVersion: {version}\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/entry_points.txt", "[console_scripts]\\nsample = sample:main\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name
`;
const PROJECT = {
  "pyproject.toml": `[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "sample"
dynamic = ["version"]
scripts.sample = "sample:main"
`,
  "backend.py": BACKEND,
  "sample.py": `import sys
from importlib.metadata import version
def main():
    print(version("sample"), sys.prefix, sys.argv[0].rsplit("/", 1)[-1])
`,
};
const MANIFEST = "steps: [uses: python]\nbin: [sample]\n";
const env = toolchainEnvironment();

/** Debian's Python refuses installation by pip outside of virtual environments (PEP 668). */
const isManaged = readdirSync("/usr/lib").some((name) => existsSync(`/usr/lib/${name}/EXTERNALLY-MANAGED`));
const system = { ...env, PATH: "/usr/bin:/bin" };

describe.skipIf(lacks("python3"))("python, from the checkout (needs python3)", () => {
  test.skipIf(!isManaged)(
    "with an externally managed Python, the version of the tag, in its final place",
    async () => {
      const { prefix, run } = await installRepository(PROJECT, MANIFEST, { env: system });
      expect(run("sample").stdout).toBe(`1.2.3 ${prefix}/venv sample\n`);
      // Scripts of an environment hold the path of its interpreter: built elsewhere and moved, they would not start.
      expect(readFileSync(path.join(prefix, "venv/bin/sample"), "utf8")).toContain(`${prefix}/venv/bin/python`);
      const before = treeText(prefix);
      expect(before.some((line) => /\/sample\.cpython-[0-9]+\.pyc /u.test(line))).toBe(true);
      expect(before.some((line) => /site-packages\/(?:pip|setuptools)\//u.test(line))).toBe(false);
      run("sample");
      expect(treeText(prefix)).toEqual(before);
    },
    120_000,
  );

  test("a home whose path pip cannot quote", async () => {
    const run = `it's a "home" of $HOME`;
    const installed = await installRepository(PROJECT, MANIFEST, { env, run });
    expect(installed.prefix).toContain(run);
    expect(installed.run("sample")).toMatchObject({ stderr: "", stdout: `1.2.3 ${installed.prefix}/venv sample\n` });
  }, 120_000);

  test("a repository of one script and a list of requirements", async () => {
    const { run } = await installRepository(
      {
        "sample.py": "import sys, helper\nprint(helper.NAME, *sys.argv[1:])\n",
        "helper.py": "NAME = 'help'\n",
        "requirements.txt": "# none\n",
      },
      "steps: [{ uses: python, network: [] }]\nbin: [sample]\n",
      { env },
    );
    expect(run("sample", "a b", "*").stdout).toBe("help a b *\n");
  }, 120_000);

  test.skipIf(!reaches("pypi"))(
    "network: setuptools with setuptools-scm, and a dependency of the index",
    async () => {
      const { run } = await installRepository(
        {
          "pyproject.toml": `[build-system]
requires = ["setuptools>=64", "setuptools-scm>=8"]
build-backend = "setuptools.build_meta"
[project]
name = "sample"
dynamic = ["version"]
dependencies = ["colorama==0.4.6"]
scripts.sample = "sample:main"
[tool.setuptools]
py-modules = ["sample"]
[tool.setuptools_scm]
`,
          "sample.py": `from importlib.metadata import version
def main():
    import colorama
    print(version("sample"), colorama.__version__)
`,
        },
        MANIFEST,
        { env },
      );
      expect(run("sample").stdout).toBe("1.2.3 0.4.6\n");
    },
    180_000,
  );
});
