import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { IpmError } from "../../../src/core/errors.ts";
import type { CommitSha, TreeSha } from "../../../src/core/ids.ts";
import { findRefOfCommit } from "../../../src/source/find-ref.ts";
import { listRefs } from "../../../src/source/list-refs.ts";
import { type OpenSourceOptions, openSource } from "../../../src/source/open-source.ts";
import { seenRef, storeOf } from "../../../src/source/git-store.ts";
import type { FetchedCommit } from "../../../src/source/source.ts";
import { GitRepository, runGit } from "../../helpers/git-repository.ts";
import { type GitServer, type GitServerOptions, serveGit } from "../../helpers/git-server.ts";
import { type TestSourceContext, sourceContext } from "../../helpers/source-context.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

const URL = "https://git.example.test/tool.git";

let folder: string;
let remote: GitRepository;
let server: GitServer;

beforeEach(() => {
  folder = temporaryFolder();
  remote = new GitRepository(path.join(folder, "served", "tool.git"));
});

afterEach(async () => {
  await server.close();
});

async function serve(options: GitServerOptions = {}): Promise<TestSourceContext> {
  server = await serveGit(path.join(folder, "served"), options);
  // What a user may write to reach a mirror; the tests reach their own server by it.
  return sourceContext(folder, { gitConfig: `[url "${server.origin}/"]\n\tinsteadOf = https://git.example.test/\n` });
}

interface Pin {
  readonly ref?: string | null;
  readonly commit?: CommitSha | null;
  readonly tree?: TreeSha | null;
}

function open(context: TestSourceContext, pin: Pin, options: Partial<OpenSourceOptions> = {}): Promise<FetchedCommit> {
  const request = { kind: "git", url: URL, named: false, ref: null, commit: null, tree: null, ...pin } as const;
  return openSource(context, request, { tool: "tool@1.0.0", ...options });
}

function networkCalls(context: TestSourceContext): string[] {
  return context.calls
    .map(({ args }) => args[0] ?? "")
    .filter((command) => command === "fetch" || command === "ls-remote");
}

