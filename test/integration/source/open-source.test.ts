import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSource } from "../../../src/source/open-source.ts";
import { GitRepository, runGit } from "../../helpers/git-repository.ts";
import { sourceContext } from "../../helpers/source-context.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), "ipm-source-")));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a pinned commit of a bundle is fetched, listed and written", async () => {
  const repository = new GitRepository(path.join(folder, "repo"));
  const commit = repository.commit({
    "bin/tool": { run: "#!/bin/sh\necho hi\n" },
    "README.md": "# tool\n",
    docs: { link: "README.md" },
  });
  repository.tag("v1.0.0", { annotated: true });
  const tree = repository.treeOf("HEAD");
  repository.bundle(path.join(folder, "tool.bundle"));
  const context = sourceContext(folder);

  const source = await openSource(
    context,
    { kind: "bundle", file: path.join(folder, "tool.bundle"), ref: "refs/tags/v1.0.0", commit, tree },
    { tool: "tool@1.0.0" },
  );
  const into = path.join(folder, "out");
  await source.checkout(into, "v1.0.0");

  expect(source.listing.map(({ path: file }) => file)).toEqual(["README.md", "bin/tool", "docs"]);
  expect(readFileSync(path.join(into, "bin/tool"), "utf8")).toBe("#!/bin/sh\necho hi\n");
  const git = (...args: string[]): string => runGit(into, args).toString().trim();
  expect(git("status", "--porcelain")).toBe("");
  expect(git("describe")).toBe("v1.0.0");
  expect(git("log", "--format=%H")).toBe(commit);
  expect(git("fsck")).toBe("");
});
