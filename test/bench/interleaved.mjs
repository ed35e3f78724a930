/**
 * Times commands as whole processes, interleaved: every round runs each command once in another order, so that a busy
 * machine is busy for all. Ratios of medians are what counts, with an interval that says how sure they are.
 */
import { spawnSync } from "node:child_process";

/** Settings of the caller that would be measured instead of the commands (docs/performance.md). */
const SPOILS = [
  "NODE_EXTRA_CA_CERTS",
  "NODE_OPTIONS",
  "NODE_COMPILE_CACHE",
  "NODE_DEBUG",
  "RUST_BACKTRACE",
  "DEBUG",
  "FORCE_COLOR",
  "IPM_HOME",
];

/** The environment that commands are measured in. */
export function benchEnvironment(extra = {}) {
  const env = { ...process.env };
  for (const name of SPOILS) delete env[name];
  return { ...env, NO_COLOR: "1", CI: "1", ...extra };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

// Resampling must not differ from run to run of the same numbers.
let state = 1;
function random() {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return state / 2 ** 32;
}
const resample = (values) => values.map(() => values[Math.floor(random() * values.length)]);

const RESAMPLINGS = 400;

/** A statistic of two lists of samples, and the 95 % interval of it by the bootstrap. */
function estimate(a, b, statistic) {
  const values = Array.from({ length: RESAMPLINGS }, () => statistic(median(resample(a)), median(resample(b))));
  values.sort((left, right) => left - right);
  const at = (share) => values[Math.floor((values.length - 1) * share)];
  return { value: statistic(median(a), median(b)), low: at(0.025), high: at(0.975) };
}

/** What `interleave` measured. */
export class Samples {
  #wall;

  /** @param wall milliseconds by name, one a round */
  constructor(wall) {
    this.#wall = wall;
  }

  /** Median milliseconds. */
  ms(name) {
    return median(this.#wall.get(name));
  }

  /** Median, least and most milliseconds. */
  spread(name) {
    const sorted = this.#wall.get(name).toSorted((a, b) => a - b);
    return { value: median(sorted), low: sorted[0], high: sorted.at(-1) };
  }

  /** How many times as long `name` takes as `base`. */
  ratio(name, base) {
    return estimate(this.#wall.get(name), this.#wall.get(base), (a, b) => a / b);
  }

  /** How many milliseconds `name` takes longer than `base`, divided by `count` (of steps, of calls). */
  difference(name, base, count = 1) {
    return estimate(this.#wall.get(name), this.#wall.get(base), (a, b) => (a - b) / count);
  }

  get names() {
    return [...this.#wall.keys()];
  }
}

function runOnce({ name, argv, cwd, env, before, expect = 0 }) {
  before?.();
  const [program, ...args] = argv;
  const start = performance.now();
  const result = spawnSync(program, args, { cwd, env, stdio: "ignore" });
  const wall = performance.now() - start;
  if (result.status !== expect) {
    const { stderr } = spawnSync(program, args, { cwd, env, encoding: "utf8" });
    throw new Error(`${name} ended with ${result.status ?? result.signal ?? result.error?.message}: ${stderr}`);
  }
  return wall;
}

/**
 * @param {{ name: string, argv: string[], cwd?: string, env?: object, before?: () => void, expect?: number }[]} contenders
 *   `before` is not measured; `expect` is the exit code
 * @param {number} rounds
 */
export function interleave(contenders, rounds) {
  const wall = new Map(contenders.map(({ name }) => [name, []]));
  for (const contender of contenders) runOnce(contender);
  for (let round = 0; round < rounds; round++) {
    const order = contenders.map((contender) => ({ contender, key: random() }));
    for (const { contender } of order.toSorted((a, b) => a.key - b.key))
      wall.get(contender.name).push(runOnce(contender));
  }
  return new Samples(wall);
}
