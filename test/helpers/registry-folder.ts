import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createRetrieve } from "../../src/host/retrieve.ts";
import type { RegistryContext } from "../../src/registry/registry-context.ts";
import { type SourceContextOptions, type TestSourceContext, sourceContext } from "./source-context.ts";

export interface ManifestParts {
  readonly name: string;
  readonly summary?: string;
  readonly version?: string;
  readonly git?: string;
  readonly bundle?: string;
  /** Further lines, as YAML. */
  readonly more?: string;
}

/** A valid manifest as YAML. */
export function manifestYaml({ name, summary, version = "1.0.0", git, bundle, more = "" }: ManifestParts): string {
  const source = bundle === undefined ? `git: ${git ?? `https://github.com/owner/${name}.git`}` : `bundle: ${bundle}`;
  return `schema: ipm/v1
name: ${name}
summary: ${summary ?? `The tool ${name}`}
license: MIT
source: { ${source} }
versions:
  - { version: ${version}, ref: refs/tags/v${version}, commit: ${"1".repeat(40)}, tree: ${"2".repeat(40)} }
steps: [{ run: make }]
bin: [${name}]
tests: [{ run: ${name} --version }]
${more}`;
}

export function registryYaml(id: string, more = ""): string {
  return `id: ${id}\nname: Registry ${id}\nmaintainers: [octocat]\n${more}`;
}

/** Files of a registry with these entries; paths to contents. */
export function registryFiles(id: string, entries: readonly ManifestParts[], more = ""): Record<string, string> {
  return Object.fromEntries([
    ["registry.yaml", registryYaml(id, more)],
    ...entries.map((entry) => [`packages/${entry.name}/manifest.yaml`, manifestYaml(entry)] as const),
  ]);
}

export function writeTree(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}

export interface RegistryContextOptions extends SourceContextOptions {
  readonly embedded?: string | null;
  readonly build?: string;
  /** Milliseconds that the clock is ahead, so that files written just now count as settled. Default: a minute. */
  readonly aheadMs?: number;
  /** Milliseconds after which a silent server is given up. */
  readonly idleMs?: number;
}

/** A real file system and git in a temporary home, for everything of `src/registry`. */
export function registryContext(
  folder: string,
  { embedded = null, build = "test", aheadMs = 60_000, idleMs = 20_000, ...options }: RegistryContextOptions = {},
): RegistryContext & TestSourceContext {
  const context = sourceContext(folder, options);
  const now = (): Date => new Date(Date.now() + aheadMs);
  return { ...context, host: { ...context.host, now, retrieve: createRetrieve({ env: {}, idleMs }) }, embedded, build };
}
