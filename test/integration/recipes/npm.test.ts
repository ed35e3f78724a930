import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { lacks, reaches, toolchainEnvironment } from "../../helpers/language-toolchains.ts";
import { installRepository } from "../../helpers/recipe-repository.ts";

const env = toolchainEnvironment();

/** A build that needs a package for development, and makes a command that needs another one. */
const BUILD = `const fs = require("fs");
if (!require("is-number")(1)) process.exit(1);
fs.mkdirSync("dist");
fs.writeFileSync("dist/cli.js", "#!/usr/bin/env node\\nconsole.log(typeof require('picocolors').red);\\n");
`;
const PNPM_LOCK = `lockfileVersion: '9.0'

settings:
  autoInstallPeers: true
  excludeLinksFromLockfile: false

importers:

  .:
    dependencies:
      picocolors:
        specifier: 1.1.1
        version: 1.1.1
    devDependencies:
      is-number:
        specifier: 7.0.0
        version: 7.0.0

packages:

  is-number@7.0.0:
    resolution: {integrity: sha512-41Cifkg6e8TylSpdtTpeLVMqvSBEVzTttHvERD741+pnZ8ANv0004MRL43QKPDlK9cGvNp6NZWZUBlbGXYxxng==}
    engines: {node: '>=0.12.0'}

  picocolors@1.1.1:
    resolution: {integrity: sha512-xceH2snhtb5M9liqDsmEw56le376mTZkEX/jEb/RxNFyegNul7eNslCXP9FDj/Lcu0X8KEyMceP2ntpaHrDEVA==}

snapshots:

  is-number@7.0.0: {}

  picocolors@1.1.1: {}
`;

