import path from "node:path";
import { beforeEach, expect, test } from "vitest";
import type { CommitSha } from "../../../src/core/ids.ts";
import { findNearestTag } from "../../../src/source/nearest-tag.ts";
import { GitRepository } from "../../helpers/git-repository.ts";
import { type TestSourceContext, sourceContext } from "../../helpers/source-context.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

let repository: GitRepository;
let context: TestSourceContext;
let url: string;

beforeEach(() => {
  const folder = temporaryFolder();
  repository = new GitRepository(path.join(folder, "repository"));
  context = sourceContext(folder);
  url = `file://${repository.folder}`;
});

function tagsOf(...names: readonly string[]): Map<string, CommitSha> {
  return new Map(names.map((name) => [`refs/tags/${name}`, repository.commitOf(name)]));
}

function commits(count: number): CommitSha {
  let last = repository.commitOf("HEAD");
  for (let index = 0; index < count; index++) last = repository.commit({ file: last });
  return last;
}

test("the tag that lacks the fewest commits, on a branch as well", async () => {
  repository.commit({ file: "one" });
  repository.tag("v1.0.0");
  commits(2);
  repository.tag("v1.1.0", { annotated: true });
  const commit = commits(3);
  repository.git("checkout", "-q", "-b", "other", "v1.0.0");
  commits(1);
  repository.tag("v2.0.0");
  const tags = tagsOf("v2.0.0", "v1.1.0", "v1.0.0");
  expect(await findNearestTag(context, { url, named: true, commit, tags })).toEqual({
    ref: "refs/tags/v1.1.0",
    distance: 3,
  });
});

test("more history is asked for where the first of it has no tag, and files are asked for never", async () => {
  repository.git("config", "uploadpack.allowFilter", "true");
  repository.commit({ file: "one" });
  repository.tag("v1.0.0");
  const commit = commits(70);
  expect(await findNearestTag(context, { url, named: true, commit, tags: tagsOf("v1.0.0") })).toEqual({
    ref: "refs/tags/v1.0.0",
    distance: 70,
  });
  const fetches = context.calls.filter(({ args }) => args[0] === "fetch").map(({ args }) => args);
  expect(fetches.map((args) => args.find((word) => word.startsWith("--depth")))).toEqual([
    "--depth=64",
    "--depth=1024",
  ]);
  const store = context.calls.find(({ gitDir }) => gitDir !== undefined)?.gitDir ?? "";
  const kept = await context.host.git.run({
    args: ["cat-file", "--batch-all-objects", "--batch-check=%(objecttype)", "--buffer"],
    cwd: store,
    gitDir: store,
    configFile: "/dev/null",
    timeoutMs: 10_000,
    signal: context.host.signal,
  });
  expect(new Set(Buffer.from(kept.stdout).toString().trim().split("\n"))).toEqual(new Set(["commit"]));
});

test("none of them in its history, none at all, and a server that does not answer are no tag", async () => {
  const commit = repository.commit({ file: "one" });
  commits(1);
  repository.tag("v1.0.0");
  const tags = tagsOf("v1.0.0");
  expect(await findNearestTag(context, { url, named: true, commit, tags })).toBeUndefined();
  expect(await findNearestTag(context, { url, named: true, commit, tags: new Map() })).toBeUndefined();
  const gone = `${url}-gone`;
  expect(await findNearestTag(context, { url: gone, named: true, commit, tags })).toBeUndefined();
});
