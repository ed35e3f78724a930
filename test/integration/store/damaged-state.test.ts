import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { isIpmError } from "../../../src/core/errors.ts";
import { parseGeneration } from "../../../src/store/generations.ts";
import { type EntryId, parseEntryId } from "../../../src/store/layout.ts";
import { readReceipt } from "../../../src/store/receipts.ts";
import { openForWriting } from "../../../src/store/recover.ts";
import { createStoreContext } from "../../../src/store/store-context.ts";
import { doctor } from "../../../src/usecases/doctor.ts";
import { collectGarbage } from "../../../src/usecases/gc.ts";
import { history } from "../../../src/usecases/history.ts";
import { hold } from "../../../src/usecases/hold.ts";
import { findInstalledAlready } from "../../../src/usecases/installed-already.ts";
import { install } from "../../../src/usecases/install.ts";
import { listTools } from "../../../src/usecases/list.ts";
import { reinstall } from "../../../src/usecases/reinstall.ts";
import { rollback } from "../../../src/usecases/rollback.ts";
import { uninstall } from "../../../src/usecases/uninstall.ts";
import { upgrade } from "../../../src/usecases/upgrade.ts";
import { type DemoTool, writeDemoRegistry } from "../../helpers/demo-registry.ts";
import { lastingFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, type TestIpm, createTestIpm, treeText } from "../../helpers/test-ipm.ts";

const FOLDER = lastingFolder();
const SAVED = path.join(FOLDER, "saved");
const TOOLS: readonly DemoTool[] = [
  { name: "alpha", versions: ["1.0.0", "2.0.0"], files: () => ({ "share/man/man1/alpha.1": "a" }) },
  {
    name: "bravo",
    versions: ["1.0.0"],
    files: () => ({ "bin/bravo": { run: '#!/usr/bin/env node\nconsole.log("bravo 1.0.0");\n' } }),
  },
];

let ipm: TestIpm;
let current: string;
let alpha: string;
let bravo: string;

beforeAll(async () => {
  ipm = await createTestIpm(FOLDER, writeDemoRegistry(path.join(FOLDER, "registry"), TOOLS));
  await install(ipm.context, ["alpha@1.0.0", "bravo"], OPTIONS);
  await upgrade(ipm.context, [], OPTIONS);
  await hold(ipm.context, ["bravo"], true);
  copy(ipm.layout.data, SAVED);
});

