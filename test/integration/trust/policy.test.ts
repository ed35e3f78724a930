import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { Sandbox } from "../../../src/sandbox/sandbox.ts";
import type { Context } from "../../../src/usecases/context.ts";
import { doctor } from "../../../src/usecases/doctor.ts";
import { install } from "../../../src/usecases/install.ts";
import { planTargets } from "../../../src/usecases/plan-targets.ts";
import { verify } from "../../../src/usecases/verify.ts";
import { writeDemoRegistry } from "../../helpers/demo-registry.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, VERIFY_OPTIONS, type TestIpm, createTestIpm } from "../../helpers/test-ipm.ts";

/** ipm with one reviewed tool and a folder with one that nobody has verified. */
async function ipmWith(user: string | null, system: string | null = null): Promise<TestIpm & { unverified: string }> {
  const folder = temporaryFolder();
  const registry = writeDemoRegistry(path.join(folder, "registry"), [
    { name: "alpha", versions: ["1.0.0"], methods: "steps: [{ run: 'true' }, { uses: copy }]" },
  ]);
  const ipm = await createTestIpm(folder, registry);
  const files = [user, system].flatMap((text, index) => {
    if (text === null) return [];
    const file = path.join(folder, `policy-${index}`, "policy.yaml");
    mkdirSync(path.dirname(file));
    writeFileSync(file, text);
    return [file];
  });
  const unverified = path.join(folder, "tool");
  mkdirSync(unverified);
  writeFileSync(
    path.join(unverified, "ipm.yaml"),
    "schema: ipm/v1\nname: tool\nsummary: A tool\nlicense: MIT\nsteps: [uses: copy]\nbin: { tool: tool }\ntests: [{ run: tool }]\n",
  );
  writeFileSync(path.join(unverified, "tool"), "#!/bin/sh\n", { mode: 0o755 });
  return { ...ipm, context: { ...ipm.context, policyFiles: files }, unverified };
}

/** The same machine, if it could not isolate. */
function withoutSandbox(context: Context): Context {
  const broken: Sandbox = {
    kind: "bubblewrap",
    probe: async () => ({ state: "missing", cause: "bubblewrap is not installed", fix: "apt install bubblewrap" }),
    run: () => Promise.reject(new Error("there is no sandbox")),
  };
  const none = context.sandboxFor(true);
  return { ...context, sandboxFor: (noSandbox) => (noSandbox ? none : broken) };
}

test("a rule refuses by its name, file and line, whatever flags say, and nothing is built", async () => {
  const ipm = await ipmWith("schema: ipm-policy/v1\n# our rules\ntrust: reviewed\n");
  const options = { ...OPTIONS, allowUnverified: true, yes: true };
  await expect(install(ipm.context, [ipm.unverified], options)).rejects.toMatchObject({
    code: "POLICY_REFUSED",
    message: expect.stringMatching(
      /^tool@\S+ is refused by the rule "trust" of \S+policy\.yaml:3: it must be reviewed/u,
    ),
    data: { refusals: [{ rule: "trust", line: 3 }] },
  });
  expect(readdirSync(ipm.layout.store)).toEqual([]);
  await expect(install(ipm.context, ["alpha"], OPTIONS)).resolves.toMatchObject({ generation: 1 });
});

test("a plan that would be refused says so, and is shown", async () => {
  const ipm = await ipmWith("schema: ipm-policy/v1\nsteps: [copy]\n");
  const { plans } = await planTargets(ipm.context, ["alpha"], OPTIONS);
  expect(plans[0]!.notices).toEqual([
    expect.stringMatching(/^refused by the rule "steps" of \S+policy\.yaml:2: it has steps of the kind run$/u),
  ]);
});

test("the system's policy is not softened by the user's", async () => {
  const ipm = await ipmWith("schema: ipm-policy/v1\nsteps: [copy, run]\n", "schema: ipm-policy/v1\nsteps: [copy]\n");
  await expect(install(ipm.context, ["alpha"], OPTIONS)).rejects.toMatchObject({
    code: "POLICY_REFUSED",
    message: expect.stringContaining("it has steps of the kind run"),
  });
});

test("a policy can say yes beforehand to what is not verified", async () => {
  const asking = await ipmWith(null);
  await expect(install(asking.context, [asking.unverified], OPTIONS)).rejects.toMatchObject({ code: "UNVERIFIED" });
  const ipm = await ipmWith("schema: ipm-policy/v1\nallow-unverified: true\n");
  await expect(install(ipm.context, [ipm.unverified], OPTIONS)).resolves.toMatchObject({ generation: 1 });
});

test("where a machine cannot isolate, `sandbox: preferred` lets the trusted go on and says so, nobody else", async () => {
  const strict = await ipmWith(null);
  await expect(install(withoutSandbox(strict.context), ["alpha"], OPTIONS)).rejects.toMatchObject({
    code: "SANDBOX_UNAVAILABLE",
  });
  const ipm = await ipmWith("schema: ipm-policy/v1\nsandbox: preferred\nallow-unverified: true\n");
  const context = withoutSandbox(ipm.context);
  await expect(install(context, [ipm.unverified], OPTIONS)).rejects.toMatchObject({ code: "SANDBOX_UNAVAILABLE" });
  await expect(install(context, ["alpha"], OPTIONS)).resolves.toMatchObject({ generation: 1 });
  const warnings = ipm.events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
  expect(warnings).toEqual([
    "alpha@1.0.0: no sandbox here (bubblewrap is not installed); its steps run without isolation, as the policy allows",
  ]);
});

test("a policy that cannot be read refuses everything, and doctor says where", async () => {
  const ipm = await ipmWith("schema: ipm-policy/v1\ntrust: verifed\n");
  await expect(install(ipm.context, ["alpha"], OPTIONS)).rejects.toMatchObject({ code: "POLICY_INVALID" });
  const { healthy, checks } = await doctor(ipm.context, { name: null, fix: false });
  const check = checks.find(({ id }) => id === "policy");
  expect(healthy).toBe(false);
  expect(check?.status).toBe("failed");
  expect(check?.detail).toMatch(/policy\.yaml:2:8: INVALID_VALUE[\s\S]*did you mean `verified`/u);
});

test("doctor names the files that apply", async () => {
  const ipm = await ipmWith("schema: ipm-policy/v1\n", "schema: ipm-policy/v1\n");
  const { checks } = await doctor(ipm.context, { name: null, fix: false });
  expect(checks.find(({ id }) => id === "policy")).toMatchObject({
    status: "ok",
    title: expect.stringMatching(/policy-0\/policy\.yaml and \S+policy-1\/policy\.yaml$/u),
  });
});

test("verify asks no policy: it installs nothing, and what it verifies is what a policy waits for", async () => {
  const ipm = await ipmWith("schema: ipm-policy/v1\ntrust: verified\n");
  await expect(install(ipm.context, ["alpha"], OPTIONS)).rejects.toMatchObject({ code: "POLICY_REFUSED" });
  const report = await verify(ipm.context, ["alpha"], VERIFY_OPTIONS);
  expect(report.ok).toBe(true);
  await expect(install(ipm.context, ["alpha"], OPTIONS)).resolves.toMatchObject({ generation: 1 });
});
