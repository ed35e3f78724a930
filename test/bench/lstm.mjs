/**
 * How fast is the LSTM demo? One run, everything in turn, and the result is ratios: the machine
 * may be slow or busy, but it is so for all.
 *
 *   node test/bench/lstm.mjs [--quick] [--python FILE]
 *
 * Part 1, one training step (forward, backward, Adam) of 32 units on 32 sequences of 50 steps: the
 * readable code, the kernel behind --fast, and TensorFlow.js on two backends, if test/parity is
 * installed. Part 2, the same training at the size of a numpy program that is often taken as a
 * measure (adding, T = 100, 8 units, 8,000 steps of 32 sequences): the demo's two engines, and
 * lstm-numpy.py beside this file, if there is a python3 with numpy.
 *
 * It only reports: no number makes it fail. Let nothing else run meanwhile.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cpus } from "node:os";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { lstm } from "../../registry/demos/lstm-demo/src/cell.mjs";
import { fast, hasSimd } from "../../registry/demos/lstm-demo/src/fast.mjs";
import { mersenneTwister } from "../../registry/demos/lstm-demo/src/random.mjs";
import { adding } from "../../registry/demos/lstm-demo/src/tasks.mjs";
import { adam, clip, initialise, meanSquaredError, readable } from "../../registry/demos/lstm-demo/src/train.mjs";

const { values: options } = parseArgs({
  options: { quick: { type: "boolean", default: false }, python: { type: "string", default: "python3" } },
});

const print = (line = "") => process.stdout.write(`${line}\n`);
const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const thousands = (n) => Math.round(n).toLocaleString("en-US");

/** A ratio beside the value that it should reach. */
function ratio(label, value, target) {
  const verdict = value >= target ? "reached" : "NOT reached";
  print(`  ${label.padEnd(34)}${value.toFixed(1).padStart(8)}   target ${target}, ${verdict}`);
}

/** A model of the demo at its start. */
function model(H) {
  const p = lstm(2, H);
  initialise(p, mersenneTwister(1), { forget: 1 });
  return p;
}

const engines = hasSimd() ? { readable, kernel: fast } : { readable };

// Part 1

const shape = { H: 32, N: 32, T: 50 };
const oneBatch = adding(mersenneTwister(2), shape.N, shape.T);

/** A contender: a name, something to do before its turn, and a step that returns the loss before it. */
function demoStep(name, make) {
  const p = model(shape.H);
  const engine = make(p, shape.T);
  const grad = new Float64Array(p.all.length);
  const update = adam(p.all.length, 0.001);
  const step = () => {
    const loss = engine.gradient(oneBatch, grad);
    update(p.all, grad);
    return loss;
  };
  return { name, prepare: async () => {}, step };
}

async function tensorFlowStep(backend) {
  const { loadTensorFlow } = await import("../parity/tensorflow.mjs");
  const { batchToTensorFlow, loss, toTensorFlow } = await import("../parity/lstm.mjs");
  const tf = await loadTensorFlow(backend);
  const variables = toTensorFlow(tf, model(shape.H));
  const optimiser = tf.train.adam(0.001);
  // A batch comes as an array of numbers, here as in the demo: in training it is a new one each time.
  const step = () =>
    tf.tidy(() => {
      const batch = batchToTensorFlow(tf, oneBatch);
      return optimiser.minimize(() => loss(tf, variables, batch), true, Object.values(variables)).dataSync()[0];
    });
  return { name: `tfjs ${tf.version_core} ${backend}`, backend, prepare: () => tf.setBackend(backend), step };
}

