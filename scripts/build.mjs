// Builds dist/: the command line as CommonJS bundles, the embedded registry, and the licences of what is bundled.
// Bundles are an output for start-up's sake (docs/decisions/0002-bundled-commonjs.md); sources stay plain modules.
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { bundleCommandLine } from "./bundle-command-line.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
// Built beside and renamed: a build that fails half-way leaves the old one.
const staging = path.join(root, `dist.${process.pid}.tmp`);
const staged = path.join(staging, "dist");
const dist = path.join(root, "dist");

const packageJson = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));

/** A script of the build itself, as one file that Node can run. */
async function bundleScript(entry, outfile) {
  await build({
    absWorkingDir: root,
    bundle: true,
    platform: "node",
    target: "node20.19",
    format: "cjs",
    entryPoints: [entry],
    outfile,
    logLevel: "warning",
  });
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
  const inputs = await bundleCommandLine(root, staged, { IPM_VERSION: JSON.stringify(packageJson.version) });
  await writeFile(path.join(staged, "version.txt"), `${packageJson.version}\n`);
  await writeLicences(inputs);
  // The registry is compiled by ipm's own code: the same that compiles a configured one.
  const compiler = path.join(staged, "compile-embedded-registry.cjs");
  await bundleScript("scripts/compile-embedded-registry.ts", compiler);
  const compiled = spawnSync(process.execPath, [compiler, path.join(root, "registry"), path.join(staged, "registry")], {
    stdio: "inherit",
  });
  if (compiled.status !== 0) throw new Error("the embedded registry could not be compiled");
  await rm(compiler);
  const cached = spawnSync(process.execPath, [path.join(root, "scripts/write-code-caches.cjs"), staging], {
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (cached.status !== 0) throw new Error("the code caches could not be written");
  await rm(dist, { recursive: true, force: true });
  await rename(staged, dist);
} catch (error) {
  console.error(`build: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await rm(staging, { recursive: true, force: true });
}
