import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { doctor } from "../../../src/usecases/doctor.ts";
import { collectGarbage } from "../../../src/usecases/gc.ts";
import { install } from "../../../src/usecases/install.ts";
import { reinstall } from "../../../src/usecases/reinstall.ts";
import { rollback } from "../../../src/usecases/rollback.ts";
import { uninstall } from "../../../src/usecases/uninstall.ts";
import { upgrade } from "../../../src/usecases/upgrade.ts";
import { verify } from "../../../src/usecases/verify.ts";
import { type DemoTool, writeDemoRegistry } from "../../helpers/demo-registry.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, VERIFY_OPTIONS, type TestIpm, type TestIpmOptions, createTestIpm } from "../../helpers/test-ipm.ts";

/** A script that prints its configuration, and with an argument adds it to its notes. */
const KEEPER: DemoTool = {
  name: "keeper",
  versions: ["1.0.0"],
  files: (version) => ({
    "bin/keeper": {
      run: `#!/bin/sh\nset -e\n[ $# = 0 ] || echo "$1" >> "$KEEPER_HOME/var/notes/all"\necho "keeper ${version}: $(cat "$KEEPER_HOME/etc/keeper.conf") $(tr '\\n' ' ' < "$KEEPER_HOME/var/notes/all")"\n`,
    },
    "etc/keeper.conf": `from ${version}`,
    "var/notes/all": "first\n",
  }),
  bin: '{ keeper: { file: bin/keeper, env: { KEEPER_HOME: "{prefix}" } } }',
  tests:
    '[{ run: keeper test, expect: { stdout: "^keeper {version}: from {version} first test $" } }, { run: keeper, expect: { stdout: "first $" } }]',
  more: "persist: [etc/keeper.conf, var/notes]",
};
const KEEPER2: DemoTool = { ...KEEPER, versions: ["1.0.0", "2.0.0"] };

async function ipmWith(tools: readonly DemoTool[], options: TestIpmOptions = {}): Promise<TestIpm> {
  const folder = temporaryFolder();
  return createTestIpm(folder, writeDemoRegistry(path.join(folder, "registry"), tools), options);
}

async function offer(ipm: TestIpm, tools: readonly DemoTool[]): Promise<void> {
  await ipm.setRegistry(writeDemoRegistry(path.join(ipm.folder, "registry"), tools));
}

function say(ipm: TestIpm, ...words: readonly string[]): string {
  const command = path.join(ipm.layout.current, "bin/keeper");
  return spawnSync(command, [...words], { encoding: "utf8", env: { PATH: "/usr/bin:/bin" } }).stdout.trim();
}

function stateOf(ipm: TestIpm, file = ""): string {
  return path.join(ipm.layout.state, "keeper", file);
}

function entryOf(ipm: TestIpm): string {
  const folder = path.join(ipm.layout.store, "keeper");
  return path.join(folder, readdirSync(folder)[0] ?? "");
}

test("an entry's files, launchers among them, have no write bits", async () => {
  const ipm = await ipmWith([KEEPER]);
  await install(ipm.context, ["keeper"], OPTIONS);
  const files = readdirSync(entryOf(ipm), { recursive: true, encoding: "utf8" })
    .map((name) => path.join(entryOf(ipm), name))
    // Links to the user's data are followed.
    .filter((file) => lstatSync(file).isFile() && realpathSync(file).startsWith(realpathSync(entryOf(ipm))));
  expect(files.length).toBeGreaterThan(5);
  expect(files.filter((file) => (lstatSync(file).mode & 0o222) !== 0)).toEqual([]);
});

