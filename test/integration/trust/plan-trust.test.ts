import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { platformId } from "../../../src/core/host.ts";
import { type Plan, isPackage } from "../../../src/plan/plan.ts";
import { compileRegistry } from "../../../src/registry/compile-registry.ts";
import { attestationFile, formatAttestations } from "../../../src/trust/attestation.ts";
import { addRegistry, removeRegistry } from "../../../src/usecases/registries.ts";
import { showTool } from "../../../src/usecases/show.ts";
import { update } from "../../../src/usecases/update.ts";
import { GitRepository } from "../../helpers/git-repository.ts";
import { planTargets } from "../../../src/usecases/plan-targets.ts";
import { type DemoTool, writeDemoRegistry } from "../../helpers/demo-registry.ts";
import { sampleAttestation } from "../../helpers/sample-attestation.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, type TestIpm, createTestIpm } from "../../helpers/test-ipm.ts";

const ALPHA: DemoTool = { name: "alpha", versions: ["1.0.0"] };

async function planOf(ipm: TestIpm, target = "alpha@1.0.0"): Promise<Plan> {
  const { plans } = await planTargets(ipm.context, [target], OPTIONS);
  return plans[0]!;
}

function manifestOf(registry: string): string {
  return path.join(registry, "packages/alpha/manifest.yaml");
}

/** What a verification of this plan on this platform would write into a registry. */
function attest(registry: string, plan: Plan, platform = platformId(plan.platform)): void {
  const folder = path.join(registry, "packages/alpha/attestations");
  mkdirSync(folder, { recursive: true });
  const attestation = sampleAttestation({
    name: plan.tool.name,
    version: plan.tool.version,
    method: plan.method.id,
    digest: plan.digest,
    ...(isPackage(plan.what.source) ? {} : { commit: plan.what.source.commit, tree: plan.what.source.tree }),
    platform,
    time: new Date().toISOString(),
  });
  writeFileSync(path.join(folder, attestationFile(plan.tool.version, platform)), formatAttestations([attestation]));
}

/** ipm with a registry whose only version is attested, and the means to change the manifest afterwards. */
async function attested(): Promise<{ ipm: TestIpm; change: (edit: (yaml: string) => string) => Promise<Plan> }> {
  const folder = temporaryFolder();
  const registry = writeDemoRegistry(path.join(folder, "registry"), [ALPHA]);
  const ipm = await createTestIpm(folder, registry);
  attest(registry, await planOf(ipm));
  await ipm.setRegistry(registry);
  return {
    ipm,
    change: async (edit) => {
      const before = readFileSync(manifestOf(registry), "utf8");
      const after = edit(before);
      expect(after).not.toBe(before);
      writeFileSync(manifestOf(registry), after);
      await ipm.setRegistry(registry);
      return planOf(ipm);
    },
  };
}

test("a registry's attestation makes a plan verified, without network and without a look at anything but the index", async () => {
  const { ipm } = await attested();
  const { trust } = await planOf(ipm);
  expect(trust.level).toBe("verified");
  expect(trust.attestation?.file).toMatch(/^packages\/alpha\/attestations\/1\.0\.0\..+\.json$/u);
});

test("prose, formatting and keywords void nothing", async () => {
  const { change } = await attested();
  const plan = await change((yaml) =>
    yaml
      .replace("summary: The tool alpha", 'summary:   "Quite another summary"')
      .replace("steps: [uses: copy]", "# a comment\nkeywords: [new]\nnotes: Try it.\nsteps:\n  - uses: copy"),
  );
  expect(plan.tool.summary).toBe("Quite another summary");
  expect(plan.trust.level).toBe("verified");
});

