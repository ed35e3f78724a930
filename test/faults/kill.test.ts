import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { Machine } from "../helpers/machine.ts";
import { lastingFolder } from "../helpers/temporary-folder.ts";
import { ALL, CAN_TRACE, TOOLS, VERBS, type Verb } from "./verbs.ts";

/** Calls that change what is on the disk, or make it lasting. Opening is not among them: a write follows. */
const CALLS =
  "mkdir,mkdirat,rename,renameat,renameat2,symlink,symlinkat,link,linkat,unlink,unlinkat,rmdir,chmod,fchmod,fchmodat,ftruncate,fsync,fdatasync,write,pwrite64,writev";

const FOLDER = lastingFolder();

let machine: Machine;

beforeAll(async () => {
  machine = await Machine.create(FOLDER, TOOLS);
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

/** All positions, or those around what decides (receipts, generations, the switch) and a few between. */
function choose(calls: readonly string[]): number[] {
  const every = calls.map((_, index) => index + 1);
  if (ALL) return every;
  const decisive = every.filter((k) => /receipt\.json|generation\.json|"[^"]*current/u.test(calls[k - 1] ?? ""));
  const [first, last] = [decisive[0] ?? 1, decisive.at(-1) ?? calls.length];
  const spread = [first, last, last + 1, Math.floor(calls.length / 2), Math.floor(calls.length / 5)];
  return [...new Set(spread)].filter((k) => k >= 1 && k <= calls.length);
}

function killAt(verb: Verb, k: number): string[] {
  machine.restore(verb.name);
  const inject = `inject=${CALLS}:signal=SIGKILL:when=${k}`;
  const ran = machine.ipm(verb.command, ["strace", "-qq", "-o", "/dev/null", "-e", `trace=${CALLS}`, "-e", inject]);
  const problems: string[] = [];
  // strace dies of what killed its child; a run may have a call less than the one that was counted.
  if (ran.signal !== "SIGKILL" && ran.code !== 137 && ran.code !== 0)
    problems.push(`ended with ${ran.code}: ${ran.stderr}`);
  problems.push(...machine.check([verb.old, verb.now], false));
  const list = machine.ipm(["list", "--json"]);
  if (list.code !== 0) problems.push(`I5: list ended with ${list.code}: ${list.stderr}`);
  if (list.ms > 2000) problems.push(`I5: list took ${Math.round(list.ms)} ms`);
  const again = machine.ipm(verb.command);
  if (!verb.again.includes(again.code ?? -1)) problems.push(`I5: again ended with ${again.code}: ${again.stderr}`);
  problems.push(...machine.check([verb.now], true));
  return problems.map((problem) => `${verb.name}, killed at call ${k}: ${problem}`);
}

describe.skipIf(!CAN_TRACE)("killed at a call that changes the disk (strace)", () => {
  for (const verb of VERBS) {
    test(
      `${verb.name}: the old set or the new one, whole, and the next command repairs`,
      { timeout: 1_200_000 },
      () => {
        machine.clear();
        for (const args of verb.before) machine.must(...args);
        machine.save(verb.name);
        const calls = traced(verb);
        const positions = choose(calls);
        const problems = positions.flatMap((k) => killAt(verb, k));
        process.stderr.write(
          `${verb.name}: killed at ${positions.length} of ${calls.length} calls, ${problems.length} problems\n`,
        );
        expect(problems).toEqual([]);
      },
    );
  }
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
