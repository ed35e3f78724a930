import path from "node:path";
import { IpmError } from "../core/errors.ts";
import type { Files } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { MAX_BYTES } from "../manifest/limits.ts";
import { MANIFEST_FILE, PACKAGES, REGISTRY_FILE, findRegistryRoot } from "../registry/registry-tree.ts";

/** A manifest on the disk that was named, or found below a folder that was. */
export interface ManifestFile {
  /** Absolute. */
  readonly path: string;
  /** As it is shown: relative to the current folder where that is shorter. */
  readonly shown: string;
  readonly kind: "registry" | "repository";
  /** Root of the registry that it lies in, or null. */
  readonly registry: string | null;
}

export interface FoundManifests {
  readonly manifests: readonly ManifestFile[];
  /** Roots of registries that were named as a whole. */
  readonly registries: readonly string[];
}

const REPOSITORY_FILE = "ipm.yaml";
const SKIPPED = new Set(["node_modules", "dist", "build", "target", "vendor", "__pycache__"]);
const MAX_DEPTH = 6;
const MAX_FOUND = 100_000;

/** The registry whose `packages/NAME/` a file lies in, or null. */
async function registryOf(files: Files, file: string): Promise<string | null> {
  const root = path.dirname(path.dirname(path.dirname(file)));
  const lies = path.basename(path.dirname(path.dirname(file))) === PACKAGES;
  return lies && (await files.facts(path.join(root, REGISTRY_FILE))) !== undefined ? root : null;
}

/** A YAML file that says `schema: ipm/…`, whatever it is called. */
async function isManifest(files: Files, file: string): Promise<boolean> {
  const facts = await files.facts(file);
  if (facts?.kind !== "file" || facts.size > MAX_BYTES) return false;
  return /^["']?schema["']?\s*:\s*["']?ipm\//mu.test((await files.readText(file)) ?? "");
}

/** A path as people are shown it. */
export function shownPath(cwd: string, absolute: string): string {
  const relative = path.relative(cwd, absolute);
  return relative !== "" && relative.length < absolute.length && !relative.startsWith("../../..") ? relative : absolute;
}

/**
 * The manifests that paths mean: a file is one whatever it is called; a registry's folder has its packages; any other
 * folder is searched for `ipm.yaml`, `manifest.yaml` and further YAML files that say `schema: ipm/…`.
 * @throws IpmError TARGET_INVALID for a path that does not exist, MANIFEST_MISSING when nothing is found
 */
export async function findManifests(files: Files, cwd: string, paths: readonly string[]): Promise<FoundManifests> {
  const manifests = new Map<string, ManifestFile>();
  const registries = new Set<string>();
  const add = async (file: string): Promise<void> => {
    if (manifests.has(file) || manifests.size >= MAX_FOUND) return;
    const kind = path.basename(file) === REPOSITORY_FILE ? "repository" : "registry";
    const registry = kind === "registry" ? await registryOf(files, file) : null;
    manifests.set(file, { path: file, shown: shownPath(cwd, file), kind, registry });
  };
  const addRegistry = async (root: string): Promise<void> => {
    registries.add(root);
    for (const name of await files.list(path.join(root, PACKAGES))) {
      const file = path.join(root, PACKAGES, name, MANIFEST_FILE);
      if ((await files.facts(file))?.kind === "file") await add(file);
    }
  };
  const walk = async (folder: string, depth: number): Promise<void> => {
    if ((await files.facts(path.join(folder, REGISTRY_FILE))) !== undefined) return addRegistry(folder);
    for (const name of await files.list(folder)) {
      const absolute = path.join(folder, name);
      const facts = await files.facts(absolute);
      // Links are not followed: they may lead in circles, or out.
      if (facts?.kind === "folder" && depth < MAX_DEPTH && !name.startsWith(".") && !SKIPPED.has(name))
        await walk(absolute, depth + 1);
      if (facts?.kind === "file" && /\.ya?ml$/u.test(name) && (await isManifest(files, absolute))) await add(absolute);
    }
    return undefined;
  };
  for (const typed of paths) {
    const absolute = path.resolve(cwd, typed);
    const real = await files.realPath(absolute);
    const facts = real === undefined ? undefined : await files.facts(real);
    if (real === undefined || facts === undefined) {
      throw new IpmError("TARGET_INVALID", `${escapeUntrusted(typed)} does not exist`, {
        hint: "name a manifest, a folder or a registry",
        data: { path: typed },
      });
    }
    if (facts.kind === "file") await add(absolute);
    else {
      const root = await findRegistryRoot(files, absolute);
      if (root === undefined) await walk(absolute, 0);
      else await addRegistry(root);
    }
  }
  if (manifests.size === 0 && registries.size === 0) {
    throw new IpmError("MANIFEST_MISSING", `there is no manifest in ${paths.map(escapeUntrusted).join(", ")}`, {
      hint: "ipm init TARGET drafts one",
      data: { paths },
    });
  }
  return { manifests: [...manifests.values()], registries: [...registries] };
}
