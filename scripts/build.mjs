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
  for (const part of Object.keys(result.metafile.outputs)) {
    const file = path.resolve(root, part);
    const { code } = await transform(await readFile(file, "utf8"), {
      ...minified,
      format: "cjs",
      supported: { "dynamic-import": false },
      banner: '"use strict";',
    });
    await writeFile(file, code);
  }
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
