// @ts-check
/**
 * Training: starting weights, the loss of a batch and its gradient, clipping, SGD, Adam, the loop.
 */
import * as lstmCell from './cell.mjs';
import * as rnnCell from './rnn.mjs';

/**
 * @typedef {import('./cell.mjs').Lstm} Lstm
 * @typedef {import('./rnn.mjs').Rnn} Rnn
 * @typedef {import('./tasks.mjs').Batch} Batch
 * @typedef {import('./random.mjs').Random} Random
 *
 * @typedef {object} Engine        computes with a model's parameters on batches of one T
 * @property {(batch: Batch, grad: Float64Array) => number} gradient
 *           returns the mean squared error and overwrites grad, which is laid out as p.all
 * @property {(batch: Batch) => Float64Array} answers      one number per sequence
 */

/**
 * Starting weights: uniform with variance scale^2/H, so that a sum over H of them is of size one;
 * biases zero but the ones that are given.
 * @param {Lstm | Rnn} p @param {Random} random
 * @param {{ scale?: number, forget?: number, input?: number, output?: number }} [options]
 */
export function initialise(p, random, { scale = 1, forget = 0, input = 0, output = 0 } = {}) {
  const limit = scale * Math.sqrt(3 / p.H); // a uniform number within +-limit has variance limit^2 / 3
  for (const weights of [p.R, p.W, p.V]) {
    for (let k = 0; k < weights.length; k++) weights[k] = random.uniform(-limit, limit);
  }
  p.b.fill(0);
  p.a.fill(0);
  if (p.kind === 'lstm') {
    const { H, b } = p;
    b.fill(forget, lstmCell.F * H, lstmCell.F * H + H);
    b.fill(input, lstmCell.I * H, lstmCell.I * H + H);
    b.fill(output, lstmCell.O * H, lstmCell.O * H + H);
  }
  return p;
}

/**
 * Runs one sequence and returns the answer V . h + a after its last step.
 * @param {Lstm} p @param {Float64Array} x @param {import('./cell.mjs').LstmTrace} trace
 */
export function answer(p, x, trace) {
  lstmCell.forward(p, x, trace);
  return read(p, trace);
}

/** @param {Lstm | Rnn} p @param {{ T: number, h: Float64Array }} trace */
function read({ H, V, a }, { T, h }) {
  let y = a[0];
  for (let k = 0; k < H; k++) y += V[k] * h[T * H + k];
  return y;
}

/**
 * The readable engine: a loop over the batch around cell.mjs or rnn.mjs.
 * @param {Lstm | Rnn} p @param {number} T @returns {Engine}
 */
export function readable(p, T) {
  const { D, H } = p;
  /** @type {any} the two cells have the same interface, each with its own trace */
  const cell = p.kind === 'lstm' ? lstmCell : rnnCell;
  const trace = p.kind === 'lstm' ? lstmCell.lstmTrace(p, T) : rnnCell.rnnTrace(p, T);
  const grad = p.kind === 'lstm' ? lstmCell.lstm(D, H) : rnnCell.rnn(D, H);
  const dLoss = new Float64Array((T + 1) * H);
  const size = T * D;

  return {
    gradient({ N, x, y }, out) {
      grad.all.fill(0);
      let loss = 0;
      for (let n = 0; n < N; n++) {
        const xs = x.subarray(n * size, (n + 1) * size);
        cell.forward(p, xs, trace);
        const error = read(p, trace) - y[n];
        loss += (error * error) / N;
        const d = (2 * error) / N; // slope of the mean squared error
        grad.a[0] += d;
        for (let k = 0; k < H; k++) {
          grad.V[k] += d * trace.h[T * H + k];
          dLoss[T * H + k] = d * p.V[k];
        }
        cell.backward(p, xs, trace, dLoss, grad);
      }
      out.set(grad.all);
      return loss;
    },
    answers({ N, x }) {
      const out = new Float64Array(N);
      for (let n = 0; n < N; n++) {
        cell.forward(p, x.subarray(n * size, (n + 1) * size), trace);
        out[n] = read(p, trace);
      }
      return out;
    },
  };
}

/** @param {Float64Array} answers @param {Float64Array} y */
export function meanSquaredError(answers, y) {
  let sum = 0;
  for (let n = 0; n < y.length; n++) sum += (answers[n] - y[n]) ** 2;
  return sum / y.length;
}

/** Scales the gradient down to the given length if it is longer. @param {Float64Array} grad @param {number} most */
export function clip(grad, most) {
  let square = 0;
  for (const d of grad) square += d * d;
  const length = Math.sqrt(square);
  if (length > most) for (let k = 0; k < grad.length; k++) grad[k] *= most / length;
}

/** Plain gradient descent. @param {number} rate */
export function sgd(rate) {
  return (/** @type {Float64Array} */ w, /** @type {Float64Array} */ grad) => {
    for (let k = 0; k < w.length; k++) w[k] -= rate * grad[k];
  };
}

/**
 * Adam (Kingma and Ba 2014). Each parameter's step is divided by the usual size of its own
 * gradient, so a gradient that is tiny but steady still moves the parameter by about `rate`.
 * @param {number} size @param {number} rate
 */
export function adam(size, rate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8) {
  const mean = new Float64Array(size);
  const square = new Float64Array(size);
  let step = 0;
  return (/** @type {Float64Array} */ w, /** @type {Float64Array} */ grad) => {
    step++;
    const correct1 = 1 - beta1 ** step; // both averages start at zero: without this correction
    const correct2 = 1 - beta2 ** step; // the first steps would have the wrong length
    for (let k = 0; k < size; k++) {
      mean[k] = beta1 * mean[k] + (1 - beta1) * grad[k];
      square[k] = beta2 * square[k] + (1 - beta2) * grad[k] * grad[k];
      w[k] -= (rate * (mean[k] / correct1)) / (Math.sqrt(square[k] / correct2) + epsilon);
    }
  };
}

/**
 * Trains until `look` is satisfied or the steps are used up. Returns the steps taken.
 * @param {object} options
 * @param {Lstm | Rnn} options.p
 * @param {Engine} options.engine
 * @param {() => Batch} options.batch       a fresh batch for every step: nothing is seen twice
 * @param {number} options.rate             Adam's learning rate
 * @param {number} options.steps            at most so many
 * @param {number} options.every            steps between two looks
 * @param {(step: number) => boolean} options.look    true ends the training
 */
export function train({ p, engine, batch, rate, steps, every, look }) {
  const grad = new Float64Array(p.all.length);
  const update = adam(p.all.length, rate);
  for (let step = 1; step <= steps; step++) {
    engine.gradient(batch(), grad);
    clip(grad, 1);
    update(p.all, grad);
    if (step % every === 0 && look(step)) return step;
  }
  return steps;
}
