import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { openSource } from "../../../src/source/open-source.ts";
import type { FetchedCommit } from "../../../src/source/source.ts";
import { type FileSpec, GitRepository } from "../../helpers/git-repository.ts";
import { type TestSourceContext, sourceContext } from "../../helpers/source-context.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

const HOST = "https://git.example.org/";
let folder: string;
let context: TestSourceContext;
let main: GitRepository;
let regex: GitRepository;

beforeEach(() => {
  folder = temporaryFolder();
  main = new GitRepository(path.join(folder, "srv/o/tool.git"));
  regex = new GitRepository(path.join(folder, "srv/o/regex.git"));
  context = sourceContext(folder, { gitConfig: `[url "file://${folder}/srv/"]\n\tinsteadOf = ${HOST}\n` });
});

/** A commit of the tool with submodules: path to the commit that the tree names, and to the address. */
function commit(
  modules: Readonly<Record<string, { readonly at: string; readonly url: string }>>,
  files: Readonly<Record<string, FileSpec>> = {},
): void {
  const text = Object.entries(modules)
    .map(([place, { url }]) => `[submodule "${place}"]\n\tpath = ${place}\n\turl = ${url}\n`)
    .join("");
  main.commit({ "main.c": "int main;\n", ".gitmodules": text, ...files });
  for (const [place, { at }] of Object.entries(modules))
    main.git("update-index", "--add", "--cacheinfo", `160000,${at},${place}`);
  main.git("commit", "-q", "--amend", "--no-edit");
}

function open(submodules: readonly string[], offline = false): Promise<FetchedCommit> {
  return openSource(
    context,
    {
      kind: "git",
      url: `${HOST}o/tool.git`,
      ref: null,
      commit: main.commitOf("HEAD"),
      tree: main.treeOf("HEAD"),
      named: false,
      submodules,
    },
    { tool: "tool@1.0.0", offline },
  );
}

async function checkedOut(source: FetchedCommit): Promise<string> {
  const into = path.join(folder, "out");
  rmSync(into, { recursive: true, force: true });
  await source.checkout(into, null);
  return into;
}

describe("listed submodules", () => {
  test("come at the commit that the tree names, from a relative address; others stay empty folders", async () => {
    const old = regex.commit({ "regex.c": "old\n" });
    regex.commit({ "regex.c": "new\n" });
    commit({ "vendor/regex": { at: old, url: "../regex.git" }, "docs/theme": { at: old, url: "../nowhere.git" } });
    const source = await open(["vendor/regex"]);
    expect(source.listing.map(({ path: file, mode }) => `${mode} ${file}`)).toEqual([
      "100644 .gitmodules",
      "160000 docs/theme",
      "100644 main.c",
      "100644 vendor/regex/regex.c",
    ]);
    expect(Buffer.from((await source.readFile("vendor/regex/regex.c", 100)) ?? []).toString()).toBe("old\n");
    const into = await checkedOut(source);
    expect(readFileSync(path.join(into, "vendor/regex/regex.c"), "utf8")).toBe("old\n");
    expect(existsSync(path.join(into, "docs/theme"))).toBe(true);
    // Tools that ask git what is changed are told: nothing.
    const status = spawnSync("git", ["status", "--porcelain"], { cwd: into, env: { PATH: process.env["PATH"] } });
    expect(status.stdout.toString()).toBe("");
    const inside = spawnSync("git", ["rev-parse", "HEAD"], { cwd: path.join(into, "vendor/regex") });
    expect(inside.stdout.toString().trim()).toBe(old);
  });

  test("a nested one is named by its whole path, and is relative to the one that holds it", async () => {
    const deep = new GitRepository(path.join(folder, "srv/p/deep.git"));
    const inner = deep.commit({ "deep.c": "deep\n" });
    regex.commit({ ".gitmodules": '[submodule "d"]\n\tpath = d\n\turl = ../../p/deep.git\n', "regex.c": "" });
    regex.git("update-index", "--add", "--cacheinfo", `160000,${inner},d`);
    regex.git("commit", "-q", "--amend", "--no-edit");
    commit({ "vendor/regex": { at: regex.commitOf("HEAD"), url: `${HOST}o/regex.git` } });
    const into = await checkedOut(await open(["vendor/regex/d", "vendor/regex"]));
    expect(readFileSync(path.join(into, "vendor/regex/d/deep.c"), "utf8")).toBe("deep\n");
    expect((await open(["vendor/regex"])).listing.some(({ path: file }) => file === "vendor/regex/d")).toBe(true);
  });

  test("a second time nothing is asked of a server, also offline", async () => {
    const at = regex.commit({ "regex.c": "" });
    commit({ "vendor/regex": { at, url: "../regex.git" } });
    await expect(open(["vendor/regex"], true)).rejects.toMatchObject({ code: "OFFLINE" });
    await open([]);
    await expect(open(["vendor/regex"], true)).rejects.toMatchObject({ code: "OFFLINE" });
    await open(["vendor/regex"]);
    rmSync(path.join(folder, "srv"), { recursive: true });
    const again = openSource(
      context,
      {
        kind: "git",
        url: `${HOST}o/tool.git`,
        ref: null,
        commit: (await openedCommit()) as never,
        tree: null,
        named: false,
        submodules: ["vendor/regex"],
      },
      { tool: "tool@1.0.0", offline: true },
    );
    expect((await again).listing.some(({ path: file }) => file === "vendor/regex/regex.c")).toBe(true);
  });

  test("one that this commit does not have is left out", async () => {
    commit({}, { "vendor/x": "a file\n" });
    expect((await open(["vendor/x", "vendor/y"])).listing.map(({ path: file }) => file)).toEqual([
      ".gitmodules",
      "main.c",
      "vendor/x",
    ]);
  });
});

