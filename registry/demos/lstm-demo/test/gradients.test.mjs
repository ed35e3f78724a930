// @ts-check
import assert from 'node:assert/strict';
import test from 'node:test';
import { gradientCheck } from '../src/check.mjs';
import { lstm } from '../src/cell.mjs';
import { mersenneTwister } from '../src/random.mjs';
import { rnn } from '../src/rnn.mjs';
import { adding } from '../src/tasks.mjs';
import { initialise, readable } from '../src/train.mjs';
import { flow, learnLatch } from '../src/verbs/gradients.mjs';

for (const kind of /** @type {const} */ (['lstm', 'rnn'])) {
  test(`gradient check, ${kind}: all parameters, 5 seeds, relative 1e-6`, () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { worst } = gradientCheck(kind, seed);
      assert.ok(worst < 1e-6, `seed ${seed}: ${worst}`);
    }
  });

  test(`gradient of a batch, ${kind}: the readout too`, () => {
    const random = mersenneTwister(7);
    const p = initialise(kind === 'lstm' ? lstm(2, 3) : rnn(2, 3), random, { forget: 1 });
    const engine = readable(p, 6);
    const batch = adding(random, 4, 6);
    const grad = new Float64Array(p.all.length);
    const rest = new Float64Array(p.all.length);
    engine.gradient(batch, grad);
    for (let k = 0; k < p.all.length; k++) {
      const value = p.all[k];
      p.all[k] = value + 1e-5;
      const above = engine.gradient(batch, rest);
      p.all[k] = value - 1e-5;
      const below = engine.gradient(batch, rest);
      p.all[k] = value;
      const slope = (above - below) / 2e-5;
      const size = Math.max(Math.abs(slope), Math.abs(grad[k]), 1e-3);
      assert.ok(Math.abs(slope - grad[k]) / size < 1e-6, `parameter ${k}: ${grad[k]}, ${slope}`);
    }
  });
}

test('gradient flow: the larger the forget bias, the more comes back', () => {
  const first = [-2, 0, 1, 2, Math.log(100)].map((forget) => flow({ kind: 'lstm', forget, T: 100, seed: 1 })[0]);
  for (let k = 1; k < first.length; k++) assert.ok(first[k] > first[k - 1], `${first}`);
  assert.ok(first[0] < 1e-30 && first[2] < 0.01 && first[4] > 0.1, `${first}`);
});

test('gradient flow of an RNN: the scale of its weights decides', () => {
  assert.ok(flow({ kind: 'rnn', T: 100, seed: 1 })[0] > 0.1);
  assert.ok(flow({ kind: 'rnn', scale: 0.5, T: 100, seed: 1 })[0] < 1e-12);
});

test('latch, T = 100: learnt from forget bias ln T in 400 steps, not from 1', () => {
  assert.ok(learnLatch({ forget: Math.log(100), T: 100, seed: 1 }).solved);
  assert.ok(!learnLatch({ forget: 1, T: 100, seed: 1 }).solved);
});
