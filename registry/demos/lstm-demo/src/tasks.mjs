// @ts-check
/**
 * The tasks. Each makes batches: N sequences of T steps with D numbers a step, x[(n*T + t)*D + d],
 * and one number y[n] to answer after the last step.
 *
 * @typedef {{ N: number, T: number, D: number, x: Float64Array, y: Float64Array }} Batch
 * @typedef {import('./random.mjs').Random} Random
 */

/** @param {number} N @param {number} T @param {number} D @returns {Batch} */
const empty = (N, T, D) => ({ N, T, D, x: new Float64Array(N * T * D), y: new Float64Array(N) });

/**
 * The adding problem (Hochreiter and Schmidhuber 1997, here with values from 0 to 1): every step
 * shows a value and a marker. Two steps are marked, one in each half; the answer is the sum of
 * their values. Always answering 1 scores 1/6: the variance of a sum of two uniform numbers.
 * @param {Random} random @param {number} N @param {number} T @returns {Batch}
 */
export function adding(random, N, T) {
  const batch = empty(N, T, 2);
  const half = Math.floor(T / 2);
  for (let n = 0; n < N; n++) {
    const at = n * T;
    for (let t = 0; t < T; t++) batch.x[(at + t) * 2] = random.u53();
    const first = at + random.below(half);
    const second = at + half + random.below(T - half);
    batch.x[first * 2 + 1] = 1;
    batch.x[second * 2 + 1] = 1;
    batch.y[n] = batch.x[first * 2] + batch.x[second * 2];
  }
  return batch;
}

/**
 * The latch: remember the sign of the first value while noise between -0.5 and 0.5 goes by. A
 * classic of the field, and an easy one: the authors of the LSTM showed in 1996 that guessing
 * weights at random solves such tasks too. Here it only shows what the forget bias does.
 * @param {Random} random @param {number} N @param {number} T @returns {Batch}
 */
export function latch(random, N, T) {
  const batch = empty(N, T, 1);
  for (let n = 0; n < N; n++) {
    const sign = random.u53() < 0.5 ? -1 : 1;
    batch.x[n * T] = sign;
    for (let t = 1; t < T; t++) batch.x[n * T + t] = random.uniform(-0.5, 0.5);
    batch.y[n] = sign;
  }
  return batch;
}

/**
 * Companies A and B: two made-up sequences of four numbers that differ on the first day only. The
 * LSTM has to carry that first day to the end. No price of anything was ever predicted with it.
 */
export const companies = [
  { name: 'A', days: [0, 0.5, 0.25, 1], next: 0 },
  { name: 'B', days: [1, 0.5, 0.25, 1], next: 1 },
];