/** By cp: modes, links and times as they are. */
function copy(from: string, to: string): void {
  const { status, stderr } = spawnSync("cp", ["-a", from, to], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}

/** Three generations: alpha 1.0.0 and bravo; alpha 2.0.0; bravo held. */
beforeEach(async () => {
  ipm.events.length = 0;
  spawnSync("chmod", ["-R", "u+rwx", ipm.layout.data]);
  rmSync(ipm.layout.data, { recursive: true, force: true });
  copy(SAVED, ipm.layout.data);
  current = path.join(ipm.layout.profiles, "3/generation.json");
  const entries = await listTools(ipm.context);
  [alpha = "", bravo = ""] = entries.map(({ entry }) => path.join(ipm.layout.store, entry ?? ""));
  // Whoever edits state files can also write them.
  for (const file of [current, path.join(alpha, "receipt.json"), path.join(bravo, "receipt.json")])
    chmodSync(file, 0o644);
});

async function tools(): Promise<string[]> {
  return (await listTools(ipm.context)).map(({ name, version, held }) => `${name} ${version}${held ? " held" : ""}`);
}

/** The id of an entry by its folder. */
function entryId(root: string): EntryId {
  const id = parseEntryId(path.relative(ipm.layout.store, root));
  if (id === undefined) throw new Error(`no entry: ${root}`);
  return id;
}

function say(command: string): string {
  return spawnSync(path.join(ipm.layout.current, "bin", command), { encoding: "utf8", env: {} }).stdout.trim();
}

function warnings(): string[] {
  return ipm.events.flatMap((event) => (event.type === "warning" ? [event.code] : []));
}

const BOTH = ["alpha 2.0.0", "bravo 1.0.0 held"];

test("D70: something else where `current` should be is never replaced, and list still answers", async () => {
  rmSync(ipm.layout.current);
  writeFileSync(ipm.layout.current, "mine");
  for (const work of [
    () => install(ipm.context, ["alpha@1.0.0"], OPTIONS),
    () => uninstall(ipm.context, ["alpha"], { purge: true }),
    () => rollback(ipm.context, null),
    () => collectGarbage(ipm.context, { keep: 0, dryRun: false }),
  ]) {
    await expect(work()).rejects.toMatchObject({ code: "FOREIGN_FILE" });
  }
  expect(readFileSync(ipm.layout.current, "utf8")).toBe("mine");
  expect(await tools()).toEqual(BOTH);
  expect(warnings()).toContain("STATE_DAMAGED");
});

const DISORDER: readonly (readonly [what: string, make: () => void])[] = [
  ["an unfinished build", () => mkdirSync(path.join(ipm.layout.store, "alpha/9.9.9-0123456789ab"))],
  ["an empty folder of a tool", () => mkdirSync(path.join(ipm.layout.store, "charlie"))],
  ["an unfinished generation", () => mkdirSync(path.join(ipm.layout.profiles, "4/bin"), { recursive: true })],
  [
    "a link that was to become current",
    () => symlinkSync("profiles/4", path.join(ipm.layout.data, ".current.0123456789ab.tmp")),
  ],
  ["a current that leads nowhere", () => rmSync(ipm.layout.current)],
  ["a lost reserve", () => rmSync(ipm.layout.reserve)],
];

test("a home in order is opened for writing without a lock; for everything else one is taken, and it is put in order", async () => {
  const { host, emit } = ipm.context;
  let started = 0;
  const run: typeof host.processes.run = (request) => {
    started++;
    return host.processes.run(request);
  };
  const counting = { ...host, processes: { ...host.processes, run } };
  const store = createStoreContext(counting, emit, "test", 1000);
  await openForWriting(store);
  expect(started).toBe(0);
  const inOrder = treeText(ipm.layout.data);
  for (const [what, make] of DISORDER) {
    make();
    await openForWriting(store);
    expect([what, started > 0]).toEqual([what, true]);
    started = 0;
    await openForWriting(store);
    expect([what, started]).toEqual([what, 0]);
    expect(withoutLocks(treeText(ipm.layout.data))).toEqual(withoutLocks(inOrder));
  }
});

function withoutLocks(lines: readonly string[]): string[] {
  return lines.filter((line) => !/^(?:locks|reserve)\b/u.test(line));
}

test("D70, D79: doctor says that PATH is empty when `current` is gone, and what to do where --fix cannot", async () => {
  const generation = async (fix: boolean): Promise<unknown> =>
    (await doctor(ipm.context, { name: null, fix })).checks.find(({ id }) => id === "generation");
  rmSync(ipm.layout.current);
  expect(await generation(false)).toMatchObject({ status: "failed", fix: "ipm doctor --fix" });
  expect(await generation(true)).toMatchObject({ status: "ok" });
  rmSync(ipm.layout.current);
  mkdirSync(ipm.layout.current);
  expect(await generation(false)).toMatchObject({
    status: "failed",
    fix: `mv ${ipm.layout.current} ${ipm.layout.current}.old`,
  });
});

test("D79: doctor tells of a home of a newer ipm and of a configuration that cannot be read", async () => {
  writeFileSync(path.join(ipm.layout.data, "ipm.json"), '{"ipm":"data","layout":99}');
  const { config } = ipm.context.host.homes;
  mkdirSync(config, { recursive: true });
  writeFileSync(path.join(config, "config.yaml"), "registries: [");
  const { healthy, checks } = await doctor(ipm.context, { name: null, fix: false });
  rmSync(config, { recursive: true });
  expect(healthy).toBe(false);
  expect(checks.filter(({ status }) => status === "failed").map(({ id }) => id)).toEqual(["layout", "config"]);
});

test("D79: doctor --fix never calls mended what is not, and tells of the rest where an entry is lost", async () => {
  writeFileSync(path.join(alpha, "receipt.json"), "garbage");
  const failed = async (fix: boolean): Promise<string[]> =>
    (await doctor(ipm.context, { name: null, fix })).checks.flatMap(({ id, status, fix: mend }) =>
      status === "failed" ? [`${id}: ${mend}`] : [],
    );
  expect(await failed(true)).toEqual(["entry.alpha: ipm reinstall alpha"]);
  spawnSync("chmod", ["-R", "u+rwx", alpha]);
  rmSync(alpha, { recursive: true });
  rmSync(path.join(ipm.layout.current, "bin/bravo"));
  expect((await failed(true)).toSorted()).toEqual([
    "entry.alpha: ipm reinstall alpha",
    "launchers: ipm reinstall alpha",
  ]);
});

test("a tool whose files somebody deleted is not called installed", async () => {
  spawnSync("chmod", ["-R", "u+rwx", alpha]);
  rmSync(alpha, { recursive: true });
  expect(await findInstalledAlready(ipm.context, ["alpha"])).toBeNull();
  await expect(install(ipm.context, ["alpha"], OPTIONS)).rejects.toMatchObject({
    code: "STATE_DAMAGED",
    hint: "ipm reinstall alpha",
  });
  await reinstall(ipm.context, "alpha", OPTIONS);
  expect(say("alpha")).toBe("alpha 2.0.0");
});

test("D70, D71: a foreign or edited launcher is named by doctor, is not carried on and not removed", async () => {
  const bin = path.join(ipm.layout.profiles, "3/bin");
  writeFileSync(path.join(bin, "mine"), "#!/bin/sh\n");
  rmSync(path.join(bin, "alpha"));
  writeFileSync(path.join(bin, "alpha"), "#!/bin/sh\necho edited\n", { mode: 0o755 });
  const { checks } = await doctor(ipm.context, { name: null, fix: false });
  expect(checks.find(({ id }) => id === "launchers")).toMatchObject({
    status: "failed",
    detail: "alpha was changed; mine is not ipm's",
  });
  await uninstall(ipm.context, ["bravo"], { purge: false });
  expect(readdirSync(path.join(ipm.layout.current, "bin"))).toEqual(["alpha"]);
  expect(say("alpha")).toBe("alpha 2.0.0");
  expect(readdirSync(bin)).toEqual(["alpha", "bravo", "mine"]);
  expect(readFileSync(path.join(bin, "alpha"), "utf8")).toContain("edited");
});

test("D72: a prefix that was deleted by hand: doctor says so, uninstall works, reinstall mends", async () => {
  spawnSync("chmod", ["-R", "u+w", alpha]);
  rmSync(path.join(alpha, "prefix"), { recursive: true });
  expect(await tools()).toEqual(BOTH);
  const sick = await doctor(ipm.context, { name: "alpha", fix: true });
  expect(sick.checks[0]).toMatchObject({ status: "failed", fix: "ipm reinstall alpha" });
  await reinstall(ipm.context, "alpha", OPTIONS);
  expect(say("alpha")).toBe("alpha 2.0.0");
  // Installing the old version again does not use what is not there either.
  const [tool] = await listTools(ipm.context);
  const root = path.join(ipm.layout.store, tool?.entry ?? "");
  spawnSync("chmod", ["-R", "u+w", root]);
  rmSync(path.join(root, "prefix"), { recursive: true });
  await uninstall(ipm.context, ["alpha"], { purge: true });
  expect(existsSync(path.join(ipm.layout.store, "alpha"))).toBe(false);
});

for (const name of [
  "with space",
  "o'quote",
  'double"quote',
  "dollar$HOME `id`",
  "ümläut 漢字",
  "back\\slash",
  "per%cent*",
]) {
  test(`D73: a home in a folder called ${name}`, async () => {
    const folder = path.join(FOLDER, name);
    mkdirSync(folder);
    const odd = await createTestIpm(folder, path.join(FOLDER, "registry"));
    await install(odd.context, ["alpha", "bravo"], OPTIONS);
    for (const [command, text] of [
      ["alpha", "alpha 2.0.0"],
      ["bravo", "bravo 1.0.0"],
    ] as const) {
      const ran = spawnSync(path.join(odd.layout.current, "bin", command), { encoding: "utf8", env: {} });
      expect(ran.stderr).toBe("");
      expect(ran.stdout.trim()).toBe(text);
    }
    expect(
      (await doctor(odd.context, { name: null, fix: false })).checks.filter(({ status }) => status === "failed"),
    ).toEqual([]);
    await uninstall(odd.context, ["alpha", "bravo"], { purge: true });
    expect(readdirSync(odd.layout.store)).toEqual([]);
  });
}

test("D73, D74: the store may be a link to another disk; what is built is switched all the same", async () => {
  const elsewhere = path.join(existsSync("/dev/shm") ? "/dev/shm" : FOLDER, `ipm-test-${process.pid}`);
  moveTree(ipm.layout.store, elsewhere);
  try {
    symlinkSync(elsewhere, ipm.layout.store);
    await install(ipm.context, ["alpha@1.0.0"], OPTIONS);
    expect(say("alpha")).toBe("alpha 1.0.0");
    await uninstall(ipm.context, ["alpha"], { purge: true });
    expect(readdirSync(elsewhere)).toEqual(["bravo"]);
    expect(lstatSync(ipm.layout.store).isSymbolicLink()).toBe(true);
  } finally {
    spawnSync("chmod", ["-R", "u+w", elsewhere]);
    rmSync(elsewhere, { recursive: true, force: true });
  }
});

function moveTree(from: string, to: string): void {
  copy(from, to);
  spawnSync("chmod", ["-R", "u+w", from]);
  rmSync(from, { recursive: true });
}

test("D77: a lock's file that names a living process locks nothing", async () => {
  const holder = { pid: 1, command: "ipm install alpha", since: new Date().toISOString() };
  for (const lock of ["switch", "entry-alpha"])
    writeFileSync(path.join(ipm.layout.locks, `${lock}.lock`), JSON.stringify(holder));
  await install({ ...ipm.context, lockTimeoutMs: 0 }, ["alpha@1.0.0"], OPTIONS);
  expect(say("alpha")).toBe("alpha 1.0.0");
});

test("D79: generation.json cut at every length is read from the receipts, with a warning", async () => {
  const text = readFileSync(current, "utf8");
  for (let length = 0; length < text.length - 1; length++) {
    writeFileSync(current, text.slice(0, length));
    expect(await tools()).toEqual(["alpha 2.0.0", "bravo 1.0.0"]);
  }
  expect(new Set(warnings())).toEqual(new Set(["STATE_DAMAGED"]));
  // The next command that writes makes it whole, and keeps the bad file for whoever wants to look.
  await hold(ipm.context, ["alpha"], true);
  expect(await tools()).toEqual(["alpha 2.0.0 held", "bravo 1.0.0"]);
  expect(say("alpha")).toBe("alpha 2.0.0");
  expect(readdirSync(ipm.layout.damaged)).toHaveLength(1);
  expect((await history(ipm.context)).map(({ number }) => number)).toEqual([5, 4, 2, 1]);
});

test("D79: flipped bytes in generation.json are found or harmless, and never crash", async () => {
  const text = readFileSync(current);
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
      const changed = Buffer.from(text);
      changed[at] = byte;
      const found = parseGeneration(changed.toString("utf8"), 3);
      const entries = found.state === "complete" ? found.generation.entries : [];
      expect(entries.map(({ entry }) => parseEntryId(entry)?.name)).toEqual(entries.map(({ name }) => name));
    }),
    { numRuns: 2000 },
  );
});

