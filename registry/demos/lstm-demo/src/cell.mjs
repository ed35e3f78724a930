// @ts-check
/**
 * The LSTM cell: forward and backward, written by hand, in the order of the equations.
 *
 *   f = sigmoid(R_f h' + W_f x + b_f)      forget gate: how much of the old memory stays
 *   i = sigmoid(R_i h' + W_i x + b_i)      input gate: how much of the candidate is added
 *   g = tanh   (R_g h' + W_g x + b_g)      candidate: what could be added
 *   o = sigmoid(R_o h' + W_o x + b_o)      output gate: how much of the memory is shown
 *   c = f * c' + i * g                     long-term memory (c' is the step before)
 *   h = o * tanh(c)                        short-term memory, which is also the output
 *
 * Layout. Gates come in the order f, i, g, o, so gate q of unit k is row q*H + k of R, W and b.
 * One Float64Array, `all`, holds every parameter (R, W, b, V, a, in this order, rows first); the
 * named arrays are views into it, so an optimiser can walk over `all` and never needs the names.
 * Rows of a trace are steps: row 0 is the state before the first step, row t the state after x_t.
 * One sequence at a time: a batch is a loop around this file (see train.mjs).
 */

export const F = 0; // rows of the forget gate: F*H .. F*H + H-1
export const I = 1;
export const G = 2;
export const O = 3;

/**
 * @typedef {object} Lstm
 * @property {'lstm'} kind
 * @property {number} D            numbers in one input
 * @property {number} H            units
 * @property {Float64Array} all    every parameter: R, W, b, V, a
 * @property {Float64Array} R      4H x H, multiplies the short-term memory h'
 * @property {Float64Array} W      4H x D, multiplies the input x
 * @property {Float64Array} b      4H
 * @property {Float64Array} V      H, the answer read from the last step: V . h + a
 * @property {Float64Array} a      1
 *
 * @typedef {object} LstmTrace     what forward leaves for backward and for the pictures
 * @property {number} T            steps
 * @property {Float64Array} f      (T+1) x H each; row 0 of f, i, g, o, s is not used
 * @property {Float64Array} i
 * @property {Float64Array} g
 * @property {Float64Array} o
 * @property {Float64Array} c      row 0: the memory to start from, zero unless the caller sets it
 * @property {Float64Array} s      tanh(c)
 * @property {Float64Array} h      row 0: as for c
 * @property {Float64Array} dh     after backward: dLoss/dh_t over all paths
 * @property {Float64Array} dc     after backward: dLoss/dc_t over all paths
 */

/** @param {number} z */
export const sigmoid = (z) => 1 / (1 + Math.exp(-z));

/**
 * An LSTM with all parameters zero. The same shape holds gradients.
 * @param {number} D @param {number} H @returns {Lstm}
 */
export function lstm(D, H) {
  const all = new Float64Array(4 * H * (H + D + 1) + H + 1);
  let at = 0;
  const next = (/** @type {number} */ n) => all.subarray(at, (at += n));
  return {
    kind: 'lstm', D, H, all,
    R: next(4 * H * H), W: next(4 * H * D), b: next(4 * H), V: next(H), a: next(1),
  };
}

/**
 * Room for T steps. Made once and used again: nothing is allocated while training.
 * @param {{ H: number }} p @param {number} T @returns {LstmTrace}
 */
export function lstmTrace({ H }, T) {
  const rows = () => new Float64Array((T + 1) * H);
  return {
    T, f: rows(), i: rows(), g: rows(), o: rows(), c: rows(), s: rows(), h: rows(),
    dh: rows(), dc: rows(),
  };
}

/**
 * Runs the cell over x (T x D, one row a step) and fills the trace.
 * @param {Lstm} p @param {Float64Array} x @param {LstmTrace} trace
 */
