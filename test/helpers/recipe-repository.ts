import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { IpmError } from "../../src/core/errors.ts";
import { install } from "../../src/usecases/install.ts";
import { type FileSpec, GitRepository } from "./git-repository.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { OPTIONS, type TestIpm, createTestIpm } from "./test-ipm.ts";

export interface Installed extends TestIpm {
  readonly prefix: string;
  /** Run a launcher with a bare PATH. */
  readonly run: (
    bin: string,
    ...args: readonly string[]
  ) => { readonly stdout: string; readonly stderr: string; readonly status: number | null };
}

export interface RepositoryOptions extends NonNullable<Parameters<typeof createTestIpm>[2]> {
  /** Programs that come first on the host's PATH: name to script. */
  readonly programs?: Readonly<Record<string, string>>;
  /** Name of the folder that ipm's homes are in. */
  readonly run?: string;
  /** What follows the pin in the manifest: `, files: […]`. */
  readonly version?: string;
}

/**
 * Install a repository of these files, in a git repository made for it, through a registry with one entry.
 * @param manifest what follows `versions` in the manifest: steps, bin, tests
 */
export async function installRepository(
  files: Readonly<Record<string, FileSpec>>,
  manifest: string,
  options: RepositoryOptions = {},
): Promise<Installed> {
  const folder = temporaryFolder();
  const tools = path.join(folder, "tools/bin");
  mkdirSync(tools, { recursive: true });
  for (const [name, text] of Object.entries(options.programs ?? {})) {
    writeFileSync(path.join(tools, name), text);
    chmodSync(path.join(tools, name), 0o755);
  }
  const searchPath = `${tools}:${process.env["PATH"] ?? ""}`;
  const repository = new GitRepository(path.join(folder, "repository"));
  const commit = repository.commit(files);
  repository.tag("v1.2.3");
  const registry = path.join(folder, "registry");
  mkdirSync(path.join(registry, "packages/sample"), { recursive: true });
  mkdirSync(path.join(registry, "sources"), { recursive: true });
  repository.bundle(path.join(registry, "sources/sample.bundle"));
  writeFileSync(path.join(registry, "registry.yaml"), "id: main\nname: Test\nmaintainers: [test]\n");
  writeFileSync(
    path.join(registry, "packages/sample/manifest.yaml"),
    `schema: ipm/v1
name: sample
summary: A sample for tests
license: MIT
source: { bundle: sources/sample.bundle }
versions:
  - { version: 1.2.3, ref: refs/tags/v1.2.3, commit: ${commit}, tree: ${repository.treeOf("HEAD")}${options.version ?? ""} }
${manifest}`,
  );
  const ipm = await createTestIpm(path.join(folder, options.run ?? "run"), registry, {
    ...options,
    env: { PATH: searchPath, ...options.env },
  });
  await install(ipm.context, ["sample"], OPTIONS).catch((error: IpmError) => {
    const lines: unknown = error.data?.["lastLines"];
    throw Array.isArray(lines) ? new Error(`${error.message}\n${lines.join("\n")}`, { cause: error }) : error;
  });
  const store = path.join(ipm.layout.store, "sample");
  const [entry = ""] = await ipm.context.host.files.list(store);
  return {
    ...ipm,
    prefix: path.join(store, entry, "prefix"),
    run: (bin, ...args) => {
      const result = spawnSync(path.join(ipm.layout.current, "bin", bin), args, {
        env: { PATH: "/usr/bin:/bin" },
        encoding: "utf8",
      });
      return { stdout: result.stdout, stderr: result.stderr, status: result.status };
    },
  };
}

/** What a recipe sees of a repository: its listing and the texts of all its files. */
export function viewOfFiles(files: Readonly<Record<string, string>>): {
  readonly files: readonly { readonly path: string; readonly executable: boolean }[];
  readonly texts: Readonly<Record<string, string>>;
} {
  return {
    files: Object.entries(files).map(([name, text]) => ({ path: name, executable: text.startsWith("#!") })),
    texts: files,
  };
}
