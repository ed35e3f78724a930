import { expect, test } from "vitest";
import type { CommitSha, TreeSha } from "../../../src/core/ids.ts";
import { planDigest, runsNothing } from "../../../src/plan/build-plan.ts";
import type { PlannedCopy, PlannedRun, PlannedWork } from "../../../src/plan/plan.ts";
import { samplePlan } from "../../helpers/sample-plan.ts";

// Spelt out: its digest is pinned below.
const CHECKOUT = { commit: "1".repeat(40) as CommitSha, tree: "2".repeat(40) as TreeSha, path: "cli" };
const WHAT: PlannedWork = {
  source: CHECKOUT,
  steps: [
    {
      kind: "run",
      id: "1",
      title: "cargo build",
      why: null,
      run: ["cargo", "build", "--locked"],
      dir: null,
      env: {},
      timeoutMs: 60_000,
      network: ["crates"],
      recipe: "cargo",
    },
    {
      kind: "copy",
      id: "2",
      title: "copy the binary",
      why: "only one file is needed",
      from: "target/release/rc",
      to: "bin",
      exclude: ["docs"],
      recipe: null,
    },
  ],
  provides: { bin: { rc: { file: "bin/rc", run: null, env: {} } }, share: {}, completions: {} },
  tests: [
    {
      id: "1",
      run: "rc --version",
      stdin: null,
      timeoutMs: 1000,
      expect: { exit: 0, stdout: String.raw`^rc 2\.1\.0`, stderr: null, output: null },
    },
  ],
};
const [RUN, COPY] = WHAT.steps as [PlannedRun, PlannedCopy];
const [TEST] = WHAT.tests;

/** The plan with something else in it. */
function changed(changes: Partial<PlannedWork>): PlannedWork {
  return { ...WHAT, ...changes };
}

function withRun(changes: Partial<PlannedRun>): PlannedWork {
  return changed({ steps: [{ ...RUN, ...changes }, COPY] });
}

function withCopy(changes: Partial<PlannedCopy>): PlannedWork {
  return changed({ steps: [RUN, { ...COPY, ...changes }] });
}

function withTest(changes: Partial<NonNullable<typeof TEST>>): PlannedWork {
  return changed({ tests: [{ ...TEST!, ...changes }] });
}

const SAME: Readonly<Record<string, PlannedWork>> = {
  "the same values": structuredClone(WHAT),
  "keys in another order": JSON.parse(JSON.stringify(WHAT), (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toReversed())
      : value,
  ),
  "a step's title": withRun({ title: "compile" }),
  "a step's reason": withRun({ why: "because" }),
  "a step's number": withRun({ id: "9" }),
  "the recipe that wrote a step": withRun({ recipe: null }),
  "a test's number": withTest({ id: "7" }),
};

const OTHER: Readonly<Record<string, PlannedWork>> = {
  "the commit": changed({ source: { ...CHECKOUT, commit: "3".repeat(40) as CommitSha } }),
  "the tree": changed({ source: { ...CHECKOUT, tree: "3".repeat(40) as TreeSha } }),
  "the sub-directory": changed({ source: { ...CHECKOUT, path: null } }),
  "a step's command": withRun({ run: ["cargo", "build"] }),
  "words that a shell would join": withRun({ run: "cargo build --locked" }),
  "a step's folder": withRun({ dir: "cli" }),
  "a step's environment": withRun({ env: { RUSTFLAGS: "-O" } }),
  "a step's network": withRun({ network: [] }),
  "a step's time limit": withRun({ timeoutMs: 1 }),
  "what is copied": withCopy({ from: "target" }),
  "where it is copied to": withCopy({ to: "lib" }),
  "what is left out": withCopy({ exclude: [] }),
  "the order of steps": changed({ steps: WHAT.steps.toReversed() }),
  "a step less": changed({ steps: [RUN] }),
  "a launcher's file": changed({
    provides: { ...WHAT.provides, bin: { rc: { file: "bin/other", run: null, env: {} } } },
  }),
  "a launcher more": changed({
    provides: { ...WHAT.provides, bin: { ...WHAT.provides.bin, rd: { file: "bin/rc", run: null, env: {} } } },
  }),
  "a shared file": changed({ provides: { ...WHAT.provides, share: { "zsh/x": "shell/x" } } }),
  "a test's command": withTest({ run: "true" }),
  "a test's expectation": withTest({ expect: { exit: 1, stdout: null, stderr: null, output: null } }),
  "a test's input": withTest({ stdin: "x" }),
  "no tests": changed({ tests: [] }),
  "a server": changed({ start: { run: "rcd", url: "http://127.0.0.1:1/" } }),
  "a test beside it": withTest({ during: "start" }),
  "what is the user's": changed({ persist: ["etc/rc.conf"] }),
  "an input": changed({ inputs: [{ env: "RC", for: "both", secret: false, value: "a" }] }),
  "another value of it": changed({ inputs: [{ env: "RC", for: "both", secret: false, value: "b" }] }),
  "what it is for": changed({ inputs: [{ env: "RC", for: "run", secret: false, value: "a" }] }),
  "a secret": changed({ inputs: [{ env: "RC", for: "run", secret: true, value: null }] }),
};

test.each(Object.entries(SAME))("the digest stays with %s", (_, what) => {
  expect(planDigest(what)).toBe(planDigest(WHAT));
});

test.each(Object.entries(OTHER))("the digest changes with %s", (_, what) => {
  expect(planDigest(what)).not.toBe(planDigest(WHAT));
});

test("no two of these changes have one digest", () => {
  const digests = Object.values(OTHER).map(planDigest);
  expect(new Set(digests).size).toBe(digests.length);
});

test("the digest is pinned: attestations of the past are keyed by it", () => {
  expect(planDigest(WHAT)).toBe("8f8cffbc24408daff27f9415c22f1adfb31d74c312637ae743c394774e598dc7");
});

test("only copies run nothing of the package", () => {
  expect(runsNothing(samplePlan())).toBe(false);
  expect(runsNothing(samplePlan({ what: changed({ steps: [COPY] }) }))).toBe(true);
  expect(runsNothing(samplePlan({ what: changed({ steps: [] }) }))).toBe(true);
});
