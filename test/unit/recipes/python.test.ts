import { describe, expect, test } from "vitest";
import { pythonRecipe } from "../../../src/recipes/python.ts";
import { commandsIn, detectIn, expandIn, runStepsIn } from "../../helpers/recipe-input.ts";

const PYPROJECT = `[build-system]
requires = ["setuptools>=64"]
build-backend = "setuptools.build_meta"
[project]
name = "tool"
version = "1.0"
description = "A tool"
requires-python = ">=3.9,<4"
dependencies = ["rich (<13)"]
scripts.tool = "tool.main:cli"
`;

function installOf(output: ReturnType<typeof expandIn>): string {
  return commandsIn(output).find((command) => command.includes("pip install") || command.includes("uv ")) ?? "";
}

describe("the python recipe", () => {
  test("makes an environment in the prefix, installs the checkout and compiles it", () => {
    const output = expandIn(pythonRecipe, { "pyproject.toml": PYPROJECT });
    const [create, install, remove, compile] = commandsIn(output);
    expect(create).toContain('python3 -m venv --without-pip "$IPM_PREFIX/venv"');
    expect(install).toContain("pip install --no-compile '.'");
    expect(remove).toContain("uninstall");
    expect(compile).toContain("--invalidation-mode unchecked-hash");
    expect(output.bins).toEqual({ tool: "venv/bin/tool" });
    expect(output.requires).toEqual([
      { tool: "python3", version: ">=3.9,<4", for: "both", optional: false, why: "runs the tool" },
    ]);
    expect(runStepsIn(output).map(({ network }) => network)).toEqual([[], ["pypi"], [], []]);
  });

  test("nothing of the system's Python is touched, so PEP 668 is never overridden", () => {
    const text = commandsIn(expandIn(pythonRecipe, { "pyproject.toml": PYPROJECT })).join("\n");
    expect(text).not.toMatch(/break-system-packages|--user\b|sudo|--prefix/u);
  });

  test("an in-tree backend without requirements and dependencies needs no network", () => {
    const pyproject = `[build-system]\nrequires = []\nbuild-backend = "b"\nbackend-path = ["backend"]\n[project]\nname = "tool"\nversion = "1"\nscripts.tool = "a:b"\n`;
    const output = expandIn(pythonRecipe, { "pyproject.toml": pyproject });
    expect(runStepsIn(output).every(({ network }) => network.length === 0)).toBe(true);
    expect(output.notices).toEqual([]);
  });

  test("extras, requirement files and packages besides", () => {
    const output = expandIn(
      pythonRecipe,
      { "pyproject.toml": PYPROJECT, "gpu.txt": "torch\n" },
      { options: { extras: ["yaml", "http2"], requirements: ["./gpu.txt"], also: "setuptools" } },
    );
    expect(installOf(output)).toContain("pip install --no-compile '-r' 'gpu.txt' '.[yaml,http2]' 'setuptools'");
  });

  test("a requirement file with hashes is installed first and alone", () => {
    const output = expandIn(
      pythonRecipe,
      { "pyproject.toml": PYPROJECT, "lock.txt": "rich==12.0 --hash=sha256:00\n" },
      { options: { requirements: ["lock.txt"] } },
    );
    const [, locked, own] = commandsIn(output);
    expect(locked).toContain("'--require-hashes' '-r' 'lock.txt'");
    expect(own).toContain("'--no-deps' '.'");
    expect(output.notices).toEqual([]);
  });

  test("uv reads its own lock where it is there", () => {
    const output = expandIn(pythonRecipe, { "pyproject.toml": PYPROJECT, "uv.lock": "version = 1\n" });
    expect(installOf(output)).toMatch(/command -v uv .*\n?.*uv sync --frozen --no-dev --no-editable/u);
    expect(installOf(output)).toContain("else pip install");
    expect(output.requires.find((one) => "tool" in one && one.tool === "uv")).toMatchObject({ optional: true });
  });

  test("another tool's lock is named in a notice", () => {
    const output = expandIn(pythonRecipe, { "pyproject.toml": PYPROJECT, "poetry.lock": "" });
    expect(output.notices[0]).toContain("poetry.lock");
  });

  test("uv is a requirement where the manifest asks for it", () => {
    const output = expandIn(pythonRecipe, { "pyproject.toml": PYPROJECT }, { options: { installer: "uv" } });
    expect(installOf(output)).toContain("uv pip install --python");
    expect(output.requires.find((one) => "tool" in one && one.tool === "uv")).toMatchObject({ optional: false });
  });

  test("a repository of scripts with a requirements.txt gets launchers of its own", () => {
    const output = expandIn(pythonRecipe, { "tool.py": "print(1)", "requirements.txt": "psutil\n" });
    expect(installOf(output)).toContain("'-r' 'requirements.txt'");
    expect(commandsIn(output)).toContain("copy . lib/app");
    expect(output.bins).toEqual({ tool: "bin/tool" });
  });

  test("a command that the project does not declare is told before anything runs", () => {
    const output = expandIn(pythonRecipe, { "pyproject.toml": PYPROJECT }, { bins: ["tool", "other"] });
    expect(output.notices).toContain("pyproject.toml declares no command other");
  });

  test.each<[string, Record<string, unknown>, string]>([
    ["a requirement file that is not there", { requirements: ["no.txt"] }, "no no.txt"],
    ["a path that leaves", { requirements: ["../x"] }, "not a path"],
    ["a path that would be a flag", { requirements: ["-r"] }, "not a path"],
    ["an extra that would be a command", { extras: ["a];x"] }, "not a name"],
    ["an unknown installer", { installer: "conda" }, "one of auto, pip, uv"],
  ])("refuses %s", (_name, options, message) => {
    expect(() => expandIn(pythonRecipe, { "pyproject.toml": PYPROJECT }, { options })).toThrow(message);
  });

  test("refuses a repository without anything of Python", () => {
    expect(() => expandIn(pythonRecipe, { "main.c": "" })).toThrow("no script with a launcher's name");
  });
});