test("D79: any JSON in place of a state file is refused as a value, never by a crash", async () => {
  const id = entryId(alpha);
  const receipt: Record<string, unknown> = JSON.parse(readFileSync(path.join(alpha, "receipt.json"), "utf8"));
  const generation: Record<string, unknown> = JSON.parse(readFileSync(current, "utf8"));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(receipt), "plan.tool", "plan.origin", "plan.trust"),
      fc.jsonValue(),
      async (key, value) => {
        const [top = "", inner] = key.split(".");
        const plan = { ...(receipt["plan"] as object), ...(inner === undefined ? {} : { [inner]: value }) };
        writeFileSync(
          path.join(alpha, "receipt.json"),
          JSON.stringify({ ...receipt, [top]: inner === undefined ? value : plan }),
        );
        await readReceipt(ipm.context.host, ipm.layout, id);
        // Whatever it says: another tool can be held, and nothing but an error of ours comes out.
        expect(await tools()).toEqual(BOTH);
      },
    ),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(generation)), fc.jsonValue(), (key, value) => {
      parseGeneration(JSON.stringify({ ...generation, [key]: value }), 3);
      parseGeneration(JSON.stringify(value), 3);
    }),
    { numRuns: 1000 },
  );
});

test("D79: a receipt cut at every length: its tool works on, other tools can be changed, reinstall mends it", async () => {
  const file = path.join(bravo, "receipt.json");
  const text = readFileSync(file, "utf8");
  const id = entryId(bravo);
  for (let length = 0; length < text.length - 1; length++) {
    writeFileSync(file, text.slice(0, length));
    expect((await readReceipt(ipm.context.host, ipm.layout, id)).state).toBe("damaged");
  }
  await uninstall(ipm.context, ["alpha"], { purge: false });
  expect(warnings()).toContain("STATE_DAMAGED");
  expect(say("bravo")).toBe("bravo 1.0.0");
  expect(readlinkSync(path.join(ipm.layout.current, "libexec/bravo"))).toContain(bravo);
  expect(readFileSync(path.join(ipm.layout.current, "bin/bravo"), "utf8")).toContain("profiles/4/libexec/bravo");
  await hold(ipm.context, ["bravo"], false);
  await reinstall(ipm.context, "bravo", OPTIONS);
  expect(say("bravo")).toBe("bravo 1.0.0");
  expect((await doctor(ipm.context, { name: "bravo", fix: false })).checks[0]?.status).toBe("ok");
});

