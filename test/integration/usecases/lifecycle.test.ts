import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { hold } from "../../../src/usecases/hold.ts";
import { history } from "../../../src/usecases/history.ts";
import { install } from "../../../src/usecases/install.ts";
import { listToolSizes, listTools } from "../../../src/usecases/list.ts";
import { readLog } from "../../../src/usecases/logs.ts";
import { outdated } from "../../../src/usecases/outdated.ts";
import { reinstall } from "../../../src/usecases/reinstall.ts";
import { rollback } from "../../../src/usecases/rollback.ts";
import { runTool } from "../../../src/usecases/run-tool.ts";
import { showTool } from "../../../src/usecases/show.ts";
import { uninstall } from "../../../src/usecases/uninstall.ts";
import { upgrade } from "../../../src/usecases/upgrade.ts";
import { type DemoTool, demoScript, writeDemoRegistry } from "../../helpers/demo-registry.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, type TestIpm, type TestIpmOptions, createTestIpm, treeText } from "../../helpers/test-ipm.ts";

async function ipmWith(tools: readonly DemoTool[], options: TestIpmOptions = {}): Promise<TestIpm> {
  const folder = temporaryFolder();
  return createTestIpm(folder, writeDemoRegistry(path.join(folder, "registry"), tools), options);
}

async function offer(ipm: TestIpm, tools: readonly DemoTool[]): Promise<void> {
  await ipm.setRegistry(writeDemoRegistry(path.join(ipm.folder, "registry"), tools));
}

/** What a command on PATH prints, or null when it is not there. */
function say(ipm: TestIpm, command: string): string | null {
  const file = path.join(ipm.layout.current, "bin", command);
  if (!existsSync(file)) return null;
  return spawnSync(file, [], { encoding: "utf8", env: {} }).stdout.trim();
}

async function installed(ipm: TestIpm): Promise<string[]> {
  return (await listTools(ipm.context)).map(({ name, version, held }) => `${name} ${version}${held ? " held" : ""}`);
}

