import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { IpmEvent } from "../../../src/core/events.ts";
import type { TextQuestion } from "../../../src/usecases/context.ts";
import { doctor } from "../../../src/usecases/doctor.ts";
import { install } from "../../../src/usecases/install.ts";
import { planTargets } from "../../../src/usecases/plan-targets.ts";
import { reinstall } from "../../../src/usecases/reinstall.ts";
import { rollback } from "../../../src/usecases/rollback.ts";
import { uninstall } from "../../../src/usecases/uninstall.ts";
import { upgrade } from "../../../src/usecases/upgrade.ts";
import { verify } from "../../../src/usecases/verify.ts";
import { type DemoTool, writeDemoRegistry } from "../../helpers/demo-registry.ts";
import { filesWith, processesShowing } from "../../helpers/find-text.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, VERIFY_OPTIONS, type TestIpm, type TestIpmOptions, createTestIpm } from "../../helpers/test-ipm.ts";

const SECRET = "tok-5e7d'\n\"$(id)`\\ ü";
const GIVEN = { ASKER_SERVER: "example.org", ASKER_TOKEN: SECRET };

/** Prints what it was given; its step keeps what it sees. */
const ASKER: DemoTool = {
  name: "asker",
  versions: ["1.0.0"],
  files: (version) => ({
    "bin/asker": { run: `#!/bin/sh\nprintf '%s' "asker ${version} [$ASKER_SERVER] [$ASKER_TOKEN]"\n` },
  }),
  methods:
    'steps: [{ run: \'cp -R bin "$IPM_PREFIX/"; echo "$ASKER_SERVER" > "$IPM_PREFIX/server"; env > "$IPM_PREFIX/seen"\' }]',
  tests: '[{ run: asker, expect: { stdout: "^asker {version} .example[.]org. ..$" } }]',
  more: "inputs:\n  - { env: ASKER_SERVER, why: the server that it asks }\n  - { env: ASKER_TOKEN, secret: true, why: to be let in }",
};
const ASKER2: DemoTool = { ...ASKER, versions: ["1.0.0", "2.0.0"] };

async function ipmWith(tools: readonly DemoTool[], options: TestIpmOptions = {}): Promise<TestIpm> {
  const folder = temporaryFolder();
  return createTestIpm(folder, writeDemoRegistry(path.join(folder, "registry"), tools), options);
}

async function offer(ipm: TestIpm, tools: readonly DemoTool[]): Promise<void> {
  await ipm.setRegistry(writeDemoRegistry(path.join(ipm.folder, "registry"), tools));
}

/** What the command on PATH prints, with nothing but these variables. */
function say(ipm: TestIpm, env: Readonly<Record<string, string>> = {}): string {
  return spawnSync(path.join(ipm.layout.current, "bin/asker"), [], { encoding: "utf8", env: { ...env } }).stdout;
}

function valuesFile(ipm: TestIpm): string {
  return path.join(ipm.layout.inputs, "asker/values");
}

/** Somebody at a terminal, who answers by the name of the variable. */
function typing(ipm: TestIpm, answers: Readonly<Record<string, string>>): { asked: TextQuestion[]; at: TestIpm } {
  const asked: TextQuestion[] = [];
  const text = (question: TextQuestion): Promise<string | null> => {
    asked.push(question);
    return Promise.resolve(answers[question.text.split(" ")[0] ?? ""] ?? null);
  };
  return { asked, at: { ...ipm, context: { ...ipm.context, prompts: { text, choose: () => Promise.resolve(null) } } } };
}

test("--keep-going: a value for a tool that cannot be planned here refuses no other", async () => {
  const needs = "requires: [{ tool: no-such-tool-anywhere }]";
  const ipm = await ipmWith([
    { ...ASKER, more: `${ASKER.more ?? ""}\n${needs}` },
    { name: "bravo", versions: ["1.0.0"] },
  ]);
  const options = { ...OPTIONS, keepGoing: true, set: GIVEN };
  const { installed, failed } = await install(ipm.context, ["asker", "bravo"], options);
  expect(installed.map(({ name }) => name)).toEqual(["bravo"]);
  expect(failed).toMatchObject([{ target: "asker", code: "REQUIREMENT_MISSING" }]);
});

