import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sealCheck } from "../../../src/execute/seal-check.ts";
import type { PlannedProvides } from "../../../src/plan/plan.ts";
import { type ExecutionFixture, createExecutionFixture } from "../../helpers/execution-fixture.ts";

let fixture: ExecutionFixture;
let prefix: string;
beforeEach(() => {
  fixture = createExecutionFixture();
  ({ prefix } = fixture.paths);
  fs.mkdirSync(path.join(prefix, "bin"));
  fs.writeFileSync(path.join(prefix, "bin/rc"), "#!/bin/sh\n", { mode: 0o755 });
});
afterEach(() => fixture.remove());

const launcher = (file: string | null): PlannedProvides["bin"][string] => ({
  file,
  run: file === null ? ["sh"] : null,
  env: {},
});

function check(provides: Partial<PlannedProvides> = {}, stray: readonly string[] = []): Promise<void> {
  return sealCheck(
    fixture.host,
    prefix,
    { bin: { rc: launcher("bin/rc") }, share: {}, completions: {}, ...provides },
    stray,
  );
}

function refusal(message: string): unknown {
  return expect.objectContaining({ code: "OUTPUT_INVALID", message: expect.stringContaining(message) });
}

describe("A13: a launcher", () => {
  test("is a plain, executable file, or a link to one that stays inside; a command line needs none", async () => {
    fs.symlinkSync("rc", path.join(prefix, "bin/alias"));
    const bin = { rc: launcher("bin/rc"), alias: launcher("bin/alias"), cmd: launcher(null) };
    await expect(check({ bin })).resolves.toBeUndefined();
  });

  test.each([
    ["is missing", "bin/none", () => undefined],
    ["is missing", "bin/loop", () => fs.symlinkSync("loop", path.join(prefix, "bin/loop"))],
    ["is not executable", "bin/rc", () => fs.chmodSync(path.join(prefix, "bin/rc"), 0o644)],
    ["is not a plain file", "bin", () => undefined],
    ["leads out of the prefix", "../source", () => undefined],
    ["leads out of the prefix", "bin/out", () => fs.symlinkSync("/bin/sh", path.join(prefix, "bin/out"))],
    [
      "leads out of the prefix",
      "bin/trick",
      () => {
        // Lexically inside, really outside: what a resolution without the kernel gets wrong.
        fs.mkdirSync(path.join(fixture.folder, "deep/er"), { recursive: true });
        fs.writeFileSync(path.join(fixture.folder, "deep/rc"), "x", { mode: 0o755 });
        fs.symlinkSync(path.join(fixture.folder, "deep/er"), path.join(prefix, "dir"));
        fs.symlinkSync("../dir/../rc", path.join(prefix, "bin/trick"));
        fs.writeFileSync(path.join(prefix, "rc"), "x", { mode: 0o755 });
      },
    ],
  ])("that %s (%s) is refused", async (message, file, prepare) => {
    prepare();
    await expect(check({ bin: { rc: launcher(file) } })).rejects.toEqual(refusal(message));
  });

  test("C50: that is missing while the steps wrote to their home says where", async () => {
    await expect(check({ bin: { rc: launcher("bin/none") } }, ["~/.local/bin/rc"])).rejects.toEqual(
      refusal("~/.local/bin/rc"),
    );
  });
});

test("shared files and completions must be there and inside", async () => {
  await check({ share: { "man/rc.1": "bin/rc" }, completions: { rc: { bash: "bin/rc" } } });
  await expect(check({ share: { "man/rc.1": "none" } })).rejects.toEqual(refusal("a shared file is missing"));
  await expect(check({ completions: { rc: { bash: "none" } } })).rejects.toEqual(
    refusal("a completion of rc is missing"),
  );
});

describe("C62: output that is refused", () => {
  test.each([0o4755, 0o2755])("a file with mode %o", async (mode) => {
    fs.chmodSync(path.join(prefix, "bin/rc"), mode);
    await expect(check()).rejects.toEqual(refusal("setuid or setgid"));
  });

  test("a FIFO", async () => {
    execFileSync("/usr/bin/mkfifo", [path.join(prefix, "bin/pipe")]);
    await expect(check()).rejects.toEqual(refusal("device, FIFO or socket"));
  });

  test("a socket", async () => {
    const server = net.createServer().listen(path.join(prefix, "bin/s"));
    await new Promise((resolve) => {
      server.once("listening", resolve);
    });
    try {
      await expect(check()).rejects.toEqual(refusal("device, FIFO or socket"));
    } finally {
      server.close();
    }
  });

  test("a control character in its name does not reach the message", async () => {
    execFileSync("/usr/bin/mkfifo", [path.join(prefix, "bin/\u001b[31m")]);
    await expect(check()).rejects.toEqual(refusal("bin/\\x1b[31m"));
  });
});

test("C60: write permission of group and others is taken away, setgid of folders too", async () => {
  fs.mkdirSync(path.join(prefix, "open/deep"), { recursive: true });
  fs.chmodSync(path.join(prefix, "open"), 0o2777);
  fs.writeFileSync(path.join(prefix, "open/deep/file"), "x");
  fs.chmodSync(path.join(prefix, "open/deep/file"), 0o666);
  fs.symlinkSync("/etc", path.join(prefix, "open/link"));
  await check();
  expect(fs.statSync(path.join(prefix, "open")).mode & 0o7777).toBe(0o755);
  expect(fs.statSync(path.join(prefix, "open/deep/file")).mode & 0o7777).toBe(0o644);
});
