import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bump } from "../../../src/usecases/bump.ts";
import { init } from "../../../src/usecases/init.ts";
import { install } from "../../../src/usecases/install.ts";
import { lint } from "../../../src/usecases/lint.ts";
import { outdated } from "../../../src/usecases/outdated.ts";
import { planTargets } from "../../../src/usecases/plan-targets.ts";
import { reinstall } from "../../../src/usecases/reinstall.ts";
import { rollback } from "../../../src/usecases/rollback.ts";
import { showTool } from "../../../src/usecases/show.ts";
import { uninstall } from "../../../src/usecases/uninstall.ts";
import { upgrade } from "../../../src/usecases/upgrade.ts";
import { verify } from "../../../src/usecases/verify.ts";
import { GitRepository } from "../../helpers/git-repository.ts";
import { type NpmRegistry, startNpmRegistry } from "../../helpers/npm-registry.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, VERIFY_OPTIONS, type TestIpm, createTestIpm } from "../../helpers/test-ipm.ts";

let npm: NpmRegistry;
let ipm: TestIpm;
let registry: string;

/** A tool with one dependency, which has an install script that must not run. */
function publishRipcat(version: string): void {
  npm.publish({
    name: "ripcat",
    version,
    manifest: {
      description: "Search text in archives",
      license: "MIT",
      repository: "owner/ripcat",
      bin: { rc: "bin/rc.js" },
      engines: { node: ">=18" },
      dependencies: { unarc: "^1.0.0" },
    },
    files: {
      "bin/rc.js": `#!/usr/bin/env node\nconsole.log("rc ${version} " + require("unarc")(process.argv[2]));\n`,
    },
  });
}

beforeEach(async () => {
  const folder = temporaryFolder();
  npm = await startNpmRegistry(path.join(folder, "published"));
  registry = path.join(folder, "registry");
  mkdirSync(path.join(registry, "packages"), { recursive: true });
  writeFileSync(path.join(registry, "registry.yaml"), "id: here\nname: Here\nmaintainers: [somebody]\n");
  const script = { install: 'node -e \'require("fs").writeFileSync("ran", "")\'' };
  npm.publish({
    name: "unarc",
    version: "1.0.3",
    manifest: { scripts: script, hasInstallScript: true },
    files: { "index.js": "module.exports = (text) => text.split('').reverse().join('');\n" },
  });
  publishRipcat("2.1.0");
  ipm = await createTestIpm(folder, registry);
  writeFileSync(path.join(folder, "home/.npmrc"), `registry=${npm.url}\n`);
  // Where a contributor stands.
  Object.assign(ipm.context.host.facts, { cwd: registry });
});

afterEach(() => npm.close());

const INIT = { ref: null, output: null, force: false, verify: false, offline: false, dryRun: false };

function manifestFile(): string {
  return path.join(registry, "packages/ripcat/manifest.yaml");
}

function lockFile(version = "2.1.0"): string {
  return path.join(registry, `packages/ripcat/locks/${version}.npm/package-lock.json`);
}

function rc(text: string): string {
  return execFileSync(path.join(ipm.layout.current, "bin/rc"), [text], { encoding: "utf8", env: {} }).trim();
}

/** Draft the entry with a test that knows the answer, and make it the embedded registry's. */
async function publishEntry(): Promise<void> {
  await init(ipm.context, "npm:ripcat", { ...INIT, output: registry });
  const text = readFileSync(manifestFile(), "utf8").replace(
    /tests:\n.*\n/u,
    'tests:\n  - { run: rc abc, expect: { stdout: "^rc {version} cba$" } }\n',
  );
  writeFileSync(manifestFile(), text.replaceAll(/bin: .*\n/gu, "bin: [rc]\n"));
  await ipm.setRegistry(registry);
}