describe("detection of Python", () => {
  test("pyproject.toml with a dotted key (pipx)", () => {
    const [found] = detectIn({ "pyproject.toml": PYPROJECT });
    expect(found).toMatchObject({ recipe: "python", confidence: "certain", bins: { tool: null } });
    expect(found?.evidence).toContain("pyproject.toml:10 commands tool");
    expect(found?.about).toMatchObject({ name: "tool", version: "1.0", summary: "A tool" });
  });

  test("setup.cfg without a pyproject.toml (pycodestyle)", () => {
    const [found] = detectIn({
      "setup.cfg":
        "[metadata]\nname = tool\n[options]\npython_requires = >=3.10\n[options.entry_points]\nconsole_scripts =\n    tool = tool:_main\n",
      "setup.py": "from setuptools import setup\nsetup()\n",
    });
    expect(found).toMatchObject({
      recipe: "python",
      confidence: "likely",
      bins: { tool: null },
      requires: [{ tool: "python3", version: ">=3.10" }],
    });
    expect(found?.evidence).toContain("setup.cfg:6 commands tool");
  });

  test("setup.py alone, its commands as plain text", () => {
    const setup = `from setuptools import setup\nsetup(name="tool", python_requires='>=3.6',\n  entry_points={"console_scripts": ["tool = tool.cli:main", 'tool2=tool.cli:two']})\n`;
    const [found] = detectIn({ "setup.py": setup });
    expect(found).toMatchObject({ bins: { tool: null, tool2: null }, requires: [{ version: ">=3.6" }] });
    const bySystem = `import sys\nif sys.platform == "win32":\n  e = {"console_scripts": ["tool = a:b", "tool_win = a:c"]}\nelse:\n  e = {"console_scripts": ["tool = a:b", "t = a:d"]}\nsetup(name="tool", entry_points=e)\n`;
    expect(detectIn({ "setup.py": bySystem })[0]?.bins).toEqual({ tool: null });
  });

  test("a pyproject.toml that only configures tools is no project (setup.cfg is)", () => {
    const [found] = detectIn({
      "pyproject.toml": "[tool.black]\nline-length = 100\n",
      "setup.cfg": "[metadata]\nname = tool\n[options.entry_points]\nconsole_scripts =\n  tool = a:b\n",
    });
    expect(found?.evidence[0]).toBe("setup.cfg:1 a setuptools project");
  });

  test("poetry's own table, with a version from it", () => {
    const [found] = detectIn({
      "pyproject.toml":
        '[tool.poetry]\nname = "rich-cli"\nversion = "1.8"\n[tool.poetry.scripts]\nrich = "rich_cli:run"\n[tool.poetry.dependencies]\npython = "^3.9"\nrich = "^12"\n',
    });
    expect(found).toMatchObject({ bins: { rich: null }, requires: [{ version: "^3.9" }], about: { name: "rich-cli" } });
  });

  test("a library has doubts, and a malformed file is no project", () => {
    expect(detectIn({ "setup.py": "from setuptools import setup\nsetup(name='micrograd')" })[0]).toMatchObject({
      confidence: "possible",
      doubts: ["no command is declared: perhaps a library"],
    });
    expect(detectIn({ "pyproject.toml": "[project" })).toEqual([]);
  });

  test("a version from tags is the manifest's, whatever the tags are, for this package alone", () => {
    const text = PYPROJECT.replace('"setuptools>=64"', '"setuptools-scm>=8"')
      .replace('version = "1.0"', 'dynamic = ["version"]')
      .replace('"tool"', '"my.Tool-x"');
    const environments = (version: string, pyproject = text): string[] =>
      runStepsIn(expandIn(pythonRecipe, { "pyproject.toml": pyproject }, { version })).flatMap(({ env }) =>
        Object.entries(env).flatMap(([key, value]) => (key.includes("PRETEND") ? [`${key}=${value}`] : [])),
      );
    expect(environments("2.10rc1")).toEqual(["SETUPTOOLS_SCM_PRETEND_VERSION_FOR_MY_TOOL_X=2.10rc1"]);
    expect(environments("0.0.0-0123456789ab")).toEqual([]);
    expect(environments("2.10", PYPROJECT)).toEqual([]);
  });

  const OLD =
    "import pkg_resources\nfrom setuptools import setup\nsetup(name='tool', entry_points={'console_scripts': ['tool = tool:main']})\n";

  test("a setup.py that loads pkg_resources is built with the last setuptools that has it", () => {
    const build = commandsIn(expandIn(pythonRecipe, { "setup.py": OLD }))[1];
    expect(build).toContain("setuptools<81");
    expect(build).toContain("PIP_BUILD_CONSTRAINT=");
    const named = { "setup.py": OLD, "pyproject.toml": "[build-system]\nrequires = ['setuptools==60']\n" };
    expect(commandsIn(expandIn(pythonRecipe, named))[1]).not.toContain("setuptools<81");
  });

  test("a module that loads pkg_resources gets it, unless the project declares it", () => {
    const module = "def main():\n    import pkg_resources\n";
    const [found] = detectIn({ "setup.py": OLD, "tool/utils.py": module });
    expect(found).toMatchObject({ options: { also: ["setuptools<81"] } });
    expect(found?.evidence).toContain("tool/utils.py:2 loads pkg_resources");
    const declared = OLD.replace("name='tool'", "name='tool', install_requires=['setuptools']");
    expect(detectIn({ "setup.py": declared, "tool/utils.py": module })[0]?.options).toEqual({});
    expect(detectIn({ "setup.py": OLD, "tests/test.py": module })[0]?.options).toEqual({});
  });

  test("what the manifest asks for besides stays, and must be a package", () => {
    const last = (also: readonly string[]): string =>
      commandsIn(expandIn(pythonRecipe, { "setup.py": OLD }, { options: { also } })).at(-2) ?? "";
    expect(last(["attrs"])).toContain('spare = {"pip", "setuptools", "wheel"}');
    expect(last(["setuptools<81"])).toContain('spare = {"pip", "wheel"}');
    expect(() => last(["x; rm -rf /"])).toThrow("is not a package");
    expect(() => last(["--index-url=https://x"])).toThrow("is not a package");
  });

  test("a version from tags is told", () => {
    const text = PYPROJECT.replace('"setuptools>=64"', '"setuptools>=64", "setuptools-scm>=8"').replace(
      'version = "1.0"',
      'dynamic = ["version"]',
    );
    expect(detectIn({ "pyproject.toml": text })[0]?.doubts).toEqual(["its version comes from the tag"]);
  });
});
