// @ts-check
/** The adding problem: train, watch the error fall, then look inside one unit. */
import { forward, lstm, lstmTrace } from '../cell.mjs';
import { mersenneTwister } from '../random.mjs';
import { forward as rnnForward, rnn, rnnTrace } from '../rnn.mjs';
import { unitsPicture } from '../svg.mjs';
import { adding as makeBatch } from '../tasks.mjs';
import { initialise, meanSquaredError, readable, train } from '../train.mjs';

/** Always answering 1: the variance of the sum of two numbers between 0 and 1. */
const baseline = 1 / 6;
const solvedBelow = 0.01;
export const recipe = {
  H: 8, N: 32, rate: 0.02, forget: 1, input: 0, scale: 1, steps: 1500, every: 100, unseen: 1000,
};

/**
 * Trains and returns everything that was measured. What is not given is as in the recipe.
 * @param {{ cell: string, T: number, seed: number } & Partial<typeof recipe>} options
 * @param {(step: number, error: number) => void} [look]
 */
export function solve({ cell, T, seed, ...rest }, look) {
  const { H, N, rate, forget, input, scale, steps, every, unseen } = { ...recipe, ...rest };
  const random = mersenneTwister(seed);
  const p = initialise(cell === 'rnn' ? rnn(2, H) : lstm(2, H), random, { forget, input, scale });
  const engine = readable(p, T);
  const test = makeBatch(mersenneTwister(seed + 1000), unseen, T);
  /** @type {{ step: number, error: number }[]} */
  const curve = [];
  const began = performance.now();
  const taken = train({
    p, engine, rate, steps, every,
    batch: () => makeBatch(random, N, T),
    look(step) {
      const error = meanSquaredError(engine.answers(test), test.y);
      curve.push({ step, error });
      look?.(step, error);
      return error < solvedBelow;
    },
  });
  const { error } = curve[curve.length - 1];
  return {
    p, test, curve, steps: taken, error, solved: error < solvedBelow,
    ms: Math.round(performance.now() - began),
  };
}

/**
 * Which unit tells the story? The one whose memory moves most at the marked steps, compared with
 * how much it moves elsewhere. (The unit with the largest readout weight often shows nothing.)
 * @param {import('../train.mjs').Lstm | import('../train.mjs').Rnn} p
 * @param {import('../tasks.mjs').Batch} test @param {any} trace
 */
function storyteller(p, test, trace) {
  const { H } = p;
  const { T } = test;
  const run = p.kind === 'lstm' ? forward : rnnForward;
  const state = p.kind === 'lstm' ? trace.c : trace.h;
  const atMarks = new Float64Array(H);
  const elsewhere = new Float64Array(H);
  for (let n = 0; n < 100; n++) {
    const x = test.x.subarray(n * T * 2, (n + 1) * T * 2);
    run(/** @type {any} */ (p), x, trace);
    for (let t = 2; t <= T; t++) {
      const sums = x[(t - 1) * 2 + 1] ? atMarks : elsewhere;
      for (let k = 0; k < H; k++) sums[k] += Math.abs(state[t * H + k] - state[(t - 1) * H + k]);
    }
  }
  const ratios = Array.from(atMarks, (sum, k) => (sum / elsewhere[k]) * ((T - 3) / 2));
  const unit = ratios.indexOf(Math.max(...ratios));
  return { unit, ratio: ratios[unit] };
}

