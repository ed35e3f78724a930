import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { doctor } from "../../../src/usecases/doctor.ts";
import { hold } from "../../../src/usecases/hold.ts";
import { install } from "../../../src/usecases/install.ts";
import { listTools } from "../../../src/usecases/list.ts";
import { listWithWarnings } from "../../../src/usecases/withdrawn.ts";
import { outdated } from "../../../src/usecases/outdated.ts";
import { planTargets } from "../../../src/usecases/plan-targets.ts";
import { addRegistry } from "../../../src/usecases/registries.ts";
import { rollback } from "../../../src/usecases/rollback.ts";
import { runTool } from "../../../src/usecases/run-tool.ts";
import { upgrade } from "../../../src/usecases/upgrade.ts";
import { verify } from "../../../src/usecases/verify.ts";
import { type DemoTool, writeDemoRegistry } from "../../helpers/demo-registry.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, VERIFY_OPTIONS, type TestIpm, createTestIpm } from "../../helpers/test-ipm.ts";

async function ipmWith(tools: readonly DemoTool[]): Promise<TestIpm> {
  const folder = temporaryFolder();
  return createTestIpm(folder, writeDemoRegistry(path.join(folder, "registry"), tools));
}

async function offer(ipm: TestIpm, tools: readonly DemoTool[]): Promise<void> {
  await ipm.setRegistry(writeDemoRegistry(path.join(ipm.folder, "registry"), tools));
}

const installed = async (ipm: TestIpm): Promise<string[]> =>
  (await listTools(ipm.context)).map(({ name, version, held }) => `${name} ${version}${held ? " held" : ""}`);

const warnings = (ipm: TestIpm): string[] =>
  ipm.events.flatMap((event) => (event.type === "warning" ? [`${event.code}: ${event.message}`] : []));

test("a library is refused by its own code everywhere, with the line for a program that is here", async () => {
  const folder = temporaryFolder();
  const registry = writeDemoRegistry(path.join(folder, "registry"), [{ name: "alpha", versions: ["1.0.0"] }]);
  mkdirSync(path.join(registry, "packages/kit"), { recursive: true });
  writeFileSync(
    path.join(registry, "packages/kit/manifest.yaml"),
    `schema: ipm/v1
name: kit
kind: library
summary: A library of parts
license: MIT
source: { git: https://github.com/owner/kit.git }
versions: [{ version: 1.2.0, ref: refs/tags/v1.2.0, commit: ${"1".repeat(40)}, tree: ${"2".repeat(40)} }]
elsewhere: { flatpak: org.example.Kit, npm: "kit@{version}" }
`,
  );
  const bin = path.join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(path.join(bin, "npm"), "#!/bin/sh\n", { mode: 0o755 });
  const { context } = await createTestIpm(path.join(folder, "run"), registry, { env: { PATH: bin } });
  const refused = { code: "NOTHING_TO_INSTALL", exitCode: 7, hint: "npm install kit@1.2.0" };
  await expect(install(context, ["kit"], OPTIONS)).rejects.toMatchObject(refused);
  await expect(install(context, ["kit"], { ...OPTIONS, dryRun: true })).rejects.toMatchObject(refused);
  await expect(planTargets(context, ["kit@1.2.0"], OPTIONS)).rejects.toMatchObject(refused);
  await expect(runTool(context, "kit", [], OPTIONS)).rejects.toMatchObject(refused);
  await expect(verify(context, ["kit"], VERIFY_OPTIONS)).rejects.toMatchObject({ code: "NOTHING_TO_INSTALL" });
  expect(await listTools(context)).toEqual([]);
});

test("a withdrawn version is refused; list, outdated and doctor tell who has it, and upgrade leads away from it", async () => {
  const ipm = await ipmWith([{ name: "alpha", versions: ["1.0.0", "2.0.0"] }]);
  await install(ipm.context, ["alpha"], OPTIONS);
  const why = "CVE-2026-1: use 1.0.0";
  await offer(ipm, [{ name: "alpha", versions: ["1.0.0", "2.0.0"], withdrawn: { "2.0.0": why } }]);
  await expect(install(ipm.context, ["alpha@2.0.0"], OPTIONS)).rejects.toMatchObject({
    code: "VERSION_WITHDRAWN",
    exitCode: 5,
    hint: "ipm install alpha@1.0.0",
  });
  expect(await listWithWarnings(ipm.context, await listTools(ipm.context))).toMatchObject([{ withdrawn: why }]);
  // The way out is the newest version that nobody has withdrawn, be it an older one.
  expect((await outdated(ipm.context)).tools).toMatchObject([{ name: "alpha", withdrawn: why, latest: "1.0.0" }]);
  const health = await doctor(ipm.context, { name: null, fix: false });
  expect(health.healthy).toBe(false);
  expect(health.checks).toContainEqual({
    id: "withdrawn.alpha",
    status: "failed",
    title: "alpha 2.0.0 was withdrawn",
    detail: why,
    fix: "ipm upgrade alpha",
  });
  await upgrade(ipm.context, [], OPTIONS);
  expect(await installed(ipm)).toEqual(["alpha 1.0.0"]);
  expect((await outdated(ipm.context)).tools).toEqual([]);
});

test("a withdrawn version that nothing replaces is still told of", async () => {
  const ipm = await ipmWith([{ name: "alpha", versions: ["1.0.0"] }]);
  await install(ipm.context, ["alpha"], OPTIONS);
  await offer(ipm, [{ name: "alpha", versions: ["1.0.0"], withdrawn: { "1.0.0": "it was never meant" } }]);
  expect((await outdated(ipm.context)).tools).toMatchObject([{ latest: null, withdrawn: "it was never meant" }]);
  expect((await upgrade(ipm.context, [], OPTIONS)).upgraded).toEqual([]);
  expect(warnings(ipm)).toContain(
    "VERSION_WITHDRAWN: alpha 1.0.0 was withdrawn: it was never meant; its registry offers no other version",
  );
});

