// @ts-check
/**
 * The gradient check: every parameter is moved a little both ways and the change of the loss is
 * compared with what backward says. A formula with a mistake does not survive it.
 */
import * as lstmCell from './cell.mjs';
import { mersenneTwister } from './random.mjs';
import * as rnnCell from './rnn.mjs';
import { initialise } from './train.mjs';

/**
 * The loss is a random mixture of all h_t, so that every step and every unit takes part.
 * @param {'lstm' | 'rnn'} kind @param {number} seed
 * @returns {{ parameters: number, worst: number }} the largest relative difference
 */
export function gradientCheck(kind, seed, { D = 2, H = 4, T = 7, epsilon = 1e-5 } = {}) {
  const random = mersenneTwister(seed);
  /** @type {any} two cells with one interface */
  const cell = kind === 'lstm' ? lstmCell : rnnCell;
  const make = kind === 'lstm' ? lstmCell.lstm : rnnCell.rnn;
  const trace = kind === 'lstm' ? lstmCell.lstmTrace({ H }, T) : rnnCell.rnnTrace({ H }, T);
  const p = initialise(make(D, H), random);
  const some = (/** @type {number} */ size) => Float64Array.from({ length: size }, () => random.uniform(-1, 1));
  for (let k = 0; k < p.b.length; k++) p.b[k] = random.uniform(-1, 1);
  const x = some(T * D);
  const mixture = some((T + 1) * H);
  mixture.fill(0, 0, H); // row 0 is the start, not a result
  if (kind === 'lstm') /** @type {any} */ (trace).c.set(some(H)); // a start that is not zero
  trace.h.set(some(H));

  const loss = () => {
    cell.forward(p, x, trace);
    let sum = 0;
    for (let k = H; k < mixture.length; k++) sum += mixture[k] * trace.h[k];
    return sum;
  };
  const grad = make(D, H);
  loss();
  cell.backward(p, x, trace, mixture, grad);

  let worst = 0;
  const parameters = p.R.length + p.W.length + p.b.length; // V and a are not used by the cell
  for (let k = 0; k < parameters; k++) {
    const value = p.all[k];
    p.all[k] = value + epsilon;
    const above = loss();
    p.all[k] = value - epsilon;
    const below = loss();
    p.all[k] = value;
    const slope = (above - below) / (2 * epsilon);
    const size = Math.max(Math.abs(slope), Math.abs(grad.all[k]), 1e-3);
    worst = Math.max(worst, Math.abs(slope - grad.all[k]) / size);
  }
  return { parameters, worst };
}