describe("where a value is from", () => {
  test("--set gives it to the steps and to the command, a secret to the command alone", async () => {
    const ipm = await ipmWith([ASKER]);
    const { installed, plans } = await install(ipm.context, ["asker"], { ...OPTIONS, set: GIVEN });
    expect(say(ipm)).toBe(`asker 1.0.0 [example.org] [${SECRET}]`);
    const prefix = path.join(ipm.layout.store, installed[0]?.entry ?? "", "prefix");
    expect(readFileSync(path.join(prefix, "server"), "utf8")).toBe("example.org\n");
    expect(readFileSync(path.join(prefix, "seen"), "utf8")).not.toContain("ASKER_TOKEN");
    expect(plans[0]?.what.inputs).toEqual([
      { env: "ASKER_SERVER", for: "both", secret: false, value: "example.org" },
      { env: "ASKER_TOKEN", for: "run", secret: true, value: null },
    ]);
    expect((await doctor(ipm.context, { name: null, fix: false })).healthy).toBe(true);
  });

  test("then what was given before, then the environment, which always wins when the command starts", async () => {
    const ipm = await ipmWith([ASKER], { env: { ASKER_SERVER: "example.org", ASKER_TOKEN: "from-environment" } });
    const { plans } = await install(ipm.context, ["asker"], OPTIONS);
    expect(plans[0]?.inputs?.map(({ from }) => from)).toEqual(["environment", "environment"]);
    expect(say(ipm)).toBe("asker 1.0.0 [example.org] [from-environment]");
    expect(say(ipm, { ASKER_TOKEN: "now", ASKER_SERVER: "" })).toBe("asker 1.0.0 [] [now]");
    const again = await reinstall(ipm.context, "asker", { ...OPTIONS, set: { ASKER_TOKEN: "by-flag" } });
    expect(again.plans[0]?.inputs?.map(({ from }) => from)).toEqual(["kept", "flag"]);
    expect(say(ipm)).toBe("asker 1.0.0 [example.org] [by-flag]");
  });

  test("at a terminal it is asked for, with why; a secret is hidden, and only after the plan", async () => {
    const ipm = await ipmWith([ASKER]);
    const { asked, at } = typing(ipm, GIVEN);
    await planTargets(at.context, ["asker"], OPTIONS);
    expect(asked.map(({ text }) => text)).toEqual(["ASKER_SERVER for asker@1.0.0:"]);
    await install(at.context, ["asker"], OPTIONS);
    expect(asked.slice(1)).toMatchObject([
      { text: "ASKER_SERVER for asker@1.0.0:", hidden: false, detail: ["the server that it asks"] },
      {
        text: "ASKER_TOKEN for asker@1.0.0:",
        hidden: true,
        detail: [expect.stringMatching(/^to be/u), expect.any(String)],
      },
    ]);
    expect(say(ipm)).toBe(`asker 1.0.0 [example.org] [${SECRET}]`);
  });

  test("without a terminal it is exit 2 with every flag that answers it, before anything is built", async () => {
    const ipm = await ipmWith([ASKER]);
    await expect(install(ipm.context, ["asker"], OPTIONS)).rejects.toMatchObject({
      code: "INPUT_MISSING",
      exitCode: 2,
      hint: "add --set ASKER_SERVER=VALUE --set ASKER_TOKEN=@FILE (NAME=- reads standard input), or export the variable",
      data: {
        inputs: [
          { env: "ASKER_SERVER", secret: false },
          { env: "ASKER_TOKEN", secret: true },
        ],
      },
    });
    expect(ipm.events.some(({ type }) => type === "step.started")).toBe(false);
    // A plan alone needs what is part of it.
    const set = { ASKER_SERVER: "example.org" };
    await expect(planTargets(ipm.context, ["asker"], OPTIONS)).rejects.toMatchObject({ code: "INPUT_MISSING" });
    expect((await planTargets(ipm.context, ["asker"], { ...OPTIONS, set })).plans).toHaveLength(1);
    expect((await install(ipm.context, ["asker"], { ...OPTIONS, set, dryRun: true })).plans).toHaveLength(1);
  });

  test("--set that nothing asks for, or that would change nothing, is refused with what there is", async () => {
    const ipm = await ipmWith([ASKER]);
    await expect(
      install(ipm.context, ["asker"], { ...OPTIONS, set: { ...GIVEN, ASKER_SERVRE: "x" } }),
    ).rejects.toMatchObject({ code: "USAGE", data: { inputs: ["ASKER_SERVER", "ASKER_TOKEN"] } });
    await install(ipm.context, ["asker"], { ...OPTIONS, set: GIVEN });
    await expect(install(ipm.context, ["asker"], { ...OPTIONS, set: GIVEN })).rejects.toMatchObject({
      code: "USAGE",
      hint: "ipm reinstall asker --set ASKER_SERVER=VALUE --set ASKER_TOKEN=VALUE",
    });
    for (const value of ["", "a\0b", "x".repeat(70_000)])
      await expect(reinstall(ipm.context, "asker", { ...OPTIONS, set: { ASKER_TOKEN: value } })).rejects.toMatchObject({
        code: "USAGE",
      });
  });
});

