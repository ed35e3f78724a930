// @ts-check
/**
 * The kernel behind --fast: the equations of cell.mjs for N sequences at once, in float32, four
 * numbers an instruction. cell.mjs is the reference; this file says the same in an order that a
 * processor likes, and test/fast.test.mjs holds the two together.
 *
 * What makes it fast:
 *
 * - A value of all N sequences is one row of N numbers, so four sequences go through each
 *   instruction side by side. (One sequence has nothing to put side by side: a step needs the last.)
 * - What goes into the gates at step t is one matrix U_t of K = H + D + 1 rows: h of the step
 *   before, x, and ones. R, W and b are then one matrix M of 4H rows and K columns, and
 *
 *       forward    Z_t = M U_t             then the gates, c and h, which goes into U_(t+1)
 *       backward   dh  = M^T dZ_t          the columns of h only
 *       gradient   dM  = sum of dZ_t U_t^T over the steps
 *
 * - Each of the three products is computed in blocks of eight sums that stay in registers: six
 *   numbers are loaded for eight multiplications instead of two for each.
 * - The exponential is a polynomial without a branch, so the four lanes can stay together.
 *
 * D, H, N and T are constants in the code: a kernel is made for a shape, in a millisecond.
 */
import { F, G, I, O } from './cell.mjs';
import { assemble, f32, f32x4, i32, i32x4, repeat } from './wasm-assembler.mjs';

/**
 * @typedef {import('./wasm-assembler.mjs').Code} Code
 * @typedef {import('./wasm-assembler.mjs').Local} Local
 * @typedef {(type: 'i32' | 'v128') => Local} Make
 * @typedef {{ D: number, H: number, N: number, T: number }} Shape      N: a multiple of 8
 */

const { add, sub, mul, div } = f32x4;
const zero = f32x4.const(0);
const one = f32x4.const(1);
const two = f32x4.const(2);
const vector = 16; // bytes of four float32
const start = i32.const(0);

/** @param {Make} local @param {number} count */
const pointers = (local, count) => Array.from({ length: count }, () => local('i32'));

/**
 * Where things are in the memory, in bytes. A row is N numbers.
 * @param {Shape} shape
 */
export function layout({ D, H, N, T }) {
  const K = H + D + 1;
  const row = N * 4;
  let bytes = 0;
  const next = (/** @type {number} */ size) => (bytes += size) - size;
  const places = {
    U: next((T + 1) * K * row), // U_1 .. U_(T+1); the first H rows of the last are h_T
    A: next(T * 4 * H * row), // f, i, g, o of step 1 .. T, H rows each; backward leaves dZ here
    C: next((T + 1) * H * row), // c_0 .. c_T
    S: next(T * H * row), // tanh(c_1) .. tanh(c_T)
    dh: next(H * row), // of the step that backward is at: H rows each
    dc: next(H * row),
    M: next(4 * H * K * 4),
    dM: next(4 * H * K * 4),
  };
  return { K, row, ...places, bytes };
}

/**
 * 2^y = 2^n 2^r, where n is y rounded and r the rest, at most 1/2 either way. There the Taylor
 * polynomial of degree 6 is right to 1.3e-7. A sigmoid or tanh that is made of it is a quarter or a
 * half as far off, which is what float32 cannot show anyway.
 * @param {Make} local
 */
function powerOfTwo(local) {
  const r = local('v128');
  const shifted = local('v128');
  // Added to a small number this leaves no bits for a fraction: the sum is rounded, and its lowest
  // bits are the whole number itself.
  const rounder = f32x4.const(1.5 * 2 ** 23);
  let polynomial = f32x4.const(Math.LN2 ** 6 / 720);
  for (const [power, factorial] of [[5, 120], [4, 24], [3, 6], [2, 2], [1, 1], [0, 1]]) {
    polynomial = add(mul(polynomial, r.get), f32x4.const(Math.LN2 ** power / factorial));
  }
  /** @param {Code} y @returns {Code} code that leaves 2^y */
  return (y) => [
    // Further out sigmoid and tanh are at their ends, and 2^n would leave the range of float32.
    r.set(f32x4.pmin(f32x4.pmax(y, f32x4.const(-120)), f32x4.const(120))),
    shifted.set(add(r.get, rounder)),
    r.set(sub(r.get, sub(shifted.get, rounder))),
    // A float32 has its power of two in the bits from 23 on: adding n there multiplies by 2^n.
    i32x4.add(polynomial, i32x4.shiftLeft(shifted.get, 23)),
  ];
}

/**
 * A block of sums, rows x columns of them, each four lanes wide.
 * @param {Make} local @param {number} rows @param {number} columns
 */
