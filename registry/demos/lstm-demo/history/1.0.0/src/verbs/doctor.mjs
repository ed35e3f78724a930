// @ts-check
/** Does this copy compute what it should, on this machine? Writes nothing, needs nothing. */
import { availableParallelism, arch, platform } from 'node:os';
import { forward, lstm, lstmTrace } from '../cell.mjs';
import { gradientCheck } from '../check.mjs';
import * as golden from '../golden.mjs';
import { publishedWeights } from '../numbers.mjs';
import { mersenneTwister, torchNormals } from '../random.mjs';
import { adding, companies } from '../tasks.mjs';
import { oneStep, published, toRows, trainToy, untrained } from '../toy.mjs';
import { initialise, readable } from '../train.mjs';

/** @typedef {{ name: string, ok: boolean, found: string }} Check */

/** The largest distance between two lists. @param {number[]} a @param {number[]} b */
const distance = (a, b) => Math.max(...a.map((v, k) => Math.abs(v - b[k])));

/** @returns {Check[]} */
export function checks() {
  /** @type {Check[]} */
  const out = [];
  const add = (/** @type {string} */ name, /** @type {boolean} */ ok, /** @type {string} */ found) =>
    out.push({ name, ok, found });

  const step = /** @type {Record<string, number>} */ (oneStep({ x: 1, h: 1, c: 2 }));
  const keys = Object.entries(golden.workedExample);
  const hits = keys.filter(([key, value]) => Math.abs(step[key] - value) < 1e-6).length;
  add('worked example', hits === keys.length, `${hits}/${keys.length} results`);

  let states = 0;
  for (const { name, days } of companies) {
    const trace = lstmTrace({ H: 1 }, 4);
    forward(published(), Float64Array.from(days), trace);
    const want = golden.companies[/** @type {'A' | 'B'} */ (name)];
    want.c.forEach((c, k) => (states += Number(Math.abs(trace.c[k + 1] - c) < 1e-4)));
    want.h.forEach((h, k) => (states += Number(Math.abs(trace.h[k + 1] - h) < 1e-6)));
  }
  add('companies', states === 16, `${states}/16 states`);

  const drawn = distance(torchNormals(42, 8), golden.normals);
  add('random numbers', drawn < 1e-14, `torch's first 8 of seed 42, off by ${drawn === 0 ? 0 : drawn.toExponential(0)}`);

  const rows = toRows(trainToy(untrained()));
  const want = publishedWeights.flatMap(({ h, x, b }) => [h, x, b]);
  const same = rows.flat().filter((w, k) => w.toFixed(2) === want[k].toFixed(2)).length;
  const off = distance(rows.flat(), golden.trained.rows.flat());
  add('training', same === 12 && off < 1e-6, `retrained ${same}/12 weights, off by ${off.toExponential(0)}`);

  for (const kind of /** @type {const} */ (['lstm', 'rnn'])) {
    const { parameters, worst } = gradientCheck(kind, 1);
    const found = `${parameters} parameters, worst ${worst.toExponential(1)}`;
    add(`gradient ${kind.toUpperCase()}`, worst < 1e-6, found);
  }
  return out;
}

/** Tokens a second, forward and backward, of the readable code: a fact, not a check. */
function speed() {
  const [H, N, T] = [8, 32, 50];
  const random = mersenneTwister(1);
  const p = initialise(lstm(2, H), random, { forget: 1 });
  const engine = readable(p, T);
  const batch = adding(random, N, T);
  const grad = new Float64Array(p.all.length);
  for (let k = 0; k < 20; k++) engine.gradient(batch, grad); // let the compiler warm up
  const began = performance.now();
  for (let k = 0; k < 40; k++) engine.gradient(batch, grad);
  return Math.round((40 * N * T) / ((performance.now() - began) / 1000));
}

/** @type {import('../cli.mjs').Verb} */
export const doctor = {
  name: 'doctor',
  summary: 'check this copy on this machine; exit 1 on any miss',
  about: ['Golden numbers, training and gradients. Writes nothing and needs no network.'],
  picture: false,
  flags: {},
  run(_, term) {
    const found = checks();
    for (const { name, ok, found: text } of found) {
      const verdict = ok ? term.good('ok  ') : term.bad('FAIL');
      term.line(`  ${verdict}  ${name.padEnd(16)}${text}`);
    }
    const tokens = speed();
    const machine = {
      node: process.version, platform: platform(), arch: arch(), cores: availableParallelism(),
      tokensPerSecond: tokens,
    };
    term.line();
    term.line(term.dim(`  node ${machine.node}, ${machine.platform} ${machine.arch}, ${machine.cores} cores`));
    term.line(term.dim(`  ${Math.round(tokens / 1000)},000 tokens a second, forward and backward, 8 units`));
    const misses = found.filter(({ ok }) => !ok).length;
    term.seen(
      misses
        ? `Seen: ${misses} of ${found.length} checks failed: this copy or this machine is not to be trusted.`
        : `Seen: all ${found.length} checks hold: this copy computes on this machine what it computes elsewhere.`,
    );
    return { ok: misses === 0, result: { verb: 'doctor', ok: misses === 0, checks: found, machine } };
  },
};
