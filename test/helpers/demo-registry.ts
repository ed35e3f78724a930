import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type FileSpec, GitRepository } from "./git-repository.ts";

/** One tool of a registry made for a test. By default a script that prints its name and version, copied as it is. */
export interface DemoTool {
  readonly name: string;
  /** Oldest first. */
  readonly versions: readonly string[];
  /** Files of the repository at a version, besides `bin/<name>`; the same path replaces it. */
  readonly files?: (version: string) => Readonly<Record<string, FileSpec>>;
  /** YAML instead of `steps: [uses: copy]` and what follows from it. */
  readonly methods?: string;
  readonly bin?: string;
  readonly tests?: string;
  /** Further top-level lines. */
  readonly more?: string;
  readonly withdrawn?: Readonly<Record<string, string>>;
}

/** `#!/bin/sh` that prints `name version` and its arguments. */
export function demoScript(name: string, version: string): { readonly run: string } {
  return { run: `#!/bin/sh\necho "${name} ${version}$*"\n` };
}

function writeTool(registry: string, work: string, tool: DemoTool): void {
  const { name, versions } = tool;
  const repository = new GitRepository(path.join(work, name));
  const pins = versions.map((version) => {
    const commit = repository.commit({
      [`bin/${name}`]: demoScript(name, version),
      ...tool.files?.(version),
    });
    repository.tag(`v${version}`);
    const withdrawn = tool.withdrawn?.[version];
    const why = withdrawn === undefined ? "" : `, withdrawn: ${JSON.stringify(withdrawn)}`;
    return `  - { version: ${version}, ref: refs/tags/v${version}, commit: ${commit}, tree: ${repository.treeOf("HEAD")}${why} }`;
  });
  repository.bundle(path.join(registry, "sources", `${name}.bundle`));
  const folder = path.join(registry, "packages", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    path.join(folder, "manifest.yaml"),
    [
      "schema: ipm/v1",
      `name: ${name}`,
      `summary: The tool ${name}`,
      "license: MIT",
      `source: { bundle: sources/${name}.bundle }`,
      "versions:",
      ...pins.toReversed(),
      tool.methods ?? "steps: [uses: copy]",
      `bin: ${tool.bin ?? `{ ${name}: bin/${name} }`}`,
      `tests: ${tool.tests ?? `[{ run: ${name}, expect: { stdout: "^${name} {version}" } }]`}`,
      ...(tool.more === undefined ? [] : [tool.more]),
      "",
    ].join("\n"),
  );
}

/**
 * Write a registry of real bundles. Written again with more versions it has the same commits for the old ones.
 * @param folder removed and made anew
 */
export function writeDemoRegistry(folder: string, tools: readonly DemoTool[]): string {
  const work = `${folder}.work`;
  for (const place of [folder, work]) rmSync(place, { recursive: true, force: true });
  mkdirSync(path.join(folder, "sources"), { recursive: true });
  writeFileSync(path.join(folder, "registry.yaml"), "id: demo\nname: Tools of a test\nmaintainers: [octocat]\n");
  for (const tool of tools) writeTool(folder, work, tool);
  rmSync(work, { recursive: true });
  return folder;
}
