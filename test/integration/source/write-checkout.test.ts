import { existsSync, mkdirSync, readFileSync, readdirSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CommitSha } from "../../../src/core/ids.ts";
import { openSource } from "../../../src/source/open-source.ts";
import type { FetchedCommit } from "../../../src/source/source.ts";
import { GitRepository, runGit } from "../../helpers/git-repository.ts";
import { type TestSourceContext, sourceContext } from "../../helpers/source-context.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

const UMASK = process.umask();

let folder: string;
let repository: GitRepository;
let context: TestSourceContext;
let into: string;

beforeEach(() => {
  folder = temporaryFolder();
  repository = new GitRepository(path.join(folder, "repository"));
  context = sourceContext(folder);
  into = path.join(folder, "out");
});

afterEach(() => process.umask(UMASK));

function open(commit: CommitSha, ref: string | null = null): Promise<FetchedCommit> {
  const file = path.join(folder, "tool.bundle");
  repository.bundle(file);
  return openSource(
    context,
    { kind: "bundle", file, name: "sources/tool.bundle", ref, commit, tree: repository.treeOf(commit) },
    { tool: "tool@1" },
  );
}

function git(...args: string[]): string {
  return runGit(into, args).toString().trim();
}

const FILES = {
  "bin/run": { run: "#!/bin/sh\n" },
  "lib/a/b.txt": "text\n",
  empty: "",
  link: { link: "bin/run" },
} as const;

function modeOf(name: string): string {
  return (statSync(path.join(into, name)).mode & 0o7777).toString(8);
}

test("files, links and modes are those of the commit", async () => {
  await (await open(repository.commit(FILES))).checkout(into, null);
  expect(readFileSync(path.join(into, "lib/a/b.txt"), "utf8")).toBe("text\n");
  expect(readlinkSync(path.join(into, "link"))).toBe("bin/run");
  expect(["bin/run", "lib/a/b.txt", "empty", "lib", "lib/a", ""].map(modeOf)).toEqual([
    "755",
    "644",
    "644",
    "755",
    "755",
    "755",
  ]);
  expect(readdirSync(into).toSorted()).toEqual([".git", "bin", "empty", "lib", "link"]);
});

test("a pack that cannot be written to its end leaves nothing in the store", async () => {
  // A git that may write files of 8 KiB, as on a disk that is full then.
  const program = path.join(folder, "small/git");
  mkdirSync(path.dirname(program));
  const script = '#!/bin/sh\n[ ! -e "$0.full" ] || ulimit -f 16\nexec /usr/bin/git "$@"\n';
  writeFileSync(program, script, { mode: 0o755 });
  context = sourceContext(folder, { systemFolders: [path.dirname(program)] });
  const source = await open(repository.commit({ large: randomBytes(64 * 1024).toString("hex") }));
  writeFileSync(`${program}.full`, "");
  await expect(source.checkout(into, null)).rejects.toMatchObject({ code: "FETCH_FAILED" });
  const stores = path.join(folder, "cache/git");
  const left = readdirSync(stores, { recursive: true, encoding: "utf8" }).filter((name) => /(?:^|\/)tmp_/u.test(name));
  expect(left).toEqual([]);
  expect(existsSync(into)).toBe(false);
});

test("odd names are names", async () => {
  const names = [
    "a:b",
    "back\\slash",
    "con",
    "dot.",
    " space ",
    "-dash",
    "*",
    "quote'\"",
    "h\u00e9",
    "\u{1f469}\u200d\u{1f4bb}",
    ":(top)x",
  ];
  await (await open(repository.commit(Object.fromEntries(names.map((name) => [name, name]))))).checkout(into, null);
  expect(readdirSync(into).toSorted()).toEqual([".git", ...names].toSorted());
  expect(git("status", "--porcelain")).toBe("");
});

test.each([0o000, 0o077, 0o027])("modes do not depend on the umask (%o)", async (umask) => {
  const source = await open(repository.commit(FILES));
  process.umask(umask);
  await source.checkout(into, null);
  expect(["bin/run", "lib/a/b.txt", "empty", "lib", "lib/a"].map(modeOf)).toEqual(["755", "644", "644", "755", "755"]);
});