describe("a pinned commit", () => {
  test("is fetched shallow in two requests", async () => {
    const commit = remote.commit({ a: "1" });
    const context = await serve();
    await open(context, { commit });
    expect(server.requests).toHaveLength(2);
  });

  test("is fetched shallow with its tag in one call, and kept", async () => {
    remote.commit({ a: "1" });
    const commit = remote.commit({ a: "2" });
    remote.tag("v1.0.0", { annotated: true });
    remote.commit({ a: "3" });
    const context = await serve();
    const source = await open(context, { ref: "refs/tags/v1.0.0", commit, tree: remote.treeOf(commit) });
    expect(source).toMatchObject({
      commit,
      tree: remote.treeOf(commit),
      ref: "refs/tags/v1.0.0",
      dirty: false,
      bytes: 1,
    });
    expect(server.requests).toHaveLength(3);
    expect(networkCalls(context)).toEqual(["fetch"]);
    const store = storeOf(context, URL).folder;
    expect(readFileSync(path.join(store, "shallow"), "utf8")).toContain(commit);
    expect(readFileSync(path.join(store, "refs/pins", commit), "utf8")).toBe(`${commit}\n`);
    expect(existsSync(path.join(store, "refs/incoming", commit))).toBe(false);
  });

  test("costs no network the second time, nor under --offline", async () => {
    const commit = remote.commit({ a: "1" });
    const context = await serve();
    await open(context, { commit });
    const asked = server.requests.length;
    await open(context, { commit });
    await open(context, { commit }, { offline: true });
    expect(server.requests).toHaveLength(asked);
    expect(networkCalls(context)).toEqual(["fetch"]);
  });

  test("that is not here is an error under --offline", async () => {
    const commit = remote.commit({ a: "1" });
    const context = await serve();
    await expect(open(context, { commit }, { offline: true })).rejects.toMatchObject({ code: "OFFLINE" });
    expect(server.requests).toEqual([]);
  });

  test("of a server of the old protocol, which refuses ids that no ref has, is found all the same", async () => {
    const commit = remote.commit({ a: "1" });
    remote.commit({ a: "2" });
    const context = await serve({ oldProtocol: true });
    const source = await open(context, { commit, tree: remote.treeOf(commit) });
    expect(source.commit).toBe(commit);
    expect(networkCalls(context)).toEqual(["fetch", "fetch"]);
  });

  test("of a later version costs only what changed", async () => {
    const big = randomBytes(100_000);
    const context = await serve();
    await open(context, { commit: remote.commit({ big, a: "1" }) });
    const first = server.sent.splice(0).reduce((sum, bytes) => sum + bytes, 0);
    await open(context, { commit: remote.commit({ a: "2" }) });
    const second = server.sent.reduce((sum, bytes) => sum + bytes, 0);
    expect(second).toBeLessThan(first / 10);
  });

  test("is checked out with its own objects and no others, whatever else the store has", async () => {
    const first = remote.commit({ a: randomBytes(2000).toString("hex"), link: { link: "a" } });
    remote.tag("v1", { annotated: true });
    const context = await serve();
    const before = await open(context, { commit: first, ref: "refs/tags/v1" });
    const second = remote.commit({ a: "2" });
    await before.checkout(path.join(folder, "one"), "v1");
    await (await open(context, { commit: second })).checkout(path.join(folder, "two"), "v2");
    await before.checkout(path.join(folder, "three"), "v1");
    for (const [name, commit, tag] of [
      ["one", first, "tag"],
      ["two", second, "commit"],
      ["three", first, "tag"],
    ] as const) {
      const git = (...args: string[]): string => runGit(path.join(folder, name), args).toString().trim();
      expect(git("rev-parse", "HEAD")).toBe(commit);
      expect(git("rev-list", "--count", "--all")).toBe("1");
      expect(git("status", "--porcelain")).toBe("");
      expect(git("fsck", "--full", "--strict")).toBe("");
      const types = git("cat-file", "--batch-all-objects", "--batch-check=%(objecttype)").split("\n").toSorted();
      expect(types).toEqual(["blob", "blob", "commit", ...(tag === "tag" ? ["tag"] : []), "tree"]);
      expect(git("cat-file", "-t", tag === "tag" ? "v1" : "v2")).toBe(tag);
    }
  });

  test("does not share its objects with the checkout: what a step does to them stays there", async () => {
    const commit = remote.commit({ a: "1" });
    const context = await serve();
    const source = await open(context, { commit });
    await source.checkout(path.join(folder, "one"), null);
    const packs = path.join(folder, "one/.git/objects/pack");
    for (const name of readdirSync(packs)) {
      chmodSync(path.join(packs, name), 0o644);
      writeFileSync(path.join(packs, name), "overwritten");
    }
    await source.checkout(path.join(folder, "two"), null);
    expect(runGit(path.join(folder, "two"), ["fsck", "--full", "--strict"]).toString()).toBe("");
  });

  test("several at once do not disturb each other", async () => {
    const first = remote.commit({ a: "1" });
    const second = remote.commit({ a: "2" });
    const context = await serve();
    const opened = await Promise.all([first, second, first, second].map((commit) => open(context, { commit })));
    expect(opened.map(({ commit }) => commit)).toEqual([first, second, first, second]);
    expect(networkCalls(context)).toEqual(["fetch", "fetch"]);
  });

  test("progress is told as events", async () => {
    const commit = remote.commit({ a: "1" });
    const context = await serve();
    await open(context, { commit });
    const progress = context.events.filter((event) => event.type === "fetch.progress");
    expect(progress.length).toBeGreaterThan(0);
    expect(progress[0]).toMatchObject({ tool: "tool@1.0.0", url: URL });
  });

  test("locks that a killed git left in the store are removed", async () => {
    const first = remote.commit({ a: "1" });
    const context = await serve();
    await open(context, { commit: first });
    const store = storeOf(context, URL).folder;
    const second = remote.commit({ a: "2" });
    mkdirSync(path.join(store, "refs/incoming"), { recursive: true });
    const stale = ["shallow.lock", "packed-refs.lock", `refs/incoming/${second}.lock`, "objects/pack/tmp_pack_x"];
    for (const name of stale) writeFileSync(path.join(store, name), "");
    await expect(open(context, { commit: second })).resolves.toMatchObject({ commit: second });
    expect(stale.filter((name) => existsSync(path.join(store, name)))).toEqual([]);
  });
});

test("what a failed fetch received is taken away at once: it may have filled the disk", async () => {
  const first = remote.commit({ a: "1" });
  const context = await serve();
  await open(context, { commit: first });
  const half = path.join(storeOf(context, URL).folder, "objects/pack/tmp_pack_x");
  context.before = ({ args }) => {
    if (!args.includes("fetch")) return;
    writeFileSync(half, "half of a pack");
    throw new IpmError("DISK_FULL", "no space left");
  };
  await expect(open(context, { commit: remote.commit({ a: "2" }) })).rejects.toMatchObject({ code: "DISK_FULL" });
  expect(existsSync(half)).toBe(false);
});