async function openedCommit(): Promise<string> {
  const text = await context.host.files.list(path.join(folder, "cache/git"));
  for (const key of text) {
    const [pin, ...more] = await context.host.files.list(path.join(folder, "cache/git", key, "refs/pins"));
    const config = await context.host.files.readText(path.join(folder, "cache/git", key, "description"));
    if (pin !== undefined && more.length === 0 && config?.includes("o/tool.git") === true) return pin;
  }
  throw new Error("no pin");
}

describe("hostile submodules", () => {
  test.each<[string, string, string]>([
    ["another transport", "ext::sh -c 'touch /tmp/ipm-evil'", "SOURCE_REFUSED"],
    ["a file", "file:///etc", "SOURCE_REFUSED"],
    ["ssh, which would use the user's keys", "ssh://git@git.example.org/o/regex.git", "SOURCE_REFUSED"],
    // Git's own check of what it receives is faster.
    ["a flag", "--upload-pack=touch", "SOURCE_UNSAFE"],
    ["a password", "https://user:secret@git.example.org/o/regex.git", "SOURCE_REFUSED"],
    ["a way off the host", "../../../evil.example/x.git", "SOURCE_REFUSED"],
  ])("the address is %s", async (_, url, code) => {
    const at = regex.commit({ "regex.c": "" });
    commit({ "vendor/regex": { at, url } });
    const error: unknown = await open(["vendor/regex"]).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain("secret");
    expect(existsSync("/tmp/ipm-evil")).toBe(false);
  });

  test("no address, a commit that its repository does not have, a .gitmodules that is none", async () => {
    commit({ "vendor/regex": { at: "a".repeat(40), url: "../regex.git" } }, { ".gitmodules": "" });
    await expect(open(["vendor/regex"])).rejects.toMatchObject({ code: "SOURCE_REFUSED" });
    regex.commit({ a: "" });
    commit({ "vendor/regex": { at: "a".repeat(40), url: "../regex.git" } });
    await expect(open(["vendor/regex"])).rejects.toMatchObject({ code: "FETCH_FAILED" });
    commit({ "vendor/regex": { at: "a".repeat(40), url: "x" } }, { ".gitmodules": "[submodule\n" });
    await expect(open(["vendor/regex"])).rejects.toMatchObject({ code: "SOURCE_UNSAFE" });
  });

  test("an include in .gitmodules is not followed", async () => {
    const at = regex.commit({ "regex.c": "" });
    const more = path.join(folder, "more");
    writeFileSync(more, '[submodule "x"]\n\tpath = vendor/regex\n\turl = ../regex.git\n');
    commit({ "vendor/regex": { at, url: "" } }, { ".gitmodules": `[include]\n\tpath = ${more}\n` });
    await expect(open(["vendor/regex"])).rejects.toMatchObject({ code: "SOURCE_REFUSED" });
  });

  test("links that are harmless in each tree and lead out of the whole are refused", async () => {
    // In the tool it leads through a folder that is not there; in the submodule that is a link to its own root.
    const at = regex.commit({ deep: { link: "." }, "regex.c": "" });
    commit({ "vendor/regex": { at, url: "../regex.git" } }, { out: { link: "vendor/regex/deep/../../../etc" } });
    await open([]);
    await expect(open(["vendor/regex"])).rejects.toMatchObject({ code: "SOURCE_UNSAFE" });
  });

  test("a tree that may not be written is refused as a submodule too", async () => {
    const evil = regex.commitTree(regex.rawTree([{ mode: "100644", name: ".git", oid: regex.blob("x") }]));
    commit({ "vendor/regex": { at: evil, url: "../regex.git" } });
    await expect(open(["vendor/regex"])).rejects.toMatchObject({ code: "SOURCE_UNSAFE" });
  });
});
