import { existsSync, lstatSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import type { CommitSha } from "../../../src/core/ids.ts";
import { type OpenSourceOptions, openSource } from "../../../src/source/open-source.ts";
import type { FetchedCommit } from "../../../src/source/source.ts";
import { GitRepository, type RawEntry, runGit } from "../../helpers/git-repository.ts";
import { sourceContext } from "../../helpers/source-context.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

let folder: string;
let repository: GitRepository;

beforeEach(() => {
  folder = temporaryFolder();
  repository = new GitRepository(path.join(folder, "repository"));
});

/** Fetch a commit out of a bundle: what a bundle holds is not looked at by git's own check everywhere. */
function open(commit: CommitSha, limits: OpenSourceOptions["limits"] = {}): Promise<FetchedCommit> {
  const file = path.join(folder, "tool.bundle");
  repository.bundle(file);
  return openSource(
    sourceContext(folder),
    { kind: "bundle", file, name: "sources/tool.bundle", ref: null, commit, tree: repository.treeOf(commit) },
    { tool: "tool@1", limits },
  );
}

function rawCommit(...entries: RawEntry[]): CommitSha {
  return repository.commitTree(repository.rawTree(entries));
}

function fileEntry(name: string | Uint8Array, content = "x"): RawEntry {
  return { mode: "100644", name, oid: repository.blob(content) };
}

function linkEntry(name: string, target: string): RawEntry {
  return { mode: "120000", name, oid: repository.blob(target) };
}

function folderEntry(name: string, ...entries: RawEntry[]): RawEntry {
  return { mode: "40000", name, oid: repository.rawTree(entries) };
}

describe("a tree that could write outside is refused before anything of it is written", () => {
  test.each([
    ["an absolute link", () => [linkEntry("a", "/etc/passwd")]],
    ["a link that climbs out", () => [folderEntry("d", linkEntry("a", "../../x"))]],
    ["a link through another link", () => [folderEntry("d", linkEntry("up", "..")), linkEntry("out", "d/up/../x")]],
    ["a link into .git", () => [linkEntry("hooks", ".git/hooks")]],
  ])("B29: %s", async (_, entries) => {
    await expect(open(rawCommit(...entries()))).rejects.toMatchObject({ code: "SOURCE_UNSAFE" });
  });

  test("B29: links that stay inside are written", async () => {
    const commit = rawCommit(
      linkEntry("a", "d/../d/f"),
      folderEntry("d", fileEntry("f"), linkEntry("up", "../d/f")),
      linkEntry("dangling", "made/by/a/step"),
    );
    const into = path.join(folder, "out");
    await (await open(commit)).checkout(into, null);
    expect(readFileSync(path.join(into, "a"), "utf8")).toBe("x");
    expect(readFileSync(path.join(into, "d/up"), "utf8")).toBe("x");
    expect(lstatSync(path.join(into, "dangling")).isSymbolicLink()).toBe(true);
  });

  test.each([
    ["names that differ in case", () => [fileEntry("README"), fileEntry("readme")]],
    ["a folder and a link that differ in case", () => [folderEntry("A", fileEntry("x")), linkEntry("a", "b")]],
    ["names that differ in composition", () => [fileEntry("e\u0301"), fileEntry("\u00e9")]],
    [
      "a path through a link",
      () => [linkEntry("a", "b"), folderEntry("a", fileEntry("x")), folderEntry("b", fileEntry("y"))],
    ],
  ])("B30: %s", async (_, entries) => {
    await expect(open(rawCommit(...entries()))).rejects.toMatchObject({ code: "SOURCE_UNSAFE" });
  });

  test.each([".git", ".GIT", "git~1", ".g\u200cit", ".git.", ".git ", "..", ".", ".git::$INDEX_ALLOCATION"])(
    "B31: an entry %j",
    async (name) => {
      await expect(open(rawCommit(folderEntry(name, fileEntry("config"))))).rejects.toMatchObject({
        code: "SOURCE_UNSAFE",
      });
    },
  );

  test.each([
    ["a line feed", "a\nb"],
    ["an escape", "a\u001b[2J"],
    ["bytes that are not UTF-8", Buffer.from([0x61, 0xff])],
  ])("a name with %s", async (_, name) => {
    const error: unknown = await open(rawCommit(fileEntry(name))).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "SOURCE_UNSAFE" });
    // oxlint-disable-next-line no-control-regex -- none may be left
    expect(String(error)).not.toMatch(/[\u0000-\u001f]/u);
  });
});

