import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { copyStep } from "../../../src/execute/copy-step.ts";
import { createFiles } from "../../../src/host/files.ts";
import { type ExecutionFixture, copyOf, createExecutionFixture } from "../../helpers/execution-fixture.ts";

let fixture: ExecutionFixture;
let source: string;
let prefix: string;
beforeEach(() => {
  fixture = createExecutionFixture();
  ({ source, prefix } = fixture.paths);
});
afterEach(() => fixture.remove());

function copy(from: string, to: string, exclude: readonly string[] = []): Promise<number> {
  return copyStep(createFiles(), copyOf(from, to, { exclude }), source, prefix, false);
}
const copied = (): string[] => fs.readdirSync(prefix, { recursive: true }).map(String).toSorted();

test("copies everything but .git anywhere and the excluded names at the top", async () => {
  fixture.checkout({ a: "1", ".git/x": "2", "sub/.git": "gitdir: x", "sub/a": "3", "no/x": "4", "sub/no/x": "5" });
  expect(await copy(".", ".", ["no"])).toBe(3);
  expect(copied()).toEqual(["a", "sub", "sub/a", "sub/no", "sub/no/x"]);
});

test("copies one file, or a folder to another place", async () => {
  fixture.checkout({ "bin/rc": "!x", "lib/a/b": "y" });
  await copy("bin/rc", "libexec/rc");
  await copy("lib/a", "share");
  expect(copied()).toEqual(["libexec", "libexec/rc", "share", "share/b"]);
});

test.each([
  [0o600, 0o644],
  [0o666, 0o644],
  [0o777, 0o755],
  [0o700, 0o755],
  [0o4711, 0o755],
])("mode %o becomes %o, whatever the umask", async (mode, expected) => {
  fixture.checkout({ file: "x" });
  fs.chmodSync(path.join(source, "file"), mode);
  const before = process.umask(0o077);
  try {
    await copy(".", ".");
  } finally {
    process.umask(before);
  }
  expect(fs.statSync(path.join(prefix, "file")).mode & 0o7777).toBe(expected);
});

describe("links", () => {
  test("stay links when they stay inside, also to what comes later and to nothing", async () => {
    fixture.checkout({ "z/file": "x" });
    fs.symlinkSync("z/file", path.join(source, "a"));
    fs.symlinkSync("z", path.join(source, "dir"));
    fs.symlinkSync("missing", path.join(source, "dangling"));
    await copy(".", ".");
    expect(fs.readlinkSync(path.join(prefix, "a"))).toBe("z/file");
    expect(fs.readFileSync(path.join(prefix, "dir/file"), "utf8")).toBe("x");
    expect(fs.readlinkSync(path.join(prefix, "dangling"))).toBe("missing");
  });

  test.each(["/etc/passwd", "../../outside", "sub/../../../x", "../home"])(
    "C64: to %s are refused, and none is left",
    async (target) => {
      fixture.checkout({ "sub/file": "x", good: "y" });
      fs.symlinkSync(target, path.join(source, "bad"));
      fs.symlinkSync("good", path.join(source, "fine"));
      await expect(copy(".", ".")).rejects.toMatchObject({
        code: "STEP_FAILED",
        message: expect.stringContaining("leaves the prefix"),
      });
      expect(fs.existsSync(path.join(prefix, "bad"))).toBe(false);
    },
  );

  test("that leave only through each other are refused", async () => {
    fixture.checkout({ "sub/deep/file": "x" });
    // sub/deep/up -> ../.. is inside; through it, up/../.. is not.
    fs.symlinkSync("../..", path.join(source, "sub/deep/up"));
    fs.symlinkSync("sub/deep/up/../../home", path.join(source, "trick"));
    await expect(copy(".", ".")).rejects.toMatchObject({ message: expect.stringContaining("leaves the prefix") });
  });

  test("on the way to the source or the target are not followed", async () => {
    const outside = path.join(fixture.folder, "outside");
    fs.mkdirSync(outside);
    fs.writeFileSync(path.join(outside, "secret"), "x");
    fixture.checkout({ file: "y" });
    fs.symlinkSync(outside, path.join(source, "way"));
    await expect(copy("way/secret", "stolen")).rejects.toMatchObject({ code: "STEP_FAILED" });
    fs.symlinkSync(outside, path.join(prefix, "to"));
    await expect(copy("file", "to/file")).rejects.toMatchObject({ code: "STEP_FAILED" });
    expect(fs.readdirSync(outside)).toEqual(["secret"]);
    fs.symlinkSync(path.join(outside, "new"), path.join(prefix, "file"));
    await expect(copy("file", "file")).rejects.toMatchObject({ code: "STEP_FAILED" });
    expect(fs.readdirSync(outside)).toEqual(["secret"]);
  });
});

