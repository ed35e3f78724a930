import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { ChoiceQuestion, Question } from "../../../src/usecases/context.ts";
import { install } from "../../../src/usecases/install.ts";
import { listTools } from "../../../src/usecases/list.ts";
import { planTargets } from "../../../src/usecases/plan-targets.ts";
import { upgrade } from "../../../src/usecases/upgrade.ts";
import { type DemoTool, writeDemoRegistry } from "../../helpers/demo-registry.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { OPTIONS, type TestIpm, createTestIpm } from "../../helpers/test-ipm.ts";

/** Four ways: one for another machine, one that needs what nobody has, one that fails, one that works. */
const WAYS: DemoTool = {
  name: "ways",
  versions: ["1.0.0"],
  methods: `methods:
  - { id: other, platforms: [macos-riscv64x], steps: [uses: copy] }
  - { id: needs, requires: [{ tool: no-such-program-of-ours }], steps: [uses: copy] }
  - { id: fails, steps: [{ run: "echo no luck; exit 3" }] }
  - { id: works, steps: [uses: copy] }`.replace("macos-riscv64x", process.platform === "linux" ? "macos" : "linux"),
};
const FAILS: DemoTool = {
  name: "fails",
  versions: ["1.0.0"],
  methods: 'methods:\n  - { id: one, steps: [{ run: "exit 3" }] }\n  - { id: two, steps: [{ run: "exit 4" }] }',
};
const EXTRA: DemoTool = {
  name: "extra",
  versions: ["1.0.0"],
  methods: "steps: [uses: copy, { run: 'touch \"$IPM_PREFIX/manual\"', why: the manual is large, optional: true }]",
};

async function ipmWith(tools: readonly DemoTool[]): Promise<TestIpm> {
  const folder = temporaryFolder();
  return createTestIpm(folder, writeDemoRegistry(path.join(folder, "registry"), tools));
}

/** Somebody at a terminal who picks by id, and answers every yes-or-no question alike. */
function person(ipm: TestIpm, picks: readonly (string | null)[], yes = false) {
  const chosen: ChoiceQuestion[] = [];
  const asked: Question[] = [];
  const left = [...picks];
  const context = {
    ...ipm.context,
    ask: (question: Question) => {
      asked.push(question);
      return Promise.resolve(yes);
    },
    prompts: {
      text: () => Promise.resolve(null),
      choose: (question: ChoiceQuestion) => {
        chosen.push(question);
        return Promise.resolve(left.shift() ?? null);
      },
    },
  };
  return { context, chosen, asked };
}

async function methodOf(ipm: TestIpm): Promise<string | undefined> {
  return (await listTools(ipm.context))[0]?.method;
}

describe("a method that fails", () => {
  test("gives way to the next, and the result names every attempt and its log", async () => {
    const ipm = await ipmWith([WAYS]);
    const { attempts } = await install(ipm.context, ["ways"], OPTIONS);
    expect(await methodOf(ipm)).toBe("works");
    expect(attempts).toMatchObject([{ name: "ways", method: "fails", code: "STEP_FAILED", log: expect.any(String) }]);
    expect(existsSync(attempts[0]?.log ?? "")).toBe(true);
  });

  test("and no other is left: the failure names all of them", async () => {
    const ipm = await ipmWith([FAILS]);
    const error = await install(ipm.context, ["fails"], OPTIONS).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "STEP_FAILED",
      message: expect.stringMatching(/exit code 4\n {2}before it, method one failed: .*exit code 3; log /u),
      data: { attempts: [{ method: "one" }], log: expect.any(String) },
    });
  });

  test("--no-fallback ends there", async () => {
    const ipm = await ipmWith([WAYS]);
    await expect(install(ipm.context, ["ways"], { ...OPTIONS, noFallback: true })).rejects.toMatchObject({
      code: "STEP_FAILED",
    });
    expect(await methodOf(ipm)).toBeUndefined();
  });
});

