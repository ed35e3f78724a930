import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { Machine } from "../helpers/machine.ts";
import { lastingFolder } from "../helpers/temporary-folder.ts";
import { ALL, CAN_TRACE, TOOLS, VERBS, type Verb, createExtra } from "./verbs.ts";

/** Calls that change what is on the disk, or make it lasting. Opening is not among them: a write follows. */
const CALLS =
  "mkdir,mkdirat,rename,renameat,renameat2,symlink,symlinkat,link,linkat,unlink,unlinkat,rmdir,chmod,fchmod,fchmodat,ftruncate,fsync,fdatasync,write,pwrite64,writev";

const FOLDER = lastingFolder();

let machine: Machine;

beforeAll(async () => {
  machine = await Machine.create(FOLDER, TOOLS);
  createExtra(FOLDER);
});

/** The calls of a whole run, in their order. */
function traced(verb: Verb): string[] {
  const log = path.join(machine.folder, "calls");
  machine.restore(verb.name);
  const ran = machine.ipm(verb.command, ["strace", "-qq", "-o", log, "-e", `trace=${CALLS}`, "-e", "signal=none"]);
  expect(ran.code).toBe(0);
  expect(machine.check([verb.now], true)).toEqual([]);
  return readFileSync(log, "utf8")
    .split("\n")
    .filter((line) => /^[a-z0-9_]+\(/u.test(line));
}

/** All positions, or those around what decides (receipts, generations, the switch) and one between. */
function choose(calls: readonly string[]): number[] {
  const every = calls.map((_, index) => index + 1);
  if (ALL) return every;
  const decisive = every.filter((k) => /receipt\.json|generation\.json|"[^"]*current/u.test(calls[k - 1] ?? ""));
  const [first, last] = [decisive[0] ?? 1, decisive.at(-1) ?? calls.length];
  const spread = [first, last, Math.floor(calls.length / 2)];
  return [...new Set(spread)].filter((k) => k >= 1 && k <= calls.length);
}

/** What must hold of the raw state after a kill, and after the command was given once more. */
function afterwards(verb: Verb): string[] {
  const problems = machine.check([verb.old, verb.now], false);
  let list = machine.ipm(["list", "--json"]);
  // A machine that is busy with something else gets another chance.
  for (let tries = 0; list.ms > 2000 && tries < 3; tries++) list = machine.ipm(["list", "--json"]);
  if (list.code !== 0) problems.push(`I5: list ended with ${list.code}: ${list.stderr}`);
  if (list.ms > 2000) problems.push(`I5: list took ${Math.round(list.ms)} ms`);
  const again = machine.ipm(verb.command);
  if (!verb.again.includes(again.code ?? -1)) problems.push(`I5: again ended with ${again.code}: ${again.stderr}`);
  return [...problems, ...machine.check([verb.now], true)];
}

/** Told at once: a whole run takes long. */
function report(problems: readonly string[], what: string): string[] {
  const told = problems.map((problem) => `${what}: ${problem}`);
  for (const line of told) process.stderr.write(`${line}\n`);
  return told;
}

/** @param follow count the calls of each process apart, and kill whichever comes to its K-th: git, a lock, the sandbox, ipm */
function killAt(verb: Verb, k: number, follow: boolean): string[] {
  machine.restore(verb.name);
  const inject = `inject=${CALLS}:signal=SIGKILL:when=${k}`;
  const words = ["strace", ...(follow ? ["-f"] : []), "-qq", "-o", "/dev/null", "-e", `trace=${CALLS}`, "-e", inject];
  const ran = machine.ipm(verb.command, words);
  // strace dies of what killed its child; a run may have a call less than the one that was counted.
  const expected = ran.signal === "SIGKILL" || ran.code === 137 || ran.code === 0 || (follow && ran.code === 1);
  const problems = expected ? [] : [`ended with ${ran.code}: ${ran.stderr}`];
  return report(
    [...problems, ...afterwards(verb)],
    `${verb.name}, killed at call ${k}${follow ? " of any process" : ""}`,
  );
}

