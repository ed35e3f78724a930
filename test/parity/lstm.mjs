/**
 * The demo's LSTM, computed by TensorFlow.js: `basicLSTMCell` over the steps, the answer
 * h_T . V + a, the mean squared error, gradients by its automatic differentiation.
 *
 * Layouts. The demo has rows [gate, unit] in the order f, i, g, o, with R (times h) and W (times x)
 * apart. basicLSTMCell has one kernel of (D + H) rows, x before h, and columns [gate, unit] in the
 * order i, g (which it calls j), f, o. Its forgetBias, added to the bias of f, stays 0 here.
 */

/** Where the demo's gate q (f, i, g, o) is in a column of basicLSTMCell. */
const column = [2, 0, 1, 3];

/** @typedef {{ D: number, H: number, R: Float64Array, W: Float64Array, b: Float64Array, V: Float64Array, a: Float64Array }} Lstm */

/** The demo's parameters as variables of TensorFlow.js. @param {any} tf @param {Lstm} p */
export function toTensorFlow(tf, { D, H, R, W, b, V, a }) {
  const kernel = new Float32Array((D + H) * 4 * H);
  const bias = new Float32Array(4 * H);
  for (let q = 0; q < 4; q++) {
    for (let k = 0; k < H; k++) {
      const row = q * H + k;
      const at = column[q] * H + k;
      for (let d = 0; d < D; d++) kernel[d * 4 * H + at] = W[row * D + d];
      for (let j = 0; j < H; j++) kernel[(D + j) * 4 * H + at] = R[row * H + j];
      bias[at] = b[row];
    }
  }
  return {
    kernel: tf.variable(tf.tensor2d(kernel, [D + H, 4 * H])),
    bias: tf.variable(tf.tensor1d(bias)),
    V: tf.variable(tf.tensor2d(Float32Array.from(V), [H, 1])),
    a: tf.variable(tf.tensor1d(Float32Array.from(a))),
  };
}

/** The way back: kernel and bias, or their gradients, in the demo's layout. */
function fromTensorFlow({ D, H }, kernel, bias) {
  const R = new Float64Array(4 * H * H);
  const W = new Float64Array(4 * H * D);
  const b = new Float64Array(4 * H);
  for (let q = 0; q < 4; q++) {
    for (let k = 0; k < H; k++) {
      const row = q * H + k;
      const at = column[q] * H + k;
      for (let d = 0; d < D; d++) W[row * D + d] = kernel[d * 4 * H + at];
      for (let j = 0; j < H; j++) R[row * H + j] = kernel[(D + j) * 4 * H + at];
      b[row] = bias[at];
    }
  }
  return { R, W, b };
}

/** A batch as tensors, one per step. @param {any} tf @param {{ N: number, T: number, D: number, x: Float64Array, y: Float64Array }} batch */
export function batchToTensorFlow(tf, { N, T, D, x, y }) {
  const steps = [];
  for (let t = 0; t < T; t++) {
    const rows = new Float32Array(N * D);
    for (let n = 0; n < N; n++) {
      for (let d = 0; d < D; d++) rows[n * D + d] = x[(n * T + t) * D + d];
    }
    steps.push(tf.tensor2d(rows, [N, D]));
  }
  return { steps, y: tf.tensor2d(Float32Array.from(y), [N, 1]) };
}

/** The state after the last step, and the answers. */
function run(tf, { kernel, bias, V, a }, { steps }) {
  const [N] = steps[0].shape;
  const H = bias.shape[0] / 4;
  let c = tf.zeros([N, H]);
  let h = tf.zeros([N, H]);
  for (const x of steps) [c, h] = tf.basicLSTMCell(0, kernel, bias, x, c, h);
  return { h, answers: tf.add(tf.matMul(h, V), a) };
}

/** The mean squared error of a batch: what is trained, and what is differentiated. */
export const loss = (tf, variables, batch) => tf.mean(tf.squaredDifference(run(tf, variables, batch).answers, batch.y));

/** Forward and gradients of the demo's parameters p on a batch. @param {any} tf @param {Lstm} p */
export function forwardAndGradients(tf, p, batch) {
  return tf.tidy(() => {
    const variables = toTensorFlow(tf, p);
    const tensors = batchToTensorFlow(tf, batch);
    const { h, answers } = run(tf, variables, tensors);
    const { kernel, bias, V, a } = variables;
    const { grads } = tf.variableGrads(() => loss(tf, variables, tensors), [kernel, bias, V, a]);
    const list = (tensor) => Float64Array.from(tensor.dataSync());
    return {
      forward: { answers: list(answers), h: list(h) },
      gradients: {
        ...fromTensorFlow(p, grads[kernel.name].dataSync(), grads[bias.name].dataSync()),
        V: list(grads[V.name]),
        a: list(grads[a.name]),
      },
    };
  });
}
