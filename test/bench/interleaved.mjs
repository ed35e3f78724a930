/**
 * Times commands as whole processes, interleaved: every round runs each command once in another order, so that a busy
 * machine is busy for all. Ratios of medians are what counts, CPU time beside wall time: trust the former on a busy one.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Settings of the caller that would be measured instead of the commands (Node parses a whole CA bundle at start-up). */
const SPOILS = ["NODE_EXTRA_CA_CERTS", "NODE_OPTIONS", "RUST_BACKTRACE", "DEBUG"];

/** The environment that commands are measured in. */
export function benchEnvironment(extra = {}) {
  const env = { ...process.env, NO_COLOR: "1", ...extra };
  for (const name of SPOILS) delete env[name];
  return env;
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

// Node does not tell a child's resource usage; time(1) does, at a cost that is the same for all. NaN where it is missing.
const TIME = existsSync("/usr/bin/time") ? ["/usr/bin/time", "-f", "%U %S", "--"] : [];

function runOnce({ argv, cwd, env, before }) {
  before?.();
  const [program, ...args] = [...TIME, ...argv];
  const start = performance.now();
  const result = spawnSync(program, args, { cwd, env, encoding: "utf8" });
  const wall = performance.now() - start;
  const [user, system] = (result.stderr ?? "").trim().split("\n").at(-1).split(" ").map(Number);
  return { wall, cpu: TIME.length === 0 ? Number.NaN : (user + system) * 1000, status: result.status };
}

/**
 * @param {{ name: string, argv: string[], cwd?: string, env?: object, before?: () => void, expect?: number }[]} contenders
 * @param {number} rounds
 * @returns medians of milliseconds by name, and the spread of the ratio to the first
 */
export function interleave(contenders, rounds) {
  const samples = new Map(contenders.map(({ name }) => [name, { wall: [], cpu: [] }]));
  for (const contender of contenders) runOnce(contender);
  for (let round = 0; round < rounds; round++) {
    const order = contenders.map((contender, index) => ({
      contender,
      key: (index * 7 + round * 3) % contenders.length,
    }));
    for (const { contender } of order.toSorted((a, b) => a.key - b.key)) {
      const { wall, cpu, status } = runOnce(contender);
      if (status !== (contender.expect ?? 0)) throw new Error(`${contender.name} ended with ${status}`);
      const own = samples.get(contender.name);
      own.wall.push(wall);
      own.cpu.push(cpu);
    }
  }
  const base = samples.get(contenders[0].name);
  return new Map(
    [...samples].map(([name, { wall, cpu }]) => {
      const ratios = wall.map((ms, index) => ms / base.wall[index]).toSorted((a, b) => a - b);
      const at = (share) => ratios[Math.min(ratios.length - 1, Math.floor(ratios.length * share))];
      return [
        name,
        { wall: median(wall), cpu: median(cpu), ratio: median(wall) / median(base.wall), low: at(0.1), high: at(0.9) },
      ];
    }),
  );
}
