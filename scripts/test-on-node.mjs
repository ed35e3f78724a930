// Runs the tests on another Node: `npm run test:node -- 22`. The npm package `node` carries the binaries.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const version = process.argv[2] ?? "22";
if (!/^\d+(?:\.\d+)*$/u.test(version)) {
  console.error("usage: npm run test:node -- VERSION [vitest arguments]");
  process.exit(2);
}
const folder = mkdtempSync(path.join(tmpdir(), "ipm-node-"));
// Some tests run steps as another user, who has to be able to read this Node.
chmodSync(folder, 0o755);
try {
  const installed = spawnSync("npm", ["install", "--prefix", folder, "--no-save", `node@${version}`], {
    stdio: "inherit",
  });
  if (installed.status !== 0) process.exit(installed.status ?? 1);
  const bin = path.join(folder, "node_modules", "node", "bin");
  const projects = ["unit", "integration", "registry", "e2e"].flatMap((name) => ["--project", name]);
  const run = spawnSync(
    path.join(bin, "node"),
    ["node_modules/vitest/vitest.mjs", "run", ...projects, ...process.argv.slice(3)],
    {
      stdio: "inherit",
      env: { ...process.env, PATH: `${bin}:${process.env["PATH"] ?? ""}` },
    },
  );
  process.exitCode = run.status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