test("a package is drafted, installed by its lock, bumped, upgraded and rolled back", async () => {
  await publishEntry();
  const drafted = readFileSync(manifestFile(), "utf8");
  expect(drafted).toContain("source: { package: npm:ripcat }");
  expect(drafted).toContain("homepage: https://github.com/owner/ripcat");
  expect(readFileSync(lockFile(), "utf8")).not.toContain("127.0.0.2");
  expect((await lint(ipm.context, [registry], { offline: true, fix: false })).errors).toBe(0);

  const { plans } = await install(ipm.context, ["ripcat"], OPTIONS);
  expect(plans[0]).toMatchObject({
    packages: 2,
    origin: { source: "npm:ripcat" },
    what: { source: { package: "npm:ripcat", version: "2.1.0", integrity: expect.stringMatching(/^sha512-/u) } },
  });
  expect(rc("abc")).toBe("rc 2.1.0 cba");
  const prefix = path.join(ipm.layout.store, "ripcat", `2.1.0-${plans[0]?.digest.slice(0, 12)}`, "prefix");
  expect(existsSync(path.join(prefix, "lib/node_modules/unarc/index.js"))).toBe(true);
  expect(existsSync(path.join(prefix, "lib/node_modules/unarc/ran"))).toBe(false);
  expect(existsSync(path.join(prefix, "lib/node_modules/.package-lock.json"))).toBe(false);
  expect(await showTool(ipm.context, "ripcat")).toMatchObject({ source: "npm:ripcat", homepage: expect.any(String) });

  publishRipcat("2.2.0");
  const bumped = await bump(ipm.context, "ripcat", null, false);
  expect(bumped).toMatchObject({ from: "2.1.0", tier: "bump", written: true });
  expect(bumped.added).toMatchObject({ version: "2.2.0", commit: null, lock: "locks/2.2.0.npm", packages: 2 });
  expect((await bump(ipm.context, "ripcat", null, false)).added).toBeNull();
  await ipm.setRegistry(registry);
  expect((await outdated(ipm.context, { offline: true })).tools).toMatchObject([{ name: "ripcat", latest: "2.2.0" }]);
  await upgrade(ipm.context, [], OPTIONS);
  expect(rc("abc")).toBe("rc 2.2.0 cba");
  await rollback(ipm.context, null);
  expect(rc("abc")).toBe("rc 2.1.0 cba");
  await reinstall(ipm.context, "ripcat", OPTIONS);
  expect(rc("abc")).toBe("rc 2.1.0 cba");
  await uninstall(ipm.context, ["ripcat"], { purge: true });
  expect(existsSync(path.join(ipm.layout.store, "ripcat"))).toBe(false);
}, 120_000);

test("the same plan digest comes of the same lock, and another one of another", async () => {
  await publishEntry();
  const digest = async (): Promise<string | undefined> =>
    (await planTargets(ipm.context, ["ripcat"], OPTIONS)).plans[0]?.digest;
  const first = await digest();
  expect(await digest()).toBe(first);
  npm.publish({ name: "unarc", version: "1.0.4", files: { "index.js": "module.exports = (text) => text;\n" } });
  await bump(ipm.context, "ripcat", "2.1.0", false);
  await ipm.setRegistry(registry);
  expect(await digest()).not.toBe(first);
}, 60_000);

test("a lock that was changed by hand is refused before anything runs", async () => {
  await publishEntry();
  const text = readFileSync(lockFile(), "utf8");
  writeFileSync(lockFile(), text.replace('"version": "1.0.3"', '"version": "1.0.3", "resolved": "http://evil"'));
  await ipm.setRegistry(registry);
  await expect(planTargets(ipm.context, ["ripcat"], OPTIONS)).rejects.toMatchObject({ code: "LOCK_INVALID" });
  const { findings } = await lint(ipm.context, [registry], { offline: true, fix: false });
  expect(findings.map(({ code }) => code)).toContain("LOCK_WRONG");
  await bump(ipm.context, "ripcat", "2.1.0", false);
  expect(readFileSync(lockFile(), "utf8")).toBe(text);
}, 60_000);

test("an integrity that is not the lock's is refused", async () => {
  await publishEntry();
  const other = readFileSync(manifestFile(), "utf8").replace(/sha512-[^,]+/u, `sha512-${"A".repeat(86)}==`);
  writeFileSync(manifestFile(), other);
  await ipm.setRegistry(registry);
  await expect(planTargets(ipm.context, ["ripcat"], OPTIONS)).rejects.toMatchObject({ code: "LOCK_INVALID" });
  await expect(bump(ipm.context, "ripcat", "2.1.0", false)).rejects.toMatchObject({ code: "PACKAGE_MISMATCH" });
}, 60_000);

