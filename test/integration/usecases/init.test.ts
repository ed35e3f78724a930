import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { bump } from "../../../src/usecases/bump.ts";
import type { InitOptions } from "../../../src/usecases/init-draft.ts";
import { init } from "../../../src/usecases/init.ts";
import { GitRepository } from "../../helpers/git-repository.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { type TestIpm, createTestIpm } from "../../helpers/test-ipm.ts";

const REGISTRY = path.resolve(import.meta.dirname, "../../../registry");
const OPTIONS: InitOptions = { ref: null, output: null, force: false, verify: false, offline: false, dryRun: false };
const URL_OF_SOURCE = "https://example.org/owner/ripcat.git";
const SCRIPT = {
  run: "#!/usr/bin/env node\nconsole.log('ripcat', process.argv[2] === '--version' ? '2.10' : 'usage');\n",
};
const FILES = {
  "package.json": JSON.stringify({ name: "ripcat", description: "Search text", license: "MIT", bin: "rc.js" }),
  "rc.js": SCRIPT,
};

interface Prepared {
  readonly ipm: TestIpm;
  readonly repository: GitRepository;
  readonly root: string;
}

async function prepared(files: Parameters<GitRepository["commit"]>[0] = FILES): Promise<Prepared> {
  const root = temporaryFolder();
  const repository = new GitRepository(path.join(root, "ripcat"));
  repository.commit(files);
  mkdirSync(path.join(root, "home"), { recursive: true });
  writeFileSync(
    path.join(root, "home/.gitconfig"),
    `[url "file://${repository.folder}"]\n\tinsteadOf = ${URL_OF_SOURCE}\n`,
  );
  return { ipm: await createTestIpm(root, REGISTRY), repository, root };
}

describe("a repository", () => {
  test("its newest release is pinned with commit and tree, and written to NAME.yaml", async () => {
    const { ipm, repository, root } = await prepared();
    repository.tag("v2.9.0");
    repository.commit({ a: "a" });
    repository.tag("v2.10.0", { annotated: true });
    const [commit, tree] = [repository.commitOf("v2.10.0"), repository.treeOf("v2.10.0")];
    repository.commit({ b: "b" });
    repository.tag("v3.0.0-rc.1");
    const result = await init(ipm.context, URL_OF_SOURCE, OPTIONS);
    expect(result.version).toEqual({ version: "2.10.0", ref: "refs/tags/v2.10.0", commit, tree });
    expect(result.written).toBe("ripcat.yaml");
    const text = readFileSync(path.join(root, "ripcat.yaml"), "utf8");
    expect(text).toContain(`source: { git: ${URL_OF_SOURCE} }\n`);
    expect(text).toContain(`  - { version: 2.10.0, ref: refs/tags/v2.10.0, commit: ${commit}, tree: ${tree} }\n`);
    expect(result.findings.filter(({ severity }) => severity === "error")).toEqual([]);
  });

  test("without tags it is the day of the branch's newest commit, and bump follows that branch", async () => {
    const { ipm, repository, root } = await prepared();
    const dry = await init(ipm.context, URL_OF_SOURCE, { ...OPTIONS, dryRun: true });
    expect(dry.written).toBeNull();
    expect(existsSync(path.join(root, "ripcat.yaml"))).toBe(false);
    const result = await init(ipm.context, URL_OF_SOURCE, OPTIONS);
    const day = repository.git("log", "-1", "--format=%cs");
    const version = day.replaceAll("-", ".");
    expect(result.version).toMatchObject({ version, ref: "refs/heads/main", commit: repository.commitOf("HEAD") });
    expect(readFileSync(path.join(root, "ripcat.yaml"), "utf8")).toContain(
      `source: { git: ${URL_OF_SOURCE}, track: main }\n`,
    );
    expect(result.findings.map(({ code }) => code)).not.toContain("NOT_A_TAG");
    expect((await bump(ipm.context, "ripcat.yaml", null, true)).added).toBeNull();
    repository.commit({ later: "x" });
    expect((await bump(ipm.context, "ripcat.yaml", null, true)).added).toMatchObject({
      version: `${version}.2`,
      commit: repository.commitOf("HEAD"),
    });
  });

  test("a commit after a release is called after it, and one that is tagged by its tag", async () => {
    const { ipm, repository } = await prepared();
    repository.tag("v2.10.0");
    const released = repository.commitOf("HEAD");
    repository.commit({ a: "a" });
    const commit = repository.commit({ b: "b" });
    const later = await init(ipm.context, URL_OF_SOURCE, { ...OPTIONS, dryRun: true, ref: commit });
    expect(later.version).toMatchObject({ version: `2.10.0+2.g${commit.slice(0, 12)}`, ref: null, commit });
    expect(later.draft.todos.join("\n")).toContain("no release: what came after v2.10.0");
    const own = await init(ipm.context, URL_OF_SOURCE, { ...OPTIONS, dryRun: true, ref: released });
    expect(own.version).toMatchObject({ version: "2.10.0", ref: "refs/tags/v2.10.0", commit: released });
  });

  test("--ref asks for another one", async () => {
    const { ipm, repository } = await prepared();
    repository.tag("v1.0.0");
    repository.commit({ a: "a" });
    repository.tag("v2.0.0");
    const result = await init(ipm.context, URL_OF_SOURCE, { ...OPTIONS, ref: "v1.0.0" });
    expect(result.version).toMatchObject({ version: "1.0.0", ref: "refs/tags/v1.0.0" });
  });

  test("in a registry it goes to its place there", async () => {
    const { ipm, root } = await prepared();
    mkdirSync(path.join(root, "ours"));
    writeFileSync(path.join(root, "ours/registry.yaml"), "id: ours\nname: Ours\nmaintainers: [octocat]\n");
    const result = await init(ipm.context, URL_OF_SOURCE, { ...OPTIONS, output: "ours" });
    expect(result.written).toBe("ours/packages/ripcat/manifest.yaml");
  });

  test("a file that is there stays, unless --force", async () => {
    const { ipm, root } = await prepared();
    writeFileSync(path.join(root, "ripcat.yaml"), "mine");
    await expect(init(ipm.context, URL_OF_SOURCE, OPTIONS)).rejects.toMatchObject({ code: "FOREIGN_FILE" });
    expect(readFileSync(path.join(root, "ripcat.yaml"), "utf8")).toBe("mine");
    await init(ipm.context, URL_OF_SOURCE, { ...OPTIONS, force: true });
    expect(readFileSync(path.join(root, "ripcat.yaml"), "utf8")).toContain("schema: ipm/v1");
  });

  test("what a registry has already is said", async () => {
    const { ipm } = await prepared({ ...FILES, "package.json": JSON.stringify({ name: "lstm-demo", bin: "rc.js" }) });
    const result = await init(ipm.context, URL_OF_SOURCE, { ...OPTIONS, dryRun: true });
    expect(result.known.join("\n")).toContain("the name lstm-demo is in the registry");
  });

  test("nothing that a recipe sees, and a name instead of a repository, say so", async () => {
    const { ipm } = await prepared({ "README.md": "# Notes\n" });
    await expect(init(ipm.context, URL_OF_SOURCE, OPTIONS)).rejects.toMatchObject({ code: "MANIFEST_MISSING" });
    await expect(init(ipm.context, "ripcat", OPTIONS)).rejects.toMatchObject({ code: "TARGET_INVALID" });
  });
});

