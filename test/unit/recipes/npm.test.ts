import { describe, expect, test } from "vitest";
import { npmRecipe } from "../../../src/recipes/npm.ts";
import { buildScriptOf, buildsSomething } from "../../../src/recipes/package-json.ts";
import { type Repository, commandsIn, detectIn, expandIn, runStepsIn } from "../../helpers/recipe-input.ts";

function pkg(more: Record<string, unknown> = {}): string {
  return JSON.stringify({ name: "tool", version: "1.0.0", bin: { tool: "cli.js" }, ...more }, null, 2);
}

const LOCK = JSON.stringify({ lockfileVersion: 3, packages: { "": {}, "node_modules/a": { version: "1.0.0" } } });
const DEPENDENCIES = { dependencies: { a: "1" } };
const BUILT = { bin: { tool: "dist/cli.js" }, devDependencies: { typescript: "5" } };

function commands(repository: Repository, more: Parameters<typeof expandIn>[2] = {}): string[] {
  return commandsIn(expandIn(npmRecipe, repository, more)).filter((command) => !command.startsWith("chmod"));
}

describe("the npm recipe", () => {
  test("without dependencies nothing runs (UglifyJS)", () => {
    const output = expandIn(npmRecipe, { "package.json": pkg(), "cli.js": "!#!/usr/bin/env node\n" });
    expect(commandsIn(output)).toEqual(["copy . lib/node_modules/tool"]);
    expect(output.bins).toEqual({ tool: "lib/node_modules/tool/cli.js" });
    expect(output.requires).toMatchObject([{ tool: "node", version: null }]);
  });

  test("locked dependencies, without development's and without scripts (http-server)", () => {
    const output = expandIn(npmRecipe, { "package.json": pkg(DEPENDENCIES), "package-lock.json": LOCK, "cli.js": "!" });
    expect(commandsIn(output)).toEqual(["npm ci --ignore-scripts --omit=dev", "copy . lib/node_modules/tool"]);
    expect(runStepsIn(output)[0]?.network).toEqual(["npm"]);
    expect(output.notices).toEqual([]);
  });

  test("no lockfile is told", () => {
    const output = expandIn(npmRecipe, { "package.json": pkg(DEPENDENCIES), "cli.js": "!" });
    expect(commandsIn(output)[0]).toBe("npm install --no-save --no-package-lock --ignore-scripts --omit=dev");
    expect(output.notices[0]).toContain("no lockfile");
  });

  describe("a package that the tool runs with and is developed with (mermaid-cli)", () => {
    const PEERS = { peerDependencies: { browser: "^24" }, devDependencies: { browser: "24.1.0", jest: "30" } };

    test("stays when what is for development is left out", () => {
      const repository = {
        "package.json": pkg({ ...PEERS, ...DEPENDENCIES }),
        "package-lock.json": LOCK,
        "cli.js": "!",
      };
      expect(commands(repository)).toEqual([
        "npm pkg delete devDependencies[browser]",
        "npm ci --ignore-scripts --omit=dev",
        "copy . lib/node_modules/tool",
      ]);
    });

    test("stays when what only the build needed goes", () => {
      const built = { ...PEERS, bin: { tool: "dist/cli.js" }, scripts: { build: "tsc" } };
      expect(commands({ "package.json": pkg(built), "package-lock.json": LOCK })).toEqual([
        "npm ci --ignore-scripts --include=dev",
        "npm run build",
        "npm pkg delete devDependencies[browser]",
        "npm prune --omit=dev --ignore-scripts --offline",
        "copy . lib/node_modules/tool",
      ]);
    });

    test("an optional one goes, and one whose name is none never reaches a command", () => {
      const optional = {
        ...DEPENDENCIES,
        peerDependencies: { browser: "1", "--registry=http://evil.example": "1" },
        peerDependenciesMeta: { browser: { optional: true } },
        devDependencies: { browser: "1", "--registry=http://evil.example": "1" },
      };
      const repository = { "package.json": pkg(optional), "package-lock.json": LOCK, "cli.js": "!" };
      expect(commands(repository)[0]).toBe("npm ci --ignore-scripts --omit=dev");
    });

    test("other managers keep what is for development, and say so", () => {
      const repository = { "package.json": pkg({ ...PEERS, ...DEPENDENCIES }), "pnpm-lock.yaml": "", "cli.js": "!" };
      const output = expandIn(npmRecipe, repository);
      expect(commandsIn(output).join("\n")).not.toContain("--prod");
      expect(output.notices.join()).toContain("it runs with browser");
    });
  });

  test("npm never sees a variable called PREFIX, which it would take for its own", () => {
    const output = expandIn(npmRecipe, { "package.json": pkg(DEPENDENCIES), "cli.js": "!" });
    for (const { env } of runStepsIn(output)) expect(Object.keys(env)).not.toContain("PREFIX");
  });

  test("an absent target is built, development dependencies are pruned", () => {
    const repository = {
      "package.json": pkg({ ...BUILT, ...DEPENDENCIES, scripts: { build: "tsc" } }),
      "package-lock.json": LOCK,
    };
    expect(commands(repository)).toEqual([
      "npm ci --ignore-scripts --include=dev",
      "npm run build",
      "npm prune --omit=dev --ignore-scripts --offline",
      "copy . lib/node_modules/tool",
    ]);
    const output = expandIn(npmRecipe, repository);
    expect(runStepsIn(output).map(({ network }) => network)).toEqual([["npm"], [], [], []]);
    expect(commandsIn(output)).toContain("chmod +x -- dist/cli.js");
  });

  test("a build in prepare runs, and node_modules that only it needed goes (serve)", () => {
    const repository = {
      "package.json": pkg({ ...BUILT, scripts: { prepare: "husky && tsup" } }),
      "package-lock.json": LOCK,
    };
    expect(commands(repository)).toEqual([
      "npm ci --ignore-scripts --include=dev",
      "npm run prepare",
      "rm -rf node_modules",
      "copy . lib/node_modules/tool",
    ]);
  });

  test("a hook manager's prepare is no build, so an absent target cannot be built", () => {
    const repository = { "package.json": pkg({ ...BUILT, scripts: { prepare: "husky install" } }) };
    expect(() => commands(repository)).toThrow("dist/cli.js is not in the repository, and no script builds it");
  });

  test.each([
    ["husky", false],
    ["husky || true", false],
    ["husky install", false],
    ["is-ci || husky install", false],
    ["npx simple-git-hooks", false],
    ["node -e 1", true],
    ["husky && npm run build", true],
    ["tsc", true],
    ["git config core.hooksPath .githooks", false],
  ])("prepare: %s builds something: %s", (script, expected) => {
    expect(buildsSomething(script)).toBe(expected);
  });

  test("build comes before prepare, prepack after", () => {
    expect(buildScriptOf({ prepare: "husky", build: "tsc" })).toBe("build");
    expect(buildScriptOf({ prepare: "rollup", prepack: "x" })).toBe("prepare");
    expect(buildScriptOf({ test: "x" })).toBeUndefined();
  });

  test("a launcher that loads what only a build makes is built", () => {
    const repository = {
      "package.json": pkg({ scripts: { build: "tsc" }, devDependencies: { typescript: "5" } }),
      "cli.js":
        '!#!/usr/bin/env node\nimport { run } from "./dist/index.js";\nimport "node:fs";\nrequire("./lib/x");\n',
      "lib/x.js": "",
      "package-lock.json": LOCK,
    };
    const output = expandIn(npmRecipe, repository);
    expect(commandsIn(output)).toContain("npm run build");
    expect(runStepsIn(output).find(({ title }) => title === "npm run build")?.why).toContain("loads dist/index.js");
    expect(commands({ ...repository, "dist/index.js": "" })).toEqual(["copy . lib/node_modules/tool"]);
    expect(commands(repository, { options: { build: "false" } })).toEqual(["copy . lib/node_modules/tool"]);
  });

  test("scripts of a library bundle are not needed for the launcher (cowsay)", () => {
    const repository = {
      "package.json": pkg({ ...DEPENDENCIES, scripts: { prepare: "rollup -c" } }),
      "cli.js": "!",
      "package-lock.json": LOCK,
    };
    expect(commands(repository)[0]).toBe("npm ci --ignore-scripts --omit=dev");
    expect(commands(repository).join()).not.toContain("prepare");
  });

  test("install scripts run only where a package that stays has one: a browser for development is not fetched", () => {
    const lockWith = (entry: Record<string, unknown>): string =>
      JSON.stringify({
        packages: { "": { hasInstallScript: true }, "node_modules/a": { hasInstallScript: true, ...entry } },
      });
    const repository = { "package.json": pkg(DEPENDENCIES), "cli.js": "!" };
    expect(commands({ ...repository, "package-lock.json": lockWith({}) })).toContain("npm rebuild");
    expect(commands({ ...repository, "package-lock.json": lockWith({ dev: true }) })).not.toContain("npm rebuild");
    expect(commands({ ...repository, "package-lock.json": "{" })).not.toContain("npm rebuild");
  });

  test("engines are enforced with engine-strict, and advice without", () => {
    const repository = { "package.json": pkg({ engines: { node: ">=22" } }), "cli.js": "!" };
    expect(expandIn(npmRecipe, repository).requires).toMatchObject([
      { tool: "node", version: null, optional: false },
      { tool: "node", version: ">=22", optional: true },
    ]);
    expect(expandIn(npmRecipe, { ...repository, ".npmrc": "engine-strict = true\n" }).requires).toMatchObject([
      { tool: "node", version: ">=22", optional: false },
    ]);
  });

  test("a bin as text is named like the package, without its scope", () => {
    const repository = { "package.json": pkg({ name: "@team/tool", bin: "./cli.js" }), "cli.js": "!" };
    expect(expandIn(npmRecipe, repository).bins).toEqual({ tool: "lib/node_modules/@team/tool/cli.js" });
  });

  test("a target without its ending, and one that leaves the package", () => {
    expect(expandIn(npmRecipe, { "package.json": pkg({ bin: { tool: "bin/cli" } }), "bin/cli.js": "!" }).bins).toEqual({
      tool: "lib/node_modules/tool/bin/cli.js",
    });
    expect(expandIn(npmRecipe, { "package.json": pkg({ bin: { tool: "../../x" } }) }).bins).toEqual({});
  });

  test("a package of a repository of several: installed at the root, built in its folder", () => {
    const repository = {
      "package.json": JSON.stringify({
        name: "root",
        private: true,
        workspaces: ["packages/*"],
        devDependencies: { tsc: "1" },
      }),
      "package-lock.json": LOCK,
      "packages/cli/package.json": pkg({ ...BUILT, ...DEPENDENCIES, scripts: { build: "tsc" } }),
    };
    const output = expandIn(npmRecipe, repository, { options: { workspace: "./packages/cli" } });
    expect(commandsIn(output)).toContain("npm run build --workspace=packages/cli");
    const unnamed = { ...repository, "package.json": JSON.stringify({ private: true, workspaces: ["packages/*"] }) };
    expect(() => expandIn(npmRecipe, unnamed, { options: { workspace: "packages/cli" } })).not.toThrow();
    expect(output.bins).toEqual({ tool: "lib/node_modules/tool/packages/cli/dist/cli.js" });
    expect(() => expandIn(npmRecipe, repository, { options: { workspace: "packages/no" } })).toThrow("no package in");
  });

  test.each<[string, string, string]>([
    ["no JSON", "{", "not JSON"],
    ["no name", "{}", "no usable name"],
    ["a name that is a path", JSON.stringify({ name: "../x" }), "no usable name"],
    ["a list", "[]", "no usable name"],
  ])("refuses a package.json with %s", (_name, text, message) => {
    expect(() => expandIn(npmRecipe, { "package.json": text })).toThrow(message);
  });
});

