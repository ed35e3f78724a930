// @ts-check
/** --fast: the kernel computes what the readable code computes, and is never needed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { lstm } from '../src/cell.mjs';
import { main } from '../src/cli.mjs';
import { fast, hasSimd, kernelCheck } from '../src/fast.mjs';
import { mersenneTwister } from '../src/random.mjs';
import { adding } from '../src/tasks.mjs';
import { initialise, readable } from '../src/train.mjs';
import { solve } from '../src/verbs/adding.mjs';
import { learnLatch } from '../src/verbs/gradients.mjs';
import { assemble, f32, f32x4, i32, repeat } from '../src/wasm-assembler.mjs';

const skip = hasSimd() ? false : 'no WebAssembly SIMD here';
const { WebAssembly: webAssembly } = /** @type {any} */ (globalThis);
const bin = fileURLToPath(new URL('../bin/lstm-demo.mjs', import.meta.url));

/** @param {string[]} args */
function run(args) {
  let [stdout, stderr] = ['', ''];
  const status = main(args, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    env: { LANG: 'C.UTF-8' },
  });
  return { status, stdout, stderr };
}

/** A verb's answer in a Node without WebAssembly. @param {string[]} args */
function runWithout(args) {
  const globals = /** @type {any} */ (globalThis);
  globals.WebAssembly = undefined;
  try {
    return run(args);
  } finally {
    globals.WebAssembly = webAssembly;
  }
}

test('the smallest module, byte by byte', () => {
  const header = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const type = [1, 4, 1, 0x60, 0, 0];
  const functions = [3, 2, 1, 0];
  const memory = [5, 3, 1, 0, 1];
  const name = (/** @type {string} */ text) => [text.length, ...Buffer.from(text)];
  const exports = [7, 14, 2, ...name('memory'), 2, 0, ...name('f'), 0, 0];
  const code = [10, 4, 1, 2, 0, 0x0b];
  const bytes = assemble({ bytes: 1, functions: { f: () => [] } });
  assert.deepEqual([...bytes], [...header, ...type, ...functions, ...memory, ...exports, ...code]);
});

test('the assembler: numbers of every size, loops, the lanes of a vector', { skip }, () => {
  const constants = [0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, 2 ** 20, -(2 ** 20), 2 ** 31 - 1, -(2 ** 31)];
  const half = f32x4.lane(f32x4.const(0.5), 3);
  const bytes = assemble({
    bytes: 65537, // two pages
    functions: {
      /** 0.5 goes to place 1, 2, 3 and so on, each address a sum with one of the constants. */
      numbers: () => constants.map((n, k) =>
        f32.store(i32.add(i32.const(n), i32.const(((k + 1) * 4 - n) | 0)), half)),
      /** The same at places 100, 200, 300 and 400. */
      loop(local) {
        const at = local('i32');
        return repeat(local, 4, [[at, i32.const(400), 400]], f32.store(at.get, half));
      },
      lanes: () => [
        f32x4.store(i32.const(0), f32x4.sub(f32x4.loadSplat(i32.const(16), 384), f32x4.const(2)), 65536),
        f32.store(i32.const(4), f32x4.lane(f32x4.load(i32.const(396), 0), 1), 65552),
      ],
    },
  });
  const { memory, numbers, loop, lanes } = new webAssembly.Instance(new webAssembly.Module(bytes)).exports;
  assert.equal(memory.buffer.byteLength, 2 * 65536);
  const floats = new Float32Array(memory.buffer);
  const places = () => [...floats.entries()].filter(([, value]) => value === 0.5).map(([place]) => place);
  numbers();
  assert.deepEqual(places(), constants.map((_, k) => k + 1));
  floats.fill(0);
  loop();
  assert.deepEqual(places(), [100, 200, 300, 400]);
  lanes();
  assert.deepEqual([...floats.subarray(16384, 16390)], [-1.5, -1.5, -1.5, -1.5, 0, 0.5]);
});

for (const shape of [
  { D: 2, H: 8, T: 50, N: 32 },
  { D: 1, H: 8, T: 100, N: 32 },
  { D: 2, H: 32, T: 50, N: 32 },
  { D: 3, H: 1, T: 1, N: 1 },
  { D: 1, H: 3, T: 9, N: 40 },
  { D: 2, H: 6, T: 20, N: 70 },
]) {
  test(`gradients as the readable code's, 1e-6 of the largest: ${JSON.stringify(shape)}`, { skip }, () => {
    for (const seed of [1, 2, 3]) {
      const { worst } = kernelCheck({ ...shape, seed });
      assert.ok(worst < 1e-6, `seed ${seed}: ${worst}`);
    }
  });
}

