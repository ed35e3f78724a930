import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { formatFiles } from "../../../src/usecases/fmt.ts";
import { lint } from "../../../src/usecases/lint.ts";
import { createContext } from "../../helpers/bare-context.ts";
import { GitRepository } from "../../helpers/git-repository.ts";
import { manifestYaml } from "../../helpers/manifests.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

const OFFLINE = { offline: true, fix: false };
const URL_OF_SOURCE = "https://example.org/owner/ripcat.git";

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
}

const REGISTRY_FILE = "id: ours\nname: Ours\nmaintainers: [octocat]\n";

describe("files and folders", () => {
  test("a file, an ipm.yaml and manifests of any name below a folder are found; links, other YAML and vendored ones are not", async () => {
    const folder = temporaryFolder();
    write(folder, {
      "a/ripcat.yaml": manifestYaml(),
      "b/ipm.yaml": manifestYaml({ source: null, versions: null }),
      "b/compose.yaml": "services: {}\n",
      "node_modules/x/ipm.yaml": manifestYaml({ name: "name: 1x" }),
    });
    const report = await lint(createContext(folder), ["."], OFFLINE);
    expect(report.files).toEqual(["a/ripcat.yaml", "b/ipm.yaml"]);
    expect(report.findings).toEqual([]);
  });

  test("findings carry the file as it was named, sorted by file and line", async () => {
    const folder = temporaryFolder();
    write(folder, { "b.yaml": manifestYaml({ license: "license: MTI" }), "a.yaml": manifestYaml({ tests: null }) });
    const report = await lint(createContext(folder), ["b.yaml", "a.yaml"], OFFLINE);
    expect(report.findings.map(({ file, line, code }) => `${file}:${line} ${code}`)).toEqual([
      "a.yaml:8 NO_TEST",
      "b.yaml:4 LICENSE_UNKNOWN",
    ]);
    expect([report.errors, report.warnings]).toEqual([1, 1]);
  });

  test("a path that does not exist, and a folder without a manifest, say so", async () => {
    const folder = temporaryFolder();
    await expect(lint(createContext(folder), ["nothing.yaml"], OFFLINE)).rejects.toMatchObject({
      code: "TARGET_INVALID",
    });
    await expect(lint(createContext(folder), ["."], OFFLINE)).rejects.toMatchObject({ code: "MANIFEST_MISSING" });
  });

  test("an option that its recipe does not have is told with its place", async () => {
    const folder = temporaryFolder();
    write(folder, {
      "m.yaml": manifestYaml({ steps: "steps: [{ uses: npm, with: { from: checkout, scritps: [x] } }]" }),
    });
    const report = await lint(createContext(folder), ["m.yaml"], OFFLINE);
    expect(report.findings).toMatchObject([
      { code: "UNKNOWN_OPTION", line: 8, column: 46, hint: "did you mean `scripts`?" },
    ]);
  });

  test("--fix mends the file and reports what is left", async () => {
    const folder = temporaryFolder();
    write(folder, { "m.yaml": manifestYaml({ summary: "summary: Search text in archives.", tests: null }) });
    const report = await lint(createContext(folder), ["m.yaml"], { offline: true, fix: true });
    expect(report.fixed).toEqual(["m.yaml"]);
    expect(report.findings.map(({ code }) => code)).toEqual(["NO_TEST"]);
    expect(readFileSync(path.join(folder, "m.yaml"), "utf8")).toContain("summary: Search text in archives\n");
  });
});

