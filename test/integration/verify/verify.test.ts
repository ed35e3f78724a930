import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { IpmError } from "../../../src/core/errors.ts";
import { platformId } from "../../../src/core/host.ts";
import { attestationFile, parseAttestations } from "../../../src/trust/attestation.ts";
import { planTargets } from "../../../src/usecases/plan-targets.ts";
import { type VerifyReport, verify } from "../../../src/usecases/verify.ts";
import { type DemoTool, demoScript, writeDemoRegistry } from "../../helpers/demo-registry.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import {
  OPTIONS,
  VERIFY_OPTIONS,
  type TestIpm,
  type TestIpmOptions,
  createTestIpm,
  treeText,
} from "../../helpers/test-ipm.ts";

async function ipmWith(
  tools: readonly DemoTool[],
  options: TestIpmOptions = {},
): Promise<TestIpm & { registry: string }> {
  const folder = temporaryFolder();
  const registry = writeDemoRegistry(path.join(folder, "registry"), tools);
  return { ...(await createTestIpm(folder, registry, options)), registry };
}

/** The checks of a report's only method that did not pass. */
function broken(report: VerifyReport): Record<string, string> {
  expect(report.methods).toHaveLength(1);
  const failed = report.methods[0]!.checks.filter(({ status }) => status === "failed");
  return Object.fromEntries(failed.map(({ id, details }) => [id, details.join("\n")]));
}

const ALPHA2: DemoTool = { name: "alpha", versions: ["1.0.0", "2.0.0"] };

test("an honest tool passes every check, is verified on this machine, and leaves nothing", async () => {
  const ipm = await ipmWith([ALPHA2]);
  const report = await verify(ipm.context, ["alpha"], VERIFY_OPTIONS);
  expect(broken(report)).toEqual({});
  expect(report.methods[0]).toMatchObject({ outcome: "passed", method: "copy", files: 1, reproducible: null });
  expect(report.methods[0]!.checks.map(({ id, status }) => `${id} ${status}`)).toEqual(
    "plan install reinstall upgrade rollback uninstall gc outside home processes network secrets"
      .split(" ")
      .map((id) => `${id} passed`),
  );
  expect(report.ok).toBe(true);
  expect(readdirSync(path.join(ipm.context.host.homes.cache, "verify")).filter((name) => name !== "locks")).toEqual([]);
  expect(existsSync(ipm.layout.store)).toBe(false);
  const { plans } = await planTargets(ipm.context, ["alpha"], OPTIONS);
  expect(plans[0]!.trust.detail).toMatch(/^verified on .+ just now .*, by this machine$/u);
});

const TOKEN = `ghp_${"a1B2".repeat(9)}`;
/** Not as it stands in the manifest, which is no secret. */
const PRINT_TOKEN = `t=a1B2; echo ghp_${"$t".repeat(9)}`;

/** A tool whose only fault is one step before it is copied. */
function cheat(step: string): DemoTool {
  return { name: "alpha", versions: ["1.0.0"], methods: `steps: [{ run: ${JSON.stringify(step)} }, { uses: copy }]` };
}

test.each<[string, string, string, RegExp]>([
  ["writes to HOME", 'mkdir -p "$HOME/bin"; echo x > "$HOME/bin/alpha"', "home", /step 1 .* writes ~\/bin\/alpha/u],
  [
    "phones home",
    "git ls-remote https://telemetry.example.org/x.git || true",
    "network",
    /step 1 .* asks for telemetry\.example\.org:443, which is not declared/u,
  ],
  [
    "leaves a daemon",
    "(setsid sleep 300 >/dev/null 2>&1 &)",
    "processes",
    /step 1 .* leaves processes running: sleep/u,
  ],
  ["prints a token", PRINT_TOKEN, "secrets", /step 1 .* prints what looks like a GitHub token/u],
  [
    "passes only on the second run",
    "test -e /var/tmp/alpha-was-here || { touch /var/tmp/alpha-was-here; exit 1; }",
    "install",
    /STEP_FAILED: .* failed with exit code 1/u,
  ],
])("a manifest that %s is caught, by name", async (_, step, check, why) => {
  const ipm = await ipmWith([cheat(step)]);
  const report = await verify(ipm.context, ["alpha"], VERIFY_OPTIONS);
  expect(report.ok).toBe(false);
  const failed = broken(report);
  expect(Object.keys(failed)).toEqual([check]);
  expect(failed[check]).toMatch(why);
  expect(JSON.stringify(report)).not.toContain(TOKEN.slice(4));
  expect(report.written).toEqual([]);
  expect(existsSync(path.join(ipm.layout.data, "attestations"))).toBe(false);
});

