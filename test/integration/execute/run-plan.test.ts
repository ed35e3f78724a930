import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { IpmError } from "../../../src/core/errors.ts";
import { runPlan } from "../../../src/execute/run-plan.ts";
import type { PlannedStep } from "../../../src/plan/plan.ts";
import { createNoSandbox, createSandbox } from "../../../src/sandbox/create-sandbox.ts";
import {
  type ExecutionFixture,
  copyOf,
  createExecutionFixture,
  planOf,
  runStep,
} from "../../helpers/execution-fixture.ts";

let fixture: ExecutionFixture;
beforeEach(() => {
  fixture = createExecutionFixture();
});
afterEach(() => fixture.remove());

function run(steps: readonly PlannedStep[], sandboxed = false): ReturnType<typeof runPlan> {
  const { host, emit, paths } = fixture;
  const sandbox = sandboxed ? createSandbox(host) : createNoSandbox(host);
  return runPlan({ host, emit, sandbox }, planOf({ steps }), paths);
}

async function failure(promise: Promise<unknown>): Promise<IpmError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof IpmError)) throw new Error("expected an IpmError", { cause: error });
  return error;
}

function lines(): string[] {
  return fixture.events.flatMap((event) => (event.type === "step.output" ? [event.line] : []));
}

describe.each([
  { kind: "none", sandboxed: false },
  { kind: "bubblewrap", sandboxed: true },
])("sandbox: $kind", ({ sandboxed }) => {
  test("runs steps in order, in the checkout, with the documented environment and nothing else", async () => {
    fixture.checkout({ README: "hello" });
    await run(
      [
        runStep('cp README "$IPM_PREFIX/first"; env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD= | sort', {
          env: { OWN: "{prefix}/x" },
        }),
        runStep(["cp", "../prefix/first", "../prefix/second"], { id: "2" }),
      ],
      sandboxed,
    );
    expect(fs.readFileSync(path.join(fixture.paths.prefix, "second"), "utf8")).toBe("hello");
    const { prefix, source, home, tmp } = fixture.paths;
    expect(lines()).toEqual([
      "CI=1",
      `HOME=${home}`,
      expect.stringMatching(/^IPM_JOBS=[0-9]+$/u),
      `IPM_PREFIX=${prefix}`,
      `IPM_SOURCE=${source}`,
      "IPM_VERSION=1.0",
      "LANG=C.UTF-8",
      `OWN=${prefix}/x`,
      "PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
      "SOURCE_DATE_EPOCH=315532800",
      `TMPDIR=${tmp}`,
      "TZ=UTC",
    ]);
    expect(fixture.events.map((event) => event.type).filter((type) => type !== "step.output")).toEqual([
      "step.started",
      "step.finished",
      "step.started",
      "step.finished",
    ]);
  });

  test("a failing step stops the plan with its last ten lines, exit code and log", async () => {
    const error = await failure(
      run(
        [
          runStep("seq 1 30; echo bad >&2; exit 7", { title: "build it" }),
          runStep("touch $IPM_PREFIX/never", { id: "2" }),
        ],
        sandboxed,
      ),
    );
    expect(error.code).toBe("STEP_FAILED");
    expect(error.message).toBe("step 1 (build it) failed with exit code 7");
    const { lastLines, ...data } = error.data;
    expect(data).toEqual({ step: "1", title: "build it", exitCode: 7, signal: null, log: fixture.paths.log });
    // The two streams are two pipes: only the order within one is certain.
    expect(lastLines).toHaveLength(10);
    expect(lastLines).toEqual(expect.arrayContaining(["30", "bad"]));
    expect(fs.existsSync(path.join(fixture.paths.prefix, "never"))).toBe(false);
    expect(fixture.log()).toMatch(/^== step 1: build it\n1\n2\n[\s\S]*30\n[\s\S]*-- exit code 7 after [0-9]+ ms\n$/u);
  });

  test("an unset variable and a failing command end a shell step", async () => {
    expect((await failure(run([runStep('echo "$NOT_SET"')], sandboxed))).code).toBe("STEP_FAILED");
    expect((await failure(run([runStep("false; true")], sandboxed))).code).toBe("STEP_FAILED");
  });

  test("C45: metacharacters in the title, the version and the environment have no effect", async () => {
    await run(
      [runStep('printf "%s\\n" "$X"', { title: "$(touch x)", env: { X: "$(touch x); `touch x` ' \" * {prefix}" } })],
      sandboxed,
    );
    expect(lines()).toEqual([`$(touch x); \`touch x\` ' " * ${fixture.paths.prefix}`]);
    expect(fs.readdirSync(fixture.paths.source)).toEqual([]);
  });

  test("C45: an argv list reaches the program without a shell", async () => {
    await run([runStep(["printf", "%s\\n", "a b", "$(id)", "*", ""])], sandboxed);
    expect(lines()).toEqual(["a b", "$(id)", "*", ""]);
  });

  test("C53: a step that reads standard input gets end of file", async () => {
    await run([runStep("cat; echo end")], sandboxed);
    expect(lines()).toEqual(["end"]);
  });

  test("C55: a step that ignores TERM is over after its time limit", async () => {
    const error = await failure(
      run(
        [runStep("trap '' TERM; echo started; sleep 1000 & wait; wait", { timeoutMs: 2000, title: "hang" })],
        sandboxed,
      ),
    );
    expect(error.code).toBe("STEP_TIMEOUT");
    expect(error.data).toMatchObject({ step: "1", timeoutMs: 2000, lastLines: ["started"] });
    expect(fixture.log()).toContain("time limit");
  });

  test("C56: an abort ends the step, and its own error is passed on", async () => {
    const reason = new IpmError("INTERRUPTED", "stopped by you");
    const { emit } = fixture;
    const running = runPlan(
      {
        host: fixture.host,
        sandbox: sandboxed ? createSandbox(fixture.host) : createNoSandbox(fixture.host),
        emit: (event) => {
          emit(event);
          if (event.type === "step.output") fixture.abort.abort(reason);
        },
      },
      planOf({ steps: [runStep("echo go; sleep 1000"), runStep("touch $IPM_PREFIX/never", { id: "2" })] }),
      fixture.paths,
    );
    expect(await failure(running)).toBe(reason);
    expect(fs.readdirSync(fixture.paths.prefix)).toEqual([]);
  });

  test("runs in a sub-folder of the checkout", async () => {
    fixture.checkout({ "cli/file": "x" });
    await run([runStep("ls", { dir: "cli" })], sandboxed);
    expect(lines()).toEqual(["file"]);
  });

  test("a working folder that an earlier step made a link outwards is refused", async () => {
    fixture.checkout({ "cli/file": "x" });
    const error = await failure(
      run([runStep("rm -r cli; ln -s / cli"), runStep("ls", { id: "2", dir: "cli" })], sandboxed),
    );
    expect(error.message).toContain("leads outside");
  });

  test("a program that is not there is named, with what to add to the manifest", async () => {
    const error = await failure(run([runStep(["no-such-tool", "x"])], sandboxed));
    expect(error).toMatchObject({ code: "STEP_FAILED", data: { exitCode: 127 } });
    expect(error.message).toContain("no-such-tool");
    expect(error.hint).toContain("tool: no-such-tool");
  });

  test("a program of the checkout is found relative to the working folder", async () => {
    fixture.checkout({ "cli/go": "!#!/bin/sh\necho went\n" });
    await run([runStep(["./go"], { dir: "cli" })], sandboxed);
    expect(lines()).toEqual(["went"]);
  });

  test("A15: control sequences of a tool reach neither events nor log, also when split over two writes", async () => {
    await run(
      [runStep("printf 'a\\033]52;c;eA==\\007b\\n'; printf 'c\\033'; sleep 0.05; printf ']0;x\\007\\n\\302\\233d\\n'")],
      sandboxed,
    );
    expect(lines()).toEqual(["a\\x1b]52;c;eA==\\x07b", "c\\x1b]0;x\\x07", "\\x9bd"]);
    // oxlint-disable-next-line no-control-regex -- that is what must not be there
    expect(fixture.log()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/u);
  });
});