/** @type {import('../cli.mjs').Verb} */
export const adding = {
  name: 'adding',
  summary: 'train on the adding problem, then look inside a unit',
  about: [
    'Each step shows a value and a marker; the answer is the sum of the two marked',
    `values. The error is the mean square on ${recipe.unseen} sequences never trained on.`,
  ],
  picture: true,
  flags: {
    cell: { type: 'choice', value: 'lstm', choices: ['lstm', 'rnn'], help: 'which network' },
    T: { type: 'whole', value: 50, least: 10, most: 400, help: 'steps in a sequence; time grows with it' },
    seed: { type: 'whole', value: 1, least: 0, most: 2 ** 32 - 1, help: 'of weights and sequences' },
  },
  run({ cell, T, seed }, term) {
    const { H } = recipe;
    const size = (cell === 'rnn' ? rnn(2, H) : lstm(2, H)).all.length;
    const name = cell === 'rnn' ? 'plain RNN' : 'LSTM';
    const width = 40;
    const mark = Math.round((baseline / 0.2) * width);
    term.line(`  The adding problem: ${T} steps, two of them marked, add the marked values.`);
    term.line(`  ${name}, ${H} units, ${size} parameters, seed ${seed}. Always answering 1 scores 1/6.`);
    term.line();
    term.line(term.dim(`   step  test error  0${'1/6'.padStart(mark)}`));
    const row = (/** @type {number} */ step, /** @type {number} */ error) => {
      const letters = [...term.bar(error / 0.2, width)];
      if (letters[mark] === ' ') letters[mark] = term.sign.baseline;
      const verdict = error < solvedBelow ? term.good(' solved') : '';
      term.line(`  ${String(step).padStart(5)}  ${error.toFixed(4).padStart(10)}  ${letters.join('')}${verdict}`);
    };
    const { p, test, curve, steps, error, solved, ms } = solve({ cell, T, seed }, row);

    const trace = /** @type {any} */ (p.kind === 'lstm' ? lstmTrace(p, T) : rnnTrace(p, T));
    const { unit, ratio } = storyteller(p, test, trace);
    const x = test.x.subarray(0, T * 2);
    if (p.kind === 'lstm') forward(p, x, trace);
    else rnnForward(p, x, trace);
    const state = p.kind === 'lstm' ? trace.c : trace.h;
    let answer = p.a[0];
    for (let k = 0; k < H; k++) answer += p.V[k] * trace.h[T * H + k];
    const steady = Array.from({ length: T }, (_, t) => t);
    const marks = steady.filter((t) => x[t * 2 + 1] === 1);
    const of = (/** @type {Float64Array} */ rows) => steady.map((t) => rows[(t + 1) * H + unit]);

    // More steps than columns: a column stands for several steps and shows their largest value.
    const group = Math.ceil(T / 64);
    const squeeze = (/** @type {number[]} */ values) =>
      group === 1
        ? values
        : Array.from({ length: Math.ceil(T / group) }, (_, k) =>
            Math.max(...values.slice(k * group, (k + 1) * group)));
    const memory = of(state);
    const spread = [Math.min(0, ...memory), Math.max(0, ...memory)];
    /** @type {[string, number[], number, number][]} */
    const rows = [
      ['value', steady.map((t) => x[t * 2]), 0, 1],
      ['marker', steady.map((t) => x[t * 2 + 1]), 0, 1],
      ...(p.kind === 'lstm'
        ? /** @type {[string, number[], number, number][]} */ ([
            ['input', of(trace.i), 0, 1],
            ['forget', of(trace.f), 0, 1],
          ])
        : []),
      [p.kind === 'lstm' ? 'memory' : 'state', memory, spread[0], spread[1]],
    ];
    term.line();
    term.line(`  One unseen sequence, and unit ${unit + 1} of ${H}, the one that moves most at the markers:`);
    if (group > 1) term.line(term.dim(`  (a column is ${group} steps and shows the largest of them)`));
    term.line();
    for (const [label, values, low, high] of rows) {
      term.line(`  ${label.padEnd(8)} ${term.spark(squeeze(values), low, high)}`);
    }
    term.line();
    term.line(`  target ${test.y[0].toFixed(3)}   answer ${answer.toFixed(3)}`);
    const seconds = (ms / 1000).toFixed(1);
    term.seen(
      solved
        ? `Seen: ${size} parameters learnt in ${seconds} s to carry two numbers over ${T} steps; this unit's ` +
            `memory moves ${ratio.toFixed(0)} times more at a marker than elsewhere.`
        : `Seen: in ${steps} steps and ${seconds} s the ${name} did not get below ${solvedBelow} ` +
            `(${error.toFixed(3)}, always answering 1 scores ${baseline.toFixed(3)}); that is this budget, not a proof.`,
    );
    return {
      ok: true,
      result: {
        verb: 'adding', cell, T, seed, parameters: size, recipe, baseline, curve, steps, error, solved, ms,
        unit: unit + 1, jumpRatio: ratio, target: test.y[0], answer, marks,
      },
      svg: () =>
        unitsPicture({ kind: p.kind, T, H, state, marks, unit, target: test.y[0], answer }),
    };
  },
};