test("D79: the home's own marker cut at every length is written again", async () => {
  const text = readFileSync(ipm.layout.marker, "utf8");
  for (const length of [0, 1, 8, 14, text.length - 4]) {
    chmodSync(ipm.layout.marker, 0o644);
    writeFileSync(ipm.layout.marker, text.slice(0, length));
    await hold(ipm.context, [], true);
    expect(readFileSync(ipm.layout.marker, "utf8")).toBe(text);
  }
});

test("D79: a `current` that leads elsewhere or nowhere is put right", async () => {
  for (const target of ["profiles/99", "profiles/2/../3", "/etc", "elsewhere"]) {
    rmSync(ipm.layout.current);
    symlinkSync(target, ipm.layout.current);
    expect(await tools()).toEqual(BOTH);
    await hold(ipm.context, [], true);
    expect(readlinkSync(ipm.layout.current)).toBe("profiles/3");
  }
});

test("D80: state of a newer ipm is read and not written", async () => {
  const files: [string, (value: Record<string, unknown>) => Record<string, unknown>][] = [
    [ipm.layout.marker, (value) => ({ ...value, layout: 2, more: true })],
    [current, (value) => ({ ...value, schema: 2, more: true })],
  ];
  for (const [file, change] of files) {
    const before = readFileSync(file, "utf8");
    chmodSync(file, 0o644);
    writeFileSync(file, JSON.stringify(change(JSON.parse(before))));
    const state = treeText(ipm.layout.data).filter((line) => !line.startsWith("locks/"));
    expect(await tools()).toEqual(BOTH);
    for (const work of [
      () => uninstall(ipm.context, ["alpha"], { purge: true }),
      () => collectGarbage(ipm.context, { keep: 0, dryRun: false }),
      () => rollback(ipm.context, null),
      () => doctor(ipm.context, { name: null, fix: true }),
    ]) {
      await expect(work()).rejects.toMatchObject({ code: "STATE_NEWER" });
    }
    expect(treeText(ipm.layout.data).filter((line) => !line.startsWith("locks/"))).toEqual(state);
    writeFileSync(file, before);
  }
});

