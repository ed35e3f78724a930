import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type DemoTool, demoScript } from "../helpers/demo-registry.ts";
import { Machine } from "../helpers/machine.ts";
import { lastingFolder } from "../helpers/temporary-folder.ts";
import { ALPHA, BRAVO } from "./verbs.ts";

const FOLDER = lastingFolder();
const NOBODY = 65_534;
const AS_NOBODY = ["setpriv", "--reuid", String(NOBODY), "--regid", String(NOBODY), "--clear-groups", "--"] as const;
const IS_ROOT = process.getuid?.() === 0;

/** Leaves what only its owner can remove again, after a look at the modes. */
const LOCKED: DemoTool = {
  name: "locked",
  versions: ["1.0.0"],
  files: () => ({ "bin/locked": demoScript("locked", "1.0.0") }),
  methods: [
    "steps:",
    "  - uses: copy",
    '  - { run: "mkdir -p $IPM_PREFIX/deep/er x/y; echo a > $IPM_PREFIX/deep/er/a; echo b > x/y/b; chmod 0 x/y $IPM_PREFIX/deep/er/a; chmod 0111 $IPM_PREFIX/deep/er; chmod 0 $IPM_PREFIX/deep" }',
  ].join("\n"),
};
const LOCKED_FAILS: DemoTool = {
  name: "lockedfails",
  versions: ["1.0.0"],
  methods:
    'steps: [{ run: "mkdir -p $IPM_PREFIX/deep/er; echo a > $IPM_PREFIX/deep/er/a; chmod 0 $IPM_PREFIX/deep/er $IPM_PREFIX/deep; exit 1" }]',
};

let machine: Machine;

beforeAll(async () => {
  machine = await Machine.create(FOLDER, [ALPHA, BRAVO, LOCKED, LOCKED_FAILS]);
});
beforeEach(() => machine.clear());
afterEach(() => {
  machine.within = [];
});

/** Everything of the homes that the group or others may write. */
function writableByOthers(): string {
  return spawnSync("find", [machine.home, "!", "-type", "l", "-perm", "/022"], { encoding: "utf8" }).stdout;
}

for (const umask of ["000", "002", "077", "777"]) {
  test(`umask ${umask}: it works, and nobody else may write`, () => {
    const words = ["sh", "-c", `umask ${umask}; exec "$@"`, "sh"];
    const ran = machine.ipm(["install", "alpha", "bravo"], words);
    expect(ran.stderr).not.toContain("error");
    expect(ran.code).toBe(0);
    expect(writableByOthers()).toBe("");
    expect(machine.check([{ alpha: "2.0.0", bravo: "1.0.0" }], true)).toEqual([]);
    expect(machine.ipm(["uninstall", "--purge", "alpha"], words).code).toBe(0);
  });
}

test("D73: a home behind a link is used by its real path", () => {
  const link = path.join(FOLDER, "link to home");
  symlinkSync(machine.home, link);
  const env = { ...machine.env, IPM_HOME: link };
  expect(machine.ipm(["install", "bravo"], [], { env }).code).toBe(0);
  expect(machine.check([{ bravo: "1.0.0" }], true)).toEqual([]);
});

test("D73: a home that PATH cannot carry is refused before anything is written", () => {
  for (const name of ["with:colon", "with\nline"]) {
    const home = path.join(FOLDER, name);
    const ran = machine.ipm(["install", "bravo"], [], { env: { ...machine.env, IPM_HOME: home } });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain("error[HOME_INVALID]");
    expect(readdirSync(FOLDER)).not.toContain(name);
  }
});

describe.skipIf(!IS_ROOT)("as an ordinary user", () => {
  beforeEach(() => {
    // The folder of a test is its owner's alone.
    chmodSync(FOLDER, 0o755);
    for (const folder of [machine.home, path.join(FOLDER, "user"), path.join(FOLDER, "tmp")]) {
      mkdirSync(folder, { recursive: true });
      chownSync(folder, NOBODY, NOBODY);
    }
    machine.within = AS_NOBODY;
  });
  afterEach(() => {
    machine.within = [];
    machine.clear();
    chownSync(machine.home, 0, 0);
  });

  for (const umask of ["000", "777"]) {
    test(`umask ${umask}`, () => {
      const ran = machine.ipm(["install", "alpha"], ["sh", "-c", `umask ${umask}; exec "$@"`, "sh"]);
      expect(ran.stderr).not.toContain("error");
      expect(ran.code).toBe(0);
      expect(writableByOthers()).toBe("");
      expect(machine.check([{ alpha: "2.0.0" }], true)).toEqual([]);
    });
  }

  test("what a build leaves unreadable is sealed, and removed again", () => {
    machine.must("install", "locked");
    expect(machine.check([{ locked: "1.0.0" }], true)).toEqual([]);
    machine.must("uninstall", "--purge", "locked");
    expect(machine.check([{}], true)).toEqual([]);
    expect(machine.ipm(["install", "lockedfails"]).code).toBe(1);
    expect(machine.check([{}], true)).toEqual([]);
    expect(readdirSync(path.join(machine.data, "store"))).toEqual([]);
  });

  test("what is sealed is safe from its own tool", () => {
    machine.must("install", "alpha");
    const [entry = ""] = readdirSync(path.join(machine.data, "store/alpha"));
    const prefix = path.join(machine.data, "store/alpha", entry, "prefix");
    const [program, ...args] = AS_NOBODY;
    const write = spawnSync(program, [...args, "sh", "-c", 'echo x > "$0/bin/alpha"; echo x > "$0/new"', prefix], {
      encoding: "utf8",
    });
    expect(write.stderr.match(/Permission denied/gu)).toHaveLength(2);
    expect(machine.check([{ alpha: "2.0.0" }], true)).toEqual([]);
  });
});