test("the same is caught in a test of the manifest", async () => {
  const tests = `[{ run: ${JSON.stringify(`${PRINT_TOKEN}; git ls-remote https://telemetry.example.org/x || :; sleep 300 &`)} }]`;
  const ipm = await ipmWith([{ name: "alpha", versions: ["1.0.0"], tests }]);
  const failed = broken(await verify(ipm.context, ["alpha"], VERIFY_OPTIONS));
  expect(Object.keys(failed)).toEqual(["processes", "network", "secrets"]);
  expect(failed["processes"]).toMatch(/^test 1 /u);
});

test("what a process ended properly, or keeps in a cache, is no fault", async () => {
  const step = 'sleep 0.05 & mkdir -p "$HOME/.cache/x"; echo y > "$HOME/.cache/x/y"; wait; yes | head -n 1';
  const ipm = await ipmWith([cheat(step)]);
  expect(broken(await verify(ipm.context, ["alpha"], VERIFY_OPTIONS))).toEqual({});
});

test("a file beside ipm's own, in the clean room, is found after the stage that left it", async () => {
  const rooms = (ipm: TestIpm): string => path.join(ipm.context.host.homes.cache, "verify");
  const ipm: TestIpm = await ipmWith([{ name: "alpha", versions: ["1.0.0"] }], {
    checkpoint: (name) => {
      if (name !== "seal.done") return;
      const room = readdirSync(rooms(ipm)).find((folder) => folder !== "locks") ?? "";
      writeFileSync(path.join(rooms(ipm), room, "homes/data/stray"), "");
    },
  });
  const failed = broken(await verify(ipm.context, ["alpha"], VERIFY_OPTIONS));
  expect(Object.keys(failed)).toEqual(["outside"]);
  expect(failed["outside"]).toMatch(/^after install: homes\/data\/stray$/mu);
});

test("a failure shows the last lines and keeps the log, without the clean room's path", async () => {
  const ipm = await ipmWith([cheat("echo first words; echo $IPM_PREFIX; exit 3")]);
  const report = await verify(ipm.context, ["alpha"], VERIFY_OPTIONS);
  const { log, checks } = report.methods[0]!;
  expect(checks.find(({ id }) => id === "install")!.details).toContain("first words");
  expect(path.dirname(log!)).toBe(path.join(ipm.layout.logs, "alpha"));
  const text = readFileSync(log!, "utf8");
  expect(text).toContain("first words");
  expect(text).not.toContain(ipm.folder);
});

test("--twice: equal files are reproducible, a build that records its surroundings is not", async () => {
  const [yes, no] = await Promise.all(
    ["true", 'date +%H:%Z > "$IPM_PREFIX/when"; pwd > "$IPM_PREFIX/where"'].map(async (step) => {
      const ipm = await ipmWith([cheat(step)]);
      return verify(ipm.context, ["alpha"], { ...VERIFY_OPTIONS, twice: true });
    }),
  );
  expect(yes!.methods[0]).toMatchObject({ outcome: "passed", reproducible: true, differences: [] });
  expect(no!.methods[0]).toMatchObject({ outcome: "passed", reproducible: false, differences: ["when", "where"] });
});

test("--twice: a build that works in one kind of surroundings only is not reproducible, and says why", async () => {
  const ipm = await ipmWith([cheat('test "$(umask)" = 0022')]);
  const report = await verify(ipm.context, ["alpha"], { ...VERIFY_OPTIONS, twice: true });
  expect(report.methods[0]).toMatchObject({ outcome: "passed", reproducible: false });
  expect(report.methods[0]!.differences).toEqual([
    expect.stringMatching(/^everything: step 1 .* failed with exit code 1$/u),
  ]);
});

test("a registry's folder: every version, attestations beside the manifests, and those make its plans verified", async () => {
  const ipm = await ipmWith([ALPHA2, { name: "bravo", versions: ["0.1.0"], withdrawn: { "0.1.0": "broken" } }]);
  const { registry } = ipm;
  const report = await verify(ipm.context, [registry], { ...VERIFY_OPTIONS, all: true, write: true });
  expect(report.methods.map(({ name, version, outcome }) => `${name} ${version} ${outcome}`)).toEqual([
    "alpha 2.0.0 passed",
    "alpha 1.0.0 passed",
  ]);
  const platform = platformId(ipm.context.host.facts.platform);
  const folder = path.join(registry, "packages/alpha/attestations");
  expect(readdirSync(folder)).toEqual(["1.0.0", "2.0.0"].map((version) => attestationFile(version, platform)));
  expect(report.written.toSorted()).toEqual(readdirSync(folder).map((file) => path.join(folder, file)));
  const other = await createTestIpm(path.join(ipm.folder, "another-machine"), registry);
  const { plans } = await planTargets(other.context, ["alpha@1.0.0"], OPTIONS);
  expect(plans[0]!.trust.detail).toMatch(/^verified on .+ just now \(git \d+\.\d+\)$/u);
});

