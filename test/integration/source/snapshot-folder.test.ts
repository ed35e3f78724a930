import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { type OpenSourceOptions, openSource } from "../../../src/source/open-source.ts";
import type { FetchedCommit } from "../../../src/source/source.ts";
import { GitRepository, runGit } from "../../helpers/git-repository.ts";
import { type TestSourceContext, sourceContext } from "../../helpers/source-context.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

let folder: string;
let project: string;
let context: TestSourceContext;

beforeEach(() => {
  folder = temporaryFolder();
  project = path.join(folder, "project");
  context = sourceContext(folder);
});

function open(limits: OpenSourceOptions["limits"] = {}): Promise<FetchedCommit> {
  return openSource(context, { kind: "folder", path: project }, { tool: "project@0", limits });
}

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(project, name)), { recursive: true });
    writeFileSync(path.join(project, name), content);
  }
}

function treeOf(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" }).toSorted();
}

function namesOf(source: FetchedCommit): string[] {
  return source.listing.map((entry) => entry.path);
}

describe("a folder that is no repository", () => {
  test("is taken as it is, but for what its .gitignore names", async () => {
    write({
      ".gitignore": "*.log\n/build/\n",
      "a.txt": "1",
      "a.log": "x",
      "build/out": "x",
      "sub/.gitignore": "tmp\n",
      "sub/tmp": "x",
      "sub/b": "2",
    });
    const source = await open();
    expect(namesOf(source)).toEqual([".gitignore", "a.txt", "sub/.gitignore", "sub/b"]);
    expect(source.dirty).toBe(true);
    expect(existsSync(path.join(project, ".git"))).toBe(false);
  });

  test("gives the same commit for the same content, another for another", async () => {
    write({ a: "1" });
    const first = await open();
    const second = await open();
    write({ a: "2" });
    const third = await open();
    expect(second.commit).toBe(first.commit);
    expect(third.commit).not.toBe(first.commit);
  });

  test("can be written elsewhere, with modes and a repository of its own", async () => {
    write({ "bin/run": "#!/bin/sh\n", a: "1" });
    chmodSync(path.join(project, "bin/run"), 0o755);
    const source = await open();
    const into = path.join(folder, "out");
    await source.checkout(into, null);
    expect(statSync(path.join(into, "bin/run")).mode & 0o777).toBe(0o755);
    expect(readFileSync(path.join(into, "a"), "utf8")).toBe("1");
    expect(runGit(into, ["rev-parse", "HEAD"]).toString().trim()).toBe(source.commit);
  });

  test("that is empty is an empty tree", async () => {
    mkdirSync(project);
    await expect(open()).resolves.toMatchObject({ listing: [], bytes: 0 });
  });

  test("leaves nothing behind in the store but objects", async () => {
    write({ a: "1" });
    await open();
    const store = path.dirname(context.calls.find(({ gitDir }) => gitDir !== undefined)?.indexFile ?? "");
    expect(readdirSync(store).filter((name) => name.startsWith("index"))).toEqual([]);
  });
});