test('answers as the readable code\'s, however far the weights have grown', { skip }, () => {
  const random = mersenneTwister(1);
  const p = lstm(2, 8);
  initialise(p, random, { forget: 1 });
  const batch = adding(random, 45, 50);
  for (const factor of [1, 10, 1000]) {
    for (let k = 0; k < p.R.length; k++) p.R[k] *= factor;
    for (let k = 0; k < p.W.length; k++) p.W[k] *= factor;
    const [want, found] = [readable(p, 50), fast(p, 50)].map((engine) => engine.answers(batch));
    // Large weights make the sequence of states chaotic: there only one step can be compared.
    if (factor === 1) want.forEach((y, n) => assert.ok(Math.abs(y - found[n]) < 1e-5, `${y}, ${found[n]}`));
    else assert.ok(found.every(Number.isFinite));
    const one = { ...batch, T: 1, x: batch.x.subarray(0, 45 * 2) };
    const [first, second] = [readable(p, 1), fast(p, 1)].map((engine) => engine.answers(one));
    first.forEach((y, n) => assert.ok(Math.abs(y - second[n]) < 1e-5, `${y}, ${second[n]}`));
  }
});

test('what is not a number stays visible', { skip }, () => {
  const p = lstm(2, 8);
  initialise(p, mersenneTwister(1));
  p.b[3] = NaN;
  const engine = fast(p, 5);
  const batch = adding(mersenneTwister(2), 4, 5);
  assert.ok(engine.answers(batch).every(Number.isNaN));
  assert.ok(Number.isNaN(engine.gradient(batch, new Float64Array(p.all.length))));
});

for (const seed of [1, 2, 3]) {
  test(`adding --fast, T = 50, seed ${seed}: solved within 1,500 steps`, { skip }, () => {
    const { error, steps, p } = solve({ cell: 'lstm', T: 50, seed, fast: true });
    assert.ok(error < 0.01 && steps <= 1500, `${error} after ${steps}`);
    // The readable code agrees about what was learnt.
    const unseen = adding(mersenneTwister(seed + 1000), 1000, 50);
    const answers = readable(p, 50).answers(unseen);
    const again = answers.reduce((sum, y, n) => sum + (y - unseen.y[n]) ** 2, 0) / 1000;
    assert.ok(Math.abs(again - error) < 1e-5, `${again}, ${error}`);
  });
}

test('latch with the kernel, T = 100: learnt from forget bias ln T in 400 steps, not from 1', { skip }, () => {
  assert.ok(learnLatch({ forget: Math.log(100), T: 100, seed: 1, fast: true }).solved);
  assert.ok(!learnLatch({ forget: 1, T: 100, seed: 1, fast: true }).solved);
});

test('adding --fast and gradients --fast say who computes', { skip }, () => {
  for (const verb of ['adding', 'gradients']) {
    assert.match(run([verb, '--T', '10', '--fast']).stdout, /The SIMD kernel computes, in float32\./);
    assert.equal(JSON.parse(run([verb, '--T', '10', '--fast', '--json']).stdout).engine, 'kernel');
    assert.equal(JSON.parse(run([verb, '--T', '10', '--json']).stdout).engine, 'readable');
    assert.match(run([verb, '--help']).stdout, /--fast +\S/);
  }
});

test('without WebAssembly SIMD: a sentence, the readable code, exit code 0', () => {
  const message = /--fast: no WebAssembly SIMD here; the readable code computes instead\./;
  for (const verb of ['adding', 'gradients']) {
    const { status, stdout, stderr } = runWithout([verb, '--T', '10', '--fast']);
    assert.equal(status, 0);
    assert.equal(stderr, '');
    assert.match(stdout, message);
    const found = JSON.parse(runWithout([verb, '--T', '10', '--fast', '--json']).stdout);
    const want = JSON.parse(run([verb, '--T', '10', '--json']).stdout);
    assert.match(found.note, message);
    assert.deepEqual({ ...found, ms: 0, note: undefined }, { ...want, ms: 0, note: undefined });
  }
  assert.match(runWithout(['doctor']).stdout, /ok {4}SIMD kernel +no WebAssembly SIMD here/);
});

// The other way to have no SIMD: a processor without it. Node can be told to believe that it has one.
const noSse = process.arch === 'x64' ? false : 'a flag of Node for x64';
test('a processor without SIMD: the same', { skip: noSse }, () => {
  const args = ['--no-enable-sse4-1', bin, 'adding', '--T', '10', '--fast', '--json'];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(status, 0);
  assert.equal(JSON.parse(stdout).engine, 'readable');
});

test('the plain RNN has no kernel, and --fast says so', () => {
  const { status, stdout } = run(['adding', '--cell', 'rnn', '--T', '10', '--fast']);
  assert.equal(status, 0);
  assert.match(stdout, /--fast: the kernel knows the LSTM only; the readable code computes instead\./);
});

test('--fast is a flag of adding and gradients and of no other verb', () => {
  assert.equal(run(['closed', '--fast']).status, 2);
  assert.equal(run(['adding', '--fast=yes']).status, 2);
});

test('doctor compares the kernel with the readable code', { skip }, () => {
  assert.match(run(['doctor']).stdout, /ok {4}SIMD kernel +361 gradients, off by \de-\d+ of the largest/);
});