describe("a registry", () => {
  const folder = (): string => {
    const root = temporaryFolder();
    write(root, {
      "registry.yaml": REGISTRY_FILE,
      "packages/ripcat/manifest.yaml": manifestYaml({
        platforms: null,
        bin: "bin: [rc]\nplatforms: [linux-x64]",
      }).replace(/^(steps:.*\n)(bin:.*\n)(platforms:.*\n)/mu, "$3$1$2"),
      "packages/ripcatt/manifest.yaml": manifestYaml({ name: "name: ripcatt" }),
      "packages/other/manifest.yaml": manifestYaml({ name: "name: another" }),
    });
    return root;
  };

  test("names are looked at beside each other, places and attestations too", async () => {
    const root = folder();
    const report = await lint(createContext(root), ["."], OFFLINE);
    expect(report.findings.map(({ file, line, column, code }) => `${file}:${line}:${column} ${code}`)).toEqual([
      "packages/other/manifest.yaml:2:7 NAME_MISMATCH",
      "packages/ripcat/manifest.yaml:8:13 PLATFORM_NOT_ATTESTED",
      "packages/ripcatt/manifest.yaml:2:7 NAME_SIMILAR",
    ]);
    expect(report.findings[2]).not.toHaveProperty("about");
  });

  test("a name that is taken, and a bundle and a lock that are missing, are told where they are written", async () => {
    const root = temporaryFolder();
    const entry = (name: string, change: Parameters<typeof manifestYaml>[0]): void =>
      write(root, { [`packages/${name}/manifest.yaml`]: manifestYaml({ name: `name: ${name}`, ...change }) });
    write(root, { "registry.yaml": `${REGISTRY_FILE}removed: { gone: it was malware }\n` });
    entry("first", {});
    entry("second", { license: "license: MIT\naliases: [other, first]" });
    entry("third", { license: "license: MIT\nformerly: [gone]" });
    entry("bundled", { source: "source: { bundle: sources/none.bundle }" });
    const report = await lint(createContext(root), ["."], OFFLINE);
    expect(report.findings.map(({ file, line, column, code }) => `${file}:${line}:${column} ${code}`)).toEqual([
      "packages/bundled/manifest.yaml:5:19 BUNDLE_MISSING",
      "packages/second/manifest.yaml:5:18 NAME_TAKEN",
      "packages/third/manifest.yaml:5:12 NAME_REMOVED",
    ]);
    expect(report.findings[1]?.sourceLine).toBe("aliases: [other, first]");
  });

  test("an entry that is named by itself is still one of its registry, the others are left out", async () => {
    const root = folder();
    const report = await lint(createContext(root), ["packages/ripcatt/manifest.yaml"], OFFLINE);
    expect(report.findings.map(({ code }) => code)).toEqual(["NAME_SIMILAR"]);
  });

  test("an attestation file makes a platform claim good, and is checked itself", async () => {
    const root = folder();
    write(root, { "packages/ripcat/attestations/2.10.linux-x64-glibc.json": "{}" });
    const report = await lint(createContext(root), ["packages/ripcat/manifest.yaml"], OFFLINE);
    expect(report.findings.map(({ code }) => code)).not.toContain("PLATFORM_NOT_ATTESTED");
  });
});

describe("a contribution against what it was before", () => {
  const ATTESTATION = "packages/ripcat/attestations/2.10.linux-x64-glibc.json";

  function contribution(files: Readonly<Record<string, string>>): { root: string; home: string } {
    const home = temporaryFolder();
    const before = {
      "registry.yaml": REGISTRY_FILE,
      "packages/ripcat/manifest.yaml": manifestYaml(),
      [ATTESTATION]: "{}",
    };
    write(path.join(home, "base"), before);
    write(path.join(home, "now"), { ...before, ...files });
    return { root: "now", home };
  }

  test("every changed entry has its tier", async () => {
    const { root, home } = contribution({
      "packages/ripcat/manifest.yaml": manifestYaml({ steps: "steps: [uses: cargo]" }),
      "packages/unlike/manifest.yaml": manifestYaml({ name: "name: unlike" }),
    });
    const report = await lint(createContext(home), [root], { ...OFFLINE, base: "base" });
    expect(report.changes.map(({ name, tier }) => `${name} ${tier}`)).toEqual(["ripcat steps", "unlike new"]);
  });

  test.each([
    ["brought", { "packages/ripcat/attestations/2.10.macos-arm64.json": "{}" }],
    ["changed", { [ATTESTATION]: "{ }" }],
  ])("an attestation that is %s is refused", async (_, files) => {
    const { root, home } = contribution(files);
    const report = await lint(createContext(home), [root], { ...OFFLINE, base: "base" });
    expect(report.findings.map(({ code }) => code)).toContain("ATTESTATION_CONTRIBUTED");
  });

  test("without a change there is nothing to say", async () => {
    const { root, home } = contribution({});
    const report = await lint(createContext(home), [root], { ...OFFLINE, base: "base" });
    expect(report.changes).toEqual([]);
    expect(report.findings.map(({ code }) => code)).not.toContain("ATTESTATION_CONTRIBUTED");
  });
});