test("a manifest that its registry has broken stops no command about all tools, and the one that names it", async () => {
  const ipm = await ipmWith([{ name: "zulu", versions: ["1.0.0"] }]);
  const registry = writeDemoRegistry(path.join(ipm.folder, "other"), [
    { name: "alpha", versions: ["1.0.0", "2.0.0"] },
    { name: "bravo", versions: ["1.0.0", "2.0.0"] },
  ]);
  writeFileSync(path.join(registry, "registry.yaml"), "id: other\nname: Other\nmaintainers: [octocat]\n");
  await addRegistry(ipm.context, registry);
  await install(ipm.context, ["alpha@1.0.0", "bravo@1.0.0"], { ...OPTIONS, allowUnverified: true });
  const file = path.join(registry, "packages/alpha/manifest.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace("steps:", "stpes:"));
  expect((await outdated(ipm.context)).tools).toMatchObject([{ name: "bravo", latest: "2.0.0" }]);
  await expect(upgrade(ipm.context, ["alpha"], OPTIONS)).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
  await upgrade(ipm.context, [], { ...OPTIONS, allowUnverified: true });
  expect(await installed(ipm)).toEqual(["alpha 1.0.0", "bravo 2.0.0"]);
  expect(warnings(ipm).filter((line) => line.startsWith("MANIFEST_INVALID: alpha is left alone: "))).toHaveLength(2);
});

test("a tool of an installed one's name from somewhere else is said to be another one, and only once", async () => {
  const ipm = await ipmWith([{ name: "alpha", versions: ["1.0.0", "2.0.0"] }]);
  const mine = path.join(ipm.folder, "mine");
  mkdirSync(mine);
  writeFileSync(path.join(mine, "tool"), "#!/bin/sh\necho mine\n", { mode: 0o755 });
  writeFileSync(
    path.join(mine, "ipm.yaml"),
    "schema: ipm/v1\nname: alpha\nsummary: Another alpha\nlicense: MIT\nsteps: [uses: copy]\nbin: { alpha: tool }\n",
  );
  const told = (): string[] => warnings(ipm).filter((line) => line.startsWith("OTHER_ORIGIN: "));
  await install(ipm.context, ["alpha@1.0.0"], OPTIONS);
  await upgrade(ipm.context, [], OPTIONS);
  expect(told()).toEqual([]);
  await install(ipm.context, ["./mine"], { ...OPTIONS, allowUnverified: true, dryRun: true });
  expect(told()).toEqual([
    `OTHER_ORIGIN: alpha 2.0.0 is from bundle alpha.bundle (registry demo); what takes its place is from ${mine}`,
  ]);
  await install(ipm.context, ["./mine"], { ...OPTIONS, allowUnverified: true });
  writeFileSync(path.join(mine, "tool"), "#!/bin/sh\necho changed\n", { mode: 0o755 });
  await install(ipm.context, ["./mine"], { ...OPTIONS, allowUnverified: true });
  expect(told()).toHaveLength(2);
});

test("an alias finds the tool and says so; a deprecated one says what to use instead", async () => {
  const more = "aliases: [al]\ndeprecated: { why: it is too old, use: bravo }";
  const ipm = await ipmWith([{ name: "alpha", versions: ["1.0.0"], more }]);
  const { plans } = await install(ipm.context, ["al"], OPTIONS);
  expect(plans[0]?.notices).toContain("al is another name of alpha");
  expect(plans[0]?.tool.deprecated).toEqual({ why: "it is too old", use: "bravo" });
  expect(await installed(ipm)).toEqual(["alpha 1.0.0"]);
  expect(warnings(ipm)).toContain("DEPRECATED: alpha is deprecated: it is too old");
});

test("what was installed under a former name goes on under the new one, with its hold, and can be rolled back", async () => {
  const ipm = await ipmWith([{ name: "alpha", versions: ["1.0.0"] }]);
  await install(ipm.context, ["alpha"], OPTIONS);
  await hold(ipm.context, ["alpha"], true);
  // The same commands under another name.
  const renamed: DemoTool = {
    name: "omega",
    versions: ["1.0.0", "2.0.0"],
    files: (version) => ({ "bin/alpha": { run: `#!/bin/sh\necho alpha ${version}\n` } }),
    bin: "{ alpha: bin/alpha }",
    tests: "[{ run: alpha }]",
    more: "formerly: [alpha]",
  };
  await offer(ipm, [renamed]);
  expect((await outdated(ipm.context)).tools).toMatchObject([{ name: "alpha", latest: "2.0.0", held: true }]);
  expect((await upgrade(ipm.context, [], OPTIONS)).held).toEqual(["alpha"]);
  await expect(install(ipm.context, ["omega@2.0.0"], OPTIONS)).rejects.toMatchObject({ code: "HELD" });
  expect((await install(ipm.context, ["omega"], OPTIONS)).unchanged).toMatchObject([{ name: "alpha", newer: "2.0.0" }]);
  await hold(ipm.context, ["alpha"], false);
  expect((await upgrade(ipm.context, ["omega"], OPTIONS)).upgraded).toEqual([
    { name: "omega", from: "1.0.0", to: "2.0.0" },
  ]);
  expect(await installed(ipm)).toEqual(["omega 2.0.0"]);
  expect(existsSync(path.join(ipm.layout.current, "bin/alpha"))).toBe(true);
  await rollback(ipm.context, null);
  expect(await installed(ipm)).toEqual(["alpha 1.0.0"]);
});
