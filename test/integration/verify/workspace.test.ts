import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { install } from "../../../src/usecases/install.ts";
import { verify } from "../../../src/usecases/verify.ts";
import { OPTIONS, VERIFY_OPTIONS } from "../../helpers/test-ipm.ts";
import { WorkspaceSite } from "../../helpers/workspace-site.ts";

const RELEASES = ["1.0.0", "2.0.0"].map((version) => ({
  version,
  files: { "data.txt": version, "check.sh": { run: '#!/bin/sh\ngrep -q "^made of $1$" made.txt\n' } },
}));
const STEPS = `steps: [{ run: 'echo "made of $(cat data.txt)" > made.txt', why: the notes }]
tests: [run: './check.sh "$IPM_VERSION"']
`;

test("a workspace is verified in a clean room, and then asks nobody", { timeout: 120_000 }, async () => {
  const { ipm, folder } = await WorkspaceSite.open(RELEASES, STEPS);
  const output = path.join(folder, "out");
  const report = await verify(ipm.context, ["course"], { ...VERIFY_OPTIONS, output, keepCache: true });
  expect(report.methods.flatMap(({ checks }) => checks).filter(({ status }) => status === "failed")).toEqual([]);
  expect(report.methods[0]?.checks.map(({ id, status }) => `${id} ${status}`)).toEqual([
    ..."plan install reinstall upgrade".split(" ").map((id) => `${id} passed`),
    "rollback skipped",
    ..."uninstall gc outside home processes network secrets".split(" ").map((id) => `${id} passed`),
  ]);
  expect(report).toMatchObject({ ok: true, methods: [{ outcome: "passed", version: "2.0.0" }] });
  expect(report.methods[0]?.files).toBeGreaterThan(3);
  const [file = ""] = report.written;
  expect(readFileSync(file, "utf8")).toContain(report.methods[0]?.digest ?? "no digest");
  // Nothing of the room is left, and nothing of this user's was touched.
  expect(readdirSync(path.join(ipm.context.host.homes.cache, "verify")).filter((name) => name !== "locks")).toEqual([]);
  expect(existsSync(path.join(ipm.layout.data, "workspaces"))).toBe(false);
  const { plans } = await install(ipm.context, ["course"], OPTIONS);
  expect(plans[0]?.trust.level).toBe("verified");
});

test("a workspace whose steps change its repository fails: it could be neither upgraded nor removed", async () => {
  const { ipm } = await WorkspaceSite.open(RELEASES.slice(0, 1), 'steps: [{ run: "echo x >> data.txt" }]\n');
  const report = await verify(ipm.context, ["course"], VERIFY_OPTIONS);
  const failed = report.methods[0]?.checks.filter(({ status }) => status === "failed") ?? [];
  expect(failed).toMatchObject([{ id: "uninstall", details: ["the folder would stay: changes (data.txt)"] }]);
  expect([report.ok, report.written]).toEqual([false, []]);
});
