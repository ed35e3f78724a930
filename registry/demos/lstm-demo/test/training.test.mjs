// @ts-check
import assert from 'node:assert/strict';
import test from 'node:test';
import * as golden from '../src/golden.mjs';
import { publishedWeights } from '../src/numbers.mjs';
import { mersenneTwister, torchNormals } from '../src/random.mjs';
import { companies } from '../src/tasks.mjs';
import { answer, toRows, trainToy, untrained } from '../src/toy.mjs';
import { adam, clip, sgd } from '../src/train.mjs';
import { trainAll } from '../src/verbs/closed.mjs';

test('MT19937: the ten thousandth number of seed 5489 is 4123659995', () => {
  // The value that the C++ standard asks of std::mt19937.
  const { u32 } = mersenneTwister(5489);
  let last = 0;
  for (let k = 0; k < 10000; k++) last = u32();
  assert.equal(last, 4123659995);
});

test('torchNormals(42, 8): eight doubles within 1e-15', () => {
  torchNormals(42, 8).forEach((value, k) => {
    assert.ok(Math.abs(value - golden.normals[k]) <= 1e-15, `${k}: ${value}`);
  });
});

test('re-training: twelve weights within 1e-6, each as published to two decimals', () => {
  const p = untrained();
  /** @type {Record<number, { A: number, B: number }>} */
  const seen = {};
  const look = (/** @type {number} */ epoch) => {
    const [A, B] = companies.map(({ days }) => answer(p, days));
    seen[epoch] = { A, B };
  };
  look(0);
  trainToy(p, { look });
  for (const { epoch, A, B } of golden.trained.answers) {
    assert.ok(Math.abs(seen[epoch].A - A) < 1e-6, `A at ${epoch}: ${seen[epoch].A}`);
    assert.ok(Math.abs(seen[epoch].B - B) < 1e-6, `B at ${epoch}: ${seen[epoch].B}`);
  }
  toRows(p).forEach((row, gate) => {
    row.forEach((weight, k) => {
      assert.ok(Math.abs(weight - golden.trained.rows[gate][k]) < 1e-6, `row ${gate}: ${row}`);
    });
    const { h, x, b } = publishedWeights[gate];
    assert.deepEqual(row.map((weight) => weight.toFixed(2)), [h, x, b].map((weight) => weight.toFixed(2)));
  });
});

test('Adam: the first step is the rate, whatever the size of the gradient', () => {
  const w = Float64Array.of(1, 1);
  adam(2, 0.1)(w, Float64Array.of(1000, -0.001));
  assert.ok(Math.abs(w[0] - 0.9) < 1e-6 && Math.abs(w[1] - 1.1) < 1e-5, `${w}`);
});

test('SGD and clipping', () => {
  const w = Float64Array.of(1);
  sgd(0.1)(w, Float64Array.of(2));
  assert.ok(Math.abs(w[0] - 0.8) < 1e-15);
  const grad = Float64Array.of(3, 4);
  clip(grad, 1);
  assert.ok(Math.abs(Math.hypot(...grad) - 1) < 1e-15);
  clip(grad, 2);
  assert.ok(Math.abs(Math.hypot(...grad) - 1) < 1e-15, 'a short one stays');
});

test('closed gates: shut under SGD, open under Adam', () => {
  for (const { gates, gradient, runs } of trainAll(42)) {
    const [slow, published, adaptive] = runs;
    assert.ok(adaptive.B > 0.9 && adaptive.A < 0.1, `${gates}: Adam tells B from A`);
    // The published recipe, Adam 0.001, opens one shut gate, input or output, as well.
    if (['none', 'input', 'output'].includes(gates)) assert.ok(published.B > 0.9, `${gates}: ${published.B}`);
    if (['input', 'output', 'all three'].includes(gates)) {
      assert.ok(gradient < 1e-4, `${gates}: gradient ${gradient}`);
      assert.ok(Math.abs(slow.B) < 0.001, `${gates}: SGD stays shut, B ${slow.B}`);
    }
  }
});