test("an attestation names nothing of the machine that made it", async () => {
  const ipm = await ipmWith([ALPHA2]);
  const out = path.join(ipm.folder, "out");
  const report = await verify(ipm.context, ["alpha"], { ...VERIFY_OPTIONS, output: "out" });
  const text = readFileSync(report.written[0]!, "utf8");
  expect(report.written[0]!.startsWith(out)).toBe(true);
  const words = [ipm.folder, "/tmp", "/usr", process.env["HOME"], process.env["USER"], "127.0.0.1", "localhost"];
  const found = words.filter(
    (word) => word !== undefined && word !== "" && text.toLowerCase().includes(word.toLowerCase()),
  );
  expect(found).toEqual([]);
  const place = { name: "alpha", version: "2.0.0", platform: report.platform };
  const parsed = parseAttestations(text, place);
  expect(parsed.ok ? parsed.attestations[0]!.checks : []).toEqual(
    "plan install reinstall upgrade rollback uninstall gc outside home processes network secrets".split(" "),
  );
});

test("a second method is a second statement; verifying one of them keeps the other", async () => {
  const methods = "methods: [{ id: first, steps: [uses: copy] }, { id: second, steps: [uses: copy, { run: 'true' }] }]";
  const ipm = await ipmWith([{ name: "alpha", versions: ["1.0.0"], methods }]);
  const options = { ...VERIFY_OPTIONS, output: path.join(ipm.folder, "out") };
  const { written } = await verify(ipm.context, ["alpha"], options);
  const times = (): Record<string, string> => {
    const place = { name: "alpha", version: "1.0.0", platform: platformId(ipm.context.host.facts.platform) };
    const parsed = parseAttestations(readFileSync(written[0]!, "utf8"), place);
    return Object.fromEntries((parsed.ok ? parsed.attestations : []).map(({ method, time }) => [method, time]));
  };
  const before = times();
  await verify(ipm.context, ["alpha"], { ...options, method: "second" });
  const after = times();
  expect(Object.keys(after)).toEqual(["first", "second"]);
  expect(after["first"]).toBe(before["first"]);
  expect(after["second"]).not.toBe(before["second"]);
});

test("a method that this machine cannot run is left out and said so; nothing verified is no success", async () => {
  const missing = "requires: [{ tool: no-such-tool-anywhere }]";
  const methods = `methods: [{ id: odd, ${missing}, steps: [uses: copy] }, { id: mac, platforms: [macos], steps: [uses: copy] }, { id: plain, steps: [uses: copy] }]`;
  const ipm = await ipmWith([{ name: "alpha", versions: ["1.0.0"], methods }]);
  const report = await verify(ipm.context, ["alpha"], VERIFY_OPTIONS);
  expect(report.methods.map(({ method, outcome }) => `${method} ${outcome}`)).toEqual([
    "odd skipped",
    "mac skipped",
    "plain passed",
  ]);
  expect(report.methods[0]!.why).toContain("no-such-tool-anywhere");
  expect(report.ok).toBe(true);
  expect((await verify(ipm.context, ["alpha"], { ...VERIFY_OPTIONS, method: "odd" })).ok).toBe(false);
});

test("a folder with its own ipm.yaml can be verified, and counts on this machine only", async () => {
  const ipm = await ipmWith([ALPHA2]);
  const tool = path.join(ipm.folder, "tool");
  mkdirSync(tool);
  writeFileSync(
    path.join(tool, "ipm.yaml"),
    "schema: ipm/v1\nname: tool\nsummary: A tool\nlicense: MIT\nsteps: [uses: copy]\nbin: { tool: tool }\ntests: [{ run: tool }]\n",
  );
  writeFileSync(path.join(tool, "tool"), demoScript("tool", "1").run, { mode: 0o755 });
  const before = treeText(tool);
  const report = await verify(ipm.context, [tool], VERIFY_OPTIONS);
  expect(broken(report)).toEqual({});
  expect(report.methods[0]!.checks.find(({ id }) => id === "upgrade")!.status).toBe("skipped");
  expect(treeText(tool)).toEqual(before);
  const { plans } = await planTargets(ipm.context, [tool], OPTIONS);
  expect(plans[0]!.trust.level).toBe("verified");
});