test("a bump of another version voids nothing, and the new version is not verified by the old one", async () => {
  const { ipm, change } = await attested();
  const old = await change((yaml) =>
    yaml.replace(/^ {2}- \{ version: 1\.0\.0(.*)$/mu, "  - { version: 1.0.1$1\n  - { version: 1.0.0$1"),
  );
  expect(old.trust.level).toBe("verified");
  const bumped = await change((yaml) =>
    yaml.replace(/commit: [0-9a-f]{40}(?=[^\n]*\n {2}- \{ version: 1\.0\.0)/u, `commit: ${"1".repeat(40)}`),
  );
  expect(bumped.trust.level).toBe("verified");
  expect(ipm.events.length).toBeGreaterThan(0);
});

test.each<[string, (yaml: string) => string]>([
  ["another step", (yaml) => yaml.replace("steps: [uses: copy]", "steps: [uses: copy, { run: 'true' }]")],
  ["another launcher", (yaml) => yaml.replace("{ alpha: bin/alpha }", "{ alpha: bin/alpha, beta: bin/alpha }")],
  ["another test", (yaml) => yaml.replace("^alpha {version}", "^alpha")],
])("%s is another plan, and that is not verified any more", async (_, edit) => {
  const { change } = await attested();
  const { trust } = await change(edit);
  expect(trust.level).toBe("reviewed");
  expect(trust.detail).toMatch(/what was verified on \d{4}-\d{2}-\d{2} was another plan/u);
  expect(trust.attestation).toBeUndefined();
});

test("an attestation of another platform says verified elsewhere", async () => {
  const folder = temporaryFolder();
  const registry = writeDemoRegistry(path.join(folder, "registry"), [ALPHA]);
  const ipm = await createTestIpm(folder, registry);
  attest(registry, await planOf(ipm), "macos-arm64");
  await ipm.setRegistry(registry);
  expect((await planOf(ipm)).trust).toMatchObject({ level: "verified-elsewhere" });
  expect((await showTool(ipm.context, "alpha")).trust).toBe("verified-elsewhere");
  attest(registry, await planOf(ipm));
  await ipm.setRegistry(registry);
  expect((await showTool(ipm.context, "alpha")).trust).toBe("verified");
});

test("A96: an attestation that is not about this entry is a finding, and the entry is as good as without it", async () => {
  const folder = temporaryFolder();
  const registry = writeDemoRegistry(path.join(folder, "registry"), [ALPHA]);
  const ipm = await createTestIpm(folder, registry);
  const plan = await planOf(ipm);
  attest(registry, { ...plan, tool: { ...plan.tool, version: "9.9.9" } });
  const place = path.join(registry, "packages/alpha/attestations");
  const right = path.join(place, attestationFile("1.0.0", platformId(plan.platform)));
  const wrong = path.join(place, attestationFile("9.9.9", platformId(plan.platform)));
  renameSync(wrong, right);
  const { findings } = await compileRegistry(ipm.context.host.files, registry, path.join(folder, "out"));
  expect(findings.map(({ code, severity, message }) => [code, severity, message])).toEqual([
    ["ATTESTATION_INVALID", "warning", "resourceUri is not urn:ipm:tool:alpha@1.0.0"],
  ]);
  await ipm.setRegistry(registry);
  expect((await planOf(ipm)).trust.level).toBe("reviewed");
});

test("attestations inside a target's own repository never count", async () => {
  const folder = temporaryFolder();
  const registry = writeDemoRegistry(path.join(folder, "registry"), [{ name: "bravo", versions: ["1.0.0"] }]);
  const ipm = await createTestIpm(folder, registry);
  const tool = path.join(folder, "tool");
  mkdirSync(tool);
  writeFileSync(
    path.join(tool, "ipm.yaml"),
    "schema: ipm/v1\nname: alpha\nsummary: A tool\nlicense: MIT\nsteps: [uses: copy]\nbin: { alpha: alpha }\ntests: [{ run: alpha }]\n",
  );
  writeFileSync(path.join(tool, "alpha"), "#!/bin/sh\n", { mode: 0o755 });
  const plan = await planOf(ipm, tool);
  attest(tool, plan);
  const again = await planOf(ipm, tool);
  expect(again.trust.level).toBe("unverified");
});

test("a configured registry's attestations count as well: in a folder at once, in git as of its last update", async () => {
  const folder = temporaryFolder();
  const registry = writeDemoRegistry(path.join(folder, "team"), [ALPHA]);
  const ipm = await createTestIpm(
    folder,
    writeDemoRegistry(path.join(folder, "embedded-one"), [{ ...ALPHA, name: "bravo" }]),
  );
  writeFileSync(path.join(registry, "registry.yaml"), "id: team\nname: The team's\nmaintainers: [octocat]\n");
  const { context } = ipm;
  await addRegistry(context, registry);
  expect((await planOf(ipm, "team:alpha")).trust).toMatchObject({
    level: "unverified",
    detail: "not verified, from the registry team",
  });
  attest(registry, await planOf(ipm, "team:alpha"));
  expect((await planOf(ipm, "team:alpha")).trust.level).toBe("verified");

  const repository = new GitRepository(registry);
  repository.commit({}, "the registry");
  await removeRegistry(context, "team");
  await addRegistry(context, `file://${registry}`);
  expect((await planOf(ipm, "team:alpha")).trust.level).toBe("verified");
  repository.commit({
    [`packages/alpha/attestations/${attestationFile("1.0.0", platformId(context.host.facts.platform))}`]: null,
  });
  await update(context, []);
  expect((await planOf(ipm, "team:alpha")).trust.level).toBe("unverified");
});