test("offline no server is asked, by whatever asks one", async () => {
  const commit = remote.commit({ a: "1" });
  const context = { ...(await serve()), offline: true };
  const source = { url: URL, named: false };
  const refused = { code: "OFFLINE", hint: "run the command once without --offline" };
  await expect(listRefs(context, source, { tool: "tool@1.0.0" })).rejects.toMatchObject(refused);
  await expect(findRefOfCommit(context, source, commit, { tool: "tool@1.0.0" })).rejects.toMatchObject(refused);
  expect(server.requests).toEqual([]);
  // A folder of this machine is no server.
  const local = { url: `file://${remote.folder}`, named: true };
  expect((await listRefs(context, local, { tool: "tool@1.0.0" })).commits.size).toBe(1);
});

describe("what was pinned and what is there", () => {
  test("B26: a commit that is gone is an error with advice", async () => {
    const gone = remote.commit({ a: "1" });
    remote.git("commit", "-q", "--amend", "--no-gpg-sign", "-m", "rewritten");
    remote.git("reflog", "expire", "--expire=now", "--all");
    remote.git("gc", "-q", "--prune=now");
    const context = await serve();
    await expect(open(context, { commit: gone })).rejects.toMatchObject({
      code: "FETCH_FAILED",
      message: expect.stringContaining(gone),
      hint: expect.stringContaining("compare the id"),
    });
    await expect(open(context, { commit: gone, tree: remote.treeOf("HEAD") })).rejects.toMatchObject({
      code: "COMMIT_GONE",
      exitCode: 5,
      message: expect.stringContaining("rewritten"),
      hint: expect.stringContaining("another version"),
    });
  });

  test("B26: a commit that is gone upstream and is in the store is used", async () => {
    const gone = remote.commit({ a: "1" });
    const context = await serve();
    await open(context, { commit: gone, tree: remote.treeOf(gone) });
    const tree = remote.treeOf(gone);
    rmSync(remote.folder, { recursive: true });
    await expect(open(context, { commit: gone, tree })).resolves.toMatchObject({ commit: gone });
  });

  test("B27: a tag that has moved is refused with both values, every time", async () => {
    const pinned = remote.commit({ a: "1" });
    const moved = remote.commit({ a: "2" });
    remote.tag("v1.0.0");
    const context = await serve();
    const pin = { ref: "refs/tags/v1.0.0", commit: pinned, tree: remote.treeOf(pinned) };
    const refused = { code: "SOURCE_MISMATCH", data: { pinned, found: moved } };
    await expect(open(context, pin)).rejects.toMatchObject(refused);
    await expect(open(context, pin)).rejects.toMatchObject(refused);
  });

  test("B27: a tag that has moved in a rewritten history is refused with both values too", async () => {
    const gone = remote.commit({ a: "1" });
    remote.git("commit", "-q", "--amend", "--no-gpg-sign", "-m", "rewritten");
    remote.git("reflog", "expire", "--expire=now", "--all");
    remote.git("gc", "-q", "--prune=now");
    remote.tag("v1.0.0");
    const found = remote.git("rev-parse", "HEAD").trim();
    const context = await serve();
    await expect(open(context, { ref: "refs/tags/v1.0.0", commit: gone })).rejects.toMatchObject({
      code: "SOURCE_MISMATCH",
      data: { pinned: gone, found },
    });
  });

  test("a tag that is gone is a warning: the pin decides", async () => {
    const commit = remote.commit({ a: "1" });
    const context = await serve();
    await expect(open(context, { ref: "refs/tags/v1.0.0", commit })).resolves.toMatchObject({ commit });
    expect(context.events).toContainEqual(expect.objectContaining({ type: "warning", code: "TAG_GONE" }));
  });

  test("a branch that has gone on is no reason to refuse", async () => {
    const commit = remote.commit({ a: "1" });
    remote.commit({ a: "2" });
    const context = await serve();
    await expect(open(context, { ref: "refs/heads/main", commit })).resolves.toMatchObject({ commit });
  });

  test("B28: another tree is refused with both values, fetched before or not", async () => {
    const commit = remote.commit({ a: "1" });
    const found = remote.treeOf(commit);
    const other = remote.treeOf(remote.commit({ a: "2" }));
    const context = await serve();
    const refused = { code: "SOURCE_MISMATCH", data: { pinned: other, found } };
    await expect(open(context, { commit, tree: other })).rejects.toMatchObject(refused);
    await open(context, { commit, tree: found });
    await expect(open(context, { commit, tree: other })).rejects.toMatchObject(refused);
  });

  test("the id of a tag's object is not a commit", async () => {
    remote.commit({ a: "1" });
    remote.tag("v1", { annotated: true });
    const tag = remote.git("rev-parse", "refs/tags/v1");
    const context = await serve();
    await expect(open(context, { ref: tag })).rejects.toMatchObject({ code: "SOURCE_MISMATCH" });
  });
});

