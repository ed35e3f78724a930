import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import type { CommitSha, TreeSha } from "../../../src/core/ids.ts";
import { openSource } from "../../../src/source/open-source.ts";
import { storeOf } from "../../../src/source/git-store.ts";
import type { FetchedCommit } from "../../../src/source/source.ts";
import { GitRepository, runGit } from "../../helpers/git-repository.ts";
import { type TestSourceContext, sourceContext } from "../../helpers/source-context.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

let folder: string;
let repository: GitRepository;
let context: TestSourceContext;
let file: string;

beforeEach(() => {
  folder = temporaryFolder();
  repository = new GitRepository(path.join(folder, "repository"));
  context = sourceContext(folder);
  file = path.join(folder, "my tool.bundle");
});

interface Pin {
  readonly commit: CommitSha;
  readonly tree?: TreeSha;
  readonly ref?: string | null;
}

function open({ commit, tree = repository.treeOf(commit), ref = null }: Pin, offline = false): Promise<FetchedCommit> {
  return openSource(
    context,
    { kind: "bundle", file, name: "sources/tool.bundle", ref, commit, tree },
    { tool: "tool@1.0.0", offline },
  );
}

function fetches(): number {
  return context.calls.filter(({ args }) => args[0] === "fetch").length;
}

describe("a bundle", () => {
  test("is cloned like any other repository", async () => {
    const commit = repository.commit({
      "bin/tool": { run: "#!/bin/sh\necho hi\n" },
      "README.md": "# tool\n",
      docs: { link: "README.md" },
    });
    repository.tag("v1.0.0", { annotated: true });
    repository.commit({ "README.md": "later" });
    repository.bundle(file);
    const source = await open({ commit, ref: "refs/tags/v1.0.0" });
    expect(source).toMatchObject({ commit, tree: repository.treeOf(commit), dirty: false, ref: "refs/tags/v1.0.0" });
    expect(source.listing.map((entry) => `${entry.mode} ${entry.path}`)).toEqual([
      "100644 README.md",
      "100755 bin/tool",
      "120000 docs",
    ]);
    const into = path.join(folder, "out");
    await source.checkout(into, "v1.0.0");
    expect(readFileSync(path.join(into, "bin/tool"), "utf8")).toBe("#!/bin/sh\necho hi\n");
    expect(runGit(into, ["describe"]).toString().trim()).toBe("v1.0.0");
  });

  test("needs no network: it works under --offline", async () => {
    const commit = repository.commit({ a: "1" });
    repository.bundle(file);
    await expect(open({ commit }, true)).resolves.toMatchObject({ commit });
  });

  test("is read once for a pin, and is not needed afterwards", async () => {
    const commit = repository.commit({ a: "1" });
    repository.bundle(file);
    await open({ commit });
    rmSync(file);
    await expect(open({ commit })).resolves.toMatchObject({ commit });
    expect(fetches()).toBe(1);
  });

  test("that is replaced by one with a new version is read again", async () => {
    const first = repository.commit({ a: "1" });
    repository.bundle(file);
    await open({ commit: first });
    const second = repository.commit({ a: "2" });
    repository.bundle(file);
    await expect(open({ commit: second })).resolves.toMatchObject({ commit: second });
  });

  test("with another tree, or a tag that is elsewhere, is refused with both values", async () => {
    const commit = repository.commit({ a: "1" });
    const later = repository.commit({ a: "2" });
    repository.tag("v1.0.0");
    repository.bundle(file);
    await expect(open({ commit, tree: repository.treeOf(later) })).rejects.toMatchObject({
      code: "SOURCE_MISMATCH",
      data: { pinned: repository.treeOf(later), found: repository.treeOf(commit) },
    });
    await expect(open({ commit, ref: "refs/tags/v1.0.0" })).rejects.toMatchObject({
      code: "SOURCE_MISMATCH",
      data: { pinned: commit, found: later },
    });
  });

  test("without the commit, missing, or damaged is an error that names it", async () => {
    const commit = repository.commit({ a: "1" });
    const refused = { code: "FETCH_FAILED", message: expect.stringContaining("my tool.bundle") };
    await expect(open({ commit })).rejects.toMatchObject(refused);
    writeFileSync(file, "# v2 git bundle\nrubbish");
    await expect(open({ commit })).rejects.toMatchObject(refused);
    repository.bundle(file);
    const later = repository.commit({ a: "2" });
    await expect(open({ commit: later, tree: repository.treeOf(later) })).rejects.toMatchObject(refused);
  });
});

test("a store that lost a commit says that it is a cache", async () => {
  const commit = repository.commit({ a: "1" });
  repository.bundle(file);
  await open({ commit });
  rmSync(path.join(storeOf(context, `bundle:${file}`).folder, "objects"), { recursive: true });
  await expect(open({ commit })).rejects.toMatchObject({
    code: "STATE_DAMAGED",
    hint: expect.stringContaining("it is a cache"),
  });
});
