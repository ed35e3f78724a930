// @ts-check
/**
 * The engine behind --fast: the same as `readable` of train.mjs, computed by fast-kernel.mjs.
 * Weights and results stay float64 out here; the kernel works on float32 copies. Readout, loss,
 * clipping and Adam are the same code, so the two engines differ by rounding and by nothing else.
 */
import { lstm } from './cell.mjs';
import { fastKernel, layout } from './fast-kernel.mjs';
import { mersenneTwister } from './random.mjs';
import { initialise, readable } from './train.mjs';
import { assemble, f32x4, i32 } from './wasm-assembler.mjs';

/**
 * @typedef {import('./train.mjs').Lstm} Lstm
 * @typedef {import('./train.mjs').Rnn} Rnn
 * @typedef {import('./train.mjs').Engine} Engine
 * @typedef {import('./tasks.mjs').Batch} Batch
 */

/** Sequences that go through the kernel at once; larger batches go in parts. */
const N = 32;

/** Node's WebAssembly, if any: its types are in the browser's library only. */
const webAssembly = () => /** @type {any} */ (globalThis).WebAssembly;

/**
 * Can this machine run the kernel? It is asked with a module of one SIMD instruction.
 * @returns {boolean}
 */
export function hasSimd() {
  if (!webAssembly()) return false; // Node was told to do without: --jitless
  const functions = { one: () => f32x4.store(i32.const(0), f32x4.const(0)) };
  return webAssembly().validate(assemble({ bytes: 16, functions }));
}

/**
 * Which engine computes, and with --fast a sentence about it: where the kernel cannot be had the
 * readable code does the same work, and says so.
 * @param {'lstm' | 'rnn'} kind @param {boolean | undefined} wanted
 * @returns {{ engine: 'kernel' | 'readable', note?: string }}
 */
export function chosenEngine(kind, wanted) {
  if (!wanted) return { engine: 'readable' };
  const instead = (/** @type {string} */ why) => `--fast: ${why}; the readable code computes instead.`;
  if (kind !== 'lstm') return { engine: 'readable', note: instead('the kernel knows the LSTM only') };
  if (!hasSimd()) return { engine: 'readable', note: instead('no WebAssembly SIMD here') };
  return { engine: 'kernel', note: 'The SIMD kernel computes, in float32.' };
}

/** @param {Lstm | Rnn} p @param {number} T @param {boolean | undefined} wanted @returns {Engine} */
export const engineFor = (p, T, wanted) =>
  p.kind === 'lstm' && chosenEngine(p.kind, wanted).engine === 'kernel' ? fast(p, T) : readable(p, T);

/**
 * The gradient of a batch by both engines: the largest difference, as a part of the largest number.
 * @param {{ D: number, H: number, T: number, N: number, seed: number }} options
 */
export function kernelCheck({ D, H, T, N: all, seed }) {
  const random = mersenneTwister(seed);
  const some = (/** @type {number} */ size) => Float64Array.from({ length: size }, () => random.uniform(-1, 1));
  const p = lstm(D, H);
  initialise(p, random);
  p.b.set(some(p.b.length));
  p.a.set(some(1));
  const batch = { N: all, T, D, x: some(all * T * D), y: some(all) };
  const [want, found] = [readable(p, T), fast(p, T)].map((engine) => {
    const grad = new Float64Array(p.all.length);
    engine.gradient(batch, grad);
    return grad;
  });
  const largest = Math.max(...want.map(Math.abs));
  return { parameters: want.length, worst: Math.max(...want.map((d, k) => Math.abs(d - found[k]))) / largest };
}

/** @param {Lstm} p @param {number} T @returns {Engine} */
export function fast(p, T) {
  const { D, H } = p;
  const shape = { D, H, N, T };
  const at = layout(shape);
  const { K } = at; // rows of U: h, x and ones
  const { Module, Instance } = webAssembly();
  /** @type {{ memory: { buffer: ArrayBuffer }, forward: () => void, backward: () => void }} */
  const { memory, forward, backward } = new Instance(new Module(fastKernel(shape))).exports;
  const floats = (/** @type {number} */ start, /** @type {number} */ count) =>
    new Float32Array(memory.buffer, start, count);
  const u = floats(at.U, T * K * N);
  const h = floats(at.U + T * K * at.row, H * N); // of the last step: h[k*N + n]
  const [dh, dc] = [floats(at.dh, H * N), floats(at.dc, H * N)];
  const [m, dm] = [floats(at.M, 4 * H * K), floats(at.dM, 4 * H * K)];
  const grad = lstm(D, H);
  for (let t = 0; t < T; t++) u.fill(1, (t * K + K - 1) * N, (t * K + K) * N);

  /** R, W and b into one matrix. */
  function giveWeights() {
    for (let r = 0; r < 4 * H; r++) {
      for (let j = 0; j < H; j++) m[r * K + j] = p.R[r * H + j];
      for (let d = 0; d < D; d++) m[r * K + H + d] = p.W[r * D + d];
      m[r * K + H + D] = p.b[r];
    }
  }

  /** The way back. */
  function addGradients() {
    for (let r = 0; r < 4 * H; r++) {
      for (let j = 0; j < H; j++) grad.R[r * H + j] += dm[r * K + j];
      for (let d = 0; d < D; d++) grad.W[r * D + d] += dm[r * K + H + d];
      grad.b[r] += dm[r * K + H + D];
    }
  }

  /**
   * Runs the sequences from `first` on, as many as fit, and returns their number. Where there are
   * fewer than N the others are zeros, and nobody asks for what becomes of them.
   * @param {Batch} batch @param {number} first
   */
  function run({ N: all, x }, first) {
    const count = Math.min(N, all - first);
    for (let t = 0; t < T; t++) {
      for (let d = 0; d < D; d++) {
        const to = (t * K + H + d) * N;
        for (let n = 0; n < count; n++) u[to + n] = x[((first + n) * T + t) * D + d];
        u.fill(0, to + count, to + N);
      }
    }
    forward();
    return count;
  }

  /** @param {number} n */
  function read(n) {
    let y = p.a[0];
    for (let k = 0; k < H; k++) y += p.V[k] * h[k * N + n];
    return y;
  }

  return {
    gradient(batch, out) {
      grad.all.fill(0);
      giveWeights();
      let loss = 0;
      for (let first = 0; first < batch.N; first += N) {
        const count = run(batch, first);
        dh.fill(0);
        dc.fill(0);
        for (let n = 0; n < count; n++) {
          const error = read(n) - batch.y[first + n];
          loss += (error * error) / batch.N;
          const d = (2 * error) / batch.N;
          grad.a[0] += d;
          for (let k = 0; k < H; k++) {
            grad.V[k] += d * h[k * N + n];
            dh[k * N + n] = d * p.V[k];
          }
        }
        backward();
        addGradients();
      }
      out.set(grad.all);
      return loss;
    },
    answers(batch) {
      const out = new Float64Array(batch.N);
      giveWeights();
      for (let first = 0; first < batch.N; first += N) {
        const count = run(batch, first);
        for (let n = 0; n < count; n++) out[first + n] = read(n);
      }
      return out;
    },
  };
}
