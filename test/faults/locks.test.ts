import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { DemoTool } from "../helpers/demo-registry.ts";
import { Machine, type Started } from "../helpers/machine.ts";
import { lastingFolder } from "../helpers/temporary-folder.ts";
import { ALL, BRAVO, CAN_TRACE } from "./verbs.ts";

const SLOW: DemoTool = { name: "slow", versions: ["1.0.0"], methods: 'steps: [{ run: "echo READY; sleep 600" }]' };
const MANY: readonly DemoTool[] = Array.from({ length: 16 }, (_, index) => ({
  name: `${"abcdefghijklmnop"[index]}${index * 7919 + 101}tool`,
  versions: ["1.0.0", "2.0.0"],
}));

const FOLDER = lastingFolder();

let machine: Machine;
const started: Started[] = [];

beforeAll(async () => {
  machine = await Machine.create(FOLDER, [BRAVO, SLOW, ...MANY]);
  machine.must("install", "bravo");
  machine.save("bravo");
});
beforeEach(() => machine.restore("bravo"));
afterEach(async () => {
  for (const running of started.splice(0)) {
    running.child.kill("SIGKILL");
    await running.end();
  }
});

function start(args: readonly string[], before: readonly string[] = []): Started {
  const running = machine.start(args, before);
  started.push(running);
  return running;
}

/** Pid of the holder, as it wrote itself down in the lock's file. */
function holderOf(lock: string): number {
  const holder: unknown = JSON.parse(readFileSync(path.join(machine.data, `locks/${lock}.lock`), "utf8"));
  return (holder as { pid: number }).pid;
}

test("D76: a holder that was killed holds nothing: the next command repairs and goes on", async () => {
  const holder = start(["install", "slow"]);
  await holder.until(/"step\.output".*READY/u);
  holder.child.kill("SIGKILL");
  await holder.end();
  const next = machine.ipm(["uninstall", "bravo", "--lock-timeout", "0"]);
  expect(next.stderr).toContain("unfinished build of slow");
  expect(next.code).toBe(0);
  expect(machine.check([{}], true)).toEqual([]);
});

test("D76: a stopped holder keeps its lock: who waits is told of it, and times out with exit code 6", async () => {
  const holder = start(["install", "slow"]);
  await holder.until(/"step\.output".*READY/u);
  process.kill(holder.child.pid!, "SIGSTOP");
  const waiting = machine.ipm(["install", "slow", "--lock-timeout", "1"]);
  expect(waiting.code).toBe(6);
  expect(waiting.stderr).toMatch(
    new RegExp(`locked by pid ${holder.child.pid} \\(ipm install slow.*, for \\d+ s\\)`, "u"),
  );
  // Its unfinished build is not taken for garbage either, and other tools do not wait for it.
  expect(machine.must("uninstall", "bravo").stderr).not.toContain("unfinished");
  expect(readdirSync(path.join(machine.data, "store/slow"))).toHaveLength(1);
});

describe.skipIf(!CAN_TRACE)("a holder that is stopped in the switch (strace)", () => {
  test("readers do not wait, writers do and name it; when it is killed they go on", async () => {
    const log = path.join(machine.folder, "calls");
    const command = ["uninstall", "bravo"];
    machine.ipm(command, ["strace", "-qq", "-o", log, "-e", "trace=rename"]);
    const renames = readFileSync(log, "utf8")
      .split("\n")
      .filter((line) => line.startsWith("rename("));
    const last = renames.findIndex((line) => line.includes("/current.")) + 1;
    expect(last).toBeGreaterThan(0);
    machine.restore("bravo");
    const inject = `inject=rename:signal=SIGSTOP:when=${last}`;
    start(command, ["strace", "-qq", "-o", "/dev/null", "-e", "trace=rename", "-e", inject]);
    let pid: number | undefined;
    for (let tries = 0; pid === undefined && tries < 200; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      pid = readdirSync("/proc")
        .filter((name) => /^[0-9]+$/u.test(name))
        .map(Number)
        .find((candidate) => {
          try {
            const words = readFileSync(`/proc/${candidate}/cmdline`, "utf8");
            return (
              words.includes(machine.script) &&
              !words.startsWith("strace") &&
              /^State:\s+[tT]/mu.test(readFileSync(`/proc/${candidate}/status`, "utf8")) &&
              holderOf("switch") === candidate
            );
          } catch {
            return false;
          }
        });
    }
    expect(pid).toBeDefined();
    try {
      machine.must("list");
      const waiting = machine.ipm(["hold", "bravo", "--lock-timeout", "1"]);
      expect(waiting.code).toBe(6);
      expect(waiting.stderr).toContain(`locked by pid ${pid} (ipm uninstall bravo`);
    } finally {
      process.kill(pid!, "SIGKILL");
    }
    machine.must("gc", "--keep", "0");
    expect(machine.check([{}, { bravo: "1.0.0" }], true)).toEqual([]);
  });
});

const UNSHARE = process.getuid?.() === 0 ? ["unshare", "-n"] : ["unshare", "-Urn"];
const CAN_UNSHARE = spawnSync(UNSHARE[0]!, [...UNSHARE.slice(1), "true"]).status === 0;

test.skipIf(!CAN_UNSHARE)("a lock holds across network namespaces", async () => {
  const holder = start(["install", "slow"], UNSHARE);
  await holder.until(/"step\.output".*READY/u);
  const waiting = machine.ipm(["install", "slow", "--lock-timeout", "0"]);
  expect(waiting.code).toBe(6);
  expect(waiting.stderr).toMatch(/locked by pid \d+ \(ipm install slow/u);
});

test("D75: many processes at once: no deadlock, no lost update", { timeout: 3_600_000 }, async () => {
  const names = MANY.map(({ name }) => name);
  const most = ALL ? 6 : 2;
  const [gone, old, fresh] = [names.slice(0, 4).slice(0, most), names.slice(4, 8), names.slice(8).slice(0, most)];
  machine.must("install", ...gone, ...old.map((name) => `${name}@1.0.0`));
  machine.save("many");
  const commands: string[][] = [
    ...fresh.map((name) => ["install", name]),
    ...(ALL ? [["install", fresh[0]!]] : []),
    ...gone.map((name) => ["uninstall", name]),
    ...old.slice(0, 2).map((name) => ["upgrade", name]),
    ["gc", "--keep", "0"],
    ["list"],
    ...(ALL ? [["gc"], ["history"], ["doctor", "bravo"], ["outdated"], ["search", "tool"]] : []),
  ];
  const expected = Object.fromEntries([
    ["bravo", "1.0.0"],
    ...old.map((name, index) => [name, index < 2 ? "2.0.0" : "1.0.0"]),
    ...fresh.map((name) => [name, "2.0.0"]),
  ]);
  const rounds = ALL ? 50 : 1;
  let longest = 0;
  for (let round = 1; round <= rounds; round++) {
    machine.restore("many");
    const running = commands.map((args) => start(args));
    const results = await Promise.all(running.map((one) => one.end()));
    const failed = results
      .filter(({ code }) => code !== 0)
      .map(({ code, stdout, stderr }) => `${code}: ${stdout}${stderr}`);
    expect(failed).toEqual([]);
    longest = Math.max(longest, ...results.map(({ ms }) => ms));
    expect(machine.check([expected], false)).toEqual([]);
    machine.must("gc", "--keep", "0");
    expect(machine.check([expected], true)).toEqual([]);
    started.length = 0;
  }
  process.stderr.write(
    `${rounds} rounds of ${commands.length} processes, the longest took ${Math.round(longest)} ms\n`,
  );
});
