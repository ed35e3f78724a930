// @ts-check
// In a file of its own, so that it runs beside adding.test.mjs and not after it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { solve } from '../src/verbs/adding.mjs';

test('adding, T = 50: the plain RNN stays above 0.1 in the same budget', () => {
  const { error } = solve({ cell: 'rnn', T: 50, seed: 1 });
  assert.ok(error > 0.1, `${error}`);
});