/** Everything that a deletion or a change of modes outside would show. */
function snapshot(folder: string): string[] {
  return spawnSync("find", [folder, "-printf", "%p %y %m %s %l\\n"], { encoding: "utf8" })
    .stdout.split("\n")
    .toSorted();
}

/** Every command that removes something; what they answer does not matter here. */
async function removeEverything(): Promise<void> {
  for (const work of [
    () => doctor(ipm.context, { name: null, fix: true }),
    () => collectGarbage(ipm.context, { keep: 0, dryRun: false }),
    () => reinstall(ipm.context, "alpha", OPTIONS),
    () => uninstall(ipm.context, ["alpha"], { purge: true }),
    () => uninstall(ipm.context, ["bravo"], { purge: true }),
    () => collectGarbage(ipm.context, { keep: 0, dryRun: false }),
  ]) {
    await work().catch((error: unknown) => {
      if (!isIpmError(error)) throw error;
    });
  }
}

/** State that leads to a folder of the user's, which looks like one of ipm's. */
const ESCAPES: Readonly<Record<string, (victim: string) => void>> = {
  "a generation's entry": () =>
    writeFileSync(
      current,
      readFileSync(current, "utf8").replaceAll(
        /"entry": "alpha\/[^"]*"/gu,
        '"entry": "alpha/../../../victim/1.0.0-0123456789ab"',
      ),
    ),
  "a generation's command": () =>
    writeFileSync(current, readFileSync(current, "utf8").replace(/"alpha"\n/u, '"../../../../victim/keep"\n')),
  "a receipt's launcher": () => {
    const file = path.join(alpha, "receipt.json");
    writeFileSync(
      file,
      readFileSync(file, "utf8").replaceAll('"file": "bin/alpha"', '"file": "../../../../../../victim/keep"'),
    );
  },
  "a receipt's shared files": () => {
    const file = path.join(alpha, "receipt.json");
    writeFileSync(file, readFileSync(file, "utf8").replaceAll("man/man1/alpha.1", "../../../../../victim/keep"));
  },
  "a receipt's log": () => {
    const file = path.join(alpha, "receipt.json");
    writeFileSync(file, readFileSync(file, "utf8").replaceAll(/"log": "[^"]*"/gu, '"log": "../../victim/keep"'));
  },
  "a tool's folder": (victim) => swap(path.dirname(alpha), victim),
  "an entry": (victim) => swap(alpha, path.join(victim, "1.0.0-0123456789ab")),
  "a prefix": (victim) => swap(path.join(alpha, "prefix"), victim),
  "a folder of a prefix": (victim) => swap(path.join(alpha, "prefix/bin"), victim),
  "a profile": (victim) => swap(path.join(ipm.layout.profiles, "1"), victim),
  "the folder of profiles": (victim) => swap(ipm.layout.profiles, victim),
  "the folder of logs": (victim) => swap(ipm.layout.logs, victim),
  "a tool's logs": (victim) => swap(path.join(ipm.layout.logs, "alpha"), victim),
  "a tool's own data": (victim) => swap(path.join(ipm.layout.state, "alpha"), victim),
  "the folder of data": (victim) => swap(ipm.layout.state, victim),
  "the folder of damaged files": (victim) => swap(ipm.layout.damaged, victim),
  "current itself": (victim) => swap(ipm.layout.current, victim),
};