describe("B38: what is too large is refused with the figure and the limit", () => {
  test.each([
    ["files", { files: 2 }, { a: "1", b: "2", c: "3" }, "holds 3 files; the limit is 2"],
    ["bytes", { bytes: 10 }, { a: "123456", b: "123456" }, "holds 12 bytes; the limit is 10"],
    ["one file", { fileBytes: 10 }, { a: "12345678901" }, "is 11 bytes large; the limit is 10"],
    ["depth", { depth: 2 }, { "a/b/c/d": "1" }, "lies 3 folders deep; the limit is 2"],
    ["path", { pathBytes: 8 }, { "aaaa/bbbb": "1" }, "is 9 bytes long; the limit is 8"],
    ["name", { nameBytes: 4 }, { aaaaa: "1" }, "has a name of 5 bytes; the limit is 4"],
  ])("%s", async (_, limits, files, message) => {
    await expect(open(repository.commit(files), limits)).rejects.toMatchObject({
      code: "SOURCE_UNSAFE",
      message: expect.stringContaining(message),
    });
  });

  test("the first offenders are shown, the others are counted", async () => {
    const files = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`file${index}`, "12345"]));
    await expect(open(repository.commit(files), { fileBytes: 4 })).rejects.toMatchObject({
      message: expect.stringMatching(/file0 .*file4 .*; and 4 more/u),
      data: { count: 9 },
    });
  });
});

test("B32: a submodule is left out as an empty folder and its URL is never asked", async () => {
  const inner = new GitRepository(path.join(folder, "inner"));
  const gitlink = inner.commit({ secret: "1" });
  const commit = rawCommit(fileEntry(".gitmodules", `[submodule "sub"]\n\tpath = sub\n\turl = ${inner.folder}\n`), {
    mode: "160000",
    name: "sub",
    oid: gitlink,
  });
  const source = await open(commit);
  const into = path.join(folder, "out");
  await source.checkout(into, null);
  expect(source.listing).toContainEqual({ path: "sub", mode: "160000", oid: gitlink, size: null });
  expect(readdirSync(path.join(into, "sub"))).toEqual([]);
  expect(existsSync(path.join(into, ".git/modules"))).toBe(false);
});

describe("B33: Git LFS", () => {
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"a".repeat(64)}\nsize 12345\n`;

  test("a pointer is refused with a sentence", async () => {
    const commit = repository.commit({
      ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
      "model.bin": pointer,
    });
    await expect(open(commit)).rejects.toMatchObject({
      code: "SOURCE_UNSAFE",
      message: expect.stringContaining("model.bin is a pointer of Git LFS"),
    });
  });

  test("the attribute without a pointer, and a pointer's text without the attribute, are plain files", async () => {
    await expect(
      open(repository.commit({ ".gitattributes": "*.bin filter=lfs\n", "model.bin": "real" })),
    ).resolves.toBeDefined();
    await expect(open(repository.commit({ ".gitattributes": null, "fixture.txt": pointer }))).resolves.toBeDefined();
  });
});

test("B34: attributes change no byte", async () => {
  const files = {
    ".gitattributes": [
      "*.crlf text eol=crlf",
      "*.auto text=auto eol=crlf",
      "*.old crlf",
      "*.id ident",
      "*.flt filter=evil",
      "*.utf working-tree-encoding=UTF-16LE",
      "*.out export-ignore",
      "*.sub export-subst",
    ].join("\n"),
    "sub/.gitattributes": "* text eol=crlf ident\n",
    "a.crlf": "one\ntwo\n",
    "a.auto": "one\ntwo\n",
    "a.old": "one\r\ntwo\n",
    "a.id": "$Id$ $Id: x $\n",
    "a.flt": "raw\n",
    "a.utf": "plain\n",
    "a.out": "kept\n",
    "a.sub": "$Format:%H$\n",
    "sub/b": "$Id$\none\n",
    "binary.crlf": Buffer.from([0, 13, 10, 255, 10]),
  };
  // Blobs are made without any conversion, so that they are exactly these bytes.
  const tree = repository.rawTree([
    ...Object.entries(files)
      .filter(([name]) => !name.includes("/"))
      .map(([name, content]) => ({ mode: "100644", name, oid: repository.blob(content) }))
      .toSorted((left, right) => (left.name < right.name ? -1 : 1)),
    folderEntry("sub", fileEntry(".gitattributes", files["sub/.gitattributes"]), fileEntry("b", files["sub/b"])),
  ]);
  const into = path.join(folder, "out");
  await (await open(repository.commitTree(tree))).checkout(into, null);
  for (const [name, content] of Object.entries(files)) {
    expect({ name, bytes: readFileSync(path.join(into, name)) }).toEqual({ name, bytes: Buffer.from(content) });
  }
  expect(runGit(into, ["status", "--porcelain"]).toString()).toBe("");
});

test("B44: a bare repository inside the tree is a folder of files", async () => {
  const marker = path.join(folder, "marker");
  const commit = repository.commit({
    "trap.git/HEAD": "ref: refs/heads/main\n",
    "trap.git/config": `[core]\n\tbare = true\n\tfsmonitor = "touch ${marker}"\n`,
    "trap.git/objects/keep": "",
    "trap.git/refs/keep": "",
  });
  const into = path.join(folder, "out");
  await (await open(commit)).checkout(into, null);
  expect(readdirSync(path.join(into, "trap.git")).toSorted()).toEqual(["HEAD", "config", "objects", "refs"]);
  expect(existsSync(marker)).toBe(false);
});
