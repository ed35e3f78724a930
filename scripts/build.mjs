// Builds dist/: the command line as CommonJS bundles, the embedded registry, and the licences of what is bundled.
// Bundles are an output for start-up's sake (docs/decisions/0002-bundled-commonjs.md); sources stay plain modules.
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
// Built beside and renamed: a build that fails half-way leaves the old one.
const staged = path.join(root, `dist.${process.pid}.tmp`);
const dist = path.join(root, "dist");

const packageJson = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));

const minified = {
  platform: "node",
  target: "node20.19",
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: "none",
  charset: "utf8",
  logLevel: "warning",
};

const shared = {
  ...minified,
  absWorkingDir: root,
  bundle: true,
  metafile: true,
  define: { IPM_VERSION: JSON.stringify(packageJson.version) },
  // import.meta.url of a bundled ES module, for packages that look for files beside themselves.
  banner: { js: '"use strict";' },
};

async function bundle(entry, outfile) {
  const result = await build({ ...shared, format: "cjs", entryPoints: [entry], outfile: path.join(staged, outfile) });
  return Object.keys(result.metafile.inputs);
}

// What `ipm --version` and `ipm list` load; everything that one of these imports statically comes along.
const HOT = new Set([
  "src/cli/main.ts",
  "src/cli/commands/list.ts",
  "src/cli/render/tool-list.ts",
  "src/cli/composition.ts",
  "src/usecases/list.ts",
]);

// Parts of Node that take milliseconds to load; hot parts name them for what `list` never does.
const SLOW_BUILTINS = /=require\("(node:(?:child_process|crypto|fs\/promises|net))"\)/gu;

/** The hot parts in one file: looking up and opening a file costs more than what is in most of them. */
function hotBundle(entry, hot, codes) {
  const functions = hot.map((part) => {
    const code = codes.get(part).replace(SLOW_BUILTINS, '=later("$1")');
    return `${JSON.stringify(part)}(exports,module){${code}}`;
  });
  return [
    '"use strict";',
    "const loaded=new Map;",
    "function part(name){let module=loaded.get(name);if(module===void 0){module={exports:{}};loaded.set(name,module);parts[name](module.exports,module)}return module.exports}",
    "const later=(name)=>new Proxy({},{get:(_,key)=>require(name)[key]});",
    `const parts={${functions.join(",\n")}};`,
    `module.exports={...part(${JSON.stringify(entry)}),part};`,
  ].join("\n");
}

/**
 * The command line in parts, one for everything that is imported on demand: parsing one file with all libraries takes
 * longer than `ipm list` does. esbuild splits ES modules only, and Node loads those more slowly than CommonJS, so each
 * part is turned into CommonJS afterwards.
 */
async function bundleInParts(entry, name) {
  const result = await build({
    ...shared,
    format: "esm",
    splitting: true,
    entryPoints: [{ in: entry, out: name }],
    outdir: staged,
    outExtension: { ".js": ".cjs" },
    chunkNames: "parts/[name]-[hash]",
    banner: {},
  });
  const nameOf = (output) => path.relative(staged, path.resolve(root, output));
  const outputs = new Map(Object.entries(result.metafile.outputs).map(([output, about]) => [nameOf(output), about]));
  const hot = new Set();
  const addHot = (part) => {
    if (hot.has(part)) return;
    hot.add(part);
    for (const imported of outputs.get(part).imports) {
      if (imported.kind === "import-statement" && !imported.external) addHot(nameOf(imported.path));
    }
  };
  for (const [part, about] of outputs) if (HOT.has(about.entryPoint)) addHot(part);

  const codes = new Map();
  for (const part of outputs.keys()) {
    const { code } = await transform(await readFile(path.join(staged, part), "utf8"), {
      ...minified,
      format: "cjs",
      supported: { "dynamic-import": false },
    });
    const linked = code.replace(/\brequire\("(\.[^"]+\.cjs)"\)/gu, (_, specifier) => {
      const target = path.join(path.dirname(part), specifier);
      if (hot.has(target))
        return `${hot.has(part) ? "part" : `require("../${name}.cjs").part`}(${JSON.stringify(target)})`;
      return `require(${JSON.stringify(hot.has(part) ? `./${target}` : specifier)})`;
    });
    codes.set(part, linked);
  }
  for (const [part, code] of codes) {
    const file = path.join(staged, part);
    if (hot.has(part)) await rm(file);
    else await writeFile(file, `"use strict";\n${code}`);
  }
  await writeFile(path.join(staged, `${name}.cjs`), hotBundle(`${name}.cjs`, [...hot], codes));
  return Object.keys(result.metafile.inputs);
}

/** name@version, licence and its text, of every package whose code is in the bundles. */
async function writeLicences(inputs) {
  const packages = new Set(inputs.flatMap((input) => /^node_modules\/(?:@[^/]+\/)?[^/]+/u.exec(input)?.[0] ?? []));
  const parts = ["Packages whose code is part of this build, each under its own licence.\n"];
  for (const folder of [...packages].toSorted((a, b) => a.localeCompare(b, "en"))) {
    const about = JSON.parse(await readFile(path.join(root, folder, "package.json"), "utf8"));
    const files = await readdir(path.join(root, folder));
    const licence = files.find((name) => /^licen[cs]e(?:\.md|\.txt|-MIT)?$/iu.test(name));
    const text = licence === undefined ? "" : await readFile(path.join(root, folder, licence), "utf8");
    parts.push(`\n${"=".repeat(80)}\n${about.name} ${about.version} (${about.license})\n\n${text.trim()}\n`);
  }
  await writeFile(path.join(staged, "THIRD-PARTY-LICENSES.txt"), parts.join(""));
}

try {
  await mkdir(staged, { recursive: true });
  const inputs = await bundleInParts("src/cli/main.ts", "ipm");
  await writeLicences(inputs);
  // The registry is compiled by ipm's own code: the same that compiles a configured one.
  await bundle("scripts/compile-embedded-registry.ts", "compile-embedded-registry.cjs");
  const compiler = path.join(staged, "compile-embedded-registry.cjs");
  const compiled = spawnSync(process.execPath, [compiler, path.join(root, "registry"), path.join(staged, "registry")], {
    stdio: "inherit",
  });
  if (compiled.status !== 0) throw new Error("the embedded registry could not be compiled");
  await rm(compiler);
  await rm(dist, { recursive: true, force: true });
  await rename(staged, dist);
} catch (error) {
  await rm(staged, { recursive: true, force: true });
  console.error(`build: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