describe("a folder that is a repository", () => {
  let repository: GitRepository;

  beforeEach(() => {
    repository = new GitRepository(project);
  });

  test("and clean is the commit that it has checked out", async () => {
    repository.commit({ a: "1" });
    const commit = repository.commit({ a: "2", "sub/b": "3", ".gitignore": "ignored\n" });
    write({ ignored: "x" });
    await expect(open()).resolves.toMatchObject({ commit, dirty: false, ref: "refs/heads/main" });
    const into = path.join(folder, "out");
    await (await open()).checkout(into, null);
    expect(runGit(into, ["rev-parse", "HEAD"]).toString().trim()).toBe(commit);
    expect(runGit(into, ["status", "--porcelain"]).toString()).toBe("");
  });

  test.each(["pack-refs", "detached", "gc", "worktree"])("and clean is found with %s", async (how) => {
    const commit = repository.commit({ a: "1" });
    if (how === "pack-refs") repository.git("pack-refs", "--all");
    if (how === "detached") repository.git("checkout", "-q", "--detach");
    if (how === "gc") repository.git("gc", "-q");
    if (how === "worktree") {
      const linked = path.join(folder, "linked");
      repository.git("worktree", "add", "-q", linked, "-b", "side");
      project = linked;
    }
    await expect(open()).resolves.toMatchObject({ commit, dirty: false });
  });

  test.each([
    ["a change", { a: "2" }],
    ["a new file", { b: "1" }],
  ])("is dirty with %s", async (_, files) => {
    const commit = repository.commit({ a: "1" });
    write(files);
    const source = await open();
    expect(source.dirty).toBe(true);
    expect(source.commit).not.toBe(commit);
    expect(namesOf(source)).toEqual(["a", ...Object.keys(files).filter((name) => name !== "a")]);
  });

  test("is dirty without a file that was removed", async () => {
    repository.commit({ a: "1", b: "2" });
    rmSync(path.join(project, "b"));
    const source = await open();
    expect(namesOf(source)).toEqual(["a"]);
    expect(source.dirty).toBe(true);
  });

  test("is dirty without a commit", async () => {
    write({ a: "1" });
    await expect(open()).resolves.toMatchObject({ dirty: true });
  });

  test("gives what is tracked though ignored, and not what its info/exclude names", async () => {
    repository.commit({ ".gitignore": "*.gen\n", "kept.gen": "1" });
    write({ "new.gen": "x", local: "x" });
    mkdirSync(path.join(project, ".git/info"), { recursive: true });
    writeFileSync(path.join(project, ".git/info/exclude"), "local\n");
    const source = await open();
    expect(namesOf(source)).toEqual([".gitignore", "kept.gen"]);
    expect(source.dirty).toBe(false);
  });

  test("gives the bytes that are there, whatever its attributes say", async () => {
    repository.commit({ ".gitattributes": "*.txt text eol=crlf ident filter=evil\n", "a.txt": "1" });
    write({ "a.txt": "one\r\n$Id: x $\r\n" });
    const source = await open();
    expect(Buffer.from((await source.readFile("a.txt", 100)) ?? []).toString()).toBe("one\r\n$Id: x $\r\n");
  });

  test("with repositories inside gives their files and never their .git", async () => {
    repository.commit({ a: "1" });
    const nested = new GitRepository(path.join(project, "vendor/nested"));
    nested.commit({ inner: "2" });
    new GitRepository(path.join(project, "vendor/empty")).write({ untracked: "3" });
    expect(namesOf(await open())).toEqual(["a", "vendor/empty/untracked", "vendor/nested/inner"]);
  });

  test("B36: nothing that its configuration names is ever run", async () => {
    const marker = path.join(folder, "sprung");
    const program = path.join(folder, "trap.sh");
    writeFileSync(program, `#!/bin/sh\ntouch '${marker}'\n`, { mode: 0o755 });
    repository.commit({ ".gitattributes": "* filter=evil\n", a: "1" });
    for (const [key, value] of [
      ["core.fsmonitor", program],
      ["core.hooksPath", folder],
      ["filter.evil.clean", program],
      ["filter.evil.smudge", program],
      ["core.sshCommand", program],
      ["diff.external", program],
    ] as const) {
      repository.git("config", key, value);
    }
    write({ a: "2" });
    // The trap is a real one: git itself steps into it.
    runGit(project, ["status"]);
    expect(existsSync(marker)).toBe(true);
    rmSync(marker);
    const source = await open();
    await source.checkout(path.join(folder, "out"), null);
    expect(existsSync(marker)).toBe(false);
  });

  test("gives no .git in another spelling", async () => {
    repository.commit({ a: "1" });
    write({ "sub/.GIT/config": "x", "git~1/config": "x" });
    expect(namesOf(await open())).toEqual(["a"]);
  });

  test("is not changed by being looked at", async () => {
    repository.commit({ a: "1" });
    const index = readFileSync(path.join(project, ".git/index"));
    const before = treeOf(path.join(project, ".git"));
    await open();
    expect(readFileSync(path.join(project, ".git/index")).equals(index)).toBe(true);
    expect(treeOf(path.join(project, ".git"))).toEqual(before);
  });
});

describe("a folder that cannot be taken", () => {
  test("is missing", async () => {
    await expect(open()).rejects.toMatchObject({ code: "TARGET_INVALID" });
  });

  test("is a file", async () => {
    writeFileSync(project, "x");
    await expect(open()).rejects.toMatchObject({ code: "TARGET_INVALID" });
  });

  test("B38: has too many files or bytes", async () => {
    write({ a: "12345", b: "12345", c: "12345" });
    await expect(open({ files: 2 })).rejects.toMatchObject({
      code: "SOURCE_UNSAFE",
      message: expect.stringContaining("more than 2 files"),
    });
    await expect(open({ bytes: 9 })).rejects.toMatchObject({
      code: "SOURCE_UNSAFE",
      message: expect.stringContaining("more than 9 bytes"),
    });
  });

  test("B29: has a link that leaves", async () => {
    new GitRepository(project).write({ out: { link: "../../x" } });
    await expect(open()).rejects.toMatchObject({ code: "SOURCE_UNSAFE" });
  });

  test.skipIf(process.getuid?.() === 0)("has a file that cannot be read", async () => {
    write({ a: "1", secret: "2" });
    chmodSync(path.join(project, "secret"), 0);
    await expect(open()).rejects.toMatchObject({ code: "IO_FAILED", message: expect.stringContaining("secret") });
  });
});

test("a socket is left out", async () => {
  write({ a: "1" });
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(path.join(project, "s"), resolve);
  });
  try {
    expect(namesOf(await open())).toEqual(["a"]);
  } finally {
    server.close();
  }
});
