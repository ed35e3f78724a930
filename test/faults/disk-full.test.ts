import { mkdirSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Machine } from "../helpers/machine.ts";
import { MountNamespace, canMount } from "../helpers/mount-namespace.ts";
import { lastingFolder } from "../helpers/temporary-folder.ts";
import { ALL, ALPHA, BRAVO } from "./verbs.ts";

const KIB = 1024;
/** From nothing fits to everything does. */
const SIZES = [16, 32, 64, 96, 128, 160, 192, 256, 320, 384, 448, 512, 640, 768, 1024, 2048].map((kib) => kib * KIB);
const INODES = [4, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 96, 112, 128, 160, 200];

const FOLDER = lastingFolder();

let machine: Machine;
let namespace: MountNamespace;

/** Used bytes and inodes of the file system that the homes are on. */
function used(): { bytes: number; inodes: number } {
  const [bytes = 0, inodes = 0] = machine
    .shell("df", "--output=used,iused", "-B1", machine.home)
    .split("\n")[1]!
    .trim()
    .split(/\s+/u)
    .map(Number);
  return { bytes, inodes };
}

function fill(): void {
  // Until nothing more fits, to the last byte.
  machine.shell(
    "sh",
    "-c",
    `dd if=/dev/zero of='${machine.home}/filler' bs=4096 2>/dev/null; dd if=/dev/zero bs=1 count=4096 2>/dev/null >> '${machine.home}/filler2' || true`,
  );
  expect(machine.shell("df", "--output=avail", "-B1", machine.home).split("\n")[1]?.trim()).toBe("0");
}

describe.skipIf(!canMount())("a file system of its own (mount namespace)", () => {
  beforeAll(async () => {
    namespace = await MountNamespace.open();
    mkdirSync(path.join(FOLDER, "home"));
    const large = { ...ALPHA, files: () => ({ "share/large": "x".repeat(150 * KIB) }) };
    machine = await Machine.create(FOLDER, [large, BRAVO]);
    machine.within = namespace.enter;
  });
  afterAll(() => namespace?.end());
  beforeEach(() => namespace.mountTmpfs(machine.home, "size=16m"));

  /** Install on a file system that is too small, or is not: whole either way, and everything is given back. */
  function installOn(options: string): { failed: boolean; problems: string[] } {
    namespace.mountTmpfs(machine.home, options);
    const problems: string[] = [];
    const ran = machine.ipm(["install", "alpha", "bravo"]);
    if (ran.code !== 0) {
      if (ran.code !== 1) problems.push(`ended with ${ran.code ?? ran.signal}: ${ran.stderr}`);
      if (!/ENOSPC|no space left|could not write/iu.test(ran.stderr)) problems.push(`does not say why: ${ran.stderr}`);
      if (!ran.stderr.includes(machine.folder)) problems.push(`names no path: ${ran.stderr}`);
    }
    problems.push(...machine.check(ran.code === 0 ? [{ alpha: "2.0.0", bravo: "1.0.0" }] : [{}], true));
    const list = machine.ipm(["list", "--json"]);
    if (list.code !== 0) problems.push(`list ended with ${list.code}: ${list.stderr}`);
    return { failed: ran.code !== 0, problems: problems.map((problem) => `${options}: ${problem}`) };
  }

  test("16 sizes: fails with cause and path, or succeeds; the state is whole", () => {
    const sizes = ALL ? SIZES : SIZES.filter((_, index) => index % 5 === 0);
    const results = sizes.map((size) => installOn(`size=${size}`));
    expect(results.flatMap(({ problems }) => problems)).toEqual([]);
    expect(results[0]?.failed).toBe(true);
    expect(results.at(-1)?.failed).toBe(false);
  });

  test("16 numbers of inodes: the same", () => {
    const numbers = ALL ? INODES : INODES.filter((_, index) => index % 6 === 3);
    const results = numbers.map((inodes) => installOn(`size=16m,nr_inodes=${inodes}`));
    expect(results.flatMap(({ problems }) => problems)).toEqual([]);
    expect(results[0]?.failed).toBe(true);
  });

  test("a failed upgrade leaves the old version, and gives the space back", () => {
    machine.must("install", "alpha@1.0.0", "bravo");
    // The sources are in the cache; what is left is not enough for another tree, whose pack and files are there at once.
    machine.must("plan", "alpha");
    const total = used().bytes;
    namespace.run("mount", "-o", `remount,size=${Math.ceil((total + 160 * KIB) / 4096) * 4096}`, machine.home);
    const ran = machine.ipm(["upgrade"]);
    expect(ran.stderr).toContain("error[DISK_FULL]");
    expect(ran.stderr).toContain(machine.home);
    expect(ran.code).toBe(1);
    expect(machine.check([{ alpha: "1.0.0", bravo: "1.0.0" }], true)).toEqual([]);
    // The log of the failed attempt stays.
    expect(used().bytes).toBeLessThanOrEqual(total + 8 * KIB);
  });

  test("at 0 bytes free list, uninstall, rollback and gc work", () => {
    machine.must("install", "alpha@1.0.0", "bravo");
    machine.must("upgrade");
    fill();
    expect(machine.must("list").stdout).toContain("alpha");
    const full = machine.ipm(["install", "alpha@1.0.0"]);
    expect([0, 1]).toContain(full.code);
    machine.shell("sh", "-c", `rm -f '${machine.home}'/filler*`);
    machine.must("install", "alpha@2.0.0");
    fill();
    machine.must("uninstall", "bravo");
    expect(machine.check([{ alpha: "2.0.0" }], true)).toEqual([]);
    const before = used().bytes;
    machine.must("gc", "--keep", "0");
    expect(used().bytes).toBeLessThan(before);
    expect(machine.check([{ alpha: "2.0.0" }], true)).toEqual([]);
    machine.must("uninstall", "--purge", "alpha");
    expect(machine.check([{}], true)).toEqual([]);
  });

  test("a read-only file system: list works, what writes fails and names the cause", () => {
    machine.must("install", "bravo");
    namespace.run("mount", "-o", "remount,ro", machine.home);
    expect(machine.must("list").stdout).toContain("bravo");
    for (const args of [["install", "alpha"], ["uninstall", "bravo"], ["gc"]]) {
      const ran = machine.ipm(args);
      expect(ran.code).toBe(1);
      expect(ran.stderr).toMatch(/read-only \(EROFS\)/u);
    }
    expect(machine.check([{ bravo: "1.0.0" }], true)).toEqual([]);
  });
});