/** Put a link in the place of something. */
function swap(place: string, target: string): void {
  mkdirSync(path.dirname(place), { recursive: true });
  spawnSync("chmod", ["-R", "u+w", path.dirname(place)]);
  rmSync(place, { recursive: true, force: true });
  symlinkSync(target, place);
}

for (const [what, lead] of Object.entries(ESCAPES)) {
  test(`D81: ${what} leads outside: nothing there is removed or changed`, async () => {
    const victim = path.join(FOLDER, "victim");
    rmSync(victim, { recursive: true, force: true });
    // Whatever ipm would take for its own: unfinished entries, profiles, logs, the tool's folder.
    for (const folder of ["1.0.0-0123456789ab/prefix/bin", "7/bin", "alpha/deep", "bin"])
      mkdirSync(path.join(victim, folder), { recursive: true });
    for (const file of ["keep", "1.0.0-0123456789ab/keep", "alpha/20260101T000000.000Z.log", "bin/alpha", "7/keep"])
      writeFileSync(path.join(victim, file), "precious", { mode: 0o666 });
    copyFileSync(path.join(alpha, "receipt.json"), path.join(victim, "1.0.0-0123456789ab/receipt.json"));
    lead(victim);
    const before = snapshot(victim);
    await removeEverything();
    // A log may be added where a user's own link leads; what was there stays as it was.
    expect(snapshot(victim)).toEqual(expect.arrayContaining(before));
  });
}

