import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, symlinkSync, truncateSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { isIpmError } from "../../src/core/errors.ts";
import { collectGarbage } from "../../src/usecases/gc.ts";
import type { Context } from "../../src/usecases/context.ts";
import { hold } from "../../src/usecases/hold.ts";
import { install } from "../../src/usecases/install.ts";
import { listTools } from "../../src/usecases/list.ts";
import { rollback } from "../../src/usecases/rollback.ts";
import { uninstall } from "../../src/usecases/uninstall.ts";
import { upgrade } from "../../src/usecases/upgrade.ts";
import { writeDemoRegistry } from "../helpers/demo-registry.ts";
import { Dead, mortalHost } from "../helpers/mortal-host.ts";
import { lastingFolder } from "../helpers/temporary-folder.ts";
import { OPTIONS, type TestIpm, createTestIpm } from "../helpers/test-ipm.ts";
import { ALL } from "./verbs.ts";

const FOLDER = lastingFolder();
const NAMES = ["alpha", "bravo", "charlie"] as const;
const VERSIONS = ["1.0.0", "2.0.0"] as const;
const PLAIN = { ...OPTIONS, noSandbox: true, jobs: 1 };
const CHECKER = path.resolve(import.meta.dirname, "invariants.mjs");

interface Tool {
  readonly version: string;
  readonly held: boolean;
}
type Tools = Readonly<Record<string, Tool>>;

interface Generation {
  readonly tools: Tools;
  readonly previous: number | null;
  readonly restores: number | null;
}

/** What a command makes of the tools, or the code of its refusal. */
type Outcome =
  | { readonly tools: Tools; readonly restores?: number; readonly changes: boolean }
  | { readonly refused: string };

/** The whole of what ipm is about, in memory. */
class Model {
  readonly generations = new Map<number, Generation>();
  current: number | null = null;

  get tools(): Tools {
    return this.current === null ? {} : (this.generations.get(this.current)?.tools ?? {});
  }

  add(number: number, tools: Tools, restores: number | null = null): void {
    this.generations.set(number, { tools, previous: this.current, restores });
    this.current = number;
  }

  install(name: string, version: string): Outcome {
    const before = this.tools[name];
    if (before?.version === version) return { tools: this.tools, changes: false };
    if (before?.held === true) return { refused: "HELD" };
    return { tools: { ...this.tools, [name]: { version, held: false } }, changes: true };
  }

  upgrade(): Outcome {
    const newer = Object.entries(this.tools).map(([name, tool]) => [
      name,
      tool.held ? tool : { ...tool, version: "2.0.0" },
    ]);
    const tools: Tools = Object.fromEntries(newer);
    return { tools, changes: JSON.stringify(tools) !== JSON.stringify(this.tools) };
  }

  uninstall(name: string): Outcome {
    if (this.tools[name] === undefined) return { refused: "NOT_INSTALLED" };
    return { tools: Object.fromEntries(Object.entries(this.tools).filter(([other]) => other !== name)), changes: true };
  }

  hold(name: string, held: boolean): Outcome {
    const tool = this.tools[name];
    if (tool === undefined) return { refused: "NOT_INSTALLED" };
    return { tools: { ...this.tools, [name]: { ...tool, held } }, changes: tool.held !== held };
  }

  /** The generation before one, through what rollbacks brought back. */
  before(number: number): number | null {
    const generation = this.generations.get(number);
    if (generation === undefined) return null;
    if (generation.restores === null) return generation.previous;
    if (this.generations.has(generation.restores)) return this.before(generation.restores);
    return Math.max(...[...this.generations.keys()].filter((other) => other < generation.restores!)) || null;
  }

  rollback(): Outcome {
    const to = this.current === null ? null : this.before(this.current);
    const target = to === null ? undefined : this.generations.get(to);
    if (to === null || target === undefined) return { refused: "GENERATION_NOT_FOUND" };
    const bound = Object.entries(this.tools).some(
      ([name, { held, version }]) => held && target.tools[name]?.version !== version,
    );
    return bound ? { refused: "HELD" } : { tools: target.tools, restores: to, changes: true };
  }

  collect(keep: number): void {
    const older = [...this.generations.keys()].filter((number) => number !== this.current).toSorted((a, b) => a - b);
    for (const number of keep === 0 ? older : older.slice(0, -keep)) this.generations.delete(number);
  }
}

/** ipm itself, in this process, with a real disk. */
class Real {
  readonly ipm: TestIpm;
  constructor(ipm: TestIpm) {
    this.ipm = ipm;
    spawnSync("chmod", ["-R", "u+rwx", ipm.layout.data]);
    rmSync(ipm.layout.data, { recursive: true, force: true });
  }

  async tools(): Promise<Tools> {
    const tools = await listTools(this.ipm.context);
    return Object.fromEntries(tools.map(({ name, version, held }) => [name, { version, held }]));
  }

