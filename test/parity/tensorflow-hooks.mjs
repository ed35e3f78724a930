/**
 * Loader hooks: TensorFlow.js ships modules that only a bundler can load. Their package.json does
 * not say `"type": "module"`, and they import each other without the `.js`. Both are put right
 * here, for files below node_modules/@tensorflow/ and for nothing else.
 */
const isTensorFlow = (url) => url?.includes("/node_modules/@tensorflow/") ?? false;

export async function resolve(specifier, context, nextResolve) {
  if (!isTensorFlow(context.parentURL)) return nextResolve(specifier, context);
  // A package by its name alone: its modules, so that there is one copy of every registry in it.
  const name = /^@tensorflow\/[\w-]+$/.exec(specifier);
  const relative = specifier.startsWith(".");
  const deep = /^@tensorflow\/[\w-]+\/dist\//.test(specifier);
  const base = name ? `${specifier}/dist/index` : specifier;
  if ((!name && !relative && !deep) || base.endsWith(".js")) return nextResolve(specifier, context);
  try {
    return await nextResolve(`${base}.js`, context);
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    return nextResolve(`${base}/index.js`, context);
  }
}

export async function load(url, context, nextLoad) {
  const module = isTensorFlow(url) && /\/dist\/(?!.*wasm-out).*\.js$/.test(url);
  return nextLoad(url, module ? { ...context, format: "module" } : context);
}