test.each(["../home", "/etc", "a/../../home"])("a path that leaves (%s) is refused on both sides", async (name) => {
  fixture.checkout({ file: "x" });
  await expect(copy(name, ".")).rejects.toMatchObject({
    code: "STEP_FAILED",
    message: expect.stringContaining("leaves its folder"),
  });
  await expect(copy("file", name)).rejects.toMatchObject({
    code: "STEP_FAILED",
    message: expect.stringContaining("leaves its folder"),
  });
});

test("a second copy wins over files, and never over a folder", async () => {
  fixture.checkout({ "a/x": "old", "b/x": "new", "c/x/y": "z" });
  fs.symlinkSync("y", path.join(source, "a/y"));
  await copy("a", ".");
  await copy("b", ".");
  expect(fs.readFileSync(path.join(prefix, "x"), "utf8")).toBe("new");
  await copy("c", "d");
  await expect(copy("a", "d")).rejects.toMatchObject({ message: expect.stringContaining("the target is a folder") });
});

test("a missing source and a FIFO are refused by name", async () => {
  await expect(copy("none", ".")).rejects.toMatchObject({
    message: expect.stringContaining("no such file in the source: none"),
  });
  execFileSync("/usr/bin/mkfifo", [path.join(source, "pipe")]);
  await expect(copy(".", ".")).rejects.toMatchObject({ message: expect.stringContaining("pipe") });
});

describe("of a checkout that nothing needs afterwards", () => {
  const move = (): Promise<number> => copyStep(createFiles(), copyOf(".", "."), source, prefix, true);

  test("files are moved, with the modes of a copy", async () => {
    fixture.checkout({ a: "1", "sub/b": "2", ".git/HEAD": "ref" });
    fs.chmodSync(path.join(source, "a"), 0o777);
    fs.symlinkSync("a", path.join(source, "link"));
    const { ino } = fs.statSync(path.join(source, "sub/b"));
    expect(await move()).toBe(3);
    expect(copied()).toEqual(["a", "link", "sub", "sub/b"]);
    expect(fs.statSync(path.join(prefix, "sub/b")).ino).toBe(ino);
    expect(fs.statSync(path.join(prefix, "a")).mode & 0o7777).toBe(0o755);
    expect(fs.existsSync(path.join(source, ".git/HEAD"))).toBe(true);
  });

  test("a file that has another name elsewhere is copied: that one stays as it is", async () => {
    const outside = path.join(fixture.folder, "outside");
    fs.writeFileSync(outside, "x", { mode: 0o600 });
    fixture.checkout({ a: "1" });
    fs.linkSync(outside, path.join(source, "b"));
    await move();
    expect(fs.readFileSync(path.join(prefix, "b"), "utf8")).toBe("x");
    expect(fs.statSync(path.join(prefix, "b")).mode & 0o7777).toBe(0o644);
    expect(fs.statSync(outside)).toMatchObject({ nlink: 2, mode: 0o100600 });
  });

  test("what an earlier step put into the prefix is replaced when it is a file, and nothing else", async () => {
    fixture.checkout({ a: "new", "sub/b": "new" });
    fs.writeFileSync(path.join(prefix, "a"), "old");
    await move();
    expect(fs.readFileSync(path.join(prefix, "a"), "utf8")).toBe("new");
    fixture.checkout({ "c/d": "x" });
    fs.writeFileSync(path.join(source, "sub/e"), "x");
    fs.mkdirSync(path.join(prefix, "sub/e"));
    await expect(move()).rejects.toMatchObject({ message: expect.stringContaining("the target is a folder") });
  });
});