describe("a source without a pin", () => {
  test("is what HEAD points to", async () => {
    const commit = remote.commit({ a: "1" });
    const context = await serve();
    await expect(open(context, {})).resolves.toMatchObject({ commit, ref: "refs/heads/main" });
  });

  test("is what the tag points to, then the branch", async () => {
    const tagged = remote.commit({ a: "1" });
    remote.tag("release", { annotated: true });
    const branch = remote.commit({ a: "2" });
    remote.git("branch", "release");
    remote.git("branch", "next");
    const context = await serve();
    await expect(open(context, { ref: "release" })).resolves.toMatchObject({
      commit: tagged,
      ref: "refs/tags/release",
    });
    await expect(open(context, { ref: "next" })).resolves.toMatchObject({ commit: branch, ref: "refs/heads/next" });
    await expect(open(context, { ref: "refs/heads/release" })).resolves.toMatchObject({ commit: branch });
  });

  test("is the commit of forty digits", async () => {
    const commit = remote.commit({ a: "1" });
    remote.commit({ a: "2" });
    const context = await serve();
    await expect(open(context, { ref: commit })).resolves.toMatchObject({ commit, ref: null });
    expect(networkCalls(context)).toEqual(["fetch"]);
  });

  test("moves with the branch", async () => {
    remote.commit({ a: "1" });
    const context = await serve();
    await open(context, {});
    const commit = remote.commit({ a: "2" });
    await expect(open(context, {})).resolves.toMatchObject({ commit });
  });

  test("cannot be resolved under --offline", async () => {
    remote.commit({ a: "1" });
    const context = await serve();
    await expect(open(context, {}, { offline: true })).rejects.toMatchObject({ code: "OFFLINE" });
  });

  test.each([
    ["nowhere", "git ls-remote"],
    ["abcdef1", "forty digits"],
  ])("a ref that is not there (%s) is an error", async (ref, hint) => {
    remote.commit({ a: "1" });
    const context = await serve();
    await expect(open(context, { ref })).rejects.toMatchObject({
      code: "FETCH_FAILED",
      hint: expect.stringContaining(hint),
    });
  });

  test("an empty repository is an error", async () => {
    const context = await serve();
    await expect(open(context, {})).rejects.toMatchObject({
      code: "FETCH_FAILED",
      message: expect.stringContaining("no commit"),
    });
  });

  test.each(["-f", "--orphan=zz", "a b", "a..b", "--upload-pack=touch x"])(
    "B23: %j is never given to git",
    async (ref) => {
      remote.commit({ a: "1" });
      const context = await serve();
      await expect(open(context, { ref })).rejects.toMatchObject({ code: "TARGET_INVALID" });
      expect(server.requests).toEqual([]);
    },
  );

  test("B24: a branch and a tag whose names are forty digits are never taken for the commit", async () => {
    const commit = remote.commit({ a: "1" });
    const other = remote.commit({ a: "2" });
    remote.git("update-ref", `refs/heads/${commit}`, other);
    remote.git("update-ref", `refs/tags/${commit}`, other);
    const context = await serve();
    await expect(open(context, { ref: commit })).resolves.toMatchObject({ commit });
    await expect(open(context, { commit })).resolves.toMatchObject({ commit });
  });
});

describe("B25: a commit of the repository, or an imposter", () => {
  test("the branch or tag that holds it is found", async () => {
    const tagged = remote.commit({ a: "1" });
    remote.tag("v1");
    remote.git("checkout", "-q", "--orphan", "other");
    const commit = remote.commit({ b: "1" });
    const context = await serve();
    const source = { url: URL, named: false };
    await expect(findRefOfCommit(context, source, commit, { tool: "x@1" })).resolves.toBe("refs/heads/other");
    await expect(findRefOfCommit(context, source, tagged, { tool: "x@1" })).resolves.toMatch(
      /^refs\/(?:heads\/main|tags\/v1)$/u,
    );
  });

  test("one that only refs/pull knows, or nothing does, is an imposter though the server hands it out", async () => {
    remote.commit({ a: "1" });
    remote.git("checkout", "-q", "--detach");
    const imposter = remote.commit({ a: "evil" });
    remote.git("checkout", "-q", "main");
    remote.git("update-ref", "refs/pull/1/head", imposter);
    const context = await serve();
    await expect(open(context, { commit: imposter })).resolves.toBeDefined();
    await expect(findRefOfCommit(context, { url: URL, named: false }, imposter, { tool: "x@1" })).resolves.toBeNull();
  });
});

test("a ref's place in the store holds no part of its name", () => {
  expect(seenRef("refs/tags/../../x")).toMatch(/^refs\/seen\/[0-9a-f]{24}$/u);
});