test("a folder gets an ipm.yaml of its own, without source and versions", async () => {
  const { ipm, repository } = await prepared();
  const result = await init(ipm.context, repository.folder, OPTIONS);
  expect(result.version).toBeNull();
  const text = readFileSync(path.join(repository.folder, "ipm.yaml"), "utf8");
  expect(text).not.toMatch(/^(?:source|versions):/mu);
  expect(result.findings.filter(({ severity }) => severity === "error")).toEqual([]);
});

describe("--verify", () => {
  test("runs the draft in a clean room and writes what passed", async () => {
    const { ipm, repository } = await prepared();
    repository.tag("v2.10.0");
    const result = await init(ipm.context, URL_OF_SOURCE, { ...OPTIONS, verify: true });
    expect(result.attempts).toEqual([{ recipe: "npm", outcome: "passed", why: null }]);
    expect(result.written).toBe("ripcat.yaml");
    expect(result.draft.text).toContain("- { run: ripcat --version, expect: { output: ");
  }, 120_000);

  test("what it answers with its version becomes the test", async () => {
    const script = { run: '#!/bin/sh\nif [ "$1" = -V ]; then echo ripcat 2.10.0; else echo usage >&2; exit 2; fi\n' };
    const { ipm, repository } = await prepared({ ripcat: script, LICENSE: "MIT License\n" });
    repository.tag("v2.10.0");
    const result = await init(ipm.context, URL_OF_SOURCE, { ...OPTIONS, verify: true });
    expect(result.attempts.map(({ outcome }) => outcome)).toEqual(["passed"]);
    expect(result.draft.text).toContain('- { run: ripcat -V, expect: { output: "^ripcat {version}$" } }');
    expect(result.draft.values.find(({ key }) => key === "tests")?.evidence).toEqual(["ripcat -V said: ripcat 2.10.0"]);
  }, 120_000);

  test.skipIf(existsSync("/usr/include/notmuch.h"))(
    "what a failed build says is missing is required",
    async () => {
      const { ipm, repository } = await prepared({
        Makefile:
          "all: ripcat\nripcat: ripcat.c\n\t@echo 'ripcat.c:1:10: fatal error: notmuch.h: No such file or directory' >&2; exit 1\n" +
          "install: ripcat\n\tinstall -D ripcat $(DESTDIR)$(PREFIX)/bin/ripcat\n",
        "ripcat.c": "int main(void) { return 0; }\n",
      });
      repository.tag("v2.10.0");
      const result = await init(ipm.context, URL_OF_SOURCE, { ...OPTIONS, verify: true });
      expect(result.attempts.map(({ recipe, outcome }) => `${recipe} ${outcome}`)).toEqual([
        "make failed",
        "make skipped",
      ]);
      expect(result.draft.text).toContain("requires:\n  - { header: notmuch.h }\n");
      expect(result.draft.values.find(({ key }) => key === "requires")?.evidence.join()).toContain("a build said");
    },
    120_000,
  );

  test("tries the next way when one fails, also for a folder, which stays as it is", async () => {
    const { ipm, repository } = await prepared({
      "package.json": JSON.stringify({
        name: "ripcat",
        description: "Search text",
        license: "MIT",
        bin: { rc: "dist/rc.js" },
        scripts: { build: "exit 1" },
      }),
      ripcat: { run: "#!/bin/sh\necho ripcat 2.10\n" },
    });
    const result = await init(ipm.context, repository.folder, { ...OPTIONS, verify: true });
    expect(result.attempts.map(({ recipe, outcome }) => `${recipe} ${outcome}`)).toEqual(["npm failed", "copy passed"]);
    expect(result.draft.text).toContain("uses: copy");
    expect(repository.git("status", "--short")).toBe("?? ipm.yaml");
  }, 120_000);
});