test("what the user kept and gave under a tool's former name goes on under the new one; a rollback finds the old", async () => {
  const asks = "inputs: [{ env: KEEPER_KEY, secret: true }]";
  const ipm = await ipmWith([{ ...KEEPER, more: `${KEEPER.more ?? ""}\n${asks}` }]);
  await install(ipm.context, ["keeper"], { ...OPTIONS, set: { KEEPER_KEY: "s3cret" } });
  expect(say(ipm, "mine")).toBe("keeper 1.0.0: from 1.0.0 first mine");
  const renamed: DemoTool = {
    ...KEEPER2,
    name: "warden",
    files: (version) => ({
      ...KEEPER.files?.(version),
      "etc/new.conf": `new in ${version}`,
    }),
    more: `persist: [etc/keeper.conf, var/notes, etc/new.conf]\n${asks}\nformerly: [keeper]`,
  };
  await offer(ipm, [renamed]);
  // Nobody is asked for the key again.
  await upgrade(ipm.context, [], OPTIONS);
  expect(say(ipm, "again")).toBe("keeper 2.0.0: from 1.0.0 first mine again");
  expect(readFileSync(path.join(ipm.layout.state, "warden/etc/new.conf"), "utf8")).toBe("new in 2.0.0");
  expect(readFileSync(path.join(ipm.layout.inputs, "warden/values"), "utf8")).toContain("'s3cret'");
  await rollback(ipm.context, null);
  expect(say(ipm)).toBe("keeper 1.0.0: from 1.0.0 first mine");
});

describe("the user's data", () => {
  test("is what the tool writes at its own path; the entry stays as it was sealed", async () => {
    const ipm = await ipmWith([KEEPER]);
    await install(ipm.context, ["keeper"], OPTIONS);
    // The tests wrote into copies of their own.
    expect(say(ipm)).toBe("keeper 1.0.0: from 1.0.0 first");
    expect(say(ipm, "mine")).toBe("keeper 1.0.0: from 1.0.0 first mine");
    const link = path.join(entryOf(ipm), "prefix/etc/keeper.conf");
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(realpathSync(link)).toBe(realpathSync(stateOf(ipm, "etc/keeper.conf")));
    expect(readFileSync(path.join(entryOf(ipm), "seed/var/notes/all"), "utf8")).toBe("first\n");
    expect((await doctor(ipm.context, { name: "keeper", fix: false })).healthy).toBe(true);
  });

  test("stays over upgrade, rollback, reinstall and uninstall; two versions use the same", async () => {
    const ipm = await ipmWith([KEEPER]);
    await install(ipm.context, ["keeper"], OPTIONS);
    say(ipm, "mine");
    await offer(ipm, [KEEPER2]);
    expect((await upgrade(ipm.context, [], OPTIONS)).upgraded).toHaveLength(1);
    expect(say(ipm, "again")).toBe("keeper 2.0.0: from 1.0.0 first mine again");
    await rollback(ipm.context, null);
    expect(say(ipm)).toBe("keeper 1.0.0: from 1.0.0 first mine again");
    await reinstall(ipm.context, "keeper", OPTIONS);
    const { kept } = await uninstall(ipm.context, ["keeper"], { purge: false });
    expect(kept).toEqual([stateOf(ipm).replace(/\/$/u, "")]);
    await collectGarbage(ipm.context, { keep: 0, dryRun: false });
    expect(existsSync(path.join(ipm.layout.store, "keeper"))).toBe(false);
    await install(ipm.context, ["keeper"], OPTIONS);
    expect(say(ipm)).toBe("keeper 2.0.0: from 1.0.0 first mine again");
  });

  test("goes with --purge, and only then begins anew", async () => {
    const ipm = await ipmWith([KEEPER]);
    await install(ipm.context, ["keeper"], OPTIONS);
    say(ipm, "mine");
    const { kept } = await uninstall(ipm.context, ["keeper"], { purge: true });
    expect(kept).toEqual([]);
    expect(existsSync(stateOf(ipm))).toBe(false);
    await install(ipm.context, ["keeper"], OPTIONS);
    expect(say(ipm)).toBe("keeper 1.0.0: from 1.0.0 first");
  });

  test("that a version brings for the first time is added beside what is there", async () => {
    const ipm = await ipmWith([{ ...KEEPER, more: "persist: [etc/keeper.conf, var/notes/all]" }]);
    await install(ipm.context, ["keeper"], OPTIONS);
    say(ipm, "mine");
    const more: DemoTool = {
      ...KEEPER2,
      files: (version) => ({ ...KEEPER.files?.(version), "var/notes/other": "other\n" }),
      more: "persist: [etc/keeper.conf, var/notes/all, var/notes/other]",
    };
    await offer(ipm, [more]);
    await upgrade(ipm.context, [], OPTIONS);
    expect(readFileSync(stateOf(ipm, "var/notes/other"), "utf8")).toBe("other\n");
    expect(say(ipm)).toBe("keeper 2.0.0: from 1.0.0 first mine");
  });

  test("that somebody removed is said by doctor, and reinstall makes it as it was at first", async () => {
    const ipm = await ipmWith([KEEPER]);
    await install(ipm.context, ["keeper"], OPTIONS);
    rmSync(stateOf(ipm, "etc/keeper.conf"));
    const { checks } = await doctor(ipm.context, { name: "keeper", fix: false });
    expect(checks[0]).toMatchObject({
      status: "failed",
      detail: `its data ${stateOf(ipm, "etc/keeper.conf")} is gone`,
      fix: "ipm reinstall keeper",
    });
    await reinstall(ipm.context, "keeper", OPTIONS);
    expect(say(ipm)).toBe("keeper 1.0.0: from 1.0.0 first");
  });

  test("is not made by an installation that fails, nor by one that is killed while it is copied", async () => {
    const failing = await ipmWith([{ ...KEEPER, tests: "[{ run: exit 3 }]" }]);
    await expect(install(failing.context, ["keeper"], OPTIONS)).rejects.toMatchObject({ code: "TEST_FAILED" });
    expect(existsSync(stateOf(failing))).toBe(false);
    let seeded = 0;
    const checkpoint = (name: string): void => {
      if (name === "state.seeded" && ++seeded === 2) throw new Error("here");
    };
    const ipm = await ipmWith([KEEPER], { checkpoint });
    await expect(install(ipm.context, ["keeper"], OPTIONS)).rejects.toThrow("here");
    expect(existsSync(stateOf(ipm))).toBe(false);
  });

  test("verifies in a clean room, twice the same", { timeout: 60_000 }, async () => {
    const ipm = await ipmWith([KEEPER2]);
    const report = await verify(ipm.context, ["keeper"], { ...VERIFY_OPTIONS, twice: true });
    expect(report.methods[0]).toMatchObject({ outcome: "passed", reproducible: true });
  });
});

