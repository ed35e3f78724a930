/**
 * TensorFlow.js in plain Node, from its modules.
 *
 * Its packages are made for bundlers: loaded as they are, tfjs-core neither knows gradients nor
 * finds its own files. tensorflow-hooks.mjs mends the second; the first is one import more.
 */
import { createRequire, register } from "node:module";

const require = createRequire(import.meta.url);

/** @param {"cpu" | "wasm"} backend */
export async function loadTensorFlow(backend) {
  // Its platform for Node asks for the `require` of a CommonJS file, which a module does not have.
  globalThis.require ??= require;
  if (!globalThis.tensorFlowHooks) {
    register("./tensorflow-hooks.mjs", import.meta.url);
    globalThis.tensorFlowHooks = true;
  }
  const tf = await import("@tensorflow/tfjs-core/dist/index.js");
  await import("@tensorflow/tfjs-core/dist/register_all_gradients.js");
  await import(`@tensorflow/tfjs-backend-${backend}/dist/index.js`);
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js could not start its backend "${backend}"`);
  return tf;
}

/** The versions of packages that are installed here: name to version. @param {string[]} names */
export const versions = (...names) =>
  Object.fromEntries(names.map((name) => [name, require(`${name}/package.json`).version]));
