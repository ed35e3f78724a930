import { readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, expect, test } from "vitest";
import { Machine } from "../helpers/machine.ts";
import { lastingFolder } from "../helpers/temporary-folder.ts";
import { CAN_TRACE, TOOLS } from "./verbs.ts";

const FOLDER = lastingFolder();

let machine: Machine;

beforeAll(async () => {
  machine = await Machine.create(FOLDER, TOOLS);
});

interface Call {
  readonly call: "fsync" | "rename";
  /** What was flushed, or what became of the renamed file; below the data home. */
  readonly file: string;
}

/** Flushes and renames of a command in their order; also those of Node's own threads. */
function durableCalls(args: readonly string[]): Call[] {
  const log = path.join(FOLDER, "calls");
  const ran = machine.ipm(args, [
    "strace",
    "-f",
    "-qq",
    "-y",
    "-o",
    log,
    "-e",
    "trace=fsync,rename",
    "-e",
    "signal=none",
  ]);
  expect(ran.code).toBe(0);
  return readFileSync(log, "utf8")
    .split("\n")
    .flatMap((line): Call[] => {
      const flushed = /fsync\(\d+<([^>]*)>/u.exec(line)?.[1];
      const renamed = /rename\("[^"]*", "([^"]*)"/u.exec(line)?.[1];
      const file = flushed ?? renamed;
      if (file === undefined || !file.startsWith(machine.data)) return [];
      return [{ call: flushed === undefined ? "rename" : "fsync", file: path.relative(machine.data, file) }];
    });
}

test.skipIf(!CAN_TRACE)("what vouches for something is on the disk after it (strace)", () => {
  const calls = durableCalls(["install", "alpha"]);
  const position = (call: Call["call"], file: RegExp): number => {
    const found = calls.findLastIndex((made) => made.call === call && file.test(made.file));
    expect([`${call} ${file.source}`, found]).not.toEqual([`${call} ${file.source}`, -1]);
    return found;
  };
  const inOrder = [
    position("fsync", /^store\/alpha\/[^/]+\/prefix\/bin\/alpha$/u),
    position("fsync", /^store\/alpha\/[^/]+\/prefix$/u),
    position("fsync", /^store\/alpha\/[^/]+\/\.receipt\.json\.[0-9a-f]+\.tmp$/u),
    position("rename", /^store\/alpha\/[^/]+\/receipt\.json$/u),
    position("fsync", /^store\/alpha\/[^/]+$/u),
    position("fsync", /^store\/alpha$/u),
    position("fsync", /^store$/u),
    position("fsync", /^profiles\/1\/bin$/u),
    position("fsync", /^profiles\/1\/\.generation\.json\.[0-9a-f]+\.tmp$/u),
    position("rename", /^profiles\/1\/generation\.json$/u),
    position("fsync", /^profiles\/1$/u),
    position("fsync", /^profiles$/u),
    position("rename", /^current$/u),
    position("fsync", /^$/u),
  ];
  expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b));
});