describe("the other managers of Node packages", () => {
  const built = { "package.json": pkg({ ...BUILT, ...DEPENDENCIES, scripts: { build: "tsc" } }) };

  test("pnpm by its lockfile, at a version that reads it (json-server has no packageManager)", () => {
    const [fetch, install, build, prune] = commands({ ...built, "pnpm-lock.yaml": "lockfileVersion: '6.0'\n" });
    expect(fetch).toMatch(/npm install .*--ignore-scripts --prefix "\$HOME\/\.package-manager" pnpm@8\./u);
    expect(install).toMatch(/pnpm install --frozen-lockfile --ignore-scripts$/u);
    expect(build).toMatch(/pnpm run build$/u);
    expect(prune).toContain("--prod --offline");
  });

  test("pnpm by packageManager, exactly that version, without its hash", () => {
    const repository = {
      "package.json": pkg({ ...DEPENDENCIES, packageManager: "pnpm@10.4.1+sha512.00" }),
      "cli.js": "!",
      "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
    };
    const output = expandIn(npmRecipe, repository);
    expect(commandsIn(output)[0]).toMatch(/ pnpm@10\.4\.1$/u);
    expect(commandsIn(output)[1]).toMatch(/--prod$/u);
    expect(output.notices).toEqual(["pnpm@10.4.1 is fetched for the installation (packageManager)"]);
  });

  test("yarn of both kinds by the lockfile's form", () => {
    expect(commands({ ...built, "yarn.lock": "# yarn lockfile v1\n" })[0]).toMatch(/ yarn@1\./u);
    expect(commands({ ...built, "yarn.lock": "# yarn lockfile v1\n" })[1]).toContain("--frozen-lockfile");
    const berry = expandIn(npmRecipe, { ...built, "yarn.lock": "__metadata:\n  version: 8\n" });
    expect(commandsIn(berry)[0]).toMatch(/ @yarnpkg\/cli-dist@4\./u);
    expect(commandsIn(berry)[1]).toMatch(/yarn install --immutable --mode=skip-build$/u);
    // Its own way of loading packages would need it at run time.
    expect(runStepsIn(berry)[1]?.env["YARN_NODE_LINKER"]).toBe("node-modules");
  });

  test("yarn before version 4 cannot leave out what is for development by itself (svgo)", () => {
    const repository = {
      "package.json": pkg({ ...DEPENDENCIES, packageManager: "yarn@3.8.7" }),
      "cli.js": "!",
      "yarn.lock": "__metadata:\n",
    };
    expect(commands(repository)[1]).toContain("--mode=skip-build && npm prune --omit=dev");
  });

  test("bun by either lockfile", () => {
    for (const lock of ["bun.lock", "bun.lockb"]) {
      expect(commands({ ...built, [lock]: "" })[1]).toMatch(/bun install --frozen-lockfile --ignore-scripts$/u);
    }
  });

  test("install scripts of what stays run at the end, where pnpm's files tell of some, and always for yarn and bun", () => {
    const last = (more: Repository): string => commands({ ...built, ...more }).at(-2) ?? "";
    expect(last({ "pnpm-lock.yaml": "lockfileVersion: '9.0'\n" })).toMatch(/pnpm install .*--prod/u);
    expect(last({ "pnpm-lock.yaml": "lockfileVersion: '6.0'\n    requiresBuild: true\n" })).toMatch(/pnpm rebuild$/u);
    expect(
      last({ "pnpm-lock.yaml": "lockfileVersion: '9.0'\n", "pnpm-workspace.yaml": "onlyBuiltDependencies: [x]\n" }),
    ).toMatch(/pnpm rebuild$/u);
    expect(last({ "yarn.lock": "# yarn lockfile v1\n" })).toBe("npm rebuild");
  });

  test("npm's lockfile wins over a packageManager that has none, and a locked tool's over npm", () => {
    const declared = { "package.json": pkg({ ...DEPENDENCIES, packageManager: "yarn@4.0.0" }), "cli.js": "!" };
    expect(commands({ ...declared, "package-lock.json": LOCK })[0]).toMatch(/^npm ci/u);
    expect(commands(declared)[0]).toMatch(/cli-dist@4\.0\.0$/u);
  });

  test("a packageManager that would be a command is not one", () => {
    const repository = { "package.json": pkg({ ...DEPENDENCIES, packageManager: "pnpm@1; x" }), "cli.js": "!" };
    expect(commands(repository)[0]).toMatch(/^npm install/u);
  });
});

