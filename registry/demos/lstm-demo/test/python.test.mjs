// @ts-check
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { companies } from '../src/tasks.mjs';
import { answer, oneStep, published, toRows, trainToy, untrained } from '../src/toy.mjs';

const file = fileURLToPath(new URL('../python/worked_example.py', import.meta.url));
const python = (/** @type {string[]} */ ...args) => {
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
  const { status, stdout, stderr } = spawnSync('python3', [file, ...args], { encoding: 'utf8', env });
  return { status, stdout, stderr };
};
const version = spawnSync('python3', ['-c', 'import sys; print(sys.version_info >= (3, 9))'], { encoding: 'utf8' });
const skip = version.stdout?.trim() === 'True' ? false : 'no python3 (3.9 or newer) on PATH';
const digits = (/** @type {number[]} */ values) => values.map((v) => v.toFixed(8));

test('Python: the worked example agrees to 8 decimals', { skip }, () => {
  for (const x of [1, -10]) {
    const { exact } = JSON.parse(python('explain', '--x', String(x), '--json').stdout);
    const ours = oneStep({ x, h: 1, c: 2 });
    assert.deepEqual(Object.keys(exact), Object.keys(ours));
    assert.deepEqual(digits(Object.values(exact)), digits(Object.values(ours)));
  }
});

test('Python: the companies agree to 8 decimals', { skip }, () => {
  const { companies: theirs } = JSON.parse(python('companies', '--json').stdout);
  assert.deepEqual(
    digits(theirs.map((/** @type {{ answer: number }} */ c) => c.answer)),
    digits(companies.map(({ days }) => answer(published(), days))),
  );
});

test('Python: the twelve trained weights agree to 8 decimals', { skip }, () => {
  for (const seed of [42, 7]) {
    const { weights } = JSON.parse(python('companies', '--train', '--seed', String(seed), '--json').stdout);
    assert.deepEqual(digits(weights.flat()), digits(toRows(trainToy(untrained(seed))).flat()));
  }
});

test('Python: doctor says so, wrong usage is exit code 2', { skip }, () => {
  const { status, stdout } = python('doctor');
  assert.equal(status, 0);
  assert.match(stdout, /retrained 12\/12 weights/);
  for (const args of [['nope'], ['explain', '--x', 'banana'], ['explain', '--x', 'nan'], ['explain', '--T', '3']]) {
    assert.equal(python(...args).status, 2, args.join(' '));
  }
});
