import { existsSync } from "node:fs";
import path from "node:path";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { IpmError } from "../../../src/core/errors.ts";
import type { Context } from "../../../src/usecases/context.ts";
import { collectGarbage } from "../../../src/usecases/gc.ts";
import { install } from "../../../src/usecases/install.ts";
import { listTools } from "../../../src/usecases/list.ts";
import { rollback } from "../../../src/usecases/rollback.ts";
import { uninstall } from "../../../src/usecases/uninstall.ts";
import { upgrade } from "../../../src/usecases/upgrade.ts";
import { writeDemoRegistry } from "../../helpers/demo-registry.ts";
import { lastingFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, type TestIpm, createTestIpm, treeText } from "../../helpers/test-ipm.ts";

const FOLDER = lastingFolder();
const SAVED = path.join(FOLDER, "saved");

const OLD = "alpha 1.0.0, bravo 1.0.0";
/** Once PATH is switched, each thing that they remove is a step of its own. */
const IN_PARTS = new Set(["uninstall", "gc"]);

let ipm: TestIpm;

/** Put the data home back to what it was. */
async function restore(): Promise<void> {
  const { files, processes } = ipm.context.host;
  await files.remove(ipm.layout.data);
  await processes.run({ argv: ["/bin/cp", "-a", SAVED, ipm.layout.data], cwd: "/", env: {} });
}

beforeAll(async () => {
  const tools = [
    { name: "alpha", versions: ["1.0.0", "2.0.0"], methods: "steps: [{ run: echo built }, uses: copy]" },
    { name: "bravo", versions: ["1.0.0"] },
    { name: "charlie", versions: ["1.0.0"] },
  ];
  ipm = await createTestIpm(FOLDER, writeDemoRegistry(path.join(FOLDER, "registry"), tools));
  await install(ipm.context, ["alpha@1.0.0", "bravo", "charlie"], OPTIONS);
  await uninstall(ipm.context, ["charlie"], { purge: false });
  await ipm.context.host.processes.run({ argv: ["/bin/cp", "-a", ipm.layout.data, SAVED], cwd: "/", env: {} });
});
beforeEach(restore);

const VERBS: Readonly<Record<string, (context: Context) => Promise<unknown>>> = {
  upgrade: (context) => upgrade(context, [], OPTIONS),
  uninstall: (context) => uninstall(context, ["alpha"], { purge: true }),
  rollback: (context) => rollback(context, 1),
  gc: (context) => collectGarbage(context, { keep: 0, dryRun: false }),
};

/** The context with something that happens at the K-th checkpoint. */
function at(k: number, event: (abort: AbortController) => void): { context: Context; passed: () => string[] } {
  const names: string[] = [];
  const abort = new AbortController();
  const checkpoint = (name: string): void => {
    names.push(name);
    if (names.length === k) event(abort);
  };
  return {
    context: { ...ipm.context, host: { ...ipm.context.host, checkpoint, signal: abort.signal } },
    passed: () => names,
  };
}

async function tools(): Promise<string> {
  return (await listTools(ipm.context)).map(({ name, version }) => `${name} ${version}`).join(", ");
}

/** Without what is meant to stay: logs, and files of locks. */
function state(): string[] {
  return treeText(ipm.layout.data).filter((line) => !/^(?:logs|locks)\//u.test(line));
}

for (const [name, verb] of Object.entries(VERBS)) {
  test(
    `${name}: interrupted at each of its checkpoints, the old state or the new, and nothing left over`,
    { timeout: 120_000 },
    async () => {
      const whole = at(Infinity, () => {});
      const before = state();
      await verb(whole.context);
      const after = await tools();
      const count = whole.passed().length;
      expect(count).toBeGreaterThan(0);
      for (let k = 1; k <= count; k++) {
        await restore();
        const { context } = at(k, (abort) => abort.abort(new IpmError("INTERRUPTED", "interrupted")));
        const outcome = await verb(context).then(
          () => "done",
          (error: unknown) => (error instanceof IpmError ? error.code : String(error)),
        );
        expect(["done", "INTERRUPTED"]).toContain(outcome);
        // What was interrupted has cleaned up after itself; what was past the point of no return is done.
        const isBack = outcome === "INTERRUPTED" && !IN_PARTS.has(name);
        expect(isBack ? state() : before).toEqual(before);
        expect([after, OLD]).toContain(await tools());
      }
    },
  );

  test(`${name}: a bug at each of its checkpoints does no more harm than a kill`, { timeout: 120_000 }, async () => {
    const whole = at(Infinity, () => {});
    await verb(whole.context);
    const after = await tools();
    for (let k = 1; k <= whole.passed().length; k++) {
      await restore();
      const { context } = at(k, () => {
        throw new TypeError("a bug");
      });
      await expect(verb(context)).rejects.toThrow("a bug");
      expect([OLD, after]).toContain(await tools());
      await collectGarbage(ipm.context, { keep: 9, dryRun: false });
      expect([OLD, after]).toContain(await tools());
      expect(state().filter((line) => line.includes(".tmp") || line.includes("/source/"))).toEqual([]);
      expect(existsSync(path.join(ipm.layout.current, "generation.json"))).toBe(true);
    }
  });
}
