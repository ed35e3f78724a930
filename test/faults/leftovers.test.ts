import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { beforeAll, expect, test } from "vitest";
import { type DemoTool, demoScript } from "../helpers/demo-registry.ts";
import { Machine } from "../helpers/machine.ts";
import { lastingFolder } from "../helpers/temporary-folder.ts";
import { BRAVO } from "./verbs.ts";

/** Writes to every place where installers of this world leave something. */
const LITTER = [
  "mkdir -p ~/.config/messy ~/.cache/messy ~/.local/bin",
  "echo x > ~/.config/messy/rc; echo x > ~/.cache/messy/big; echo x > ~/.local/bin/messy; echo x > ~/.bashrc",
  "echo x > $TMPDIR/messy; echo x > /tmp/messy-$IPM_VERSION; mktemp; mkdir -p locked/deep; chmod 0 locked/deep; chmod 0555 locked",
].join("; ");
const run = (text: string): string => `{ run: ${JSON.stringify(text)} }`;

const MESSY: DemoTool = { name: "messy", versions: ["1.0.0"], methods: `steps: [${run(LITTER)}, uses: copy]` };
const FAILURES: readonly DemoTool[] = [
  { name: "failstep", versions: ["1.0.0"], methods: `steps: [${run(`${LITTER}; exit 3`)}]` },
  {
    name: "latestep",
    versions: ["1.0.0"],
    methods: `steps: [uses: copy, { run: ${JSON.stringify(`${LITTER}; sleep 60`)}, timeout: 1s }]`,
  },
  { name: "badtest", versions: ["1.0.0"], tests: `[{ run: badtest, expect: { stdout: nothing } }]` },
  { name: "nolauncher", versions: ["1.0.0"], bin: "{ nolauncher: bin/elsewhere }" },
  {
    name: "outside",
    versions: ["1.0.0"],
    methods: `steps: [uses: copy, ${run("rm $IPM_PREFIX/bin/outside; ln -s /bin/true $IPM_PREFIX/bin/outside")}]`,
  },
  {
    name: "rival",
    versions: ["1.0.0"],
    files: () => ({ "bin/x": demoScript("rival", "x") }),
    bin: "{ bravo: bin/x }",
    tests: "[{ run: bravo }]",
  },
];

const FOLDER = lastingFolder();

let machine: Machine;

beforeAll(async () => {
  machine = await Machine.create(FOLDER, [BRAVO, MESSY, ...FAILURES]);
});

/** Every path below a folder with its kind, size and target. */
function listing(folder: string): string[] {
  return spawnSync("find", [folder, "-printf", "%P %y %s %l\\n"], { encoding: "utf8" }).stdout.split("\n").toSorted();
}

/** What is outside of ipm's homes: the user's home, its folder for temporary files, and the machine's. */
function outside(): string[] {
  const shared = ["/tmp", "/var/tmp", "/dev/shm"].flatMap((folder) =>
    readdirSync(folder).filter((name) => /messy|ipm(?!-test-)|fail|bwrap/u.test(name)),
  );
  return [...listing(path.join(machine.folder, "user")), ...listing(path.join(machine.folder, "tmp")), ...shared];
}

/** The data home without what is meant to stay: logs, lock files, and the counter of generations. */
function inside(): string[] {
  return listing(machine.data).filter((line) => !/^(?:logs|locks)(?:\/| )/u.test(line));
}

test("install, uninstall and gc --keep 0 leave nothing but an empty generation", () => {
  machine.clear();
  machine.must("install", "bravo");
  machine.must("uninstall", "bravo");
  machine.must("gc", "--keep", "0");
  const before = [outside(), inside().map((line) => line.replaceAll(/profiles\/\d+/gu, "profiles/N"))];
  machine.must("install", "messy", "bravo");
  machine.must("uninstall", "messy", "bravo");
  machine.must("gc", "--keep", "0");
  const after = [outside(), inside().map((line) => line.replaceAll(/profiles\/\d+/gu, "profiles/N"))];
  // The profile's own folder is named by its number, and the generation's file holds it.
  const withoutNumbers = (lines: string[][]): string[][] =>
    lines.map((list) => list.filter((line) => !/^(?:current|profiles\/N\/generation\.json|\d+) /u.test(line)));
  expect(withoutNumbers(after)).toEqual(withoutNumbers(before));
  expect(readdirSync(path.join(machine.data, "store"))).toEqual([]);
  expect(readdirSync(path.join(machine.data, "logs"))).toEqual([]);
  expect(readdirSync(path.join(machine.data, "profiles"))).toHaveLength(1);
  expect(machine.check([{}], true)).toEqual([]);
});

for (const { name } of FAILURES) {
  test(`a failed install leaves no entry, generation or launcher: ${name}`, () => {
    machine.clear();
    machine.must("install", "bravo");
    machine.save("bravo");
    const before = [outside(), inside()];
    const ran = machine.ipm(["install", name]);
    expect(ran.code).toBe(1);
    expect([outside(), inside()]).toEqual(before);
    expect(machine.check([{ bravo: "1.0.0" }], true)).toEqual([]);
  });
}