function block(local, rows, columns) {
  const sums = Array.from({ length: rows }, () => Array.from({ length: columns }, () => local('v128')));
  const left = local('v128');
  const right = Array.from({ length: columns }, () => local('v128'));
  return {
    sums,
    clear: sums.flat().map((sum) => sum.set(zero)),
    /**
     * sums[i][j] += lefts[i] * rights[j]: each operand is loaded once.
     * @param {(i: number) => Code} lefts @param {(j: number) => Code} rights @returns {Code}
     */
    accumulate: (lefts, rights) => [
      right.map((value, j) => value.set(rights(j))),
      sums.map((row, i) => [
        left.set(lefts(i)),
        row.map((sum, j) => sum.set(add(sum.get, mul(left.get, right[j].get)))),
      ]),
    ],
  };
}

/**
 * One piece of code per sum.
 * @param {Local[][]} sums @param {(sum: Local, i: number, j: number) => Code} piece
 */
const each = (sums, piece) => sums.flatMap((row, i) => row.map((sum, j) => piece(sum, i, j)));

/**
 * Fills A, C, S and the h rows of U, from the x rows and the ones of U and from M.
 * @param {Shape} shape @returns {(local: Make) => Code}
 */
const forward = (shape) => (local) => {
  const { H, N, T } = shape;
  const { K, row, U, A, C, S, M } = layout(shape);
  const unitRows = H * row; // bytes of one gate in A, and of a step in C and S
  const power = powerOfTwo(local);
  // 1 / (1 + e^-z) and 1 - 2 / (1 + e^2z), with e^z = 2^(z / ln 2)
  const sigmoid = (/** @type {Code} */ z) => div(one, add(one, power(mul(z, f32x4.const(-1 / Math.LN2)))));
  const tanh = (/** @type {Code} */ z) => sub(one, div(two, add(one, power(mul(z, f32x4.const(2 / Math.LN2))))));

  const [uStep, aStep, cStep] = pointers(local, 3); // where this step begins in U, A and C
  const [unit, n, mRow] = pointers(local, 3); // the unit's row in a step, the place in the row, its row of M
  const [m, u] = pointers(local, 2); // run along the row of M and down the rows of U
  const [aAt, cAt, uAt] = pointers(local, 3); // the same unit and sequences in A, in C and S, in U
  const [f, i, g, o, c, s] = Array.from({ length: 6 }, () => local('v128'));
  const { sums, clear, accumulate } = block(local, 4, 2);

  /** The sums of the four gates of a unit, for two vectors of sequences. */
  const products = repeat(local, K, [[m, mRow.get, 4], [u, i32.add(uStep.get, n.get), row]],
    accumulate(
      (q) => f32x4.loadSplat(m.get, M + q * H * K * 4),
      (v) => f32x4.load(u.get, U + v * vector),
    ));
  /** The lines of cell.mjs for one vector. @param {number} v */
  const cell = (v) => [
    f.set(sigmoid(sums[F][v].get)),
    i.set(sigmoid(sums[I][v].get)),
    g.set(tanh(sums[G][v].get)),
    o.set(sigmoid(sums[O][v].get)),
    c.set(add(mul(f.get, f32x4.load(cAt.get, C + v * vector)), mul(i.get, g.get))),
    s.set(tanh(c.get)),
    f32x4.store(aAt.get, f.get, A + F * unitRows + v * vector),
    f32x4.store(aAt.get, i.get, A + I * unitRows + v * vector),
    f32x4.store(aAt.get, g.get, A + G * unitRows + v * vector),
    f32x4.store(aAt.get, o.get, A + O * unitRows + v * vector),
    f32x4.store(cAt.get, c.get, C + unitRows + v * vector),
    f32x4.store(cAt.get, s.get, S + v * vector),
    f32x4.store(uAt.get, mul(o.get, s.get), U + K * row + v * vector),
  ];
  const here = (/** @type {Local} */ step) => i32.add(step.get, i32.add(unit.get, n.get));
  return repeat(local, T, [[uStep, start, K * row], [aStep, start, 4 * unitRows], [cStep, start, unitRows]],
    repeat(local, H, [[unit, start, row], [mRow, start, K * 4]],
      repeat(local, N / 8, [[n, start, 2 * vector]], [
        clear,
        products,
        aAt.set(here(aStep)),
        cAt.set(here(cStep)),
        uAt.set(here(uStep)),
        cell(0),
        cell(1),
      ])));
};

/**
 * From dh of the last step to dM. On the way dZ takes the place of the gates in A.
 * @param {Shape} shape @returns {(local: Make) => Code}
 */
