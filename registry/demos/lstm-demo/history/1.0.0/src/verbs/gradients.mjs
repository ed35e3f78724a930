// @ts-check
/** How much of a gradient reaches the early steps, and what that means for learning. */
import { backward, forward, lstm, lstmTrace } from '../cell.mjs';
import { number } from '../plot.mjs';
import { mersenneTwister } from '../random.mjs';
import { backward as rnnBackward, forward as rnnForward, rnn, rnnTrace } from '../rnn.mjs';
import { logPicture } from '../svg.mjs';
import { adding, latch } from '../tasks.mjs';
import { initialise, readable, train } from '../train.mjs';

/**
 * Length of dAnswer/d(h, c) at every step 0..T of an untrained network, as a part of its length at
 * the last step; the root mean square over ten sequences.
 * @param {{ kind: 'lstm' | 'rnn', forget?: number, scale?: number, T: number, seed: number, H?: number }} options
 */
export function flow({ kind, forget, scale, T, seed, H = 32 }) {
  const random = mersenneTwister(seed);
  const p = initialise(kind === 'rnn' ? rnn(2, H) : lstm(2, H), random, { forget, scale });
  const { x } = adding(random, 10, T);
  const squares = new Float64Array(T + 1);
  const dLoss = new Float64Array((T + 1) * H);
  dLoss.set(p.V, T * H);
  for (let n = 0; n < 10; n++) {
    const xs = x.subarray(n * T * 2, (n + 1) * T * 2);
    /** @type {Float64Array[]} */
    let found;
    if (p.kind === 'lstm') {
      const trace = lstmTrace(p, T);
      forward(p, xs, trace);
      backward(p, xs, trace, dLoss, lstm(2, H));
      found = [trace.dh, trace.dc];
    } else {
      const trace = rnnTrace(p, T);
      rnnForward(p, xs, trace);
      rnnBackward(p, xs, trace, dLoss, rnn(2, H));
      found = [trace.dh];
    }
    for (const rows of found) rows.forEach((d, at) => (squares[Math.floor(at / H)] += d * d));
  }
  return Array.from(squares, (square) => Math.sqrt(square / squares[T]));
}

export const latchRecipe = { H: 8, N: 32, rate: 0.01, steps: 400, every: 40, unseen: 200 };

/**
 * Trains a network on the latch task until 99 % of unseen signs are right.
 * @param {{ forget: number, T: number, seed: number, cell?: string } & Partial<typeof latchRecipe>} options
 */
export function learnLatch({ forget, T, seed, cell = 'lstm', ...rest }) {
  const { H, N, rate, steps, every, unseen } = { ...latchRecipe, ...rest };
  const random = mersenneTwister(seed);
  const p = initialise(cell === 'rnn' ? rnn(1, H) : lstm(1, H), random, { forget });
  const engine = readable(p, T);
  const test = latch(mersenneTwister(seed + 1000), unseen, T);
  /** @type {number[]} */
  const right = [];
  const taken = train({
    p, engine, rate, steps, every,
    batch: () => latch(random, N, T),
    look() {
      const good = engine.answers(test).filter((answer, n) => answer * test.y[n] > 0).length / unseen;
      right.push(good);
      return good > 0.99;
    },
  });
  const share = right[right.length - 1];
  return { forget, steps: taken, right, share, solved: share > 0.99 };
}

