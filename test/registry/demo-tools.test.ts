import { spawnSync } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";
import { lacks, toolchainEnvironment } from "../helpers/language-toolchains.ts";
import { lastingFolder } from "../helpers/temporary-folder.ts";

const DEMOS = path.resolve(import.meta.dirname, "../../registry/demos");
const folder = lastingFolder();

/** The demos in other languages than JavaScript, and how their own tests are run without leaving a file beside them. */
const RUNS: readonly [string, string, readonly [string, ...string[]]][] = [
  ["rowdelta", "python3", ["python3", "-B", "-m", "unittest", "discover", "-q", "tests"]],
  ["twinbytes", "cargo", ["cargo", "test", "--offline", "--quiet", "--target-dir", path.join(folder, "target")]],
  ["unitleap", "go", ["go", "test", "./..."]],
];

for (const [name, tool, [program, ...args]] of RUNS) {
  test.skipIf(lacks(tool))(`the tests of ${name} pass (needs ${tool})`, { timeout: 180_000 }, () => {
    const env = { ...process.env, ...toolchainEnvironment() };
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: path.join(DEMOS, name), encoding: "utf8", env });
    expect({ status, output: status === 0 ? "" : stdout + stderr }).toEqual({ status: 0, output: "" });
  });
}
