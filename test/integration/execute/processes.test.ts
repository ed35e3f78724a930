import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { IpmError } from "../../../src/core/errors.ts";
import type { ProcessRequest } from "../../../src/core/host.ts";
import { createProcesses } from "../../../src/host/processes.ts";

const processes = createProcesses();
const env = { PATH: "/usr/bin:/bin" };
let folder: string;

beforeEach(() => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "ipm-test-processes-")));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

function sh(script: string, more: Partial<ProcessRequest> = {}): ReturnType<typeof processes.run> {
  return processes.run({ argv: ["/bin/sh", "-c", script], cwd: folder, env, ...more });
}
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/u.test(fs.readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

describe("results", () => {
  test("gives exit code, both streams, and no signal", async () => {
    const result = await sh("echo out; echo err >&2; exit 3");
    expect({ ...result, stdout: text(result.stdout), stderr: text(result.stderr), ms: 0 }).toEqual({
      exitCode: 3,
      signal: null,
      stdout: "out\n",
      stderr: "err\n",
      timedOut: false,
      ms: 0,
    });
  });

  test("names the signal that ended the program", async () => {
    expect(await sh("kill -SEGV $$")).toMatchObject({ exitCode: null, signal: "SIGSEGV" });
  });

  test("passes arguments as they are, without a shell", async () => {
    const args = ["", "*", "--", "$(id)", "a\nb", "'\"\\"];
    const result = await processes.run({
      argv: [process.execPath, "-e", "console.log(JSON.stringify(process.argv.slice(1)))", "x", ...args],
      cwd: folder,
      env,
    });
    expect(JSON.parse(text(result.stdout))).toEqual(["x", ...args]);
  });

  test("a program that does not exist is an error that names it", async () => {
    const run = processes.run({ argv: ["/nowhere/tool"], cwd: folder, env });
    await expect(run).rejects.toMatchObject({ code: "IO_FAILED", message: expect.stringContaining("/nowhere/tool") });
  });

  test("a working folder that does not exist is named instead of the program", async () => {
    const run = processes.run({ argv: ["/bin/true"], cwd: "/nowhere/here", env });
    await expect(run).rejects.toMatchObject({ code: "IO_FAILED", message: expect.stringContaining("/nowhere/here") });
  });

  test("a file that is not executable is an error that says so", async () => {
    fs.writeFileSync(path.join(folder, "data"), "x");
    const run = processes.run({ argv: [path.join(folder, "data")], cwd: folder, env });
    await expect(run).rejects.toMatchObject({ message: expect.stringContaining("permission denied") });
  });
});

describe("what a child gets", () => {
  test("C47: nothing of the caller's environment", async () => {
    process.env["GITHUB_TOKEN"] = "hunter2";
    try {
      const result = await processes.run({ argv: ["/usr/bin/env"], cwd: folder, env: { ONLY: "this" } });
      expect(text(result.stdout)).toBe("ONLY=this\n");
    } finally {
      delete process.env["GITHUB_TOKEN"];
    }
  });

  test("C53: standard input at end of file", async () => {
    expect(text((await sh("cat; echo end")).stdout)).toBe("end\n");
  });

  test("standard input that is given, also when it is not read", async () => {
    expect(text((await sh("cat", { stdin: "abc" })).stdout)).toBe("abc");
    expect((await sh("exec 0<&-; exit 0", { stdin: "x".repeat(1_000_000) })).exitCode).toBe(0);
  });

  test("C68: no descriptor of the caller from 3 up", async () => {
    // Descriptors that Node itself opens are closed on exec anyway: the leak needs a caller that hands one down.
    fs.writeFileSync(path.join(folder, "secret"), "hunter2");
    const script = `
      const { createProcesses } = await import(${JSON.stringify(path.resolve("src/host/processes.ts"))});
      const result = await createProcesses().run({ argv: ["/bin/sh", "-c", "cat <&5; cat <&9"], cwd: "/", env: {} });
      console.log(JSON.stringify(Buffer.from(result.stdout).toString()));`;
    const runner = path.join(folder, "runner.mts");
    fs.writeFileSync(runner, script);
    const bundle = path.join(folder, "runner.mjs");
    execFileSync(path.resolve("node_modules/.bin/esbuild"), [
      runner,
      "--bundle",
      "--platform=node",
      "--format=esm",
      `--outfile=${bundle}`,
      "--log-level=error",
      "--banner:js=import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    ]);
    const out = execFileSync("/bin/sh", ["-c", `exec "$0" "$1" 5<secret 9<secret`, process.execPath, bundle], {
      cwd: folder,
    });
    expect(JSON.parse(out.toString())).toBe("");
  });

  test("descriptors that are listed, then pipes in both directions", async () => {
    const file = path.join(folder, "data");
    fs.writeFileSync(file, "listed");
    const descriptor = fs.openSync(file, "r");
    const result = await sh("cat <&3; cat <&4; echo said >&5", { inheritFds: [descriptor], pipes: ["given", null] });
    fs.closeSync(descriptor);
    expect(text(result.stdout)).toBe("listedgiven");
    expect(result.pipes?.map(text)).toEqual(["", "said\n"]);
  });
});

describe("output", () => {
  test("comes in raw chunks when asked for, and is not kept", async () => {
    const chunks: string[] = [];
    const result = await sh("printf 'a\\377b'; echo c >&2", {
      onOutput: (stream, chunk) => chunks.push(`${stream} ${Buffer.from(chunk).toString("latin1")}`),
    });
    expect(chunks.toSorted()).toEqual(["stderr c\n", "stdout a\u00ffb"]);
    expect(result.stdout).toHaveLength(0);
  });

  test("more than maxOutput ends the program with an error", async () => {
    await expect(sh("yes", { maxOutput: 1000 })).rejects.toMatchObject({
      code: "IO_FAILED",
      message: expect.stringContaining("more than 1000 bytes"),
    });
  });

  test("an error of the receiver ends the program and is passed on", async () => {
    const run = sh("yes", {
      onOutput: () => {
        throw new RangeError("full");
      },
    });
    await expect(run).rejects.toThrow(RangeError);
  });
});

describe("ends", () => {
  test("C55: a time-out ends the group although a grandchild ignores TERM and holds the pipe", async () => {
    const result = await sh("trap '' TERM; sh -c 'echo $$; exec sleep 1000' & wait; wait; wait", { timeoutMs: 1000 });
    expect(result).toMatchObject({ timedOut: true });
    expect(isRunning(Number(text(result.stdout)))).toBe(false);
  });

  test("C55: a grandchild in a session of its own does not hold up the time-out", async () => {
    const result = await sh("setsid sleep 1000 & echo $!; sleep 1000", { timeoutMs: 1000 });
    expect(result.timedOut).toBe(true);
    for (const pid of text(result.stdout).trim().split("\n")) {
      if (isRunning(Number(pid))) process.kill(Number(pid), "SIGKILL");
    }
  });

  test("C52: what is left of the group when the program ends is ended, and said", async () => {
    const result = await sh("sleep 1000 & echo $!");
    expect(result).toMatchObject({ exitCode: 0, leftBehind: true });
    expect(isRunning(Number(text(result.stdout)))).toBe(false);
  });

  test("a helper that ends by itself right after is not held against the program", async () => {
    const result = await sh("(exec sleep 0.01) & exit 0");
    expect(result.leftBehind).toBeUndefined();
  });

  test("an aborted signal ends everything and rejects with its reason", async () => {
    const controller = new AbortController();
    const reason = new IpmError("TERMINATED", "terminated");
    let pid = 0;
    const run = sh("sleep 1000 & echo $!; wait", {
      signal: controller.signal,
      onOutput: (_stream, chunk) => {
        pid = Number(text(chunk));
        controller.abort(reason);
      },
    });
    await expect(run).rejects.toBe(reason);
    expect(isRunning(pid)).toBe(false);
  });

  test("a signal that is aborted already starts nothing", async () => {
    const run = sh("touch ran", { signal: AbortSignal.abort() });
    await expect(run).rejects.toMatchObject({ code: "INTERRUPTED" });
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test("nothing survives when this process exits in the middle", async () => {
    const runner = path.join(folder, "runner.mts");
    const bundle = path.join(folder, "runner.mjs");
    fs.writeFileSync(
      runner,
      `const { createProcesses } = await import(${JSON.stringify(path.resolve("src/host/processes.ts"))});
       void createProcesses().run({ argv: ["/bin/sh", "-c", "echo $$; sleep 1000 & wait"], cwd: "/", env: { PATH: "/usr/bin:/bin" },
         onOutput: (_, chunk) => { process.stdout.write(chunk); setTimeout(() => process.exit(0), 50); } });`,
    );
    execFileSync(path.resolve("node_modules/.bin/esbuild"), [
      runner,
      "--bundle",
      "--platform=node",
      "--format=esm",
      `--outfile=${bundle}`,
      "--log-level=error",
      "--banner:js=import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    ]);
    const child = spawn(process.execPath, [bundle], { stdio: ["ignore", "pipe", "inherit"] });
    let out = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    await new Promise((resolve) => child.once("close", resolve));
    const group = Number(out);
    expect(group).toBeGreaterThan(1);
    const members = (): string[] =>
      fs
        .readdirSync("/proc")
        .filter((name) => /^\d+$/u.test(name) && isRunning(Number(name)) && groupOf(Number(name)) === group);
    // They have been killed; the kernel takes its time.
    await expect.poll(members, { timeout: 10_000 }).toEqual([]);
  });
});

function groupOf(pid: number): number {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
  } catch {
    return 0;
  }
}