  currentNumber(): number | null {
    const number = /\d+$/u.exec(
      spawnSync("readlink", [this.ipm.layout.current], { encoding: "utf8" }).stdout.trim(),
    )?.[0];
    return number === undefined ? null : Number(number);
  }

  /** Numbers of complete generations. */
  numbers(): number[] {
    const profiles = this.ipm.layout.profiles;
    return names(profiles)
      .filter((name) => names(path.join(profiles, name)).includes("generation.json"))
      .map(Number);
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

async function compare(model: Model, real: Real): Promise<void> {
  assert.deepStrictEqual(await real.tools(), model.tools);
}

type Work = (context: Context) => Promise<unknown>;
const WORK = {
  install:
    (name: string, version: string): Work =>
    (context) =>
      install(context, [`${name}@${version}`], PLAIN),
  upgrade: (): Work => (context) => upgrade(context, [], PLAIN),
  uninstall:
    (name: string): Work =>
    (context) =>
      uninstall(context, [name], { purge: false }),
  hold:
    (name: string, held: boolean): Work =>
    (context) =>
      hold(context, [name], held),
  rollback: (): Work => (context) => rollback(context, null),
};

/** A command that makes a generation, perhaps killed at one of its checkpoints. */
class Change implements fc.AsyncCommand<Model, Real> {
  readonly #text: string;
  readonly #expect: (model: Model) => Outcome;
  readonly #work: Work;
  readonly #dies: number;

  constructor(text: string, expected: (model: Model) => Outcome, work: Work, dies: number) {
    [this.#text, this.#expect, this.#work, this.#dies] = [text, expected, work, dies];
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    const outcome = this.#expect(model);
    const { host } = mortalHost(real.ipm.context.host, this.#dies);
    let code: string | null = null;
    try {
      await this.#work({ ...real.ipm.context, host });
    } catch (error) {
      if (error instanceof Dead) code = "dead";
      else if (isIpmError(error)) code = error.code;
      else throw error;
    }
    if (code === "dead") await this.#afterDeath(model, real, outcome);
    else if ("refused" in outcome) assert.deepStrictEqual(code, outcome.refused);
    else {
      assert.strictEqual(code, null);
      if (outcome.changes) model.add(real.currentNumber() ?? 0, outcome.tools, outcome.restores ?? null);
    }
    await compare(model, real);
  }

  /** The old set or the new one; a generation that was complete and never current counts as one from now on. */
  async #afterDeath(model: Model, real: Real, outcome: Outcome): Promise<void> {
    if (!("refused" in outcome)) {
      for (const number of real.numbers()) {
        if (model.generations.has(number)) continue;
        model.generations.set(number, {
          tools: outcome.tools,
          previous: model.current,
          restores: outcome.restores ?? null,
        });
      }
    }
    const current = real.currentNumber();
    const newest = Math.max(0, ...model.generations.keys());
    model.current = current ?? (newest === 0 ? null : newest);
    await compare(model, real);
  }

  toString(): string {
    return this.#dies === Infinity ? this.#text : `${this.#text} killed at checkpoint ${this.#dies}`;
  }
}

class Collect implements fc.AsyncCommand<Model, Real> {
  readonly #keep: number;
  readonly #dies: number;
  constructor(keep: number, dies: number) {
    [this.#keep, this.#dies] = [keep, dies];
  }
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    const { host } = mortalHost(real.ipm.context.host, this.#dies);
    try {
      await collectGarbage({ ...real.ipm.context, host }, { keep: this.#keep, dryRun: false });
      model.collect(this.#keep);
    } catch (error) {
      if (!(error instanceof Dead)) throw error;
      // Some of them are gone, and none that stays.
      const left = new Set(real.numbers());
      model.collect(this.#keep);
      for (const number of model.generations.keys()) assert.deepStrictEqual(left.has(number), true);
      await collectGarbage(real.ipm.context, { keep: this.#keep, dryRun: false });
    }
    assert.deepStrictEqual(
      real.numbers().toSorted((a, b) => a - b),
      [...model.generations.keys()].toSorted((a, b) => a - b),
    );
    await compare(model, real);
  }
  toString(): string {
    return `gc --keep ${this.#keep}${this.#dies === Infinity ? "" : ` killed at checkpoint ${this.#dies}`}`;
  }
}

/** Damage that hands or disks do; the next command repairs it. */
const DAMAGE = {
  "generation.json cut": (model: Model, { ipm }: Real): void => {
    if (model.current === null) return;
    const file = path.join(ipm.layout.current, "generation.json");
    spawnSync("chmod", ["u+w", file]);
    truncateSync(file, 40);
  },
  "current lost": (_model: Model, { ipm }: Real): void => rmSync(ipm.layout.current, { force: true }),
  litter: (_model: Model, { ipm }: Real): void => {
    for (const folder of ["store/alpha/9.0.0-0123456789ab/prefix", "store/zulu", "profiles/999999/bin"])
      mkdirSync(path.join(ipm.layout.data, folder), { recursive: true });
    symlinkSync(
      "profiles/1",
      path.join(ipm.layout.data, `current.${Math.random().toString(16).slice(2, 14).padEnd(12, "0")}.tmp`),
    );
  },
} as const;

class Damage implements fc.AsyncCommand<Model, Real> {
  readonly #kind: keyof typeof DAMAGE;
  constructor(kind: keyof typeof DAMAGE) {
    this.#kind = kind;
  }
  check(model: Readonly<Model>): boolean {
    return model.current !== null;
  }
  async run(model: Model, real: Real): Promise<void> {
    DAMAGE[this.#kind](model, real);
    if (this.#kind === "current lost") model.current = Math.max(...model.generations.keys());
    if (this.#kind === "generation.json cut" && model.current !== null) {
      const lost = model.current;
      const tools = model.tools;
      model.generations.delete(lost);
      // Holds were only in that file: they are those of the newest generation that can be read.
      const known = model.generations.get(Math.max(...model.generations.keys()))?.tools ?? {};
      const kept = Object.entries(tools).map(([name, tool]) => [name, { ...tool, held: known[name]?.held ?? false }]);
      assert.deepStrictEqual(await real.tools(), Object.fromEntries(kept));
      await hold(real.ipm.context, [], true);
      model.add(real.currentNumber() ?? 0, Object.fromEntries(kept));
    }
    await hold(real.ipm.context, [], true);
    await compare(model, real);
  }
  toString(): string {
    return `damage: ${this.#kind}`;
  }
}

const name = fc.constantFrom(...NAMES);
/** Mostly nobody kills it. */
const dies = fc.oneof(
  { weight: 3, arbitrary: fc.constant(Infinity) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 16 }) },
);

const COMMANDS = [
  fc
    .tuple(name, fc.constantFrom(...VERSIONS), dies)
    .map(
      ([tool, version, k]) =>
        new Change(`install ${tool}@${version}`, (m) => m.install(tool, version), WORK.install(tool, version), k),
    ),
  dies.map((k) => new Change("upgrade", (m) => m.upgrade(), WORK.upgrade(), k)),
  fc
    .tuple(name, dies)
    .map(([tool, k]) => new Change(`uninstall ${tool}`, (m) => m.uninstall(tool), WORK.uninstall(tool), k)),
  fc
    .tuple(name, fc.boolean(), dies)
    .map(
      ([tool, held, k]) =>
        new Change(`${held ? "hold" : "unhold"} ${tool}`, (m) => m.hold(tool, held), WORK.hold(tool, held), k),
    ),
  dies.map((k) => new Change("rollback", (m) => m.rollback(), WORK.rollback(), k)),
  fc.tuple(fc.integer({ min: 0, max: 4 }), dies).map(([keep, k]) => new Collect(keep, k)),
  fc.constantFrom(...(Object.keys(DAMAGE) as (keyof typeof DAMAGE)[])).map((kind) => new Damage(kind)),
];

let ipm: TestIpm;

beforeAll(async () => {
  const tools = NAMES.map((tool) => ({ name: tool, versions: VERSIONS }));
  ipm = await createTestIpm(FOLDER, writeDemoRegistry(path.join(FOLDER, "registry"), tools));
});

test("a machine and a model that are given the same commands agree", { timeout: 36_000_000 }, async () => {
  const [numRuns, maxCommands] = ALL ? [1000, 40] : [5, 12];
  const seed = Math.floor(Math.random() * 2 ** 31);
  let commands = 0;
  await fc.assert(
    fc.asyncProperty(fc.commands(COMMANDS, { maxCommands, size: "max" }), async (sequence) => {
      const [model, real] = [new Model(), new Real(ipm)];
      await fc.asyncModelRun(() => ({ model, real }), sequence);
      commands += [...sequence].length;
      if (model.generations.size === 0) return;
      await collectGarbage(real.ipm.context, { keep: 100, dryRun: false });
      const state = Object.fromEntries(Object.entries(model.tools).map(([tool, { version }]) => [tool, version]));
      const question = JSON.stringify({ data: ipm.layout.data, states: [state], settled: true });
      expect(JSON.parse(spawnSync(process.execPath, [CHECKER, question], { encoding: "utf8" }).stdout)).toEqual([]);
    }),
    { numRuns, seed, endOnFailure: false, verbose: 1 },
  );
  process.stderr.write(
    `seed ${seed}: ${numRuns} runs of at most ${maxCommands} commands, ${commands} in all: no disagreement\n`,
  );
});
