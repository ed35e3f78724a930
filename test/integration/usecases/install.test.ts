import { spawnSync } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";
import { collectGarbage } from "../../../src/usecases/gc.ts";
import { install } from "../../../src/usecases/install.ts";
import { listTools } from "../../../src/usecases/list.ts";
import { rollback } from "../../../src/usecases/rollback.ts";
import { uninstall } from "../../../src/usecases/uninstall.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, createTestIpm } from "../../helpers/test-ipm.ts";

const REGISTRY = path.resolve(import.meta.dirname, "../../../registry");

test("installs the demo from its bundle, runs it with a bare PATH, and takes it back", async () => {
  const { context, layout } = await createTestIpm(temporaryFolder(), REGISTRY);
  const result = await install(context, ["lstm-demo"], OPTIONS);
  expect(result.installed.map(({ name, method, trust, bins }) => ({ name, method, trust, bins }))).toEqual([
    { name: "lstm-demo", method: "node", trust: expect.stringMatching(/^verified/u), bins: ["lstm-demo"] },
  ]);
  const launcher = path.join(layout.current, "bin/lstm-demo");
  const run = spawnSync(launcher, ["explain", "--json"], { env: { PATH: "/usr/bin:/bin" }, encoding: "utf8" });
  expect(run.stderr).toBe("");
  expect(run.stdout).toContain("0.98621101");
  expect((await listTools(context)).map(({ name }) => name)).toEqual(["lstm-demo"]);
  await uninstall(context, ["lstm-demo"], { purge: false });
  expect(await listTools(context)).toEqual([]);
  const back = await rollback(context, null);
  expect(back.changes).toEqual([{ name: "lstm-demo", from: null, to: result.installed[0]?.version }]);
  await uninstall(context, ["lstm-demo"], { purge: false });
  const collected = await collectGarbage(context, { keep: 0, dryRun: false });
  expect(collected.removed.filter(({ kind }) => kind === "entry")).toHaveLength(1);
  expect(await context.host.files.list(layout.store)).toEqual([]);
});
