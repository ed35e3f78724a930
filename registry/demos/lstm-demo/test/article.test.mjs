// @ts-check
import assert from 'node:assert/strict';
import test from 'node:test';
import { forward, lstm, lstmTrace, sigmoid } from '../src/cell.mjs';
import * as golden from '../src/golden.mjs';
import { workedExample } from '../src/numbers.mjs';
import { companies } from '../src/tasks.mjs';
import { answer, oneStep, published } from '../src/toy.mjs';

/** @param {number} found @param {number} wanted @param {number} within @param {string} what */
const near = (found, wanted, within, what) =>
  assert.ok(Math.abs(found - wanted) <= within, `${what}: ${found}, wanted ${wanted} within ${within}`);

/** @type {Record<string, number>} */
const step = oneStep({ x: 1, h: 1, c: 2 });

test('worked example: every result within 1e-6', () => {
  assert.equal(Object.keys(golden.workedExample).length, Object.keys(step).length);
  for (const [key, value] of Object.entries(golden.workedExample)) near(step[key], value, 1e-6, key);
});

test('worked example: each value rounds to what the article prints, but for three by name', () => {
  const different = Object.entries(workedExample.printed)
    .filter(([key, text]) => step[key].toFixed(text.split('.')[1].length) !== text)
    .map(([key]) => key);
  assert.deepEqual(different, workedExample.roundedChain);
  assert.equal((1.99 + 0.97).toFixed(2), workedExample.printed.c, 'the rounded chain gives the printed c');
  assert.equal((0.99 * 0.99).toFixed(2), workedExample.printed.h, 'and the printed h');
});

test('the same step by the general cell: same c and h', () => {
  const trace = lstmTrace({ H: 1 }, 1);
  trace.c[0] = 2;
  trace.h[0] = 1;
  forward(published(), Float64Array.of(1), trace);
  near(trace.c[1], 2.947567, 1e-6, 'c');
  near(trace.h[1], 0.986229, 1e-6, 'h');
  near(trace.i[1], 0.986211, 1e-6, 'i');
});

test('an input of -10: both readings', () => {
  near(sigmoid(-10), 4.5398e-5, 1e-9, 'sigmoid(-10)');
  near(Math.tanh(-10), -1, 1e-8, 'tanh(-10)');
  const away = oneStep({ x: -10, h: 1, c: 2 });
  near(away.zf, -11.98, 1e-9, 'forget sum');
  near(away.zi, -13.88, 1e-9, 'input sum');
  near(away.zg, -8.31, 1e-9, 'candidate sum');
  near(away.zo, 6.87, 1e-9, 'output sum');
  near(away.forget, 6.268294e-6, 1e-12, 'forget');
  near(away.input, 9.375451e-7, 1e-13, 'input');
  near(away.candidate, -0.9999999, 1e-7, 'candidate');
  near(away.c, 1.159904e-5, 1e-11, 'c');
});

test('companies: 16 states, c as printed and h within 1e-6', () => {
  for (const { name, days } of companies) {
    const trace = lstmTrace({ H: 1 }, 4);
    forward(published(), Float64Array.from(days), trace);
    const { c, h } = golden.companies[/** @type {'A' | 'B'} */ (name)];
    c.forEach((value, k) => near(trace.c[k + 1], value, 1e-4, `${name} c${k + 1}`));
    h.forEach((value, k) => near(trace.h[k + 1], value, 1e-6, `${name} h${k + 1}`));
  }
});

test('the first published weight belongs to h: swapped, company A is far off', () => {
  const p = published();
  const swapped = lstm(1, 1);
  swapped.R.set(p.W);
  swapped.W.set(p.R);
  swapped.b.set(p.b);
  near(answer(p, companies[0].days), 0.006393, 1e-6, 'A');
  near(answer(swapped, companies[0].days), 0.667, 1e-3, 'A, swapped');
});

test('parameters: 361 with two inputs and eight units', () => {
  assert.equal(lstm(2, 8).all.length, 361);
});