test("C73: a home with spaces, quotes, dollars and other letters works, in the sandbox and in its arguments", async () => {
  const parent = fs.mkdtempSync(path.join(os.tmpdir(), "ipm-test- home '\"$(id) \\ é日 "));
  const strange = createExecutionFixture("self", parent);
  try {
    const { host, emit, paths } = strange;
    const steps = [runStep('printf "%s" "$IPM_PREFIX" > "$IPM_PREFIX/own"; cp "$IPM_PREFIX/own" ~/copy')];
    await runPlan({ host, emit, sandbox: createSandbox(host) }, planOf({ steps }), paths);
    expect(fs.readFileSync(path.join(paths.home, "copy"), "utf8")).toBe(paths.prefix);
  } finally {
    fs.rmSync(parent, { recursive: true });
  }
});

test("copy steps copy the checkout, without its .git, and say how much", async () => {
  fixture.checkout({ ".git/HEAD": "ref", "bin/tool": "!#!/bin/sh\n", "lib/data": "x", "skip/y": "z" });
  await run([copyOf(".", "lib/tool", { exclude: ["skip"] })]);
  const root = path.join(fixture.paths.prefix, "lib/tool");
  expect(fs.readdirSync(root, { recursive: true }).map(String).toSorted()).toEqual([
    "bin",
    "bin/tool",
    "lib",
    "lib/data",
  ]);
  expect(fs.statSync(path.join(root, "bin/tool")).mode & 0o777).toBe(0o755);
  expect(fs.statSync(path.join(root, "lib/data")).mode & 0o777).toBe(0o644);
  expect(fixture.log()).toContain("2 files copied");
});