describe.skipIf(lacks("npm", "node"))("npm, from the checkout (needs node, npm)", () => {
  test("two commands of one file tell by their name which they are; git hooks are not set up", async () => {
    const { run, prefix } = await installRepository(
      {
        "package.json": JSON.stringify({
          name: "sample",
          version: "1.2.3",
          bin: { says: "cli.js", thinks: "cli.js" },
          scripts: { prepare: "husky install && touch hooked", postinstall: "touch installed" },
        }),
        "cli.js":
          '#!/usr/bin/env node\nconsole.log(require("node:path").basename(process.argv[1]), process.argv.slice(2).join("|"));\n',
      },
      "steps: [uses: npm]\nbin: [says, thinks]\n",
      { env },
    );
    expect(run("says", "a b", "$HOME").stdout).toBe("says a b|$HOME\n");
    expect(run("thinks").stdout).toBe("thinks \n");
    for (const file of ["hooked", "installed"])
      expect(existsSync(path.join(prefix, "lib/node_modules/sample", file))).toBe(false);
  });

  test("a package of a repository of several, with another one of it", async () => {
    const lock = {
      name: "root",
      lockfileVersion: 3,
      requires: true,
      packages: {
        "": { name: "root", workspaces: ["packages/*"] },
        "node_modules/sample": { resolved: "packages/cli", link: true },
        "node_modules/sample-core": { resolved: "packages/core", link: true },
        "packages/cli": {
          name: "sample",
          version: "1.0.0",
          bin: { sample: "dist/cli.js" },
          dependencies: { "sample-core": "^1.0.0" },
        },
        "packages/core": { name: "sample-core", version: "1.0.0" },
      },
    };
    const { run } = await installRepository(
      {
        "package.json": JSON.stringify({ name: "root", private: true, workspaces: ["packages/*"] }),
        "package-lock.json": JSON.stringify(lock),
        "packages/cli/package.json": JSON.stringify({
          name: "sample",
          version: "1.0.0",
          bin: { sample: "dist/cli.js" },
          dependencies: { "sample-core": "^1.0.0" },
          scripts: { build: "mkdir -p dist && cp cli.src.js dist/cli.js" },
        }),
        "packages/cli/cli.src.js": '#!/usr/bin/env node\nconsole.log(require("sample-core"));\n',
        "packages/core/package.json": JSON.stringify({ name: "sample-core", version: "1.0.0" }),
        "packages/core/index.js": 'module.exports = "of the same repository";\n',
      },
      "steps: [{ uses: npm, with: { workspace: packages/cli }, network: [] }]\nbin: [sample]\n",
      { env },
    );
    expect(run("sample").stdout).toBe("of the same repository\n");
  }, 60_000);

  test("a package that it runs with and is developed with stays, another one for development goes", async () => {
    // Packages as folders of the repository: nothing is fetched.
    const own = {
      name: "sample",
      version: "1.0.0",
      bin: { sample: "dist/cli.js" },
      scripts: { build: "mkdir dist && cp cli.src.js dist/cli.js" },
      peerDependencies: { beside: "^1.0.0" },
      devDependencies: { beside: "file:vendor/beside", only: "file:vendor/only" },
    };
    const lock = {
      name: "sample",
      version: "1.0.0",
      lockfileVersion: 3,
      requires: true,
      packages: {
        "": own,
        "node_modules/beside": { resolved: "vendor/beside", link: true },
        "node_modules/only": { resolved: "vendor/only", link: true },
        "vendor/beside": { version: "1.0.0", dev: true },
        "vendor/only": { version: "1.0.0", dev: true },
      },
    };
    const { run, prefix } = await installRepository(
      {
        "package.json": JSON.stringify(own),
        "package-lock.json": JSON.stringify(lock),
        "cli.src.js": '#!/usr/bin/env node\nconsole.log(require("beside"));\n',
        "vendor/beside/package.json": JSON.stringify({ name: "beside", version: "1.0.0" }),
        "vendor/beside/index.js": 'module.exports = "is there";\n',
        "vendor/only/package.json": JSON.stringify({ name: "only", version: "1.0.0" }),
      },
      "steps: [{ uses: npm, network: [] }]\nbin: [sample]\n",
      { env },
    );
    expect(run("sample").stdout).toBe("is there\n");
    expect(existsSync(path.join(prefix, "lib/node_modules/sample/node_modules/only"))).toBe(false);
  }, 60_000);

  test("engine-strict: a Node that is too old is told before anything runs", async () => {
    const files = {
      "package.json": JSON.stringify({ name: "sample", bin: "cli.js", engines: { node: ">=999" } }),
      "cli.js": { run: "#!/usr/bin/env node\nconsole.log('ran');\n" },
    };
    const manifest = "steps: [uses: npm]\nbin: [sample]\n";
    await expect(
      installRepository({ ...files, ".npmrc": "engine-strict=true\n" }, manifest, { env }),
    ).rejects.toMatchObject({
      code: "REQUIREMENT_MISSING",
      message: expect.stringContaining("node >=999"),
    });
    // Without it the range is advice, as for npm itself: what the tool can do is for its tests to say.
    const { run } = await installRepository(files, manifest, { env });
    expect(run("sample").stdout).toBe("ran\n");
  });

  test.skipIf(!reaches("npm"))(
    "network: locked dependencies, a build with one for development, which is gone after it",
    async () => {
      const integrity =
        "sha512-41Cifkg6e8TylSpdtTpeLVMqvSBEVzTttHvERD741+pnZ8ANv0004MRL43QKPDlK9cGvNp6NZWZUBlbGXYxxng==";
      const lock = {
        name: "sample",
        lockfileVersion: 3,
        requires: true,
        packages: {
          "": {
            name: "sample",
            bin: { sample: "dist/cli.js" },
            devDependencies: { "is-number": "7.0.0" },
            dependencies: { picocolors: "1.1.1" },
          },
          "node_modules/is-number": { version: "7.0.0", integrity, dev: true },
          "node_modules/picocolors": {
            version: "1.1.1",
            integrity:
              "sha512-xceH2snhtb5M9liqDsmEw56le376mTZkEX/jEb/RxNFyegNul7eNslCXP9FDj/Lcu0X8KEyMceP2ntpaHrDEVA==",
          },
        },
      };
      const { run, prefix } = await installRepository(
        {
          "package.json": JSON.stringify({
            name: "sample",
            bin: { sample: "dist/cli.js" },
            scripts: { build: "node build.js" },
            dependencies: { picocolors: "1.1.1" },
            devDependencies: { "is-number": "7.0.0" },
          }),
          "package-lock.json": JSON.stringify(lock),
          "build.js": BUILD,
        },
        "steps: [uses: npm]\nbin: [sample]\n",
        { env },
      );
      expect(run("sample").stdout).toBe("function\n");
      expect(existsSync(path.join(prefix, "lib/node_modules/sample/node_modules/is-number"))).toBe(false);
    },
    120_000,
  );

  test.skipIf(!reaches("npm"))(
    "network: pnpm by its lockfile, also for a build that calls it by name",
    async () => {
      const { run, prefix } = await installRepository(
        {
          "package.json": JSON.stringify({
            name: "sample",
            bin: { sample: "dist/cli.js" },
            scripts: { prepare: "husky", build: "pnpm run inner", inner: "node build.js" },
            dependencies: { picocolors: "1.1.1" },
            devDependencies: { "is-number": "7.0.0" },
          }),
          "pnpm-lock.yaml": PNPM_LOCK,
          "build.js": BUILD,
        },
        "steps: [uses: npm]\nbin: [sample]\n",
        { env },
      );
      expect(run("sample").stdout).toBe("function\n");
      expect(existsSync(path.join(prefix, "lib/node_modules/sample/node_modules/is-number"))).toBe(false);
    },
    180_000,
  );
});
