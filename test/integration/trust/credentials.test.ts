import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { install } from "../../../src/usecases/install.ts";
import { planTargets } from "../../../src/usecases/plan-targets.ts";
import { verify } from "../../../src/usecases/verify.ts";
import { writeDemoRegistry } from "../../helpers/demo-registry.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, VERIFY_OPTIONS, type TestIpm, createTestIpm } from "../../helpers/test-ipm.ts";

const TOKEN = "npm_only-for-the-registry-0123456789";

let close: (() => unknown) | undefined;
afterEach(async () => {
  await close?.();
  close = undefined;
});

/** A registry that answers nobody without the token. */
async function startRegistry(): Promise<{ url: string; answered: string[] }> {
  const answered: string[] = [];
  const server = http.createServer((request, response) => {
    const isKnown = request.headers.authorization === `Bearer ${TOKEN}`;
    answered.push(`${request.url} ${isKnown ? 200 : 401}`);
    response.writeHead(isKnown ? 200 : 401, { "content-type": "application/json" });
    const version = { name: "ours", version: "1.2.3", dist: { tarball: "http://127.0.0.2/x.tgz", shasum: "" } };
    const known = { name: "ours", "dist-tags": { latest: "1.2.3" }, versions: { "1.2.3": version } };
    response.end(JSON.stringify(isKnown ? known : { error: "who are you?" }));
  });
  // Not 127.0.0.1: that is the step itself, which no proxy stands before.
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.2", resolve);
  });
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("not listening");
  return { url: `127.0.0.2:${address.port}/`, answered };
}

const STEPS = [
  "requires: [{ tool: node, for: build }, { tool: npm, for: build }]",
  "steps:",
  // It prints what it was given, as a tool in its verbose mode does.
  "  - { run: 'cat ~/.npmrc; npm view ours version > \"$IPM_PREFIX/version\"', network: [npm] }",
  '  - run: \'test ! -e ~/.npmrc; ! env | grep -q npm_only; mkdir -p "$IPM_PREFIX/bin"; cp bin/alpha "$IPM_PREFIX/bin/"\'',
].join("\n");

async function ipmWith(policy: string | null): Promise<TestIpm & { answered: string[] }> {
  const { url, answered } = await startRegistry();
  const folder = temporaryFolder();
  const registry = writeDemoRegistry(path.join(folder, "registry"), [
    { name: "alpha", versions: ["1.0.0"], methods: STEPS },
  ]);
  const ipm = await createTestIpm(folder, registry, { env: { OUR_TOKEN: TOKEN } });
  writeFileSync(path.join(folder, "home/.npmrc"), `registry=http://${url}\n//${url}:_authToken=\${OUR_TOKEN}\n`);
  const { config } = ipm.context.host.homes;
  mkdirSync(config, { recursive: true });
  if (policy !== null) writeFileSync(path.join(config, "policy.yaml"), `schema: ipm-policy/v1\n${policy}\n`);
  return { ...ipm, answered };
}

/** Files below a folder that hold the token. */
function filesWithToken(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(TOKEN));
}

function logOf(ipm: TestIpm): string {
  const folder = path.join(ipm.layout.logs, "alpha");
  return readdirSync(folder)
    .map((name) => readFileSync(path.join(folder, name), "utf8"))
    .join("");
}

test("C47: by policy a step reaches a registry that asks for a token, the plan says so, and nobody else sees it", async () => {
  const ipm = await ipmWith("credentials: [npm]");
  const { plans } = await planTargets(ipm.context, ["alpha"], OPTIONS);
  expect(plans[0]!.notices).toEqual([
    `steps are given this machine's credentials of npm, by the policy ${path.join(ipm.context.host.homes.config, "policy.yaml")}`,
  ]);
  await expect(install(ipm.context, ["alpha"], OPTIONS)).resolves.toMatchObject({ generation: 1 });
  expect(ipm.answered).toEqual(["/ours 200"]);
  expect(logOf(ipm)).toContain(":_authToken=[credential]");
  expect(filesWithToken(path.join(ipm.folder, "ipm"))).toEqual([]);
  expect(JSON.stringify(ipm.events)).not.toContain(TOKEN);
});

test.each([
  ["without a policy", null],
  ["with one that does not name them", "trust: reviewed"],
  ["with one for another ecosystem", "credentials: [pypi]"],
])("C47: %s a step has no credentials, and its plan speaks of none", async (_name, policy) => {
  const ipm = await ipmWith(policy);
  const { plans } = await planTargets(ipm.context, ["alpha"], OPTIONS);
  expect(plans[0]!.notices).toEqual([]);
  await expect(install(ipm.context, ["alpha"], OPTIONS)).rejects.toMatchObject({
    code: "STEP_FAILED",
    data: { lastLines: expect.arrayContaining([expect.stringContaining("E401")]) },
  });
  expect(ipm.answered).toEqual(["/ours 401"]);
  expect(filesWithToken(path.join(ipm.folder, "ipm"))).toEqual([]);
});

test("C47: a plan has the same digest with and without them: what was verified stays verified", async () => {
  const digests: (string | undefined)[] = [];
  const ipm = await ipmWith(null);
  for (const policy of ["credentials: []", "credentials: [npm]"]) {
    writeFileSync(path.join(ipm.context.host.homes.config, "policy.yaml"), `schema: ipm-policy/v1\n${policy}\n`);
    const { plans } = await planTargets(ipm.context, ["alpha"], OPTIONS);
    digests.push(plans[0]?.digest);
  }
  expect(digests[0]).toBe(digests[1]);
});

test("C47: verify hands out none, whatever the policy says", async () => {
  const ipm = await ipmWith("credentials: [npm]");
  const report = await verify(ipm.context, ["alpha"], VERIFY_OPTIONS);
  expect(report.ok).toBe(false);
  expect(new Set(ipm.answered)).toEqual(new Set(["/ours 401"]));
});
