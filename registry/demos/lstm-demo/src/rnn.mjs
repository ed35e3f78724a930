// @ts-check
/**
 * The plain recurrent network that the LSTM is compared with: h = tanh(R h' + W x + b).
 * Same layout and same interface as cell.mjs, one gate instead of four and no long-term memory.
 */

/**
 * @typedef {object} Rnn
 * @property {'rnn'} kind
 * @property {number} D @property {number} H
 * @property {Float64Array} all    R (H x H), W (H x D), b (H), V (H), a (1)
 * @property {Float64Array} R @property {Float64Array} W @property {Float64Array} b
 * @property {Float64Array} V @property {Float64Array} a
 *
 * @typedef {object} RnnTrace
 * @property {number} T
 * @property {Float64Array} h      (T+1) x H, row 0 is the state to start from
 * @property {Float64Array} dh     after backward: dLoss/dh_t over all paths
 */

/** @param {number} D @param {number} H @returns {Rnn} */
export function rnn(D, H) {
  const all = new Float64Array(H * (H + D + 1) + H + 1);
  let at = 0;
  const next = (/** @type {number} */ n) => all.subarray(at, (at += n));
  return {
    kind: 'rnn', D, H, all,
    R: next(H * H), W: next(H * D), b: next(H), V: next(H), a: next(1),
  };
}

/** @param {{ H: number }} p @param {number} T @returns {RnnTrace} */
export function rnnTrace({ H }, T) {
  return { T, h: new Float64Array((T + 1) * H), dh: new Float64Array((T + 1) * H) };
}

/** @param {Rnn} p @param {Float64Array} x @param {RnnTrace} trace */
export function forward({ D, H, R, W, b }, x, { T, h }) {
  for (let t = 1; t <= T; t++) {
    const old = (t - 1) * H;
    const xAt = (t - 1) * D;
    for (let k = 0; k < H; k++) {
      let z = b[k];
      for (let j = 0; j < H; j++) z += R[k * H + j] * h[old + j];
      for (let j = 0; j < D; j++) z += W[k * D + j] * x[xAt + j];
      h[t * H + k] = Math.tanh(z);
    }
  }
}

/**
 * A gradient on its way back is multiplied by R and by the slope of tanh at every step: there is
 * no path along which it could stay as it is.
 * @param {Rnn} p @param {Float64Array} x @param {RnnTrace} trace
 * @param {Float64Array} dLoss @param {Rnn} grad
 */
export function backward({ D, H, R }, x, { T, h, dh }, dLoss, grad) {
  const { R: dR, W: dW, b: db } = grad;
  dh.set(dLoss);
  for (let t = T; t >= 1; t--) {
    const old = (t - 1) * H;
    const xAt = (t - 1) * D;
    for (let k = 0; k < H; k++) {
      const n = t * H + k;
      const d = dh[n] * (1 - h[n] * h[n]);
      db[k] += d;
      for (let j = 0; j < D; j++) dW[k * D + j] += d * x[xAt + j];
      for (let j = 0; j < H; j++) {
        dR[k * H + j] += d * h[old + j];
        dh[old + j] += d * R[k * H + j];
      }
    }
  }
}
