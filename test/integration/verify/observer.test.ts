import { expect, test } from "vitest";
import { createNoSandbox } from "../../../src/sandbox/create-sandbox.ts";
import type { Sandbox, SandboxedRun } from "../../../src/sandbox/sandbox.ts";
import {
  OTHER_SURROUNDINGS,
  type Observer,
  USUAL_SURROUNDINGS,
  createObserver,
} from "../../../src/usecases/verify-observe.ts";
import { type ExecutionFixture, createExecutionFixture } from "../../helpers/execution-fixture.ts";

function observerOver(fixture: ExecutionFixture, sandbox: Sandbox, surroundings = USUAL_SURROUNDINGS): Observer {
  const planted = ["planted-0123456789abcdef"];
  return createObserver({ host: fixture.host, sandbox, surroundings, planted, measure: async () => undefined });
}

function shell(fixture: ExecutionFixture, command: string): SandboxedRun {
  return {
    argv: ["/bin/sh", "-c", command],
    cwd: "/",
    env: { PATH: "/usr/bin:/bin", HOME: fixture.paths.home, IPM_PREFIX: fixture.paths.prefix },
    timeoutMs: 20_000,
    signal: fixture.abort.signal,
    grants: { writable: [], readable: [], network: [] },
  };
}

test("a word of the caller's environment is heard, also in two pieces, and never repeated", async () => {
  const fixture = createExecutionFixture();
  try {
    const none = createNoSandbox(fixture.host);
    const printing: Sandbox = {
      ...none,
      run: async (step) => {
        for (const piece of ["x".repeat(5000), "planted-01234567", "89abcdef\n"])
          step.onOutput?.("stdout", Buffer.from(piece));
        return none.run(step);
      },
    };
    const observer = observerOver(fixture, printing);
    observer.at("step 1");
    await observer.sandbox.run(shell(fixture, "true"));
    expect([...observer.seen.secrets]).toEqual(["step 1 prints a token of the caller's environment"]);
  } finally {
    fixture.remove();
  }
});

test("output, exit code and standard input go through as they are", async () => {
  const fixture = createExecutionFixture();
  try {
    const heard: string[] = [];
    const observer = observerOver(fixture, createNoSandbox(fixture.host));
    const result = await observer.sandbox.run({
      ...shell(fixture, "cat; echo words >&2; exit 7"),
      stdin: "given",
      onOutput: (stream, chunk) => heard.push(`${stream} ${Buffer.from(chunk).toString().trim()}`),
    });
    expect(result.exitCode).toBe(7);
    expect(heard.toSorted()).toEqual(["stderr words", "stdout given"]);
  } finally {
    fixture.remove();
  }
});

test("what the sandbox tells of connections is sorted into declared and not declared", async () => {
  const fixture = createExecutionFixture();
  try {
    const none = createNoSandbox(fixture.host);
    const attempts = [
      { host: "mirror.example.org", port: 443, declared: "npm", outcome: "connected", why: "" },
      { host: "registry.example.org", port: 443, declared: "npm", outcome: "failed", why: "no route" },
      { host: "evil.example.org", port: 443, declared: null, outcome: "refused", why: "" },
    ] as const;
    const telling: Sandbox = {
      ...none,
      run: async (step) => {
        for (const attempt of attempts) step.onAttempt?.(attempt);
        return none.run(step);
      },
    };
    const observer = observerOver(fixture, telling);
    observer.at("step 2");
    await observer.sandbox.run(shell(fixture, "true"));
    expect([...observer.seen.reached]).toEqual(["npm"]);
    expect([...observer.seen.undeclared]).toEqual(["step 2 asks for evil.example.org:443, which is not declared"]);
  } finally {
    fixture.remove();
  }
});

test("other surroundings reach the command", async () => {
  const fixture = createExecutionFixture();
  try {
    let said = "";
    const observer = observerOver(fixture, createNoSandbox(fixture.host), OTHER_SURROUNDINGS);
    await observer.sandbox.run({
      ...shell(fixture, 'echo "$TZ $LC_ALL"'),
      onOutput: (_, chunk) => (said += Buffer.from(chunk).toString()),
    });
    expect(said.trim()).toBe("IPM-13 C");
  } finally {
    fixture.remove();
  }
});