/** @type {import('../cli.mjs').Verb} */
export const gradients = {
  name: 'gradients',
  summary: 'what reaches the early steps, and what it teaches',
  about: [
    'The gradient of the answer with respect to the state, step by step back to the start,',
    'for several starting forget biases; then the latch task with bias 1 and with ln T.',
  ],
  picture: true,
  flags: {
    T: { type: 'whole', value: 100, least: 10, most: 400, help: 'steps in a sequence; time grows with it' },
    seed: { type: 'whole', value: 1, least: 0, most: 2 ** 32 - 1, help: 'of weights and sequences' },
  },
  run({ T, seed }, term) {
    const logT = Math.log(T);
    /** @type {{ label: string, kind: 'lstm' | 'rnn', forget?: number, scale?: number }[]} */
    const cases = [
      ...[-2, 0, 1, 2].map((forget) => ({ label: `forget bias ${forget}`, kind: /** @type {const} */ ('lstm'), forget })),
      { label: `ln T = ${logT.toFixed(1)}`, kind: 'lstm', forget: logT },
      { label: 'RNN', kind: 'rnn' },
      { label: 'RNN, half scale', kind: 'rnn', scale: 0.5 },
    ];
    const lines = cases.map((one) => ({ ...one, values: flow({ ...one, T, seed }) }));
    const middle = Math.round(T / 2);
    const columns = 36;
    const floor = -12;

    term.line(`  How much of the gradient is left on the way back from step ${T}? Untrained`);
    term.line(`  networks, 32 units; 1 is what there is at step ${T}.`);
    term.line();
    const axis = `step 0 ${term.sign.rule.repeat(columns - 12 - String(T).length)} step ${T}`;
    term.line(term.dim(`  ${''.padEnd(16)}${axis.padEnd(columns)}  at ${String(middle).padEnd(7)} at 0`));
    for (const { label, values } of lines) {
      const heights = Array.from({ length: columns }, (_, k) => {
        const v = values[Math.round((k / (columns - 1)) * T)];
        return v > 0 ? Math.log10(v) : -Infinity;
      });
      const [mid, first] = [values[middle], values[0]].map((v) => short(v).padEnd(9));
      term.line(`  ${label.padEnd(16)}${term.spark(heights, floor, 0)}  ${mid} ${first}`);
    }
    term.line(term.dim(`  ${''.padEnd(16)}height: powers of ten, from 1e${floor} (nothing) to 1 (full)`));
    term.line();
    term.line('  LSTM: it is the forget bias that decides. RNN: it is the scale of the weights.');

    term.line();
    term.line(`  Does it matter? The latch: remember the sign of the first of ${T} values.`);
    term.line(term.dim(`  An LSTM with 8 units; signs right, looked at every ${latchRecipe.every} steps`));
    term.line();
    const runs = [1, logT].map((forget) => {
      const run = learnLatch({ forget, T, seed });
      const label = forget === 1 ? 'forget bias 1' : `ln T = ${logT.toFixed(1)}`;
      const end = run.solved
        ? term.good(`${(run.share * 100).toFixed(0)} % after ${run.steps} steps`)
        : term.bad(`${(run.share * 100).toFixed(0)} % after ${run.steps} steps`);
      term.line(`  ${label.padEnd(16)}${term.spark(run.right, 0, 1).padEnd(12)}${end}`);
      return run;
    });
    const [one, log] = runs;
    const left = (/** @type {string} */ label) => short(lines.filter((l) => l.label.startsWith(label))[0].values[0]);
    let seen = 'on this run the two forget biases did equally well or badly: try another seed or T.';
    if (log.solved && !one.solved) {
      seen =
        `forget bias 1 leaves ${left('forget bias 1')} of the gradient at step 0, and the latch is not ` +
        `learnt in ${one.steps} steps; ln T leaves ${left('ln T')}, and it is, in ${log.steps}.`;
    } else if (one.solved && !log.solved) {
      seen = 'on this run bias 1 learnt the latch and ln T did not: one run is not a law.';
    } else if (one.solved && log.solved) {
      seen = `both biases learn the latch here, in ${one.steps} and ${log.steps} steps: over ${T} steps enough comes back.`;
    }
    term.seen(`Seen: ${seen}`);
    return {
      ok: true,
      result: {
        verb: 'gradients', T, seed,
        flow: lines.map(({ label, kind, forget = null, scale = 1, values }) => ({ label, kind, forget, scale, values })),
        latch: runs,
      },
      svg: () =>
        logPicture({
          title: `Gradient flow back through ${T} steps`,
          note: 'Untrained networks, 32 units; 1 is the gradient at the last step. "bias": an LSTM\'s forget bias.',
          lines: lines.map(({ label, values }) => ({ label: label.replace('forget ', ''), values })),
          floor: -16,
        }),
    };
  },
};

/** Two digits are enough for powers of ten. @param {number} v */
const short = (v) => (v >= 0.01 ? v.toFixed(2) : v === 0 ? '0' : number(v, 2));
