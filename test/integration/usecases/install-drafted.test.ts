import { spawnSync } from "node:child_process";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { install } from "../../../src/usecases/install.ts";
import { listTools } from "../../../src/usecases/list.ts";
import { planTargets } from "../../../src/usecases/plan-targets.ts";
import { GitRepository } from "../../helpers/git-repository.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, type TestIpm, createTestIpm } from "../../helpers/test-ipm.ts";

const REGISTRY = path.resolve(import.meta.dirname, "../../../registry");
const TOOL = {
  "package.json": JSON.stringify({ name: "rc", description: "Search text", license: "MIT", bin: "rc.js" }),
  "rc.js": {
    run: "#!/usr/bin/env node\nif (process.argv[2] === '--version') console.log('1.2.3');\nelse process.exitCode = 2;\n",
  },
};

async function prepared(
  files: Parameters<GitRepository["commit"]>[0],
): Promise<{ ipm: TestIpm; folder: string; url: string }> {
  const root = temporaryFolder();
  const repository = new GitRepository(path.join(root, "rc"));
  repository.commit(files);
  return { ipm: await createTestIpm(root, REGISTRY), folder: repository.folder, url: `file://${repository.folder}` };
}

describe("a repository without a manifest", () => {
  test("is planned as drafted and not verified, by its URL and as a folder", async () => {
    const { ipm, folder, url } = await prepared(TOOL);
    for (const target of [url, folder]) {
      const { plans } = await planTargets(ipm.context, [target], OPTIONS);
      expect(plans[0]?.trust).toMatchObject({
        level: "unverified",
        detail: "drafted from the repository, not verified",
      });
      expect(plans[0]?.notices.join("\n")).toContain("drafted from the repository, not verified");
      expect(plans[0]?.notices.join("\n")).toContain("package.json:1 package rc");
      expect(plans[0]?.launchers.map(({ name }) => name)).toEqual(["rc"]);
      expect(plans[0]?.what.tests).toHaveLength(1);
    }
  });

  test("is refused without consent", async () => {
    const { ipm, url } = await prepared(TOOL);
    await expect(install(ipm.context, [url], OPTIONS)).rejects.toMatchObject({ code: "UNVERIFIED" });
    expect(await ipm.context.host.files.list(ipm.layout.store)).toEqual([]);
  });

  test("never runs outside of the sandbox by --no-sandbox alone", async () => {
    const { ipm, url } = await prepared(TOOL);
    const refused = install(ipm.context, [url], { ...OPTIONS, noSandbox: true });
    await expect(refused).rejects.toMatchObject({
      code: "UNVERIFIED",
      hint: expect.stringContaining("--no-sandbox") as string,
    });
  });

  test("is installed with consent, and runs", async () => {
    const { ipm, url } = await prepared(TOOL);
    const result = await install(ipm.context, [url], { ...OPTIONS, allowUnverified: true });
    expect(result.installed.map(({ name, trust, bins }) => ({ name, trust, bins }))).toEqual([
      { name: "rc", trust: "unverified", bins: ["rc"] },
    ]);
    const run = spawnSync(path.join(ipm.layout.current, "bin/rc"), ["--version"], {
      env: { PATH: "/usr/bin:/bin" },
      encoding: "utf8",
    });
    expect(run.stdout).toBe("1.2.3\n");
  });

  test("a build that asks git for the version gets the right one between two releases too", async () => {
    const root = temporaryFolder();
    const repository = new GitRepository(path.join(root, "rc"));
    repository.commit({
      Makefile: `V = $(shell git describe --tags)\nPREFIX ?= /usr/local\nall: rc\nrc:\n\tprintf '#!/bin/sh\\necho rc %s\\n' '$(V)' > rc\n\tchmod 755 rc\ninstall: all\n\tmkdir -p $(PREFIX)/bin\n\tcp rc $(PREFIX)/bin/rc\n`,
    });
    repository.tag("rel-1.2.0");
    const commit = repository.commit({ a: "a" });
    const ipm = await createTestIpm(root, REGISTRY);
    await install(ipm.context, [`file://${repository.folder}`], { ...OPTIONS, allowUnverified: true });
    const run = spawnSync(path.join(ipm.layout.current, "bin/rc"), [], {
      env: { PATH: "/usr/bin:/bin" },
      encoding: "utf8",
    });
    expect(run.stdout).toBe(`rc rel-1.2.0+1.g${commit.slice(0, 12)}\n`);
  });

  test("that does not start is not installed", async () => {
    const { ipm, url } = await prepared({ ...TOOL, "rc.js": { run: "#!/usr/bin/env node\nrequire('not-there');\n" } });
    await expect(install(ipm.context, [url], { ...OPTIONS, allowUnverified: true })).rejects.toMatchObject({
      code: "TEST_FAILED",
    });
    expect(await ipm.context.host.files.facts(path.join(ipm.layout.current, "bin/rc"))).toBeUndefined();
  });

  test("that fails on another Node than its authors support says which one it needs", async () => {
    const { ipm, url } = await prepared({
      "package.json": TOOL["package.json"].replace("{", '{"engines":{"node":">=99"},'),
      "rc.js": { run: "#!/usr/bin/env node\nrequire('node:not-there');\n" },
    });
    await expect(install(ipm.context, [url], { ...OPTIONS, allowUnverified: true })).rejects.toMatchObject({
      code: "REQUIREMENT_MISSING",
      exitCode: 4,
      message: expect.stringMatching(/needs node >=99 \(found [\s\S]*without it test 1 failed/u) as string,
    });
    const works = await prepared({
      ...TOOL,
      "package.json": TOOL["package.json"].replace("{", '{"engines":{"node":">=99"},'),
    });
    await install(works.ipm.context, [works.url], { ...OPTIONS, allowUnverified: true });
  });

  test("whose build names what is missing says how to get it, as for a requirement that was written down", async () => {
    const { ipm, url } = await prepared({
      Makefile: "PREFIX ?= /usr/local\nrc: rc.c\n\tsh build.sh\ninstall: rc\n\tcp rc $(PREFIX)/bin/rc\n",
      "build.sh":
        "echo 'rc.c:1:10: fatal error: rc/own.h: No such file or directory'\necho '/usr/bin/ld: cannot find -ljansson: No such file or directory' >&2\nexit 1\n",
      "rc.c": "",
    });
    await expect(install(ipm.context, [url], { ...OPTIONS, allowUnverified: true })).rejects.toMatchObject({
      code: "REQUIREMENT_MISSING",
      message: expect.stringMatching(/needs the header jansson\.h[\s\S]*without it step 1 /u) as string,
    });
  });

  test("its own ipm.yaml comes before any draft", async () => {
    const own =
      "schema: ipm/v1\nname: mine\nsummary: My own words\nlicense: MIT\nsteps: [uses: npm]\nbin: [rc]\ntests: [run: rc --version]\n";
    const { ipm, url } = await prepared({ ...TOOL, "ipm.yaml": own });
    const { plans } = await planTargets(ipm.context, [url], OPTIONS);
    expect(plans[0]?.tool.name).toBe("mine");
    expect(plans[0]?.trust.detail).not.toContain("drafted");
  });

  test("with nothing that a recipe sees says so", async () => {
    const { ipm, url } = await prepared({ "README.md": "# Notes\n" });
    await expect(planTargets(ipm.context, [url], OPTIONS)).rejects.toMatchObject({ code: "MANIFEST_MISSING" });
  });

  test("that is a library installs nothing and names the package", async () => {
    const { ipm, url } = await prepared({ "package.json": '{"name":"rc","license":"MIT","main":"i.js"}', "i.js": "" });
    await expect(planTargets(ipm.context, [url], OPTIONS)).rejects.toMatchObject({
      code: "NOTHING_TO_INSTALL",
      hint: "npm install rc",
    });
  });

  test.skipIf(spawnSync("cc", ["--version"]).status !== 0)(
    "that needs a header can be installed, and listed again",
    async () => {
      const own =
        "schema: ipm/v1\nname: mine\nsummary: My own words\nlicense: MIT\nrequires: [{ header: stdio.h }]\nsteps: [uses: npm]\nbin: [rc]\ntests: [run: rc --version]\n";
      const { ipm, url } = await prepared({ ...TOOL, "ipm.yaml": own });
      await install(ipm.context, [url], { ...OPTIONS, allowUnverified: true });
      expect((await listTools(ipm.context)).map(({ name }) => name)).toEqual(["mine"]);
    },
  );
});
