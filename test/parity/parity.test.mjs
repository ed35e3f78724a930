/**
 * Does src/cell.mjs of the demo compute what a real library computes? Forward and the gradient of
 * every parameter, against TensorFlow.js's basicLSTMCell, within 1e-6. The two share no code: here
 * backward is written by hand in float64, there it is found by differentiation in float32.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { forward, lstm, lstmTrace } from "../../registry/demos/lstm-demo/src/cell.mjs";
import { readable } from "../../registry/demos/lstm-demo/src/train.mjs";
import { randomCase } from "./cases.mjs";
import { forwardAndGradients } from "./lstm.mjs";
import { loadTensorFlow } from "./tensorflow.mjs";
import { fixtureFile, fixtureText } from "./write-fixture.mjs";

const tolerance = 1e-6;
const sizes = [
  { seed: 1, D: 1, H: 1, T: 4, N: 2 },
  { seed: 2, D: 2, H: 8, T: 50, N: 8 },
  { seed: 3, D: 3, H: 5, T: 7, N: 3 },
  { seed: 4, D: 2, H: 32, T: 50, N: 4 },
];

/** The same from the demo's readable code. */
function ours(p, batch) {
  const { N, T, D, x } = batch;
  const { H } = p;
  const engine = readable(p, T);
  const trace = lstmTrace(p, T);
  const h = new Float64Array(N * H);
  for (let n = 0; n < N; n++) {
    forward(p, x.subarray(n * T * D, (n + 1) * T * D), trace);
    h.set(trace.h.subarray(T * H), n * H);
  }
  const gradients = lstm(D, H);
  engine.gradient(batch, gradients.all);
  return { forward: { answers: engine.answers(batch), h }, gradients };
}

/** The largest absolute difference over all lists of two results. */
function distance(one, other) {
  let worst = 0;
  for (const [part, names] of [
    ["forward", ["answers", "h"]],
    ["gradients", ["R", "W", "b", "V", "a"]],
  ]) {
    for (const name of names) {
      assert.equal(one[part][name].length, other[part][name].length, name);
      for (const [k, value] of one[part][name].entries())
        worst = Math.max(worst, Math.abs(value - other[part][name][k]));
    }
  }
  return worst;
}

for (const backend of ["cpu", "wasm"]) {
  for (const { seed, ...size } of sizes) {
    test(`${backend}, ${JSON.stringify(size)}: forward and gradients within ${tolerance}`, async (t) => {
      const tf = await loadTensorFlow(backend);
      const { p, batch } = randomCase({ seed, ...size });
      const worst = distance(ours(p, batch), forwardAndGradients(tf, p, batch));
      t.diagnostic(`largest difference ${worst.toExponential(1)}`);
      assert.ok(worst <= tolerance, `${worst}`);
      // A comparison that nothing can fail would pass as well.
      p.R[p.R.length - 1] += 1e-3;
      assert.ok(distance(ours(p, batch), forwardAndGradients(tf, randomCase({ seed, ...size }).p, batch)) > tolerance);
    });
  }
}

test("the fixture in the demo is the one that write-fixture.mjs writes", async () => {
  const [committed, now] = [readFileSync(fixtureFile, "utf8"), await fixtureText()].map((text) => JSON.parse(text));
  assert.ok(distance(committed, now) <= 1e-7, "run: npm run fixture");
  for (const part of ["forward", "gradients"]) (delete committed[part], delete now[part]);
  assert.deepEqual(committed, now);
});
