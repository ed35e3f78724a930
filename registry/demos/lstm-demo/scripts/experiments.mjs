#!/usr/bin/env node
// @ts-check
/**
 * Measures what docs/experiments.md reports: one line a setting, one result a seed. Some minutes
 * in all; name the parts that you want: retraining, adding, rnn, bias, latch, long, fast.
 */
import { kernelCheck } from '../src/fast.mjs';
import { companies } from '../src/tasks.mjs';
import { answer, toRows, trainToy, untrained } from '../src/toy.mjs';
import { solve } from '../src/verbs/adding.mjs';
import { learnLatch } from '../src/verbs/gradients.mjs';

const seeds = (/** @type {number} */ n) => Array.from({ length: n }, (_, k) => k + 1);
/** @param {string} label @param {string[]} results */
const row = (label, results) => console.log(`${label.padEnd(34)} ${results.join('  ')}`);

/** Steps to a test error below 0.01, or the error that was left. @param {ReturnType<typeof solve>} run */
const steps = ({ solved, steps: taken, error }) => (solved ? String(taken) : `(${error.toFixed(3)})`);
/** @param {ReturnType<typeof learnLatch>} run */
const latched = ({ solved, steps: taken, share }) => (solved ? String(taken) : `(${Math.round(share * 100)} %)`);

/** @type {Record<string, () => void>} */
const parts = {
  retraining() {
    console.log('\nRe-training, 5,000 epochs: A and B after it, per seed');
    row('seeds 42, 1 to 10', [42, ...seeds(10)].map((seed) => {
      const p = trainToy(untrained(seed));
      return companies.map(({ days }) => answer(p, days).toFixed(2)).join('/');
    }));
    const rounded = untrained();
    for (const list of [rounded.R, rounded.W]) list.forEach((w, k) => (list[k] = Number(w.toFixed(4))));
    row('seed 42, start rounded to 4 digits', toRows(trainToy(rounded)).flat().map((w) => w.toFixed(4)));
  },
  adding() {
    console.log('\nAdding, T = 50, 361 parameters: steps to error < 0.01, seeds 1 to 10');
    const runs = seeds(10).map((seed) => solve({ cell: 'lstm', T: 50, seed }));
    row('steps', runs.map(steps));
    row('test error', runs.map(({ error }) => error.toFixed(4)));
    row('seconds', runs.map(({ ms }) => (ms / 1000).toFixed(1)));
    row('16 units, seeds 1 to 5', seeds(5).map((seed) => steps(solve({ cell: 'lstm', T: 50, seed, H: 16 }))));
  },
  rnn() {
    console.log('\nAdding, T = 50, plain RNN: test error after 1,500 steps, seeds 1 to 5');
    for (const rate of [0.02, 0.005, 0.001]) {
      for (const scale of [0.5, 1]) {
        row(`rate ${rate}, scale ${scale}`, seeds(5).map((seed) => solve({ cell: 'rnn', T: 50, seed, rate, scale }).error.toFixed(3)));
      }
    }
  },
  bias() {
    console.log('\nAdding, T = 50: what the starting biases do, seeds 1 to 5');
    for (const forget of [0, 1, 3, -2, -5, -10]) {
      row(`forget ${forget}`, seeds(5).map((seed) => steps(solve({ cell: 'lstm', T: 50, seed, forget }))));
    }
    row('forget 1, input -10', seeds(5).map((seed) => steps(solve({ cell: 'lstm', T: 50, seed, input: -10 }))));
  },
  latch() {
    console.log('\nLatch: steps to more than 99 %, at most 400, seeds 1 to 10');
    for (const T of [50, 100]) {
      for (const forget of [0, 1, 2, 3, Math.log(T)]) {
        row(`T ${T}, forget ${forget.toFixed(1)}`, seeds(10).map((seed) => latched(learnLatch({ forget, T, seed, every: 20 }))));
      }
      row(`T ${T}, plain RNN`, seeds(10).map((seed) => latched(learnLatch({ cell: 'rnn', forget: 0, T, seed, every: 20 }))));
    }
  },
  long() {
    console.log('\nAdding, longer, at most 3,000 steps, seeds 1 to 5');
    row('T 100', seeds(5).map((seed) => steps(solve({ cell: 'lstm', T: 100, seed, steps: 3000 }))));
    row('T 200, seeds 1 to 3', seeds(3).map((seed) => steps(solve({ cell: 'lstm', T: 200, seed, steps: 3000 }))));
  },
  fast() {
    console.log('\nKernel and readable code, gradients: largest difference, as a part of the largest, seeds 1 to 10');
    for (const shape of [{ D: 2, H: 8, T: 50, N: 32 }, { D: 1, H: 8, T: 200, N: 32 }, { D: 2, H: 32, T: 50, N: 32 }]) {
      row(`H ${shape.H}, T ${shape.T}`, seeds(10).map((seed) => kernelCheck({ ...shape, seed }).worst.toExponential(1)));
    }
    console.log('\nAdding, readable and --fast: steps to error < 0.01, or what was left, and seconds');
    for (const [T, runs, most] of [[50, 10, 1500], [100, 5, 3000], [200, 3, 3000]]) {
      for (const fast of [false, true]) {
        const found = seeds(runs).map((seed) => solve({ cell: 'lstm', T, seed, steps: most, fast }));
        row(`T ${T}, ${fast ? '--fast' : 'readable'}`, found.map(steps));
        row('seconds', found.map(({ ms }) => (ms / 1000).toFixed(2)));
      }
    }
    console.log('\nLatch, T 100, forget ln 100, --fast: steps');
    row('seeds 1 to 10', seeds(10).map((seed) => latched(learnLatch({ forget: Math.log(100), T: 100, seed, every: 20, fast: true }))));
  },
};

const wanted = process.argv.slice(2);
for (const [name, part] of Object.entries(parts)) if (!wanted.length || wanted.includes(name)) part();
