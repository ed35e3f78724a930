// @ts-check
/**
 * Parity with TensorFlow.js, without TensorFlow.js: numbers that it computed once, with its
 * version, are kept in fixtures/tfjs-4.22.0.json and compared here (the program that wrote them is
 * in ipm's repository, test/parity/). Format of that file:
 *
 *   versions   { "@tensorflow/tfjs-core": "4.22.0", ... }    what computed the numbers
 *   seed       the seed from which weights and inputs were drawn
 *   sizes      { D, H, T, N }
 *   inputs     { x: N*T*D numbers, x[(n*T + t)*D + d], y: N numbers }
 *   weights    { R: 4H*H, W: 4H*D, b: 4H, V: H, a: 1 }       in the layout of src/cell.mjs:
 *              rows of the gates f, i, g, o; R multiplies h, W multiplies x
 *   forward    { answers: N numbers, h: N*H numbers (after the last step) }
 *   gradients  { R, W, b, V, a }   of the mean squared error of the batch, same layout
 *
 * All numbers are flat lists. tfjs computes in float32: hence 1e-6 and not less.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { forward, lstm, lstmTrace } from '../src/cell.mjs';
import { readable } from '../src/train.mjs';

const file = new URL('fixtures/tfjs-4.22.0.json', import.meta.url);
const names = /** @type {const} */ (['R', 'W', 'b', 'V', 'a']);

/** @param {any} value @param {number} length @param {string} what @returns {number[]} */
function numbers(value, length, what) {
  const fine = Array.isArray(value) && value.length === length && value.every(Number.isFinite);
  assert.ok(fine, `malformed fixture: ${what} must be a flat list of ${length} finite numbers`);
  return value;
}

function read() {
  const fixture = JSON.parse(readFileSync(file, 'utf8'));
  for (const key of ['versions', 'seed', 'sizes', 'inputs', 'weights', 'forward', 'gradients']) {
    assert.ok(fixture[key] !== undefined, `malformed fixture: no "${key}"`);
  }
  const { D, H, T, N } = fixture.sizes;
  for (const [key, size] of Object.entries({ D, H, T, N })) {
    assert.ok(Number.isInteger(size) && size > 0, `malformed fixture: sizes.${key} is ${size}`);
  }
  const p = lstm(D, H);
  for (const name of names) p[name].set(numbers(fixture.weights[name], p[name].length, `weights.${name}`));
  const batch = {
    N, T, D,
    x: Float64Array.from(numbers(fixture.inputs.x, N * T * D, 'inputs.x')),
    y: Float64Array.from(numbers(fixture.inputs.y, N, 'inputs.y')),
  };
  return { fixture, p, batch, H };
}

/** @param {ArrayLike<number>} ours @param {any} theirs @param {string} what */
function near(ours, theirs, what) {
  const list = numbers(theirs, ours.length, what);
  list.forEach((value, k) => {
    assert.ok(Math.abs(ours[k] - value) <= 1e-6, `${what}[${k}]: ours ${ours[k]}, tfjs ${value}`);
  });
}

test('tfjs: forward within 1e-6', () => {
  const { fixture, p, batch, H } = read();
  const { N, T, D } = batch;
  near(readable(p, T).answers(batch), fixture.forward.answers, 'forward.answers');
  const trace = lstmTrace(p, T);
  const last = new Float64Array(N * H);
  for (let n = 0; n < N; n++) {
    forward(p, batch.x.subarray(n * T * D, (n + 1) * T * D), trace);
    last.set(trace.h.subarray(T * H), n * H);
  }
  near(last, fixture.forward.h, 'forward.h');
});

test('tfjs: gradients of every parameter within 1e-6', () => {
  const { fixture, p, batch, H } = read();
  const grad = lstm(batch.D, H);
  readable(p, batch.T).gradient(batch, grad.all);
  for (const name of names) near(grad[name], fixture.gradients[name], `gradients.${name}`);
});
