import path from "node:path";
import { IpmError } from "../core/errors.ts";
import type { Files } from "../core/host.ts";
import type { Finding } from "../manifest/finding.ts";
import { compileIndex } from "./compile-index.ts";
import type { IndexMeta } from "./index-records.ts";
import { EMBEDDED_INDEX } from "./registry-places.ts";
import { EMBEDDED_KEY, REGISTRY_FILE, findRegistryRoot, folderTree } from "./registry-tree.ts";
import { findSimilarNames } from "./similar-names.ts";

export interface CompiledRegistry {
  readonly meta: IndexMeta;
  readonly findings: readonly Finding[];
  /** What was written, relative to the out folder, sorted. */
  readonly written: readonly string[];
}

/**
 * Compile a registry's folder into what ships with ipm: the index, `registry.yaml`, and the bundles and locks that the entries need.
 * The out folder is made anew; equal registries give equal bytes. Needs no network and no git.
 * @param registryFolder holds `registry.yaml`, or has a folder `registry/` that does
 * @returns all findings, names that can be mistaken for others among them. Entries with errors are left out (but not for
 *   their names alone), so a build refuses when there is any
 * @throws IpmError REGISTRY_INVALID, IO_FAILED
 */
export async function compileRegistry(
  files: Files,
  registryFolder: string,
  outFolder: string,
): Promise<CompiledRegistry> {
  const root = await findRegistryRoot(files, registryFolder);
  if (root === undefined) {
    throw new IpmError("REGISTRY_INVALID", `${registryFolder} is not a registry: it has no ${REGISTRY_FILE}`);
  }
  const { meta, bytes, findings, needed, named, registry } = await compileIndex(folderTree(files, root), {
    key: EMBEDDED_KEY,
  });
  const similar = findSimilarNames(named, registry.alike ?? []);
  await files.remove(outFolder);
  await files.createFolder(outFolder);
  for (const file of [REGISTRY_FILE, ...needed]) {
    const content = await files.readBytes(path.join(root, file));
    if (content === undefined) throw new IpmError("IO_FAILED", `${path.join(root, file)} has gone while it was read`);
    await files.createFolder(path.dirname(path.join(outFolder, file)));
    await files.write(path.join(outFolder, file), content);
  }
  // Last: a folder without it is no compiled registry.
  await files.writeDurably(path.join(outFolder, EMBEDDED_INDEX), bytes);
  return { meta, findings: [...findings, ...similar], written: [EMBEDDED_INDEX, REGISTRY_FILE, ...needed].toSorted() };
}