async function trainingStep() {
  const contenders = Object.entries(engines).map(([name, make]) => demoStep(name, make));
  const installed = existsSync(new URL("../parity/node_modules/@tensorflow/tfjs-core", import.meta.url));
  if (installed) for (const backend of ["cpu", "wasm"]) contenders.push(await tensorFlowStep(backend));

  // Short turns and many: what else the machine does then falls on all alike.
  const rounds = options.quick ? 11 : 41;
  const seconds = 0.15;
  const tokens = shape.N * shape.T;
  print(`Training step, ${shape.H} units, ${shape.N} sequences of ${shape.T}: tokens a second, median of ${rounds}`);
  print();
  const losses = [];
  const speeds = new Map(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const { name, prepare, step } of contenders) {
      await prepare();
      // Round 0 warms up; its first step also shows that all compute the same.
      if (round === 0) losses.push(step());
      let steps = 0;
      const began = performance.now();
      let ms = 0;
      for (; ms < seconds * 1000; ms = performance.now() - began) {
        step();
        steps++;
      }
      if (round > 0) speeds.get(name).push((steps * tokens * 1000) / ms);
    }
  }
  const speed = new Map([...speeds].map(([name, list]) => [name, median(list)]));
  for (const [name, value] of speed) print(`  ${name.padEnd(34)}${thousands(value).padStart(12)}`);
  if (Math.max(...losses) - Math.min(...losses) > 1e-5)
    print(`  Not the same work: the first losses are ${losses.join(", ")}`);
  print();
  if (!installed) {
    print("  TensorFlow.js: skipped, it is not installed; (cd test/parity && npm ci) installs it");
    return;
  }
  const of = (name) => speed.get(contenders.find((one) => one.name === name || one.backend === name)?.name);
  ratio("readable / tfjs cpu", of("readable") / of("cpu"), 8);
  ratio("readable / tfjs wasm", of("readable") / of("wasm"), 3);
  if (engines.kernel) ratio("kernel / tfjs wasm", of("kernel") / of("wasm"), 30);
  else print("  kernel: skipped, this Node has no WebAssembly SIMD");
}

// Part 2

const anchor = { T: 100, H: 8, N: 32, rate: 0.01, steps: 8000 };

/** The recipe with an engine of the demo: a fresh batch for every step, clipping, Adam. */
function demoTraining(make) {
  const p = model(anchor.H);
  const engine = make(p, anchor.T);
  const random = mersenneTwister(3);
  const grad = new Float64Array(p.all.length);
  const update = adam(p.all.length, anchor.rate);
  return {
    async train(steps) {
      const began = performance.now();
      for (let step = 0; step < steps; step++) {
        engine.gradient(adding(random, anchor.N, anchor.T), grad);
        clip(grad, 1);
        update(p.all, grad);
      }
      return (performance.now() - began) / 1000;
    },
    async error() {
      const unseen = adding(mersenneTwister(4), 1000, anchor.T);
      return meanSquaredError(engine.answers(unseen), unseen.y);
    },
    end() {},
  };
}

/** The recipe in numpy, in a process that waits for its turns; nothing where there is no numpy. */
async function numpyTraining() {
  const script = new URL("lstm-numpy.py", import.meta.url).pathname;
  // One thread, as for the others; at this size more would not help.
  const env = { ...process.env, OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1", MKL_NUM_THREADS: "1" };
  const child = spawn(options.python, [script], { env, stdio: ["pipe", "pipe", "ignore"] });
  child.on("error", () => {}); // no such program: its output ends
  child.stdin.on("error", () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (line) => {
    child.stdin.write(`${line}\n`);
    return Number((await lines.next()).value);
  };
  const { value: version } = await lines.next();
  if (version === undefined) return undefined;
  return { version, train: ask, error: () => ask("error"), end: () => child.stdin.end() };
}

async function anchorRecipe() {
  const parts = 40;
  const steps = options.quick ? 800 : anchor.steps;
  print();
  print(
    `Adding, T = ${anchor.T}, ${anchor.H} units, ${thousands(steps)} steps of ${anchor.N} sequences, in ${parts} parts`,
  );
  print();
  const contenders = new Map(Object.entries(engines).map(([name, make]) => [name, demoTraining(make)]));
  const numpy = await numpyTraining();
  if (numpy) contenders.set(numpy.version, numpy);
  const times = new Map([...contenders.keys()].map((name) => [name, []]));
  for (let part = 0; part < parts; part++) {
    for (const [name, one] of contenders) times.get(name).push(await one.train(steps / parts));
  }
  print(`  ${"".padEnd(34)}${"seconds".padStart(12)}   error on unseen sequences`);
  for (const [name, one] of contenders) {
    const total = times.get(name).reduce((sum, time) => sum + time, 0);
    print(`  ${name.padEnd(34)}${total.toFixed(1).padStart(12)}   ${(await one.error()).toFixed(4)}`);
    one.end();
  }
  print();
  if (!numpy) print(`  numpy: skipped, ${options.python} has none; --python FILE names another`);
  else if (engines.kernel) ratio("kernel / numpy", median(times.get(numpy.version)) / median(times.get("kernel")), 5);
  if (numpy)
    print(
      `  ${"readable / numpy".padEnd(34)}${(median(times.get(numpy.version)) / median(times.get("readable"))).toFixed(1).padStart(8)}`,
    );
}

print(
  `Node ${process.version}, ${process.platform} ${process.arch}, ${cpus()[0]?.model.trim()}, ${cpus().length} threads`,
);
print();
await trainingStep();
await anchorRecipe();
