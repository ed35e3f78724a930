import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../helpers/temporary-folder.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** Run a program with an environment made from nothing, so that nothing of this checkout can help. */
function run(argv: readonly [string, ...string[]], cwd: string, env: Readonly<Record<string, string>>): string {
  const [program, ...args] = argv;
  const result = spawnSync(program, args, { cwd, env: { PATH: process.env["PATH"], ...env }, encoding: "utf8" });
  expect(`${result.stderr}\nexit ${result.status}`).toMatch(/exit 0$/u);
  return result.stdout;
}

test("the packed archive installs without a network, and the demo from it", () => {
  const folder = temporaryFolder();
  const home = path.join(folder, "home");
  mkdirSync(home);
  // dist/ is there: `npm run build` came before. Scripts would only build it once more.
  run(["npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", folder], ROOT, { HOME: home });
  const archive = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  expect(archive).toBeDefined();
  const prefix = path.join(folder, "global");
  run(
    ["npm", "install", "--global", "--offline", "--no-audit", "--prefix", prefix, path.join(folder, archive ?? "")],
    folder,
    { HOME: home },
  );
  const ipm = path.join(prefix, "bin/ipm");
  const env = { HOME: home, IPM_HOME: path.join(folder, "ipm") };
  const installed: unknown = JSON.parse(run([ipm, "install", "lstm-demo", "--json"], folder, env));
  expect(installed).toMatchObject({
    ok: true,
    result: { installed: [{ name: "lstm-demo", trust: expect.any(String) }] },
  });
  const launcher = path.join(folder, "ipm/data/current/bin/lstm-demo");
  expect(run([launcher, "explain", "--json"], folder, { HOME: home, PATH: "/usr/bin:/bin" })).toContain("0.98621101");
});
