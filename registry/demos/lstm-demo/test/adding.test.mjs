// @ts-check
import assert from 'node:assert/strict';
import test from 'node:test';
import { mersenneTwister } from '../src/random.mjs';
import { adding as makeBatch } from '../src/tasks.mjs';
import { solve } from '../src/verbs/adding.mjs';

test('the task: one marker in each half, the sum of the marked values, 1/6 for always saying 1', () => {
  const { x, y } = makeBatch(mersenneTwister(1), 20000, 10);
  let error = 0;
  y.forEach((target, n) => {
    const marks = [];
    let sum = 0;
    for (let t = 0; t < 10; t++) {
      if (x[(n * 10 + t) * 2 + 1] === 1) {
        marks.push(t);
        sum += x[(n * 10 + t) * 2];
      }
    }
    assert.ok(marks.length === 2 && marks[0] < 5 && marks[1] >= 5 && sum === target);
    error += (target - 1) ** 2 / 20000;
  });
  assert.ok(Math.abs(error - 1 / 6) < 0.005, `${error}`);
});

for (const seed of [1, 2, 3]) {
  test(`adding, T = 50, seed ${seed}: 361 parameters solve it within 1,500 steps`, () => {
    const { p, error, steps } = solve({ cell: 'lstm', T: 50, seed });
    assert.equal(p.all.length, 361);
    assert.ok(error < 0.01 && steps <= 1500, `${error} after ${steps}`);
  });
}
