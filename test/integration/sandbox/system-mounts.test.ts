import * as fs from "node:fs";
import { expect, test } from "vitest";
import type { Files } from "../../../src/core/host.ts";
import { createFiles } from "../../../src/host/files.ts";
import { createSandbox } from "../../../src/sandbox/create-sandbox.ts";
import { findSystemMounts } from "../../../src/sandbox/system-mounts.ts";
import { createExecutionFixture } from "../../helpers/execution-fixture.ts";

/** This machine's files with a few changes: path to its real path and mode. */
function filesWith(changes: Readonly<Record<string, { real?: string; mode?: number }>>): Files {
  const files = createFiles();
  return {
    ...files,
    realPath: async (file) => changes[file]?.real ?? (await files.realPath(file)),
    facts: async (file) => {
      const facts = await files.facts(file);
      const mode = changes[file]?.mode;
      return facts === undefined || mode === undefined ? facts : { ...facts, mode };
    },
  };
}

test("shows the system's folders, and merged ones as the links that they are", async () => {
  const mounts = await findSystemMounts(createFiles());
  expect(mounts).toContainEqual({ kind: "bind", from: "/usr", at: "/usr" });
  for (const { at } of mounts) expect(at).not.toMatch(/^\/(?:root|home|var|run|tmp|sys|proc|dev)\b/u);
});

test("C48: of /etc only what is on the list and what everybody may read", async () => {
  const mounts = await findSystemMounts(filesWith({ "/etc/nsswitch.conf": { mode: 0o640 } }));
  const shown = mounts.map(({ at }) => at).filter((at) => at.startsWith("/etc/"));
  expect(shown).not.toContain("/etc/nsswitch.conf");
  for (const file of [
    "/etc/shadow",
    "/etc/passwd",
    "/etc/group",
    "/etc/ssl/private",
    "/etc/ssl",
    "/etc/sudoers",
    "/etc/ssh",
    "/etc/hosts",
  ]) {
    expect(shown).not.toContain(file);
  }
});

test("C48: the package manager's own file of the system, which may hold a token, is shown empty", async () => {
  const mounts = await findSystemMounts(filesWith({ "/usr/local/etc/npmrc": { real: "/usr/local/etc/npmrc" } }));
  expect(mounts).toContainEqual({ kind: "empty", at: "/usr/local/etc/npmrc" });
  expect(mounts.findIndex(({ at }) => at === "/usr")).toBeLessThan(
    mounts.findIndex(({ at }) => at === "/usr/local/etc/npmrc"),
  );
});

test("C48: a file that is shown empty can be read and is empty", async () => {
  const fixture = createExecutionFixture();
  try {
    const { host, paths } = fixture;
    // Some other small file of the system takes its part, for the real recipe on any machine.
    const stand = fs.realpathSync("/usr/bin/env");
    const files: Files = {
      ...host.files,
      realPath: async (file) => (file === "/usr/etc/npmrc" ? stand : await host.files.realPath(file)),
    };
    const result = await createSandbox({ ...host, files }).run({
      argv: ["/bin/sh", "-c", `wc -c < '${stand}'`],
      cwd: paths.source,
      env: { PATH: "/usr/bin:/bin" },
      timeoutMs: 20_000,
      signal: host.signal,
      grants: { writable: [paths.source], readable: [], network: [] },
    });
    expect(Buffer.from(result.stdout).toString().trim()).toBe("0");
  } finally {
    fixture.remove();
  }
});