test("D82: with the clock in 1970, in 2100 and going back, generations are still counted up", async () => {
  const at = (time: string): TestIpm["context"] => ({
    ...ipm.context,
    host: { ...ipm.context.host, now: () => new Date(time) },
  });
  await install(at("2100-01-01T00:00:00Z"), ["alpha@1.0.0"], OPTIONS);
  await upgrade(at("1970-01-01T00:00:01Z"), [], OPTIONS);
  await rollback(at("2038-01-19T03:14:08Z"), null);
  expect(say("alpha")).toBe("alpha 1.0.0");
  expect((await history(ipm.context)).map(({ number }) => number)).toEqual([6, 5, 4, 3, 2, 1]);
  await collectGarbage(at("1970-01-01T00:00:00Z"), { keep: 0, dryRun: false });
  expect(await tools()).toEqual(["alpha 1.0.0", "bravo 1.0.0 held"]);
});

test("D84: a generation that was collected, or whose entry is gone, is no target", async () => {
  const first = path.join(ipm.layout.store, "alpha");
  const old = readdirSync(first).find((name) => name.startsWith("1.0.0")) ?? "";
  spawnSync("chmod", ["-R", "u+w", path.join(first, old)]);
  const receipt = path.join(first, old, "receipt.json");
  const text = readFileSync(receipt, "utf8");
  writeFileSync(receipt, "{");
  await expect(rollback(ipm.context, 1)).rejects.toMatchObject({
    message: expect.stringContaining("alpha 1.0.0, whose receipt cannot be read"),
  });
  writeFileSync(receipt, text);
  renameSync(path.join(first, old), path.join(FOLDER, "taken"));
  await expect(rollback(ipm.context, 1)).rejects.toMatchObject({
    code: "GENERATION_NOT_FOUND",
    message: expect.stringContaining("alpha 1.0.0"),
    hint: "ipm install alpha@1.0.0",
  });
  rmSync(path.join(FOLDER, "taken"), { recursive: true });
  await collectGarbage(ipm.context, { keep: 0, dryRun: false });
  await expect(rollback(ipm.context, 2)).rejects.toMatchObject({ code: "GENERATION_NOT_FOUND" });
  await expect(rollback(ipm.context, null)).rejects.toMatchObject({ code: "GENERATION_NOT_FOUND" });
  expect(await tools()).toEqual(BOTH);
});

for (const folder of ["data", "store", "profiles", "locks"] as const) {
  test(`D85: ${folder} may be written by others: refused`, async () => {
    chmodSync(ipm.layout[folder], 0o775);
    await expect(uninstall(ipm.context, ["alpha"], { purge: false })).rejects.toMatchObject({
      code: "HOME_NOT_OWNED",
      exitCode: 5,
    });
    expect(await tools()).toEqual(BOTH);
  });

  test.skipIf(process.getuid?.() !== 0)(`D85: ${folder} belongs to somebody else: refused`, async () => {
    chownSync(ipm.layout[folder], 65_534, 65_534);
    await expect(uninstall(ipm.context, ["alpha"], { purge: false })).rejects.toMatchObject({ code: "HOME_NOT_OWNED" });
    expect(await tools()).toEqual(BOTH);
  });
}
