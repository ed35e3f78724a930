#!/usr/bin/env node
"use strict";
// The hand-over to dist/, made by `npm run build` (docs/decisions/0002-bundled-commonjs.md says why it is loaded like this).
const fs = require("node:fs");
const path = require("node:path");

/** Every file begins with the id of its build in a comment, every code cache with the id alone. */
const ID_LENGTH = 16;
/** Every Node program has these; other parts of Node take up to six milliseconds to load. */
const PRESENT = new Set(["node:fs", "node:path"]);

const builtins = new Map();

/** A part of Node as an ES module sees it, not loaded before something of it is used. */
function builtin(name) {
  let found = builtins.get(name);
  if (found === undefined) {
    found = PRESENT.has(name)
      ? Object.create(require(name), { default: { value: require(name) } })
      : new Proxy({}, { get: (_, key) => (key === "default" ? require(name) : require(name)[key]) });
    builtins.set(name, found);
  }
  return found;
}

/** The bytes of a file, or undefined when there is none: a third of the time of readFileSync in a program's first calls. */
function readBytes(file) {
  let descriptor;
  try {
    descriptor = fs.openSync(file, "r");
  } catch {
    return undefined;
  }
  const bytes = Buffer.allocUnsafeSlow(fs.fstatSync(descriptor).size);
  // In a program's first call half of what readSync takes.
  fs.readvSync(descriptor, [bytes]);
  fs.closeSync(descriptor);
  return bytes;
}

/**
 * Loads files of dist/ as CommonJS modules, each with what V8 made of it when it was built, where that is there and made
 * by the same V8: compiling takes longer than most commands do.
 * @returns `load`, which takes a file's path below dist/, what it has compiled, and the id of the build once it has
 */
function createLoader(dist) {
  const modules = new Map();
  const scripts = new Map();
  let build;

  function compile(name) {
    const filename = `${dist}/${name}`;
    const bytes = readBytes(filename);
    if (bytes === undefined) throw Object.assign(new Error(`${filename} is not there`), { code: "ENOENT" });
    const code = bytes.latin1Slice();
    const id = code.slice(2, 2 + ID_LENGTH);
    build ??= id;
    if (id !== build) throw new Error("the files of ipm were replaced while it was running");
    const cache = readBytes(`${filename}.cache`);
    const isOurs = cache?.latin1Slice(0, ID_LENGTH) === build;
    return new (process.getBuiltinModule("node:vm").Script)(code, {
      filename,
      cachedData: isOurs ? cache.subarray(ID_LENGTH) : undefined,
    });
  }

  function load(name) {
    let module = modules.get(name);
    if (module === undefined) {
      const script = compile(name);
      module = { exports: {} };
      scripts.set(name, script);
      modules.set(name, module);
      script.runInThisContext()(module.exports, take, module, builtin);
    }
    return module.exports;
  }

  /** What files of dist/ import: parts of Node, other files, and `file#module` of a file that holds several modules. */
  function take(specifier) {
    const hash = specifier.indexOf("#");
    if (hash > 0) return load(specifier.slice(0, hash))(specifier.slice(hash + 1));
    return specifier.endsWith(".cjs") ? load(specifier) : require(specifier);
  }

  return { load, scripts, id: () => build };
}

/**
 * `ipm --version`, which editors, prompts and scripts ask, without loading anything.
 * @returns false when it cannot be written, or is not known: the command line says why
 */
function tellVersion(dist) {
  try {
    fs.writeSync(1, fs.readFileSync(path.join(dist, "version.txt"), "utf8"));
    return true;
  } catch {
    return false;
  }
}

function start() {
  const root = path.dirname(__dirname);
  const words = process.argv.slice(2);
  const isVersion = words.length === 1 && (words[0] === "--version" || words[0] === "-V");
  if (isVersion && tellVersion(path.join(root, "dist"))) return;
  let ipm;
  try {
    ipm = createLoader(path.join(root, "dist")).load("ipm.cjs")("src/cli/main.ts");
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    process.stderr.write(`ipm is not built yet; run: npm --prefix '${root}' run build\n`);
    process.exit(70);
  }
  ipm.runProcess(root).then((exitCode) => {
    process.exit(exitCode);
  });
}

if (require.main === module) start();
else module.exports = { createLoader };