async function killAfter(verb: Verb, ms: number): Promise<string[]> {
  machine.restore(verb.name);
  const running = machine.start(verb.command);
  await running.until(/"phase\.started"/u);
  await new Promise((resolve) => setTimeout(resolve, ms));
  running.child.kill("SIGKILL");
  await running.end();
  return report(afterwards(verb), `${verb.name}, killed ${ms} ms after its first phase began`);
}

function prepare(verb: Verb): void {
  machine.clear();
  for (const args of verb.before) machine.must(...args.map((word) => word.replace("{folder}", FOLDER)));
  verb.outside?.(FOLDER);
  machine.save(verb.name);
}

describe.skipIf(!CAN_TRACE)("killed at a call that changes the disk (strace)", () => {
  for (const verb of VERBS) {
    test(
      `${verb.name}: the old set or the new one, whole, and the next command repairs`,
      { timeout: 7_200_000 },
      () => {
        prepare(verb);
        const calls = traced(verb);
        const positions = choose(calls);
        const problems = positions.flatMap((k) => killAt(verb, k, false));
        process.stderr.write(
          `${verb.name}: killed at ${positions.length} of ${calls.length} calls, ${problems.length} problems\n`,
        );
        expect(problems).toEqual([]);
      },
    );
  }
});

const UPGRADE = VERBS.find(({ name }) => name === "upgrade")!;

test.skipIf(!CAN_TRACE)("upgrade, and any of its processes is killed (strace)", { timeout: 7_200_000 }, () => {
  prepare(UPGRADE);
  const positions = ALL ? Array.from({ length: 60 }, (_, index) => index + 1) : [3];
  const problems = positions.flatMap((k) => killAt(UPGRADE, k, true));
  process.stderr.write(`${positions.length} positions, ${problems.length} problems\n`);
  expect(problems).toEqual([]);
});

test("upgrade, killed at any time", { timeout: 7_200_000 }, async () => {
  prepare(UPGRADE);
  const problems: string[] = [];
  const kills = ALL ? 1000 : 2;
  for (let kill = 0; kill < kills; kill++)
    problems.push(...(await killAfter(UPGRADE, Math.floor(Math.random() * 500))));
  process.stderr.write(`${kills} kills, ${problems.length} problems\n`);
  expect(problems).toEqual([]);
});

describe("the checker sees what is wrong", () => {
  const harm: Readonly<Record<string, (data: string, entry: string) => void>> = {
    "a changed file": (_data, entry) =>
      writeFileSync(path.join(entry, "prefix/bin/alpha"), "#!/bin/sh\necho alpha 2.0.0\n"),
    "a lost receipt": (_data, entry) => rmSync(path.join(entry, "receipt.json"), { force: true }),
    "a lost launcher": (data) => rmSync(path.join(data, "current/bin/alpha")),
    "a launcher too many": (data) => writeFileSync(path.join(data, "current/bin/more"), ""),
    "half a generation": (data) => writeFileSync(path.join(data, "current/generation.json"), "{"),
    "a current that leads nowhere": (data) => rmSync(path.join(data, "profiles"), { recursive: true }),
    "an unfinished build": (data) =>
      mkdirSync(path.join(data, "store/alpha/3.0.0-0123456789ab/source"), { recursive: true }),
    "a staged link": (data) => symlinkSync("profiles/1", path.join(data, "current.0123456789ab.tmp")),
  };
  beforeAll(() => {
    machine.clear();
    machine.must("install", "alpha");
    machine.save("alpha alone");
  });
  for (const [what, damage] of Object.entries(harm)) {
    test(`after ${what}`, () => {
      machine.restore("alpha alone");
      const state = { alpha: "2.0.0" };
      expect(machine.check([state], true)).toEqual([]);
      expect(machine.check([{ alpha: "1.0.0" }], true)).not.toEqual([]);
      spawnSync("chmod", ["-R", "u+w", machine.data]);
      const [entry = ""] = readdirSync(path.join(machine.data, "store/alpha"));
      damage(machine.data, path.join(machine.data, "store/alpha", entry));
      expect(machine.check([state], true)).not.toEqual([]);
    });
  }
});
