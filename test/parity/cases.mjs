/** Networks and batches to compare, drawn with the demo's own generator. */
import { lstm } from "../../registry/demos/lstm-demo/src/cell.mjs";
import { mersenneTwister } from "../../registry/demos/lstm-demo/src/random.mjs";

/**
 * Weights and inputs at random. No value is zero and no bias equals another, so that a wrong order
 * of gates cannot hide. All are rounded to float32: both sides then compute from the same numbers.
 * @param {{ seed: number, D: number, H: number, T: number, N: number }} sizes
 */
export function randomCase({ seed, D, H, T, N }) {
  const random = mersenneTwister(seed);
  const draw = (list, limit) => {
    for (let k = 0; k < list.length; k++) list[k] = shortFloat(random.uniform(-limit, limit));
    return list;
  };
  const p = lstm(D, H);
  draw(p.R, Math.sqrt(3 / H)); // the demo's usual scale: variance 1/H
  draw(p.W, 1);
  draw(p.b, 1);
  draw(p.V, Math.sqrt(3 / H));
  draw(p.a, 1);
  const batch = { N, T, D, x: draw(new Float64Array(N * T * D), 1), y: draw(new Float64Array(N), 1) };
  return { p, batch };
}

/** A float32 number in as few digits as float32 needs: nine. */
export const shortFloat = (value) => Number(Math.fround(value).toPrecision(9));
