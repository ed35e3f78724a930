/**
 * Writes the numbers with which the demo's own tests compare: see test/fixture.test.mjs of the demo
 * for the format.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { randomCase, shortFloat } from "./cases.mjs";
import { forwardAndGradients } from "./lstm.mjs";
import { loadTensorFlow, versions } from "./tensorflow.mjs";

export const fixtureFile = new URL("../../registry/demos/lstm-demo/test/fixtures/tfjs-4.22.0.json", import.meta.url);
const seed = 42;
const sizes = { D: 2, H: 8, T: 25, N: 4 };

/** The fixture, as text. */
export async function fixtureText() {
  const tf = await loadTensorFlow("cpu");
  const { p, batch } = randomCase({ seed, ...sizes });
  const { forward, gradients } = forwardAndGradients(tf, p, batch);
  const { R, W, b, V, a } = p;
  const content = {
    versions: versions("@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-cpu"),
    seed,
    sizes,
    inputs: { x: batch.x, y: batch.y },
    weights: { R, W, b, V, a },
    forward,
    gradients,
  };
  // Eight numbers a line: lists that can be looked at, and differences that stay small.
  const lines = (list) =>
    Array.from({ length: Math.ceil(list.length / 8) }, (_, row) =>
      Array.from(list.subarray(row * 8, row * 8 + 8), shortFloat).join(", "),
    );
  const write = (value, indent) => {
    if (value instanceof Float64Array)
      return `[\n${lines(value)
        .map((line) => `${indent}  ${line}`)
        .join(",\n")}\n${indent}]`;
    if (typeof value !== "object") return JSON.stringify(value);
    const entries = Object.entries(value).map(
      ([key, one]) => `${indent}  ${JSON.stringify(key)}: ${write(one, `${indent}  `)}`,
    );
    return `{\n${entries.join(",\n")}\n${indent}}`;
  };
  return `${write(content, "")}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(fixtureFile, await fixtureText());
