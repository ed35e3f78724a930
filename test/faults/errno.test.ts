import { readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { Machine } from "../helpers/machine.ts";
import { lastingFolder } from "../helpers/temporary-folder.ts";
import { ALL, CAN_TRACE, TOOLS, VERBS, type Verb } from "./verbs.ts";

/** What each call can really answer when a disk is full, broken, read-only or not ours. */
const ERRORS: Readonly<Record<string, readonly string[]>> = {
  mkdir: ["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EIO"],
  openat: ["EMFILE", "ENOSPC", "EACCES", "EROFS", "EIO"],
  write: ["ENOSPC", "EIO", "EDQUOT"],
  fsync: ["EIO", "ENOSPC"],
  rename: ["EIO", "EROFS", "EACCES", "EDQUOT"],
  symlink: ["ENOSPC", "EDQUOT", "EACCES", "EIO"],
  unlink: ["EIO", "EROFS", "EACCES"],
  rmdir: ["EIO", "EROFS", "EACCES"],
  chmod: ["EROFS", "EIO"],
};
const CALLS = Object.keys(ERRORS);
const NORMAL_RUN = 2;

interface Fault {
  readonly call: string;
  /** The how-many-th call of this kind, to this file when one is named. */
  readonly when: number;
  readonly error: string;
  readonly file: string | null;
}

const FOLDER = lastingFolder();

let machine: Machine;

beforeAll(async () => {
  machine = await Machine.create(FOLDER, TOOLS);
});

/** One fault for each call that concerns ipm's homes; the errors take turns. */
function faultsOf(verb: Verb): Fault[] {
  const log = path.join(machine.folder, "calls");
  machine.restore(verb.name);
  const ran = machine.ipm(verb.command, [
    "strace",
    "-qq",
    "-y",
    "-o",
    log,
    "-e",
    `trace=${CALLS.join()}`,
    "-e",
    "signal=none",
  ]);
  expect(ran.code).toBe(0);
  const count = new Map<string, number>();
  const faults: Fault[] = [];
  for (const line of readFileSync(log, "utf8").split("\n")) {
    const call = /^([a-z]+)\(/u.exec(line)?.[1];
    if (call === undefined) continue;
    // Of writes only those to one file: Node's own wake-up pipes are written as well, and no disk answers there.
    const written = call === "write" ? /^write\([0-9]+<(\/[^>]*)>/u.exec(line)?.[1] : undefined;
    const file = written !== undefined && !/\.(?:tmp|log)$/u.test(written) ? written : null;
    const key = `${call} ${file ?? ""}`;
    const when = (count.get(key) ?? 0) + 1;
    count.set(key, when);
    if (!line.includes(machine.home) || (call === "write" && file === null)) continue;
    // Reading what is not there is an answer: only what would be written is of interest.
    if (call === "openat" && !line.includes("O_CREAT")) continue;
    const errors = ERRORS[call] ?? [];
    faults.push({ call, when, error: errors[faults.length % errors.length] ?? "EIO", file });
  }
  return faults;
}

function choose(faults: readonly Fault[]): Fault[] {
  if (ALL) return [...faults];
  const step = Math.max(1, Math.floor(faults.length / NORMAL_RUN));
  return faults.filter((_, index) => index % step === Math.floor(step / 2)).slice(0, NORMAL_RUN);
}

function inject(verb: Verb, { call, when, error, file }: Fault): string[] {
  machine.restore(verb.name);
  const fault = `inject=${call}:error=${error}:when=${when}`;
  const only = file === null ? [] : ["-P", file];
  const words = ["strace", "-qq", ...only, "-o", "/dev/null", "-e", `trace=${call}`, "-e", fault];
  const ran = machine.ipm(verb.command, words);
  const problems: string[] = [];
  if (ran.code !== 0) {
    if (ran.code !== 1) problems.push(`ended with ${ran.code ?? ran.signal}: ${ran.stderr}`);
    // Node itself has no name for EDQUOT in writes.
    if (!ran.stderr.includes(error) && !(error === "EDQUOT" && ran.stderr.includes("UNKNOWN")))
      problems.push(`the message does not name ${error}: ${ran.stderr}`);
    if (!ran.stderr.includes(machine.home)) problems.push(`the message names no path: ${ran.stderr}`);
  }
  // What failed may be behind the switch; what says that it went well must have.
  problems.push(...machine.check(ran.code === 0 ? [verb.now] : [verb.old, verb.now], false));
  const list = machine.ipm(["list", "--json"]);
  if (list.code !== 0) problems.push(`I5: list ended with ${list.code}: ${list.stderr}`);
  const again = machine.ipm(verb.command);
  if (!verb.again.includes(again.code ?? -1)) problems.push(`I5: again ended with ${again.code}: ${again.stderr}`);
  problems.push(...machine.check([verb.now], true));
  const told = problems.map((problem) => `${verb.name}, ${error} at ${call} ${when} ${file ?? ""}: ${problem}`);
  for (const line of told) process.stderr.write(`${line}\n`);
  return told;
}

describe.skipIf(!CAN_TRACE)("a call fails (strace)", () => {
  for (const verb of VERBS.filter(({ name }) => name !== "update")) {
    test(`${verb.name}: a failure that names path and cause, and a whole state`, { timeout: 3_600_000 }, () => {
      machine.clear();
      for (const args of verb.before) machine.must(...args);
      machine.save(verb.name);
      const all = faultsOf(verb);
      const faults = choose(all);
      const problems = faults.flatMap((fault) => inject(verb, fault));
      process.stderr.write(
        `${verb.name}: ${faults.length} of ${all.length} calls failed, ${problems.length} problems\n`,
      );
      expect(problems).toEqual([]);
    });
  }
});