describe("how long it is kept", () => {
  test("over upgrade, rollback and uninstall; --purge takes it away", async () => {
    const ipm = await ipmWith([ASKER]);
    await install(ipm.context, ["asker"], { ...OPTIONS, set: GIVEN });
    await offer(ipm, [ASKER2]);
    expect((await upgrade(ipm.context, [], OPTIONS)).upgraded).toHaveLength(1);
    expect(say(ipm)).toBe(`asker 2.0.0 [example.org] [${SECRET}]`);
    await rollback(ipm.context, null);
    expect(say(ipm)).toBe(`asker 1.0.0 [example.org] [${SECRET}]`);
    await uninstall(ipm.context, ["asker"], { purge: false });
    await install(ipm.context, ["asker"], OPTIONS);
    expect(say(ipm)).toBe(`asker 2.0.0 [example.org] [${SECRET}]`);
    await uninstall(ipm.context, ["asker"], { purge: true });
    expect(existsSync(path.dirname(valuesFile(ipm)))).toBe(false);
    await expect(install(ipm.context, ["asker"], OPTIONS)).rejects.toMatchObject({ code: "INPUT_MISSING" });
  });

  test("an installation that fails changes nothing of it", async () => {
    const ipm = await ipmWith([{ ...ASKER, tests: "[{ run: exit 3 }]" }]);
    await expect(install(ipm.context, ["asker"], { ...OPTIONS, set: GIVEN })).rejects.toMatchObject({
      code: "TEST_FAILED",
    });
    expect(existsSync(valuesFile(ipm))).toBe(false);
  });

  test("a tool of the same name from somewhere else is not handed it", async () => {
    const ipm = await ipmWith([ASKER]);
    await install(ipm.context, ["asker"], { ...OPTIONS, set: GIVEN });
    const file = valuesFile(ipm);
    writeFileSync(file, readFileSync(file, "utf8").replace("registry demo", "registry other"));
    await expect(reinstall(ipm.context, "asker", OPTIONS)).rejects.toMatchObject({ code: "INPUT_MISSING" });
  });

  test("another value is another plan, another secret is not", async () => {
    const ipm = await ipmWith([ASKER]);
    const digest = async (set: Readonly<Record<string, string>>): Promise<string | undefined> =>
      (await planTargets(ipm.context, ["asker"], { ...OPTIONS, set })).plans[0]?.digest;
    expect(await digest({ ...GIVEN, ASKER_TOKEN: "another" })).toBe(await digest(GIVEN));
    expect(await digest({ ...GIVEN, ASKER_SERVER: "example.com" })).not.toBe(await digest(GIVEN));
  });

  test("a clean room knows only what it is told, and needs no secret", { timeout: 60_000 }, async () => {
    const ipm = await ipmWith([ASKER], { env: { ASKER_SERVER: "from-environment", ASKER_TOKEN: SECRET } });
    const without = await verify(ipm.context, ["asker"], VERIFY_OPTIONS);
    expect(without.methods[0]).toMatchObject({ outcome: "failed", version: "1.0.0" });
    expect(without.methods[0]?.checks[0]?.details.at(-1)).toContain("--set ASKER_SERVER=VALUE");
    const set = { ASKER_SERVER: "example.org" };
    expect((await verify(ipm.context, ["asker"], { ...VERIFY_OPTIONS, set })).methods[0]).toMatchObject({
      outcome: "passed",
    });
  });
});

describe("a secret", () => {
  test.skipIf(process.platform !== "linux")(
    "is in one file that only its user can read, and nowhere else: no store, log, receipt, event, argument or environment",
    async () => {
      const token = "one-secret-of-a-kind-4711";
      const waits: DemoTool = {
        ...ASKER,
        methods:
          "steps: [{ run: 'cp -R bin \"$IPM_PREFIX/\"; echo waiting; until [ -e go ]; do sleep 0.05; done', timeout: 20s }]",
      };
      const ipm = await ipmWith([waits]);
      const events: IpmEvent[] = [];
      let shown: string[] | undefined;
      const emit = (event: IpmEvent): void => {
        events.push(event);
        if (event.type !== "step.output" || !event.line.includes("waiting")) return;
        shown = processesShowing(token);
        const tool = path.join(ipm.layout.store, "asker");
        writeFileSync(path.join(tool, readdirSync(tool)[0] ?? "", "source/go"), "");
      };
      const context = { ...ipm.context, emit };
      const set = { ...GIVEN, ASKER_TOKEN: token };
      const result = await install(context, ["asker"], { ...OPTIONS, set });
      expect(shown).toEqual([]);
      expect(say(ipm)).toContain(token);
      expect(filesWith(ipm.folder, token)).toEqual([path.relative(ipm.folder, valuesFile(ipm))]);
      expect(statSync(valuesFile(ipm)).mode & 0o777).toBe(0o600);
      expect(statSync(path.dirname(valuesFile(ipm))).mode & 0o777).toBe(0o700);
      expect(JSON.stringify({ events, result })).not.toContain(token);
    },
  );

  test("is not seen by a test, also where there is no sandbox", async () => {
    const ipm = await ipmWith([{ ...ASKER, tests: "[{ run: asker }]" }]);
    const options = { ...OPTIONS, noSandbox: true, set: GIVEN };
    await install(ipm.context, ["asker"], options);
    await reinstall(ipm.context, "asker", { ...options, set: {} });
    expect(filesWith(ipm.layout.logs, "tok-5e7d")).toEqual([]);
  });
});
