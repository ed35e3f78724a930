// @ts-check
/**
 * The cell of the article: one unit, one input, twelve weights. Its answer is h itself, so the
 * readout of cell.mjs is set to V = 1, a = 0 and left alone.
 */
import { backward, forward, lstm, lstmTrace, sigmoid } from './cell.mjs';
import { publishedTraining, publishedWeights } from './numbers.mjs';
import { torchNormals } from './random.mjs';
import { companies } from './tasks.mjs';
import { adam } from './train.mjs';

/** @typedef {import('./cell.mjs').Lstm} Lstm */

/** Weights from rows [h, x, b] in the order f, i, g, o. @param {number[][]} rows @returns {Lstm} */
export function fromRows(rows) {
  const p = lstm(1, 1);
  rows.forEach(([h, x, b], gate) => {
    p.R[gate] = h;
    p.W[gate] = x;
    p.b[gate] = b;
  });
  p.V[0] = 1;
  return p;
}

/** And back. @param {Lstm} p */
export const toRows = (p) => [0, 1, 2, 3].map((gate) => [p.R[gate], p.W[gate], p.b[gate]]);

/** The cell with the published weights. */
export const published = () => fromRows(publishedWeights.map(({ h, x, b }) => [h, x, b]));

/**
 * The cell before training: eight normal numbers in the order of the gates, h before x; biases
 * zero, or as given (forget, input, candidate, output).
 * @param {number} [seed] @param {number[]} [biases]
 */
export function untrained(seed = publishedTraining.seed, biases = [0, 0, 0, 0]) {
  const z = torchNormals(seed, 8);
  return fromRows(biases.map((b, gate) => [z[2 * gate], z[2 * gate + 1], b]));
}

/** What the cell answers after the days. @param {Lstm} p @param {number[]} days */
export function answer(p, days, trace = lstmTrace(p, days.length)) {
  forward(p, Float64Array.from(days), trace);
  return trace.h[days.length];
}

/**
 * One step of the cell, every intermediate result by name.
 * @param {{ x: number, h: number, c: number }} start
 */
export function oneStep({ x, h, c }, p = published()) {
  const [zf, zi, zg, zo] = toRows(p).map(([wh, wx, b]) => wh * h + wx * x + b);
  const forget = sigmoid(zf);
  const kept = forget * c;
  const candidate = Math.tanh(zg);
  const input = sigmoid(zi);
  const added = input * candidate;
  const newC = kept + added;
  const squashed = Math.tanh(newC);
  const output = sigmoid(zo);
  return {
    zf, forget, kept, zg, candidate, zi, input, added, c: newC, squashed, zo, output, h: output * squashed,
  };
}

/**
 * Trains on company A, then B, one update each, for the given number of epochs.
 * @param {Lstm} p
 * @param {object} [options]
 * @param {number} [options.epochs]
 * @param {(w: Float64Array, grad: Float64Array) => void} [options.update]   Adam 0.001 unless given
 * @param {(epoch: number) => void} [options.look]   called after every epoch
 */
export function trainToy(p, { epochs = publishedTraining.epochs, update, look } = {}) {
  const weights = p.all.subarray(0, 12); // R, W, b: the readout stays
  const step = update ?? adam(12, publishedTraining.rate);
  const grad = lstm(1, 1);
  const gradient = grad.all.subarray(0, 12);
  const runs = companies.map(({ days, next }) => ({ x: Float64Array.from(days), next }));
  const trace = lstmTrace(p, 4);
  const dLoss = new Float64Array(5);
  for (let epoch = 1; epoch <= epochs; epoch++) {
    for (const { x, next } of runs) {
      forward(p, x, trace);
      dLoss[4] = 2 * (trace.h[4] - next); // slope of the squared error
      gradient.fill(0);
      backward(p, x, trace, dLoss, grad);
      step(weights, gradient);
    }
    look?.(epoch);
  }
  return p;
}

/** Length of the gradient of both companies' errors together. @param {Lstm} p */
export function gradientLength(p) {
  const grad = lstm(1, 1);
  const trace = lstmTrace(p, 4);
  const dLoss = new Float64Array(5);
  for (const { days, next } of companies) {
    const x = Float64Array.from(days);
    forward(p, x, trace);
    dLoss[4] = 2 * (trace.h[4] - next);
    backward(p, x, trace, dLoss, grad);
  }
  return Math.hypot(...grad.all.subarray(0, 12));
}
