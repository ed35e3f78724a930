// Writes docs/manifest.md and schema/*.schema.json from src/manifest/schema.ts. `--check` only compares, and fails when
// one of them is out of date. Node 20 cannot load TypeScript, so the sources are bundled into a temporary file first.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const staging = await mkdtemp(path.join(os.tmpdir(), "ipm-manifest-docs-"));

async function generate() {
  try {
    const outfile = path.join(staging, "generated-files.mjs");
    const entry = path.join(root, "src/manifest/generated-files.ts");
    await build({ bundle: true, entryPoints: [entry], format: "esm", outfile, platform: "node" });
    const { generatedFiles } = await import(pathToFileURL(outfile).href);
    return generatedFiles();
  } finally {
    await rm(staging, { recursive: true });
  }
}

const check = process.argv.includes("--check");
for (const [file, content] of Object.entries(await generate())) {
  const target = path.join(root, file);
  const present = await readFile(target, "utf8").catch(() => undefined);
  if (present === content) continue;
  if (check) {
    console.error(`${file} is out of date; run: npm run manifest-docs`);
    process.exitCode = 1;
    continue;
  }
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, content);
  console.log(`wrote ${file}`);
}