/** Everything below the data home that a failed command must leave as it was; logs stay, and so do lock files. */
function state(ipm: TestIpm): string[] {
  return treeText(ipm.layout.data).filter((line) => !/^(?:logs|locks)\//u.test(line));
}

const ALPHA: DemoTool = { name: "alpha", versions: ["1.0.0"] };
const ALPHA2: DemoTool = { name: "alpha", versions: ["1.0.0", "2.0.0"] };
const BRAVO: DemoTool = { name: "bravo", versions: ["1.0.0"] };
const CHARLIE: DemoTool = { name: "charlie", versions: ["1.0.0"] };
const FAILING: DemoTool = { name: "foxtrot", versions: ["1.0.0"], methods: "steps: [{ run: echo words >&2; exit 3 }]" };

test("install does not upgrade, outdated tells, upgrade builds beside and switches", async () => {
  const ipm = await ipmWith([ALPHA, BRAVO]);
  await install(ipm.context, ["alpha", "bravo"], OPTIONS);
  expect(await outdated(ipm.context)).toEqual({ tools: [] });
  await offer(ipm, [ALPHA2, BRAVO]);
  const again = await install(ipm.context, ["alpha"], OPTIONS);
  expect(again.unchanged).toEqual([{ name: "alpha", version: "1.0.0", newer: "2.0.0" }]);
  expect(say(ipm, "alpha")).toBe("alpha 1.0.0");
  expect((await outdated(ipm.context)).tools.map(({ name, version, latest }) => [name, version, latest])).toEqual([
    ["alpha", "1.0.0", "2.0.0"],
  ]);
  const result = await upgrade(ipm.context, [], OPTIONS);
  expect(result.upgraded).toEqual([{ name: "alpha", from: "1.0.0", to: "2.0.0" }]);
  expect(say(ipm, "alpha")).toBe("alpha 2.0.0");
  expect(await installed(ipm)).toEqual(["alpha 2.0.0", "bravo 1.0.0"]);
  expect(readdirSync(path.join(ipm.layout.store, "alpha"))).toHaveLength(2);
  expect((await upgrade(ipm.context, [], OPTIONS)).upgraded).toEqual([]);
});

test("name@version stands beside in the store and instead on PATH", async () => {
  const ipm = await ipmWith([ALPHA2]);
  await install(ipm.context, ["alpha"], OPTIONS);
  await install(ipm.context, ["alpha@1.0.0"], OPTIONS);
  expect(say(ipm, "alpha")).toBe("alpha 1.0.0");
  expect(readdirSync(path.join(ipm.layout.store, "alpha"))).toHaveLength(2);
  const back = await install(ipm.context, ["alpha@2.0.0"], OPTIONS);
  expect(say(ipm, "alpha")).toBe("alpha 2.0.0");
  expect(back.generation).toBe(3);
  expect(readdirSync(path.join(ipm.layout.store, "alpha"))).toHaveLength(2);
});

test("rollback goes further back each time, and after a new command starts from there", async () => {
  const ipm = await ipmWith([ALPHA2, BRAVO, CHARLIE]);
  for (const target of ["alpha@1.0.0", "bravo", "charlie"]) await install(ipm.context, [target], OPTIONS);
  await upgrade(ipm.context, [], OPTIONS);
  const first = await rollback(ipm.context, null);
  expect(first).toMatchObject({ from: 4, to: 3, generation: 5 });
  expect(first.changes).toEqual([{ name: "alpha", from: "2.0.0", to: "1.0.0" }]);
  expect(say(ipm, "alpha")).toBe("alpha 1.0.0");
  expect(await rollback(ipm.context, null)).toMatchObject({ from: 5, to: 2, generation: 6 });
  expect(await installed(ipm)).toEqual(["alpha 1.0.0", "bravo 1.0.0"]);
  expect(say(ipm, "charlie")).toBeNull();
  expect(await rollback(ipm.context, null)).toMatchObject({ to: 1 });
  await expect(rollback(ipm.context, null)).rejects.toMatchObject({ code: "GENERATION_NOT_FOUND" });
  await install(ipm.context, ["charlie"], OPTIONS);
  expect(await rollback(ipm.context, null)).toMatchObject({ to: 7 });
  expect(await installed(ipm)).toEqual(["alpha 1.0.0"]);
  expect(await rollback(ipm.context, 4)).toMatchObject({ to: 4 });
  expect(await installed(ipm)).toEqual(["alpha 2.0.0", "bravo 1.0.0", "charlie 1.0.0"]);
  await expect(rollback(ipm.context, 99)).rejects.toMatchObject({ code: "GENERATION_NOT_FOUND", exitCode: 7 });
});

test("logs tells of the last installation: not of a later run, and whatever the clock said", async () => {
  let now = new Date("2026-11-20T12:00:00Z");
  const failing = {
    ...BRAVO,
    methods: "steps: [uses: copy, { run: 'echo words of bravo; exit 3' }]",
  };
  const ipm = await ipmWith([ALPHA2, failing], { now: () => now });
  const logs = (): string[] => readdirSync(path.join(ipm.layout.logs, "alpha"));
  await install(ipm.context, ["alpha@1.0.0"], OPTIONS);
  await runTool(ipm.context, "alpha@2.0.0", ["--version"], OPTIONS).catch(() => {});
  expect((await readLog(ipm.context, "alpha")).path).toBe(path.join(ipm.layout.logs, "alpha", logs()[0]!));
  // What was built for a run and is installed then has no other log.
  await upgrade(ipm.context, [], OPTIONS);
  expect((await readLog(ipm.context, "alpha")).path).toBe(path.join(ipm.layout.logs, "alpha", logs()[1]!));
  expect(logs()).toHaveLength(2);
  now = new Date("2001-01-01T00:00:00Z");
  await reinstall(ipm.context, "alpha", OPTIONS);
  expect(logs()).toHaveLength(3);
  expect((await readLog(ipm.context, "alpha")).path).toBe(path.join(ipm.layout.logs, "alpha", logs()[2]!));
  // Of a tool that was never installed the run's log is told.
  await expect(runTool(ipm.context, "bravo", [], OPTIONS)).rejects.toMatchObject({ code: "STEP_FAILED" });
  expect((await readLog(ipm.context, "bravo")).text).toContain("words of bravo");
});

test("history says what each command changed", async () => {
  const ipm = await ipmWith([ALPHA2, BRAVO]);
  await install(ipm.context, ["alpha@1.0.0", "bravo"], OPTIONS);
  await upgrade(ipm.context, ["alpha"], OPTIONS);
  await uninstall(ipm.context, ["bravo"], { purge: false });
  const items = await history(ipm.context);
  expect(items.map(({ number, current, changes, tools }) => ({ number, current, changes, tools }))).toEqual([
    { number: 3, current: true, tools: 1, changes: [{ name: "bravo", from: "1.0.0", to: null }] },
    { number: 2, current: false, tools: 2, changes: [{ name: "alpha", from: "1.0.0", to: "2.0.0" }] },
    {
      number: 1,
      current: false,
      tools: 2,
      changes: [
        { name: "alpha", from: null, to: "1.0.0" },
        { name: "bravo", from: null, to: "1.0.0" },
      ],
    },
  ]);
});

test("a held tool is neither upgraded, nor replaced, nor rolled back to another version", async () => {
  const ipm = await ipmWith([ALPHA2, BRAVO]);
  await install(ipm.context, ["alpha@1.0.0"], OPTIONS);
  expect(await hold(ipm.context, ["alpha"], true)).toMatchObject({ generation: 2 });
  expect(await hold(ipm.context, ["alpha"], true)).toMatchObject({ generation: null });
  const before = state(ipm);
  await expect(upgrade(ipm.context, ["alpha"], OPTIONS)).rejects.toMatchObject({ code: "HELD", exitCode: 5 });
  await expect(install(ipm.context, ["alpha@2.0.0"], OPTIONS)).rejects.toMatchObject({ code: "HELD" });
  expect(state(ipm)).toEqual(before);
  expect(await upgrade(ipm.context, [], OPTIONS)).toMatchObject({ upgraded: [], held: ["alpha"] });
  expect((await outdated(ipm.context)).tools).toMatchObject([{ name: "alpha", held: true }]);
  await install(ipm.context, ["bravo"], OPTIONS);
  expect(await installed(ipm)).toEqual(["alpha 1.0.0 held", "bravo 1.0.0"]);
  await hold(ipm.context, ["alpha"], false);
  await upgrade(ipm.context, ["alpha"], OPTIONS);
  await hold(ipm.context, ["alpha"], true);
  await expect(rollback(ipm.context, 1)).rejects.toMatchObject({ code: "HELD", hint: "ipm unhold alpha" });
  // Taking the hold back is a step of its own.
  await rollback(ipm.context, null);
  expect(await installed(ipm)).toEqual(["alpha 2.0.0", "bravo 1.0.0"]);
  await expect(hold(ipm.context, ["zulu"], true)).rejects.toMatchObject({ code: "NOT_INSTALLED" });
});

test("several tools are uninstalled in one generation, or none of them", async () => {
  const ipm = await ipmWith([ALPHA, BRAVO, CHARLIE]);
  await install(ipm.context, ["alpha", "bravo", "charlie"], OPTIONS);
  await expect(uninstall(ipm.context, ["alpha", "brav"], { purge: false })).rejects.toMatchObject({
    code: "NOT_INSTALLED",
    hint: "ipm uninstall bravo",
  });
  expect(await installed(ipm)).toHaveLength(3);
  const result = await uninstall(ipm.context, ["alpha", "charlie", "alpha"], { purge: false });
  expect(result).toEqual({
    generation: 2,
    removed: [
      { name: "alpha", version: "1.0.0" },
      { name: "charlie", version: "1.0.0" },
    ],
    purgedBytes: 0,
    kept: [],
    workspaces: [],
  });
  expect(readdirSync(path.join(ipm.layout.current, "bin"))).toEqual(["bravo"]);
});

test("several targets are one generation: all of them, or nothing and nothing is left", async () => {
  const ipm = await ipmWith([ALPHA, BRAVO, FAILING]);
  await install(ipm.context, ["bravo"], OPTIONS);
  const before = state(ipm);
  await expect(install(ipm.context, ["alpha", "foxtrot"], OPTIONS)).rejects.toMatchObject({
    code: "STEP_FAILED",
    exitCode: 1,
  });
  expect(state(ipm)).toEqual(before);
  expect((await readLog(ipm.context, "foxtrot")).text).toContain("words");
});

test("--keep-going installs what passed, and says what failed with its log", async () => {
  const ipm = await ipmWith([ALPHA2, BRAVO, FAILING]);
  await install(ipm.context, ["alpha@1.0.0"], OPTIONS);
  await hold(ipm.context, ["alpha"], true);
  const result = await install(ipm.context, ["foxtrot", "nowhere", "alpha@2.0.0", "bravo"], {
    ...OPTIONS,
    keepGoing: true,
  });
  expect(result.installed.map(({ name }) => name)).toEqual(["bravo"]);
  expect(result.failed.map(({ target, code }) => `${target} ${code}`).toSorted()).toEqual([
    "alpha@2.0.0 HELD",
    "foxtrot STEP_FAILED",
    "nowhere TOOL_NOT_FOUND",
  ]);
  const log = result.failed.find(({ target }) => target === "foxtrot")?.log;
  expect(log === null || log === undefined ? false : existsSync(log)).toBe(true);
  expect(await installed(ipm)).toEqual(["alpha 1.0.0 held", "bravo 1.0.0"]);
});

test("a failed upgrade leaves the old version working and nothing else behind", async () => {
  const broken: DemoTool = {
    ...ALPHA2,
    files: (version) => ({ "bin/alpha": demoScript("alpha", version === "2.0.0" ? "wrong" : version) }),
  };
  const ipm = await ipmWith([broken]);
  await install(ipm.context, ["alpha@1.0.0"], OPTIONS);
  const before = state(ipm);
  await expect(upgrade(ipm.context, [], OPTIONS)).rejects.toMatchObject({ code: "TEST_FAILED" });
  expect(state(ipm)).toEqual(before);
  expect(say(ipm, "alpha")).toBe("alpha 1.0.0");
  expect((await readLog(ipm.context, "alpha")).text).toContain("alpha wrong");
});

test("after a failed method the next one is tried, unless that is switched off or a method was named", async () => {
  const ipm = await ipmWith([
    {
      name: "golf",
      versions: ["1.0.0"],
      methods: ["methods:", "  - { id: bad, steps: [{ run: exit 1 }] }", "  - { id: good, steps: [uses: copy] }"].join(
        "\n",
      ),
    },
  ]);
  await expect(install(ipm.context, ["golf"], { ...OPTIONS, noFallback: true })).rejects.toMatchObject({
    code: "STEP_FAILED",
  });
  await expect(install(ipm.context, ["golf"], { ...OPTIONS, method: "bad" })).rejects.toMatchObject({
    code: "STEP_FAILED",
  });
  const result = await install(ipm.context, ["golf"], OPTIONS);
  expect(result.installed.map(({ method }) => method)).toEqual(["good"]);
  expect(result.plans[0]?.method.passedOver[0]?.why).toMatch(/failed/u);
  expect(ipm.events.some((event) => event.type === "warning" && event.code === "STEP_FAILED")).toBe(true);
  expect(readdirSync(path.join(ipm.layout.store, "golf"))).toHaveLength(1);
});

test("D69: two tools with one command: refused with the owner's name before anything is built", async () => {
  const rival: DemoTool = {
    name: "hotel",
    versions: ["1.0.0"],
    files: () => ({ "bin/x": demoScript("hotel", "x") }),
    bin: "{ alpha: bin/x }",
    tests: "[{ run: alpha, expect: { stdout: hotel } }]",
    methods: "steps: [{ run: touch built }, { uses: copy }]",
  };
  const ipm = await ipmWith([ALPHA, rival]);
  await install(ipm.context, ["alpha"], OPTIONS);
  const before = state(ipm);
  ipm.events.length = 0;
  await expect(install(ipm.context, ["hotel"], OPTIONS)).rejects.toMatchObject({
    code: "LAUNCHER_CONFLICT",
    message: expect.stringContaining("alpha"),
  });
  expect(ipm.events.filter(({ type }) => type === "step.started")).toEqual([]);
  expect(state(ipm)).toEqual(before);
  // In one command as well.
  await uninstall(ipm.context, ["alpha"], { purge: true });
  await expect(install(ipm.context, ["alpha", "hotel"], OPTIONS)).rejects.toMatchObject({ code: "LAUNCHER_CONFLICT" });
});

test("reinstall builds beside and switches; the broken tree stays until gc", async () => {
  const ipm = await ipmWith([ALPHA]);
  await install(ipm.context, ["alpha"], OPTIONS);
  await hold(ipm.context, ["alpha"], true);
  const result = await reinstall(ipm.context, "alpha", OPTIONS);
  expect(result.installed[0]?.entry).toMatch(/^alpha\/1\.0\.0-[0-9a-f]{12}\.1$/u);
  expect(say(ipm, "alpha")).toBe("alpha 1.0.0");
  expect(await installed(ipm)).toEqual(["alpha 1.0.0 held"]);
  await expect(reinstall(ipm.context, "zulu", OPTIONS)).rejects.toMatchObject({ code: "NOT_INSTALLED" });
});

test("a tool whose registry is gone is told of, and another registry with the same plan takes it over", async () => {
  const ipm = await ipmWith([ALPHA2]);
  await install(ipm.context, ["alpha@1.0.0"], OPTIONS);
  const registry = path.join(ipm.folder, "registry");
  const text = readFileSync(path.join(registry, "registry.yaml"), "utf8");
  writeFileSync(path.join(registry, "registry.yaml"), text.replace("id: demo", "id: other"));
  await ipm.setRegistry(registry);
  const warned = (): string[] =>
    ipm.events.splice(0).flatMap((event) => (event.type === "warning" ? [`${event.code} ${event.message}`] : []));
  ipm.events.length = 0;
  const gone = expect.stringMatching(/^REGISTRY_NOT_FOUND alpha is left alone: .*"demo"/u);
  expect((await outdated(ipm.context)).tools).toEqual([]);
  expect(warned()).toEqual([gone]);
  await upgrade(ipm.context, ["alpha"], OPTIONS);
  expect(warned()).toEqual([gone]);

  await install(ipm.context, ["other:alpha@1.0.0"], OPTIONS);
  expect(ipm.events.filter(({ type }) => type === "step.started")).toEqual([]);
  expect(await listTools(ipm.context)).toMatchObject([{ name: "alpha", version: "1.0.0", registry: "other" }]);
  expect((await outdated(ipm.context)).tools).toMatchObject([{ name: "alpha", latest: "2.0.0" }]);
});

test("what is installed already is told from what was asked for: another method, two versions of it", async () => {
  const ipm = await ipmWith([ALPHA2]);
  await install(ipm.context, ["alpha@1.0.0"], OPTIONS);
  const [tool] = await listTools(ipm.context);
  await expect(install(ipm.context, ["alpha"], { ...OPTIONS, method: "zulu" })).rejects.toMatchObject({
    code: "USAGE",
  });
  await expect(install(ipm.context, ["alpha@1.0.0", "alpha@2.0.0"], OPTIONS)).rejects.toMatchObject({
    code: "TARGET_INVALID",
  });
  expect((await install(ipm.context, ["alpha"], { ...OPTIONS, method: tool?.method ?? "" })).unchanged).toMatchObject([
    { name: "alpha", version: "1.0.0" },
  ]);
  expect(await installed(ipm)).toEqual(["alpha 1.0.0"]);
});

test("show knows no version that its entry does not have", async () => {
  const ipm = await ipmWith([ALPHA2]);
  await expect(showTool(ipm.context, "alpha@9.0.0")).rejects.toMatchObject({ code: "VERSION_NOT_FOUND" });
  expect((await showTool(ipm.context, "alpha@1.0.0")).name).toBe("alpha");
});

test("a withdrawn version is told by outdated and is not installed", async () => {
  const ipm = await ipmWith([ALPHA2]);
  await install(ipm.context, ["alpha@1.0.0"], OPTIONS);
  await offer(ipm, [{ ...ALPHA2, withdrawn: { "1.0.0": "it eats files" } }]);
  expect((await outdated(ipm.context)).tools).toMatchObject([{ name: "alpha", withdrawn: "it eats files" }]);
  await expect(reinstall(ipm.context, "alpha", OPTIONS)).rejects.toMatchObject({ code: "VERSION_WITHDRAWN" });
});

test("purge leaves no entry, generation, log or launcher of a tool, and nothing of another goes", async () => {
  const ipm = await ipmWith([ALPHA2, BRAVO]);
  await install(ipm.context, ["alpha@1.0.0", "bravo"], OPTIONS);
  await upgrade(ipm.context, ["alpha"], OPTIONS);
  const result = await uninstall(ipm.context, ["alpha"], { purge: true });
  expect(result.purgedBytes).toBeGreaterThan(0);
  expect(state(ipm).filter((line) => line.includes("alpha"))).toEqual([]);
  expect(existsSync(path.join(ipm.layout.logs, "alpha"))).toBe(false);
  expect(say(ipm, "bravo")).toBe("bravo 1.0.0");
  expect(await installed(ipm)).toEqual(["bravo 1.0.0"]);
});

test("what was uninstalled can be purged afterwards", async () => {
  const ipm = await ipmWith([ALPHA, BRAVO]);
  await install(ipm.context, ["alpha", "bravo"], OPTIONS);
  await uninstall(ipm.context, ["alpha"], { purge: false });
  expect(existsSync(path.join(ipm.layout.store, "alpha"))).toBe(true);
  const result = await uninstall(ipm.context, ["alpha"], { purge: true });
  expect(result).toMatchObject({ removed: [], generation: 2 });
  expect(existsSync(path.join(ipm.layout.store, "alpha"))).toBe(false);
  await expect(uninstall(ipm.context, ["alpha"], { purge: true })).rejects.toMatchObject({ code: "NOT_INSTALLED" });
});

test("a dry run shows the plan and changes nothing at all", async () => {
  const ipm = await ipmWith([ALPHA]);
  const result = await install(ipm.context, ["alpha"], { ...OPTIONS, dryRun: true });
  expect(result.plans.map(({ tool }) => tool.name)).toEqual(["alpha"]);
  expect(existsSync(ipm.layout.data)).toBe(false);
});

test("sizes are those of the trees", async () => {
  const ipm = await ipmWith([{ ...ALPHA, files: () => ({ "share/data": "x".repeat(50_000) }) }]);
  await install(ipm.context, ["alpha"], OPTIONS);
  const [tool] = await listToolSizes(ipm.context);
  expect(tool?.bytes).toBeGreaterThan(50_000);
  expect(tool?.bytes).toBeLessThan(80_000);
});

test("upgrade and reinstall keep the method that was chosen, and say so when it has gone", async () => {
  const two = "methods: [{ id: first, steps: [uses: copy] }, { id: second, steps: [uses: copy] }]";
  const one = "methods: [{ id: first, steps: [uses: copy] }]";
  const ipm = await ipmWith([{ ...ALPHA, methods: two }]);
  await install(ipm.context, ["alpha"], { ...OPTIONS, method: "second" });
  const method = async (): Promise<string | undefined> => (await listTools(ipm.context))[0]?.method;
  await reinstall(ipm.context, "alpha", OPTIONS);
  expect(await method()).toBe("second");
  await offer(ipm, [{ ...ALPHA2, methods: two }]);
  await upgrade(ipm.context, [], OPTIONS);
  expect([await installed(ipm), await method()]).toEqual([["alpha 2.0.0"], "second"]);
  await offer(ipm, [{ name: "alpha", versions: ["1.0.0", "2.0.0", "3.0.0"], methods: one }]);
  await upgrade(ipm.context, [], OPTIONS);
  expect([await installed(ipm), await method()]).toEqual([["alpha 3.0.0"], "first"]);
  expect(
    ipm.events.some((event) => event.type === "warning" && event.message.includes("was installed by second")),
  ).toBe(true);
});
