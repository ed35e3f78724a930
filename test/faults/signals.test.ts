import { afterEach, beforeAll, expect, test } from "vitest";
import type { DemoTool } from "../helpers/demo-registry.ts";
import { Machine, type Started } from "../helpers/machine.ts";
import { leftAfterASecond, processesWith } from "../helpers/processes-with.ts";
import { lastingFolder } from "../helpers/temporary-folder.ts";
import { ALL, BRAVO } from "./verbs.ts";

const CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type StopSignal = keyof typeof CODES;

/** Found again among all processes of the machine: nobody else sleeps for so long. */
const MARK = `86${process.pid}`;
const SLEEP = `sleep ${MARK}`;
/** Deaf to everything that can be ignored, and with a child that has left its group. */
const STUBBORN = `trap '' INT TERM HUP; echo READY; setsid ${SLEEP} & ${SLEEP}; ${SLEEP}`;

const SLOW_STEP: DemoTool = {
  name: "slowstep",
  versions: ["1.0.0"],
  methods: `steps: [{ run: ${JSON.stringify(STUBBORN)} }]`,
};
const SLOW_TEST: DemoTool = { name: "slowtest", versions: ["1.0.0"], tests: `[{ run: ${JSON.stringify(STUBBORN)} }]` };

const FOLDER = lastingFolder();

let machine: Machine;
const started: Started[] = [];

beforeAll(async () => {
  machine = await Machine.create(FOLDER, [BRAVO, SLOW_STEP, SLOW_TEST]);
  machine.must("install", "bravo");
  machine.save("bravo");
});
afterEach(() => {
  for (const { child } of started.splice(0)) child.kill("SIGKILL");
  // What one test leaves behind must not be the next one's failure.
  for (const line of processesWith(MARK)) process.kill(Number(line.split(" ")[0]), "SIGKILL");
});

function start(...args: readonly string[]): Started {
  const running = machine.start(args);
  started.push(running);
  return running;
}

/** Each brings ipm to a phase and says when it is there. */
const PHASES: Readonly<Record<string, () => Promise<Started>>> = {
  "a step": async () => {
    const running = start("install", "slowstep");
    await running.until(/"step\.output".*READY/u);
    return running;
  },
  "a test": async () => {
    const running = start("install", "slowtest");
    await running.until(/"test\.started"/u);
    return running;
  },
  "waiting for a lock": async () => {
    const holder = start("install", "slowstep");
    await holder.until(/"step\.output".*READY/u);
    const running = start("install", "slowstep");
    await running.until(/"lock\.waiting"/u);
    return running;
  },
};

for (const [phase, reach] of Object.entries(PHASES)) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const satisfies readonly StopSignal[]) {
    for (const times of [1, 2]) {
      // A normal run takes one signal of each kind, and one of them twice.
      const chosen = { "a step": "SIGINT", "a test": "SIGTERM", "waiting for a lock": "SIGHUP" }[phase] === signal;
      if (!ALL && !(chosen && (times === 1 || phase === "a step"))) continue;
      test(`${signal} ${times === 1 ? "once" : "twice"} during ${phase}`, { timeout: 30_000 }, async () => {
        machine.restore("bravo");
        const running = await reach();
        running.child.kill(signal);
        if (times === 2) {
          await running.until(/"STOPPING"/u);
          running.child.kill(signal);
        }
        const ran = await running.end();
        // The second one may come when ipm is done already: to a shell that is the same exit code.
        expect(times === 2 && ran.signal === signal ? CODES[signal] : ran.code).toBe(CODES[signal]);
        for (const { child } of started) if (child !== running.child) child.kill("SIGKILL");
        expect(await leftAfterASecond(MARK)).toEqual([]);
        expect(machine.check([{ bravo: "1.0.0" }], false)).toEqual([]);
        machine.must("gc");
        expect(machine.check([{ bravo: "1.0.0" }], true)).toEqual([]);
      });
    }
  }
}