describe("the repository that steps see", () => {
  test("is one commit with the pinned id, unchanged, with the version's tag", async () => {
    repository.commit({ old: "history" });
    const commit = repository.commit({ ...FILES, old: null });
    repository.tag("v1.2.0", { annotated: true });
    repository.tag("other");
    await (await open(commit, "refs/tags/v1.2.0")).checkout(into, "v1.2.0");
    expect(git("rev-parse", "HEAD")).toBe(commit);
    expect(git("rev-list", "--count", "HEAD")).toBe("1");
    expect(git("status", "--porcelain")).toBe("");
    expect(git("tag")).toBe("v1.2.0");
    expect(git("describe")).toBe("v1.2.0");
    expect(git("cat-file", "-t", "v1.2.0")).toBe("tag");
    expect(git("fsck", "--full", "--strict")).toBe("");
    expect(git("count-objects", "-v")).toContain("count: 0\n");
  });

  test("has a lightweight tag where the source's own was not seen", async () => {
    const commit = repository.commit(FILES);
    await (await open(commit)).checkout(into, "v1");
    expect(git("describe", "--tags")).toBe("v1");
    expect(git("rev-parse", "v1")).toBe(commit);
  });

  test("has no remote, no hooks, no history and no way to ipm's store", async () => {
    repository.commit({ secret: "removed later" });
    const commit = repository.commit({ ...FILES, secret: null });
    await (await open(commit)).checkout(into, null);
    expect(git("remote")).toBe("");
    expect(existsSync(path.join(into, ".git/hooks"))).toBe(false);
    expect(existsSync(path.join(into, ".git/objects/info/alternates"))).toBe(false);
    const all = git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split("\n");
    expect(all).not.toContain(repository.blob("removed later"));
    const written = readdirSync(path.join(into, ".git"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), "latin1"));
    expect(written.filter((content) => content.includes(context.cache))).toEqual([]);
  });

  test("of an empty tree is a repository too", async () => {
    const commit = repository.commit({});
    await (await open(commit)).checkout(into, null);
    expect(git("rev-parse", "HEAD")).toBe(commit);
    expect(readdirSync(into)).toEqual([".git"]);
  });

  test("does not change the store when a step writes to it", async () => {
    const source = await open(repository.commit(FILES));
    await source.checkout(into, null);
    writeFileSync(path.join(into, "lib/a/b.txt"), "changed\n");
    git("-c", "user.name=x", "-c", "user.email=x", "commit", "-qam", "by a step");
    git("gc", "-q", "--prune=now");
    const again = path.join(folder, "again");
    await source.checkout(again, null);
    expect(readFileSync(path.join(again, "lib/a/b.txt"), "utf8")).toBe("text\n");
  });
});

test("a folder that holds something is left as it is", async () => {
  const source = await open(repository.commit(FILES));
  mkdirSync(into);
  writeFileSync(path.join(into, "mine"), "x");
  await expect(source.checkout(into, null)).rejects.toMatchObject({ code: "FOREIGN_FILE" });
  expect(readdirSync(into)).toEqual(["mine"]);
});

test("a checkout that fails leaves nothing", async () => {
  const source = await open(repository.commit(FILES));
  context.before = ({ args }) => {
    if (args.includes("pack-objects")) throw new Error("the disk");
  };
  await expect(source.checkout(into, null)).rejects.toThrow("the disk");
  expect(existsSync(into)).toBe(false);
});

describe("readFile", () => {
  test("gives a plain file's bytes", async () => {
    const source = await open(repository.commit({ ...FILES, "data.bin": Buffer.from([0, 255, 10, 13]) }));
    expect(await source.readFile("data.bin", 4)).toEqual(Buffer.from([0, 255, 10, 13]));
    expect(await source.readFile("empty", 10)).toEqual(Buffer.alloc(0));
  });

  test.each(["missing", "link", "bin", "../x"])("gives nothing for %s", async (name) => {
    const source = await open(repository.commit(FILES));
    expect(await source.readFile(name, 1_000)).toBeUndefined();
  });

  test("gives nothing for a file that is larger than asked for", async () => {
    const source = await open(repository.commit(FILES));
    expect(await source.readFile("lib/a/b.txt", 4)).toBeUndefined();
  });
});