describe("pins against their source", () => {
  function sourced(): { home: string; repository: GitRepository } {
    const home = temporaryFolder();
    const repository = new GitRepository(path.join(home, "source"));
    repository.commit({ "package.json": "{}" });
    repository.tag("v2.10", { annotated: true });
    write(home, { ".gitconfig": `[url "file://${repository.folder}"]\n\tinsteadOf = ${URL_OF_SOURCE}\n` });
    return { home, repository };
  }

  function pinned(home: string, version: string): void {
    const text = manifestYaml({
      source: `source: { git: ${URL_OF_SOURCE} }`,
      versions: `versions:\n  - { version: 2.10, ${version} }`,
    });
    write(home, { "m.yaml": text });
  }

  async function codes(home: string): Promise<string[]> {
    const report = await lint(createContext(home), ["m.yaml"], { offline: false, fix: false });
    return report.findings.map(({ code }) => code);
  }

  test("the commit of an annotated tag is right", async () => {
    const { home, repository } = sourced();
    const [commit, tree] = [repository.commitOf("v2.10"), repository.treeOf("v2.10")];
    pinned(home, `ref: refs/tags/v2.10, commit: ${commit}, tree: ${tree}`);
    expect(await codes(home)).toEqual([]);
  });

  test("a tag that has moved is an error, and so is one that is gone", async () => {
    const { home, repository } = sourced();
    const [commit, tree] = [repository.commitOf("v2.10"), repository.treeOf("v2.10")];
    pinned(home, `ref: refs/tags/v2.10, commit: ${commit}, tree: ${tree}`);
    repository.commit({ b: "b" });
    repository.tag("v2.10");
    expect(await codes(home)).toEqual(["TAG_MOVED"]);
    repository.git("tag", "-d", "v2.10");
    expect(await codes(home)).toEqual(["TAG_MOVED"]);
  });

  test("a commit within the history of a branch is held, one that only a pull request knows is an imposter", async () => {
    const { home, repository } = sourced();
    const [commit, tree] = [repository.commitOf("HEAD"), repository.treeOf("HEAD")];
    repository.commit({ b: "b" });
    pinned(home, `commit: ${commit}, tree: ${tree}`);
    expect(await codes(home)).toEqual([]);
    const imposter = repository.commit({ c: "c" });
    const imposterTree = repository.treeOf("HEAD");
    repository.git("update-ref", "refs/pull/1/head", imposter);
    repository.git("reset", "-q", "--hard", "HEAD~1");
    pinned(home, `commit: ${imposter}, tree: ${imposterTree}`);
    expect(await codes(home)).toEqual(["IMPOSTER_COMMIT"]);
  });

  test("--offline asks nothing", async () => {
    const { home } = sourced();
    pinned(home, `commit: ${"1".repeat(40)}, tree: ${"1".repeat(40)}`);
    const report = await lint(createContext(home), ["m.yaml"], OFFLINE);
    expect(report.findings).toEqual([]);
  });
});

describe("fmt", () => {
  test("writes what is not canonical and leaves the rest alone; --check writes nothing", async () => {
    const folder = temporaryFolder();
    const messy = manifestYaml({ name: "license: MIT", license: "name: ripcat" });
    write(folder, { "messy.yaml": messy, "tidy.yaml": manifestYaml(), "broken.yaml": "schema: ipm/v1\na: [b\n" });
    const context = createContext(folder);
    const checked = await formatFiles(context, ["."], true);
    expect(checked.changed).toEqual(["messy.yaml"]);
    expect(checked.findings.map(({ file }) => file)).toEqual(["broken.yaml"]);
    expect(readFileSync(path.join(folder, "messy.yaml"), "utf8")).toBe(messy);
    await formatFiles(context, ["."], false);
    expect(readFileSync(path.join(folder, "messy.yaml"), "utf8")).toBe(manifestYaml());
    expect((await formatFiles(context, ["messy.yaml", "tidy.yaml"], true)).changed).toEqual([]);
  });
});
