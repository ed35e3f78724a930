import { createFiles } from "../src/host/files.ts";
import { formatFinding } from "../src/manifest/finding.ts";
import { compileRegistry } from "../src/registry/compile-registry.ts";

/** Compile the registry that ships with ipm; part of the build, run as a bundle of its own. */
async function main([registry, out]: readonly string[]): Promise<void> {
  if (registry === undefined || out === undefined) throw new Error("usage: compile-embedded-registry REGISTRY OUT");
  const { findings } = await compileRegistry(createFiles(), registry, out);
  for (const finding of findings) console.error(formatFinding(finding));
  if (findings.some(({ severity }) => severity === "error")) process.exitCode = 1;
}

void main(process.argv.slice(2));