describe("what is refused", () => {
  test.each([
    ["what the steps did not make", "persist: [etc/other.conf]", {}, "did not make"],
    ["a link", "persist: [etc/link]", { "etc/link": { link: "keeper.conf" } }, "is, or is behind, a link"],
    ["what is behind a link", "persist: [here/keeper.conf]", { here: { link: "etc" } }, "is, or is behind, a link"],
    ["a link that leads out", "persist: [var]", { "var/out": { link: "../bin" } }, "a link in what"],
  ] as const)("%s", async (_, more, files, message) => {
    const ipm = await ipmWith([{ ...KEEPER, files: (version) => ({ ...KEEPER.files?.(version), ...files }), more }]);
    await expect(install(ipm.context, ["keeper"], OPTIONS)).rejects.toMatchObject({
      code: "OUTPUT_INVALID",
      message: expect.stringContaining(message),
    });
  });

  test("a link that a tool has put into its data is not followed", async () => {
    const ipm = await ipmWith([{ ...KEEPER, more: "persist: [etc/keeper.conf]", tests: "[run: keeper]" }]);
    await install(ipm.context, ["keeper"], OPTIONS);
    const elsewhere = path.join(ipm.folder, "elsewhere");
    mkdirSync(elsewhere);
    symlinkSync(elsewhere, stateOf(ipm, "var"));
    await offer(ipm, [KEEPER2]);
    await expect(upgrade(ipm.context, [], OPTIONS)).rejects.toMatchObject({ code: "STATE_DAMAGED" });
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(spawnSync(path.join(ipm.layout.current, "bin/keeper"), { encoding: "utf8" }).stdout).toContain("1.0.0");
    writeFileSync(path.join(elsewhere, "x"), "");
    await uninstall(ipm.context, ["keeper"], { purge: true });
    expect(readdirSync(elsewhere)).toEqual(["x"]);
  });
});