test("without a sandbox nothing is verified", async () => {
  const ipm = await ipmWith([ALPHA2]);
  const none = ipm.context.sandboxFor(true);
  const context = { ...ipm.context, sandboxFor: () => none };
  await expect(verify(context, ["alpha"], VERIFY_OPTIONS)).rejects.toMatchObject({ code: "SANDBOX_UNAVAILABLE" });
  expect(existsSync(path.join(ipm.layout.data, "attestations"))).toBe(false);
});

test("an interrupted run leaves no room and no attestation", async () => {
  const ipm: TestIpm = await ipmWith([ALPHA2], {
    checkpoint: (name) => {
      if (name === "tests.started") ipm.stop.abort();
    },
  });
  const output = path.join(ipm.folder, "out");
  await expect(verify(ipm.context, ["alpha"], { ...VERIFY_OPTIONS, output })).rejects.toThrow(/interrupted|aborted/iu);
  expect(existsSync(output)).toBe(false);
  expect(existsSync(path.join(ipm.layout.data, "attestations"))).toBe(false);
  expect(readdirSync(path.join(ipm.context.host.homes.cache, "verify"))).toEqual(["locks"]);
});

test("of many, what fails or breaks keeps nothing else from being verified and attested", async () => {
  const broken = { ...cheat("exit 3"), name: "bravo" };
  let first = false;
  const ipm: TestIpm & { registry: string } = await ipmWith(
    [{ name: "alpha", versions: ["1.0.0"] }, broken, { name: "charlie", versions: ["1.0.0"] }],
    {
      checkpoint: (name) => {
        // A failure of the machine, as a full disk is, in the first of them.
        if (name !== "steps.started" || first) return;
        first = true;
        throw new IpmError("DISK_FULL", "no space left on the disk", { hint: "ipm gc" });
      },
    },
  );
  const report = await verify(ipm.context, [ipm.registry], { ...VERIFY_OPTIONS, all: true, write: true });
  expect(report.methods.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual([
    "alpha failed",
    "bravo failed",
    "charlie passed",
  ]);
  expect(report.methods[0]!.checks).toMatchObject([{ details: ["DISK_FULL: no space left on the disk"] }]);
  expect(report.ok).toBe(false);
  expect(report.written.map((file) => path.relative(ipm.registry, path.dirname(file)))).toEqual([
    "packages/charlie/attestations",
  ]);
});

test("an interrupted run keeps the attestations of the versions that were through", async () => {
  const folder = (): string => path.join(ipm.registry, "packages/alpha/attestations");
  const ipm: TestIpm & { registry: string } = await ipmWith([ALPHA2], {
    checkpoint: (name) => {
      if (name === "tests.started" && existsSync(folder())) ipm.stop.abort();
    },
  });
  const options = { ...VERIFY_OPTIONS, all: true, write: true };
  await expect(verify(ipm.context, [ipm.registry], options)).rejects.toThrow(/interrupted|aborted/iu);
  expect(readdirSync(folder())).toEqual([attestationFile("2.0.0", platformId(ipm.context.host.facts.platform))]);
});

test("the room of a run that was killed is removed by the next one", async () => {
  const ipm = await ipmWith([ALPHA2]);
  const rooms = path.join(ipm.context.host.homes.cache, "verify");
  mkdirSync(path.join(rooms, "0123abcd/homes/data"), { recursive: true });
  await verify(ipm.context, ["alpha@1.0.0"], VERIFY_OPTIONS);
  expect(readdirSync(rooms)).toEqual(["locks"]);
});

test("--write needs a registry's folder, --all a registry", async () => {
  const ipm = await ipmWith([ALPHA2]);
  await expect(verify(ipm.context, ["alpha"], { ...VERIFY_OPTIONS, write: true })).rejects.toMatchObject({
    code: "USAGE",
  });
  await expect(verify(ipm.context, [ipm.folder], { ...VERIFY_OPTIONS, all: true })).resolves.toMatchObject({
    ok: true,
  });
  const empty = path.join(ipm.folder, "empty");
  mkdirSync(empty);
  await expect(verify(ipm.context, [empty], { ...VERIFY_OPTIONS, all: true })).rejects.toMatchObject({
    code: "REGISTRY_INVALID",
  });
});
