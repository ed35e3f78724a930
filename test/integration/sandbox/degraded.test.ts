import * as fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Files, Host, ProcessRequest } from "../../../src/core/host.ts";
import { createNoSandbox, createSandbox } from "../../../src/sandbox/create-sandbox.ts";
import type { SandboxedRun } from "../../../src/sandbox/sandbox.ts";
import { type ExecutionFixture, createExecutionFixture } from "../../helpers/execution-fixture.ts";

// Hosts that cannot sandbox, made from this one: strace lets the real bubblewrap see the errors that it would see there.

let fixture: ExecutionFixture;
beforeEach(() => {
  fixture = createExecutionFixture();
});
afterEach(() => fixture.remove());

/** The host, with every bubblewrap started by these words, and with files that are not what they are. */
function hostWith(words: readonly string[], files: Partial<Files> = {}): Host {
  const { host } = fixture;
  const [first, ...rest] = words;
  const run = (request: ProcessRequest): ReturnType<Host["processes"]["run"]> =>
    host.processes.run(first === undefined ? request : { ...request, argv: [first, ...rest, ...request.argv] });
  return { ...host, files: { ...host.files, ...files }, processes: { ...host.processes, run } };
}

function inject(rule: string): string[] {
  return ["/usr/bin/strace", "-f", "-o", "/dev/null", "-e", `inject=${rule}`];
}

function step(): SandboxedRun {
  const { host, paths } = fixture;
  return {
    argv: ["/bin/sh", "-c", "touch ran"],
    cwd: paths.source,
    env: { PATH: "/usr/bin:/bin" },
    timeoutMs: 20_000,
    signal: host.signal,
    grants: { writable: [paths.source], readable: [], network: [] },
  };
}

describe("C67: a sandbox that cannot be", () => {
  test.each([
    ["denied-container or denied-apparmor", inject("clone,clone3,unshare:error=EPERM"), /^denied-/u],
    ["denied-apparmor", inject("sendto:error=EPERM"), /^denied-apparmor$/u],
    ["nested", inject("clone,clone3,unshare:error=ENOSPC"), /^nested$/u],
  ])("is seen by the probe (%s), and a step does not run", async (_name, words, state) => {
    const marks = {
      facts: async (file: string) => (file === "/.dockerenv" ? undefined : fixture.host.files.facts(file)),
    };
    const sandbox = createSandbox(hostWith(words, marks));
    const report = await sandbox.probe();
    expect(report.state).toMatch(state);
    expect(report.cause).not.toBe("");
    await expect(sandbox.run(step())).rejects.toMatchObject({ code: "SANDBOX_FAILED" });
    expect(fs.readdirSync(fixture.paths.source)).toEqual([]);
  });

  test("an old bubblewrap is too old, and a step does not run", async () => {
    // The real words of one that does not know an option; the stub only says them.
    const sandbox = createSandbox(
      hostWith(["/bin/sh", "-c", "echo 'bwrap: Unknown option --disable-userns' >&2; exit 1"]),
    );
    expect((await sandbox.probe()).state).toBe("too-old");
    await expect(sandbox.run(step())).rejects.toMatchObject({
      code: "SANDBOX_FAILED",
      message: expect.stringContaining("--disable-userns"),
    });
  });

  test("a bubblewrap that is setuid root is not used", async () => {
    const facts: Files["facts"] = async (file) => {
      const real = await fixture.host.files.facts(file);
      return real !== undefined && path.basename(file) === "bwrap" ? { ...real, mode: 0o4755 } : real;
    };
    const sandbox = createSandbox(hostWith([], { facts }));
    expect(await sandbox.probe()).toMatchObject({ state: "setuid", fix: expect.stringContaining("chmod u-s") });
    await expect(sandbox.run(step())).rejects.toMatchObject({ code: "SANDBOX_FAILED" });
    expect(fs.readdirSync(fixture.paths.source)).toEqual([]);
  });

  test("no bubblewrap is missing, also when a package has planted one on the caller's PATH", async () => {
    const planted = path.join(fixture.folder, "bin");
    fs.mkdirSync(planted);
    fs.writeFileSync(path.join(planted, "bwrap"), "#!/bin/sh\ntouch planted-ran\n", { mode: 0o755 });
    const realPath: Files["realPath"] = async (file) =>
      path.basename(file) === "bwrap" && !file.startsWith(planted) ? undefined : fixture.host.files.realPath(file);
    const host = hostWith([], { realPath });
    const sandbox = createSandbox({ ...host, facts: { ...host.facts, env: { ...host.facts.env, PATH: planted } } });
    expect((await sandbox.probe()).state).toBe("missing");
    await expect(sandbox.run(step())).rejects.toMatchObject({ code: "SANDBOX_FAILED" });
  });

  test("a step that fails like bubblewrap is not taken for one that did not start", async () => {
    const { host } = fixture;
    const result = await createSandbox(host).run({
      ...step(),
      argv: ["/bin/sh", "-c", "echo 'bwrap: Creating new namespace failed' >&2; exit 1"],
    });
    expect(result.exitCode).toBe(1);
  });

  test("the probe runs once", async () => {
    let count = 0;
    const { host } = fixture;
    const run: Host["processes"]["run"] = (request) => {
      count++;
      return host.processes.run(request);
    };
    const sandbox = createSandbox({ ...host, processes: { ...host.processes, run } });
    await Promise.all([sandbox.probe(), sandbox.probe()]);
    expect(count).toBe(1);
  });
});

test("none runs a step as it is and says so by its kind", async () => {
  const sandbox = createNoSandbox(fixture.host);
  expect(sandbox.kind).toBe("none");
  await sandbox.run(step());
  expect(fs.readdirSync(fixture.paths.source)).toEqual(["ran"]);
});

test("macOS gets sandbox-exec, and without it says so", async () => {
  const { host } = fixture;
  const facts = { ...host.facts, platform: { os: "macos", arch: "arm64", libc: null } as const };
  const sandbox = createSandbox({ ...host, facts });
  expect(sandbox.kind).toBe("seatbelt");
  expect((await sandbox.probe()).state).toBe("unsupported-os");
});
