import { spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach } from "vitest";

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A new folder by its real path, removed after the test. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "ipm-test-")));
  folders.push(folder);
  return folder;
}

/** A new folder by its real path, removed after all tests of the file. */
export function lastingFolder(): string {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "ipm-test-")));
  afterAll(() => spawnSync("rm", ["-rf", folder]));
  return folder;
}