test("what is withdrawn, swapped or offline has a code and a next command each, and leaves nothing", async () => {
  await publishEntry();
  // By itself npm tries again for a minute and more.
  const once = readFileSync(manifestFile(), "utf8").replace(
    "{ uses: npm }",
    '{ uses: npm, env: { npm_config_fetch_retries: "0" } }',
  );
  expect(once).toContain("fetch_retries");
  writeFileSync(manifestFile(), once);
  await ipm.setRegistry(registry);
  npm.tamper("unarc", "1.0.3");
  await expect(install(ipm.context, ["ripcat"], OPTIONS)).rejects.toMatchObject({
    code: "PACKAGE_MISMATCH",
    hint: expect.stringContaining("do not install it"),
  });
  npm.withdraw("unarc", "1.0.3");
  await expect(install(ipm.context, ["ripcat"], OPTIONS)).rejects.toMatchObject({
    code: "PACKAGE_NOT_FOUND",
    hint: expect.stringContaining("ipm show ripcat"),
  });
  await expect(bump(ipm.context, "ripcat", "9.9.9", false)).rejects.toMatchObject({ code: "PACKAGE_NOT_FOUND" });
  await expect(init(ipm.context, "npm:nowhere", INIT)).rejects.toMatchObject({ code: "PACKAGE_NOT_FOUND" });
  const offline = { ...ipm.context, offline: true };
  await expect(bump(offline, "ripcat", null, false)).rejects.toMatchObject({ code: "OFFLINE" });
  expect(existsSync(ipm.layout.current)).toBe(false);
}, 120_000);

test("a version without a lock is a finding, and a lock that is not there one of the registry", async () => {
  await publishEntry();
  const text = readFileSync(manifestFile(), "utf8");
  const codes = async (): Promise<string[]> =>
    (await lint(ipm.context, [registry], { offline: true, fix: false })).findings
      .filter(({ severity }) => severity === "error")
      .map(({ code }) => code);
  writeFileSync(manifestFile(), text.replace("2.1.0.npm", "2.0.0.npm"));
  expect(await codes()).toEqual(["LOCK_MISSING"]);
  writeFileSync(manifestFile(), text.replace(", lock: locks/2.1.0.npm", ""));
  expect(await codes()).toEqual(["MISSING_KEY"]);
}, 60_000);

test("methods from the package and from the checkout stand in one entry", async () => {
  await publishEntry();
  const repository = new GitRepository(path.join(registry, "../source"));
  repository.commit({ "bin/rc": { run: "#!/bin/sh\necho from the checkout\n" } });
  repository.tag("v2.1.0");
  mkdirSync(path.join(registry, "sources"));
  repository.bundle(path.join(registry, "sources/ripcat.bundle"));
  const pins = `ref: refs/tags/v2.1.0, commit: ${repository.commitOf("HEAD")}, tree: ${repository.treeOf("HEAD")}`;
  const text = readFileSync(manifestFile(), "utf8")
    .replace("{ package: npm:ripcat }", "{ bundle: sources/ripcat.bundle, package: npm:ripcat }")
    .replace("version: 2.1.0,", `version: 2.1.0, ${pins},`)
    .replace(
      /steps:\n.*\n/u,
      "methods:\n  - steps: [{ uses: npm, with: { from: package } }]\n  - steps: [uses: copy]\n",
    )
    .replace(/tests:\n.*\n/u, "tests: [{ run: rc abc }]\n");
  writeFileSync(manifestFile(), text);
  await ipm.setRegistry(registry);
  await install(ipm.context, ["ripcat"], OPTIONS);
  expect(rc("abc")).toBe("rc 2.1.0 cba");
  const { plans } = await install(
    ipm.context,
    ["ripcat@2.1.0"],
    { ...OPTIONS, method: "copy" },
    { replace: true, fresh: false },
  );
  expect(plans[0]?.what.source).toMatchObject({ commit: repository.commitOf("HEAD"), path: null });
  expect(rc("abc")).toBe("from the checkout");
}, 60_000);

test("a verification of a package attests its integrity and its lock", async () => {
  await publishEntry();
  const report = await verify(ipm.context, [path.join(registry, "packages/ripcat")], {
    ...VERIFY_OPTIONS,
    write: true,
  });
  expect(report.methods).toMatchObject([{ outcome: "passed", network: { declared: ["npm"], reached: ["npm"] } }]);
  await ipm.setRegistry(registry);
  const { plans } = await planTargets(ipm.context, ["ripcat"], OPTIONS);
  expect(plans[0]?.trust.level).toBe("verified");
}, 120_000);
