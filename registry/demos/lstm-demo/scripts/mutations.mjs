#!/usr/bin/env node
// @ts-check
/**
 * Would the tests notice? Seven mistakes that are easily made in an LSTM are made on purpose, one
 * at a time, in a copy of this repository; then the tests run. A mistake that no test sees is a
 * test that is missing. Exit code 1 if one gets through. Takes a few seconds.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
// The quick files first; the rest of the tests only train longer.
const files = ['article', 'training', 'gradients'];

/** @type {{ name: string, file: string, from: string, to: string }[]} */
const mutations = [
  {
    name: 'weights of h and x swapped', file: 'src/toy.mjs',
    from: 'p.R[gate] = h;\n    p.W[gate] = x;', to: 'p.R[gate] = x;\n    p.W[gate] = h;',
  },
  {
    name: 'hard sigmoid', file: 'src/cell.mjs',
    from: 'sigmoid = (z) => 1 / (1 + Math.exp(-z))', to: 'sigmoid = (z) => Math.max(0, Math.min(1, 0.2 * z + 0.5))',
  },
  {
    name: 'output gate without (1 - o)', file: 'src/cell.mjs',
    from: 'dO * o[n] * (1 - o[n])', to: 'dO * o[n]',
  },
  {
    name: 'gates in the order f, g, i, o', file: 'src/cell.mjs',
    from: 'export const I = 1;\nexport const G = 2;', to: 'export const I = 2;\nexport const G = 1;',
  },
  {
    name: 'dc not multiplied by f', file: 'src/cell.mjs',
    from: 'dc[before] += dc[n] * f[n];', to: 'dc[before] += dc[n];',
  },
  {
    name: 'Adam without bias correction', file: 'src/train.mjs',
    from: '(rate * (mean[k] / correct1)) / (Math.sqrt(square[k] / correct2) + epsilon)',
    to: '(rate * mean[k]) / (Math.sqrt(square[k]) + epsilon)',
  },
  {
    name: 'Box-Muller, the sine first', file: 'src/random.mjs',
    from: 'radius * Math.cos(angle), radius * Math.sin(angle)',
    to: 'radius * Math.sin(angle), radius * Math.cos(angle)',
  },
];

/**
 * Runs the tests in a folder until a file fails. Returns the name of a test that failed.
 * @param {string} folder
 */
function failure(folder) {
  for (const file of files) {
    const args = ['--test', '--test-reporter=tap', join('test', `${file}.test.mjs`)];
    const { status, stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', timeout: 60_000 });
    if (status !== 0) return /^not ok \d+ - (.*)$/m.exec(stdout)?.[1] ?? `${file}.test.mjs did not finish`;
  }
  return undefined;
}

const folder = mkdtempSync(join(tmpdir(), 'lstm-demo-mutations-'));
let missed = 0;
try {
  for (const part of ['package.json', 'src', 'test']) cpSync(join(root, part), join(folder, part), { recursive: true });
  const before = failure(folder);
  if (before) throw new Error(`the tests fail without any mutation: ${before}`);
  for (const { name, file, from, to } of mutations) {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    if (text.split(from).length !== 2) throw new Error(`${file} does not hold exactly once: ${from}`);
    writeFileSync(path, text.replace(from, to));
    const by = failure(folder);
    writeFileSync(path, text);
    if (!by) missed++;
    console.log(`  ${by ? 'caught    ' : 'NOT CAUGHT'}  ${name.padEnd(30)}${by ?? ''}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`\n  ${mutations.length - missed} of ${mutations.length} mutations caught`);
process.exitCode = missed ? 1 : 0;