test("a method whose needs are not met is passed over although its recipe does not fit the repository", async () => {
  const ipm = await ipmWith([
    {
      name: "gpu",
      versions: ["1.0.0"],
      methods: `methods:
  - { id: cuda, requires: [{ tool: no-such-program-of-ours }], steps: [{ uses: python, with: { requirements: [gpu.txt] } }] }
  - { id: plain, steps: [uses: copy] }`,
    },
  ]);
  const { plans } = await install(ipm.context, ["gpu"], OPTIONS);
  expect(plans[0]?.method).toMatchObject({ id: "plain", passedOver: [{ id: "cuda" }] });
  expect(plans[0]?.method.passedOver[0]?.why).toContain("no-such-program-of-ours");
  await expect(planTargets(ipm.context, ["gpu"], { ...OPTIONS, method: "cuda" })).rejects.toMatchObject({
    code: "REQUIREMENT_MISSING",
  });
});

describe("--choose", () => {
  const wanted = { ...OPTIONS, choose: true };

  test("offers every method, with why it cannot be used, and again after one has failed", async () => {
    const ipm = await ipmWith([WAYS]);
    const { context, chosen } = person(ipm, ["fails", "works"]);
    await install(context, ["ways"], wanted);
    expect(chosen.map(({ choices }) => choices.map(({ why }) => why?.split(",")[0] ?? null))).toEqual([
      [expect.stringMatching(/^is for /u), "needs no-such-program-of-ours (not found)", null, null],
      [
        expect.stringMatching(/^is for /u),
        expect.stringMatching(/^needs/u),
        expect.stringMatching(/^failed: step 1/u),
        null,
      ],
    ]);
    expect(await methodOf(ipm)).toBe("works");
  });

  test("picks a later one although an earlier one would fit; nobody is asked where there is one way", async () => {
    const ipm = await ipmWith([WAYS, EXTRA]);
    const { context, chosen } = person(ipm, ["works"]);
    const { plans } = await planTargets(context, ["ways"], wanted);
    expect(plans[0]?.method.id).toBe("works");
    await planTargets(context, ["extra"], wanted);
    expect(chosen).toHaveLength(1);
  });

  test("ends when nobody picks one, and without a terminal with the flag that answers it", async () => {
    const ipm = await ipmWith([WAYS]);
    await expect(install(person(ipm, [null]).context, ["ways"], wanted)).rejects.toMatchObject({ code: "DECLINED" });
    await expect(install(ipm.context, ["ways"], wanted)).rejects.toMatchObject({
      code: "USAGE",
      exitCode: 2,
      hint: "--method needs (one of: other, needs, fails, works)",
    });
  });
});

describe("an optional step", () => {
  const manual = (ipm: TestIpm, entry: string): boolean =>
    existsSync(path.join(ipm.layout.store, entry, "prefix/manual"));
  const entryOf = async (ipm: TestIpm): Promise<string> => (await listTools(ipm.context))[0]?.entry ?? "";

  test("is asked about with its reason, and what was said holds for what comes later", async () => {
    const ipm = await ipmWith([EXTRA]);
    const { context, asked } = person(ipm, [], true);
    await planTargets(context, ["extra"], OPTIONS);
    expect(asked).toEqual([]);
    const { plans } = await install(context, ["extra"], OPTIONS);
    expect(asked).toMatchObject([
      { text: expect.stringContaining("extra@1.0.0 has an optional step: touch"), detail: ["the manual is large"] },
    ]);
    expect(plans[0]?.optional).toMatchObject([{ taken: true }]);
    expect(manual(ipm, await entryOf(ipm))).toBe(true);
    await ipm.setRegistry(
      writeDemoRegistry(path.join(ipm.folder, "registry"), [{ ...EXTRA, versions: ["1.0.0", "2.0.0"] }]),
    );
    await upgrade(ipm.context, [], OPTIONS);
    expect(manual(ipm, await entryOf(ipm))).toBe(true);
  });

  test("is left out without a terminal and after a no, and taken with --yes; that is another plan", async () => {
    const ipm = await ipmWith([EXTRA]);
    const [without] = (await planTargets(ipm.context, ["extra"], OPTIONS)).plans;
    const [taken] = (await planTargets(ipm.context, ["extra"], { ...OPTIONS, yes: true })).plans;
    expect(without?.notices).toContainEqual(
      expect.stringMatching(/^left out, optional: touch .* \(the manual is large\)$/u),
    );
    expect(taken?.digest).not.toBe(without?.digest);
    await install(person(ipm, []).context, ["extra"], OPTIONS);
    expect(manual(ipm, await entryOf(ipm))).toBe(false);
  });
});