export function forward(p, x, trace) {
  const { D, H, R, W, b } = p;
  const { T, f, i, g, o, c, s, h } = trace;
  for (let t = 1; t <= T; t++) {
    const old = (t - 1) * H; // row of h' and c'
    const xAt = (t - 1) * D;
    for (let k = 0; k < H; k++) {
      const rf = F * H + k; // rows of the four gates of unit k
      const ri = I * H + k;
      const rg = G * H + k;
      const ro = O * H + k;
      // z = R h' + W x + b for each of them
      let zf = b[rf];
      let zi = b[ri];
      let zg = b[rg];
      let zo = b[ro];
      for (let j = 0; j < H; j++) {
        const hj = h[old + j];
        zf += R[rf * H + j] * hj;
        zi += R[ri * H + j] * hj;
        zg += R[rg * H + j] * hj;
        zo += R[ro * H + j] * hj;
      }
      for (let j = 0; j < D; j++) {
        const xj = x[xAt + j];
        zf += W[rf * D + j] * xj;
        zi += W[ri * D + j] * xj;
        zg += W[rg * D + j] * xj;
        zo += W[ro * D + j] * xj;
      }
      const n = t * H + k; // unit k, now
      f[n] = sigmoid(zf);
      i[n] = sigmoid(zi);
      g[n] = Math.tanh(zg);
      o[n] = sigmoid(zo);
      c[n] = f[n] * c[old + k] + i[n] * g[n];
      s[n] = Math.tanh(c[n]);
      h[n] = o[n] * s[n];
    }
  }
}

/**
 * The chain rule, last step first. Adds dLoss/dR, dLoss/dW and dLoss/db to `grad`.
 *
 * `dLoss` ((T+1) x H) is what the loss itself says about each h_t; what h_t does to later steps is
 * found here. Note the line for dc[before]: along the memory a gradient is multiplied by f and by
 * nothing else. With f near 1 it survives; this is what an LSTM is for.
 * @param {Lstm} p @param {Float64Array} x @param {LstmTrace} trace
 * @param {Float64Array} dLoss @param {Lstm} grad
 */
export function backward(p, x, trace, dLoss, grad) {
  const { D, H, R } = p;
  const { T, f, i, g, o, c, s, h, dh, dc } = trace;
  const { R: dR, W: dW, b: db } = grad;
  dh.set(dLoss);
  dc.fill(0);
  for (let t = T; t >= 1; t--) {
    const old = (t - 1) * H;
    const xAt = (t - 1) * D;
    for (let k = 0; k < H; k++) {
      const n = t * H + k;
      const before = old + k;
      // h = o * s with s = tanh(c), whose slope is 1 - s^2
      const dO = dh[n] * s[n];
      dc[n] += dh[n] * o[n] * (1 - s[n] * s[n]);
      // c = f * c' + i * g
      const dF = dc[n] * c[before];
      const dI = dc[n] * g[n];
      const dG = dc[n] * i[n];
      dc[before] += dc[n] * f[n];
      // through the sigmoids, slope y * (1 - y), and the tanh, slope 1 - y^2
      const zf = dF * f[n] * (1 - f[n]);
      const zi = dI * i[n] * (1 - i[n]);
      const zg = dG * (1 - g[n] * g[n]);
      const zo = dO * o[n] * (1 - o[n]);
      // z = R h' + W x + b
      const rf = F * H + k; // rows of the four gates of unit k
      const ri = I * H + k;
      const rg = G * H + k;
      const ro = O * H + k;
      db[rf] += zf;
      db[ri] += zi;
      db[rg] += zg;
      db[ro] += zo;
      for (let j = 0; j < D; j++) {
        const xj = x[xAt + j];
        dW[rf * D + j] += zf * xj;
        dW[ri * D + j] += zi * xj;
        dW[rg * D + j] += zg * xj;
        dW[ro * D + j] += zo * xj;
      }
      for (let j = 0; j < H; j++) {
        const hj = h[old + j];
        dR[rf * H + j] += zf * hj;
        dR[ri * H + j] += zi * hj;
        dR[rg * H + j] += zg * hj;
        dR[ro * H + j] += zo * hj;
        dh[old + j] +=
          zf * R[rf * H + j] + zi * R[ri * H + j] + zg * R[rg * H + j] + zo * R[ro * H + j];
      }
    }
  }
}