describe("detection of Node packages", () => {
  test("commands with their lines", () => {
    const [found] = detectIn({
      "package.json": pkg({ description: "A tool", license: "MIT" }),
      "cli.js": "!",
      "package-lock.json": LOCK,
    });
    expect(found).toMatchObject({
      recipe: "npm",
      confidence: "certain",
      bins: { tool: null },
      about: { summary: "A tool", license: "MIT" },
    });
    expect(found?.evidence).toEqual([
      "package.json:2 package tool",
      "package.json:4 commands tool",
      "package-lock.json versions locked by npm",
    ]);
  });

  test("an absent target, hooks only and a foreign lock are told", () => {
    const [found] = detectIn({
      "package.json": pkg({ ...BUILT, scripts: { prepare: "husky", build: "tsc" }, packageManager: "pnpm@10.0.0" }),
      "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
    });
    expect(found).toMatchObject({ confidence: "likely", doubts: ["prepare only sets up git hooks and is not run"] });
    expect(found?.evidence.some((line) => line.endsWith("a build makes the commands"))).toBe(true);
    expect(found?.evidence.some((line) => line.endsWith("made for pnpm"))).toBe(true);
  });

  test("packages of a workspace that have commands, fixtures left out", () => {
    const found = detectIn({
      "package.json": JSON.stringify({ name: "root", workspaces: ["packages/*"] }),
      "packages/cli/package.json": pkg(),
      "packages/cli/cli.js": "!",
      "packages/lib/package.json": JSON.stringify({ name: "lib" }),
      "test/fixtures/x/package.json": pkg(),
    });
    expect(found.map(({ options, bins }) => [options, bins])).toEqual([
      [{ workspace: "packages/cli" }, { tool: null }],
    ]);
  });
});

test("a script that is only bundled for publication is no package to build", () => {
  const files = {
    "package.json": JSON.stringify({ name: "tool", bin: { tool: "dist/tool" }, scripts: { build: "bundle tool" } }),
    tool: "!#!/usr/bin/env perl\n",
  };
  expect(detectIn(files).map(({ recipe, bins }) => ({ recipe, bins }))).toEqual([
    { recipe: "copy", bins: { tool: "tool" } },
  ]);
});
