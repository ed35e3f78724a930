import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { IpmError } from "../../../src/core/errors.ts";
import type { Files } from "../../../src/core/host.ts";
import { doctor } from "../../../src/usecases/doctor.ts";
import { collectGarbage } from "../../../src/usecases/gc.ts";
import { install } from "../../../src/usecases/install.ts";
import { listTools } from "../../../src/usecases/list.ts";
import { reinstall } from "../../../src/usecases/reinstall.ts";
import { runTool } from "../../../src/usecases/run-tool.ts";
import { uninstall } from "../../../src/usecases/uninstall.ts";
import { upgrade } from "../../../src/usecases/upgrade.ts";
import { type DemoTool, demoScript, writeDemoRegistry } from "../../helpers/demo-registry.ts";
import { GitRepository } from "../../helpers/git-repository.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, type TestIpm, type TestIpmOptions, createTestIpm, treeText } from "../../helpers/test-ipm.ts";

async function ipmWith(tools: readonly DemoTool[], options: TestIpmOptions = {}): Promise<TestIpm> {
  const folder = temporaryFolder();
  return createTestIpm(folder, writeDemoRegistry(path.join(folder, "registry"), tools), options);
}

const ALPHA: DemoTool = { name: "alpha", versions: ["1.0.0", "2.0.0"] };
const BRAVO: DemoTool = { name: "bravo", versions: ["1.0.0"] };

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** Start a command of PATH that says "ready" and then waits for ever. */
async function startWaiting(ipm: TestIpm, command: string): Promise<ChildProcess> {
  const child = spawn(path.join(ipm.layout.current, "bin", command), ["wait"], {
    env: { PATH: "/usr/bin:/bin" },
    cwd: "/",
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.push(child);
  await once(child.stdout ?? child, "data");
  return child;
}

/** Prints its name and version; with `wait` it says that it is ready and waits for its standard input to end. */
function waiting(name: string, shebang: string): DemoTool {
  const sh = `if [ "\${1-}" = wait ]; then echo ready; cat > /dev/null; fi; echo ${name} 1.0.0\n`;
  const node = `const wait = process.argv[2] === "wait";\nconsole.log(wait ? "ready" : "${name} 1.0.0");\nif (wait) process.stdin.resume();\n`;
  return {
    name,
    versions: ["1.0.0"],
    files: () => ({ [`bin/${name}`]: { run: `${shebang}\n${shebang.includes("node") ? node : sh}` } }),
  };
}

test("gc keeps the current generation and those before it, and what they need", async () => {
  const ipm = await ipmWith([ALPHA, BRAVO]);
  await install(ipm.context, ["alpha@1.0.0"], OPTIONS);
  await upgrade(ipm.context, [], OPTIONS);
  await install(ipm.context, ["bravo"], OPTIONS);
  await uninstall(ipm.context, ["bravo"], { purge: false });
  expect((await collectGarbage(ipm.context, { keep: 3, dryRun: false })).removed).toEqual([]);
  const before = treeText(ipm.layout.data);
  const dry = await collectGarbage(ipm.context, { keep: 1, dryRun: true });
  expect(treeText(ipm.layout.data)).toEqual(before);
  const done = await collectGarbage(ipm.context, { keep: 1, dryRun: false });
  expect(done.removed).toEqual(dry.removed);
  expect(done.bytes).toBe(dry.bytes);
  expect(
    done.removed.filter(({ kind }) => kind !== "log").map(({ kind, name }) => `${kind} ${name.slice(0, 11)}`),
  ).toEqual(["generation 1", "generation 2", "entry alpha/1.0.0"]);
  const all = await collectGarbage(ipm.context, { keep: 0, dryRun: false });
  expect(all.removed.map(({ kind }) => kind)).toEqual(["generation", "entry", "log"]);
  expect((await listTools(ipm.context)).map(({ name, version }) => `${name} ${version}`)).toEqual(["alpha 2.0.0"]);
  expect(
    (await doctor(ipm.context, { name: null, fix: false })).checks.filter(({ status }) => status === "failed"),
  ).toEqual([]);
});

test("gc --dry-run on a machine without any home makes nothing", async () => {
  const ipm = await ipmWith([ALPHA]);
  expect(await collectGarbage(ipm.context, { keep: 0, dryRun: true })).toEqual({
    removed: [],
    kept: [],
    bytes: 0,
    dryRun: true,
  });
  expect(existsSync(path.join(ipm.folder, "ipm"))).toBe(false);
});

for (const shebang of ["#!/bin/sh", "#!/usr/bin/env node"]) {
  test(`D78: what runs is unharmed by uninstall and kept by gc: ${shebang}`, async () => {
    const ipm = await ipmWith([waiting("sleeper", shebang), BRAVO]);
    await install(ipm.context, ["sleeper", "bravo"], OPTIONS);
    const child = await startWaiting(ipm, "sleeper");
    await uninstall(ipm.context, ["sleeper", "bravo"], { purge: false });
    const kept = await collectGarbage(ipm.context, { keep: 0, dryRun: false });
    expect(kept.kept).toEqual([
      { name: expect.stringMatching(/^sleeper\//u), why: expect.stringContaining(String(child.pid)) },
    ]);
    expect(kept.removed.some(({ name }) => name.startsWith("bravo/"))).toBe(true);
    child.stdin?.end();
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
    const gone = await collectGarbage(ipm.context, { keep: 0, dryRun: false });
    expect(gone.removed.some(({ name }) => name.startsWith("sleeper/"))).toBe(true);
    expect(readdirSync(ipm.layout.store)).toEqual([]);
  });
}

test("a purge says what stays because it runs, and a later one takes it", async () => {
  const ipm = await ipmWith([waiting("sleeper", "#!/bin/sh")]);
  const { installed } = await install(ipm.context, ["sleeper"], OPTIONS);
  const child = await startWaiting(ipm, "sleeper");
  const entry = path.join(ipm.layout.store, installed[0]?.entry ?? "");
  expect((await uninstall(ipm.context, ["sleeper"], { purge: true })).kept).toEqual([entry]);
  expect(existsSync(entry)).toBe(true);
  child.stdin?.end();
  await once(child, "exit");
  const late = await uninstall(ipm.context, ["sleeper"], { purge: true });
  expect(late).toMatchObject({ removed: [], kept: [] });
  expect(existsSync(entry)).toBe(false);
  // Nothing of it is left, and so there is nothing to be purged.
  await expect(uninstall(ipm.context, ["sleeper"], { purge: true })).rejects.toMatchObject({ code: "NOT_INSTALLED" });
});

test("doctor says of a home that cannot be made why, and does not advise to run doctor", async () => {
  const ipm = await ipmWith([ALPHA]);
  await install(ipm.context, ["alpha"], OPTIONS);
  expect((await doctor(ipm.context, { name: null, fix: false })).checks).toContainEqual(
    expect.objectContaining({ id: "launchers", status: "ok", detail: "1 command" }),
  );
  const closed = path.join(ipm.folder, "closed");
  mkdirSync(closed, { mode: 0o755 });
  const { host } = ipm.context;
  // Somebody else, for whom the folder is closed; and cache below a file, where not even root can make anything.
  const facts = { ...host.facts, uid: 65_534 };
  writeFileSync(path.join(ipm.folder, "file"), "");
  const homes = {
    data: path.join(closed, "deep", "ipm"),
    cache: path.join(ipm.folder, "file", "ipm"),
    config: host.homes.config,
  };
  const { checks } = await doctor({ ...ipm.context, host: { ...host, facts, homes } }, { name: null, fix: false });
  expect(checks.find(({ id }) => id === "home.data")).toMatchObject({
    status: "failed",
    detail: `it cannot be made: you may not write in ${closed}`,
    fix: expect.stringContaining("IPM_HOME"),
  });
  expect(checks.find(({ id }) => id === "locks")?.status).toBe("failed");
  expect(checks.filter(({ fix }) => fix === "ipm doctor")).toEqual([]);
});

test("doctor tells of homes that it may not look into, and goes on with the rest", async () => {
  const ipm = await ipmWith([ALPHA]);
  await install(ipm.context, ["alpha"], OPTIONS);
  const { host } = ipm.context;
  const refuse = async (file: string): Promise<never> => {
    throw new IpmError("IO_FAILED", `cannot look at ${file}: permission denied (EACCES)`, { hint: "ipm doctor" });
  };
  const files: Files = { ...host.files, facts: refuse, readText: refuse, readLink: refuse, list: refuse };
  const { healthy, checks } = await doctor({ ...ipm.context, host: { ...host, files } }, { name: null, fix: false });
  expect(healthy).toBe(false);
  expect(checks.map(({ id, status }) => `${id} ${status}`)).toEqual(
    expect.arrayContaining(["home.data failed", "home.cache failed", "node ok", "config failed", "state failed"]),
  );
  expect(checks.filter(({ fix }) => fix === "ipm doctor")).toEqual([]);
});

test("doctor names missing, changed and added files by their hash, and says how to mend them", async () => {
  const ipm = await ipmWith([
    { ...ALPHA, files: () => ({ "share/a": "a", "share/b": "b", ["__proto__"]: "c" }) },
    BRAVO,
  ]);
  await install(ipm.context, ["alpha", "bravo"], OPTIONS);
  const entry = (await listTools(ipm.context))[0]?.entry ?? "";
  const share = path.join(ipm.layout.store, entry, "prefix/share");
  chmodSync(share, 0o755);
  chmodSync(path.join(share, "b"), 0o644);
  rmSync(path.join(share, "a"), { force: true });
  writeFileSync(path.join(share, "b"), "B");
  writeFileSync(path.join(share, "c"), "c");
  const result = await doctor(ipm.context, { name: null, fix: true });
  expect(result.healthy).toBe(false);
  expect(result.checks.filter(({ status }) => status === "failed")).toEqual([
    {
      id: "entry.alpha",
      status: "failed",
      title: "alpha 2.0.0",
      detail: "share/a missing, share/b changed, share/c added",
      fix: "ipm reinstall alpha",
    },
  ]);
  await reinstall(ipm.context, "alpha", OPTIONS);
  expect((await doctor(ipm.context, { name: "alpha", fix: false })).healthy).toBe(true);
});

test("doctor --fix restores modes and launchers", async () => {
  const ipm = await ipmWith([ALPHA, BRAVO]);
  await install(ipm.context, ["alpha", "bravo"], OPTIONS);
  const tool = (await listTools(ipm.context))[0];
  const file = path.join(ipm.layout.store, tool?.entry ?? "", "prefix/bin/alpha");
  chmodSync(file, 0o600);
  const bin = path.join(ipm.layout.current, "bin");
  rmSync(path.join(bin, "alpha"));
  rmSync(path.join(bin, "bravo"));
  writeFileSync(path.join(bin, "bravo"), "mine");
  const found = await doctor(ipm.context, { name: null, fix: false });
  expect(found.checks.filter(({ status }) => status === "failed").map(({ id, detail }) => `${id}: ${detail}`)).toEqual([
    "launchers: alpha is missing; bravo was changed",
    "entry.alpha: another mode: 1 file",
  ]);
  const fixed = await doctor(ipm.context, { name: null, fix: true });
  expect(fixed.checks.filter(({ status }) => status === "fixed").map(({ id }) => id)).toEqual([
    "launchers",
    "entry.alpha",
  ]);
  expect(spawnSync(path.join(ipm.layout.current, "bin/alpha"), { encoding: "utf8", env: {} }).stdout).toBe(
    "alpha 2.0.0\n",
  );
  expect((await doctor(ipm.context, { name: null, fix: false })).healthy).toBe(true);
});

test("an interpreter that has gone: the launcher says so with 127, doctor too, and reinstall mends it", async () => {
  const folder = temporaryFolder();
  const bin = path.join(folder, "toolchain/bin");
  mkdirSync(bin, { recursive: true });
  const interpreter = path.join(bin, "speak");
  const writeInterpreter = (place: string): void =>
    writeFileSync(place, '#!/bin/sh\nshift\necho "oscar 1.0.0"\n', { mode: 0o755 });
  writeInterpreter(interpreter);
  const oscar: DemoTool = {
    name: "oscar",
    versions: ["1.0.0"],
    files: () => ({ "bin/oscar": { run: "#!/usr/bin/env speak\n" } }),
    more: "requires: [{ tool: speak }]",
  };
  const registry = writeDemoRegistry(path.join(folder, "registry"), [oscar]);
  const env = { PATH: `${bin}:${process.env["PATH"]}` };
  const ipm = await createTestIpm(folder, registry, { env });
  await install(ipm.context, ["oscar"], { ...OPTIONS, noSandbox: true });
  const launcher = path.join(ipm.layout.current, "bin/oscar");
  expect(spawnSync(launcher, { encoding: "utf8", env: {} }).stdout).toBe("oscar 1.0.0\n");
  rmSync(interpreter);
  const broken = spawnSync(launcher, { encoding: "utf8", env: {} });
  expect(broken.status).toBe(127);
  expect(broken.stderr).toBe(`oscar: ${interpreter} is gone; run: ipm reinstall oscar\n`);
  const sick = await doctor(ipm.context, { name: "oscar", fix: false });
  expect(sick.checks[0]).toMatchObject({
    status: "failed",
    detail: `${interpreter} is gone`,
    fix: "ipm reinstall oscar",
  });
  const other = path.join(folder, "toolchain/new");
  mkdirSync(other);
  writeInterpreter(path.join(other, "speak"));
  const again = await createTestIpm(folder, registry, { env: { PATH: `${other}:${process.env["PATH"]}` } });
  await reinstall(again.context, "oscar", { ...OPTIONS, noSandbox: true });
  expect(spawnSync(launcher, { encoding: "utf8", env: {} }).stdout).toBe("oscar 1.0.0\n");
  expect((await doctor(again.context, { name: "oscar", fix: false })).healthy).toBe(true);
});

test("run passes arguments and the exit code through, and puts nothing on PATH", async () => {
  const ipm = await ipmWith([
    {
      name: "romeo",
      versions: ["1.0.0"],
      files: () => ({
        "bin/romeo": {
          run: '#!/bin/sh\nif [ $# = 0 ]; then echo romeo 1.0.0; exit; fi\nprintf "%s|" "$@" > "$1"\nexit 7\n',
        },
      }),
    },
  ]);
  const out = path.join(ipm.folder, "out");
  expect(await runTool(ipm.context, "romeo", [out, "", "*", "--", "$(id)"], OPTIONS)).toEqual({
    exitCode: 7,
    signal: null,
  });
  expect(await ipm.context.host.files.readText(out)).toBe(`${out}||*|--|$(id)|`);
  expect(await listTools(ipm.context)).toEqual([]);
  expect(existsSync(ipm.layout.current)).toBe(false);
  expect(readdirSync(ipm.layout.profiles)).toEqual([]);
  // The second run builds nothing.
  ipm.events.length = 0;
  await runTool(ipm.context, "romeo", [out], OPTIONS);
  expect(ipm.events.filter(({ type }) => type === "step.started")).toEqual([]);
  await collectGarbage(ipm.context, { keep: 0, dryRun: false });
  expect(readdirSync(ipm.layout.store)).toEqual([]);
});

test("run tells of the signal that ended the tool", async () => {
  const ipm = await ipmWith([
    {
      name: "sierra",
      versions: ["1.0.0"],
      files: () => ({ "bin/sierra": { run: "#!/bin/sh\n[ $# = 0 ] || kill -TERM $$\necho sierra 1.0.0\n" } }),
    },
  ]);
  expect(await runTool(ipm.context, "sierra", ["x"], OPTIONS)).toEqual({ exitCode: null, signal: "SIGTERM" });
});

test("gc removes git stores that nothing installed came from, a month after the last fetch", async () => {
  const month = 31 * 24 * 60 * 60 * 1000;
  let ahead = 0;
  const ipm = await ipmWith([ALPHA], { now: () => new Date(Date.now() + ahead) });
  const repository = new GitRepository(path.join(ipm.folder, "work"));
  repository.commit({
    "bin/tango": demoScript("tango", "x"),
    "ipm.yaml":
      "schema: ipm/v1\nname: tango\nsummary: A tool in a folder\nlicense: MIT\nsteps: [uses: copy]\nbin: { tango: bin/tango }\ntests: [{ run: tango, expect: { stdout: tango } }]\n",
  });
  await install(ipm.context, [repository.folder, "alpha"], { ...OPTIONS, allowUnverified: true });
  const sources = async (): Promise<number> =>
    (await collectGarbage(ipm.context, { keep: 0, dryRun: false })).removed.filter(({ kind }) => kind === "source")
      .length;
  expect(await sources()).toBe(0);
  ahead = month;
  expect(await sources()).toBe(1);
  await uninstall(ipm.context, ["tango"], { purge: false });
  expect(await sources()).toBe(1);
  expect(await sources()).toBe(0);
});