test("a copy step that is not the last one leaves the checkout as it is", async () => {
  fixture.checkout({ "bin/tool": "x" });
  await run([copyOf("bin", "bin"), runStep("cat bin/tool"), copyOf("bin", "libexec")]);
  expect(fs.existsSync(path.join(fixture.paths.prefix, "bin/tool"))).toBe(true);
  expect(fs.existsSync(path.join(fixture.paths.source, "bin/tool"))).toBe(false);
});

test("C50: what a step left in its private home is listed", async () => {
  const { stray } = await run([runStep("mkdir -p ~/.local/bin ~/.npm; touch ~/.local/bin/rc ~/.npm/cache")]);
  expect(stray).toEqual(["~/.local/bin/rc"]);
});

test("a step that could not reach a host is told that it has no network", async () => {
  const error = await failure(run([runStep("echo 'curl: (6) Could not resolve host: example.org' >&2; exit 6")]));
  expect(error.hint).toContain("network");
});

describe("C51: a step with network that asks for what is not declared", () => {
  const ask = `node -e 'const p = new URL(process.env.HTTPS_PROXY); require("http").request({ host: p.hostname, port: p.port, method: "CONNECT", path: "evil.example:443" }).on("connect", (r) => process.exit(r.statusCode === 403 ? 0 : 1)).end()'`;
  const refusal = "evil.example:443 (the manifest does not declare it)";

  test("is told so when it fails, and the attempt is in data and log", async () => {
    const error = await failure(run([runStep(`${ask}; exit 3`, { network: ["example.org"] })], true));
    expect(error.hint).toContain(refusal);
    expect(error.data).toMatchObject({ exitCode: 3, refused: [refusal] });
    expect(fixture.log()).toContain("ipm: refused: evil.example:443: the manifest does not declare it");
  });

  test("is reported when it goes on without", async () => {
    const { attempts } = await run([runStep(`${ask}; ${ask}`, { network: ["example.org"] })], true);
    expect(attempts).toEqual([expect.objectContaining({ host: "evil.example", declared: null, outcome: "refused" })]);
    expect(fixture.events).toContainEqual({
      type: "warning",
      code: "NETWORK_REFUSED",
      message: expect.stringContaining(refusal),
    });
  });
});

test("C52: without a sandbox a background process is ended and reported", async () => {
  await run([runStep("sleep 1000 & echo $!")]);
  expect(fixture.events).toContainEqual(expect.objectContaining({ type: "warning", code: "PROCESS_LEFT_BEHIND" }));
  const [pid] = lines();
  expect(fs.existsSync(`/proc/${pid}`) && !/\) Z/u.test(fs.readFileSync(`/proc/${pid}/stat`, "utf8"))).toBe(false);
});

test("offline, a step gets no network although it declares one", async () => {
  fixture.checkout({ README: "hello" });
  const { host, emit, paths } = fixture;
  const none = createNoSandbox(host);
  const granted: (readonly string[])[] = [];
  const sandbox = {
    ...none,
    run: (step: Parameters<typeof none.run>[0]) => {
      granted.push(step.grants.network);
      return none.run(step);
    },
  };
  const plan = planOf({ steps: [runStep(["true"], { network: ["npm"] })] });
  await runPlan({ host, emit, sandbox, offline: true }, plan, paths);
  await runPlan({ host, emit, sandbox }, plan, paths);
  expect(granted).toEqual([[], ["npm"]]);
});