const backward = (shape) => (local) => {
  const { H, N, T } = shape;
  const { K, row, U, A, C, S, dh, dc, M, dM } = layout(shape);
  const unitRows = H * row;
  const [aStep, cStep] = pointers(local, 2); // where this step begins in A, and in C and S
  const [f, i, g, o, s, dhNow, dcNow] = Array.from({ length: 7 }, () => local('v128'));
  const sigmoidSlope = (/** @type {Local} */ y) => mul(y.get, sub(one, y.get));
  const tanhSlope = (/** @type {Local} */ y) => sub(one, mul(y.get, y.get));

  /** The lines of cell.mjs for all units and sequences of a step, one vector after the other. */
  const [at, a, c] = pointers(local, 3);
  const gates = repeat(local, (H * N) / 4, [[at, start, vector], [a, aStep.get, vector], [c, cStep.get, vector]], [
    f.set(f32x4.load(a.get, A + F * unitRows)),
    i.set(f32x4.load(a.get, A + I * unitRows)),
    g.set(f32x4.load(a.get, A + G * unitRows)),
    o.set(f32x4.load(a.get, A + O * unitRows)),
    s.set(f32x4.load(c.get, S)),
    dhNow.set(f32x4.load(at.get, dh)),
    dcNow.set(add(f32x4.load(at.get, dc), mul(mul(dhNow.get, o.get), tanhSlope(s)))),
    f32x4.store(a.get, mul(mul(dcNow.get, f32x4.load(c.get, C)), sigmoidSlope(f)), A + F * unitRows),
    f32x4.store(a.get, mul(mul(dcNow.get, g.get), sigmoidSlope(i)), A + I * unitRows),
    f32x4.store(a.get, mul(mul(dcNow.get, i.get), tanhSlope(g)), A + G * unitRows),
    f32x4.store(a.get, mul(mul(dhNow.get, s.get), sigmoidSlope(o)), A + O * unitRows),
    f32x4.store(at.get, mul(dcNow.get, f.get), dc),
  ]);

  /**
   * dh of the step before: units `from` on, `count` side by side, `times` times.
   * @param {number} from @param {number} count @param {number} times @returns {Code}
   */
  function hidden(from, count, times) {
    if (!count || !times) return [];
    const [mColumn, out, n, m, z] = pointers(local, 5);
    const { sums, clear, accumulate } = block(local, count, 2);
    return repeat(local, times, [[mColumn, i32.const(from * 4), count * 4], [out, i32.const(from * row), count * row]],
      repeat(local, N / 8, [[n, start, 2 * vector]], [
        clear,
        repeat(local, 4 * H, [[m, mColumn.get, K * 4], [z, i32.add(aStep.get, n.get), row]],
          accumulate(
            (k) => f32x4.loadSplat(m.get, M + k * 4),
            (v) => f32x4.load(z.get, A + v * vector),
          )),
        each(sums, (sum, k, v) => f32x4.store(i32.add(out.get, n.get), sum.get, dh + k * row + v * vector)),
      ]));
  }

  /**
   * dM, four rows at a time: columns `from` on, `count` side by side, `times` times. The sums are
   * over all steps and sequences, and in the end over the four lanes.
   * @param {number} from @param {number} count @param {number} times @returns {Code}
   */
  function weights(from, count, times) {
    if (!count || !times) return [];
    const [zRows, mRows, uRows, out, zStep, uStep, z, u] = pointers(local, 8);
    const { sums, clear, accumulate } = block(local, 4, count);
    return repeat(local, H, [[zRows, start, 4 * row], [mRows, i32.const(from * 4), 4 * K * 4]],
      repeat(local, times, [[uRows, i32.const(from * row), count * row], [out, mRows.get, count * 4]], [
        clear,
        repeat(local, T, [[zStep, zRows.get, 4 * unitRows], [uStep, uRows.get, K * row]],
          repeat(local, N / 4, [[z, zStep.get, vector], [u, uStep.get, vector]],
            accumulate(
              (k) => f32x4.load(z.get, A + k * row),
              (l) => f32x4.load(u.get, U + l * row),
            ))),
        each(sums, (sum, k, l) => {
          const [lane0, lane1, lane2, lane3] = [0, 1, 2, 3].map((lane) => f32x4.lane(sum.get, lane));
          return f32.store(out.get, f32.add(f32.add(lane0, lane1), f32.add(lane2, lane3)), dM + (k * K + l) * 4);
        }),
      ]));
  }

  const [lastA, lastC] = [(T - 1) * 4 * unitRows, (T - 1) * unitRows];
  return [
    repeat(local, T, [[aStep, i32.const(lastA), -4 * unitRows], [cStep, i32.const(lastC), -unitRows]], [
      gates,
      hidden(0, 4, Math.floor(H / 4)),
      hidden(H - (H % 4), H % 4, 1),
    ]),
    weights(0, 2, Math.floor(K / 2)),
    weights(K - (K % 2), K % 2, 1),
  ];
};

/** @param {Shape} shape @returns {Uint8Array<ArrayBuffer>} the bytes of the module */
export function fastKernel(shape) {
  if (shape.N % 8 || shape.N < 8) throw new RangeError(`N must be a multiple of 8, not ${shape.N}`);
  return assemble({
    bytes: layout(shape).bytes,
    functions: { forward: forward(shape), backward: backward(shape) },
  });
}
