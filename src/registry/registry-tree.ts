import path from "node:path";
import { IpmError } from "../core/errors.ts";
import type { FileFacts, Files } from "../core/host.ts";

/** What a registry's tree holds under one path. Links are never followed: they are reported as what they are. */
export interface TreeFile {
  /** Below the registry's root, `/`-separated. */
  readonly path: string;
  readonly kind: FileFacts["kind"];
  readonly size: number;
  /** Changes when the content does: times and size, or git's blob id. */
  readonly stamp: string;
  /** When it last changed; 0 where that is not a matter of time (a commit). */
  readonly changedMs: number;
}

/** Everything of a registry that the index is compiled from: a folder, or one commit of a git store. */
export interface RegistryTree {
  /** What messages call the root, such as a path or a URL. */
  readonly where: string;
  /**
   * `registry.yaml`, and below `packages/` every manifest (or whatever else is in the place of one) and the files of each
   * `attestations` folder.
   * @param names only the files of these entries, and `registry.yaml`
   */
  list(names?: readonly string[]): Promise<readonly TreeFile[]>;
  /** The contents of plain files of the list, in the order asked for. */
  read(files: readonly TreeFile[]): Promise<readonly Uint8Array[]>;
  /** Facts of any other file of the tree (a bundle), or undefined. */
  find(path: string): Promise<TreeFile | undefined>;
}

export const REGISTRY_FILE = "registry.yaml";
export const PACKAGES = "packages";
export const MANIFEST_FILE = "manifest.yaml";
/** Folder beside a manifest with what verification saw of its versions. */
export const ATTESTATIONS = "attestations";
/** `IndexMeta.key` there: the index is whatever the build made of the registry beside it. */
export const EMBEDDED_KEY = "embedded";

/** More files than any registry needs: refused before they are looked at one by one. */
export const MAX_PACKAGES = 500_000;

/** Path of an entry's manifest below the registry's root. */
export function manifestPath(name: string): string {
  return `${PACKAGES}/${name}/${MANIFEST_FILE}`;
}

/** The name of the entry whose attestation a path below the root may be, or undefined for any other path. */
export function attestedEntry(file: string): string | undefined {
  const [packages, name, folder, last, ...rest] = file.split("/");
  const isPlace = packages === PACKAGES && folder === ATTESTATIONS && last !== undefined && rest.length === 0;
  return isPlace && last.endsWith(".json") ? name : undefined;
}

/** @throws IpmError REGISTRY_INVALID when there are more than any registry needs */
export function checkPackageCount(count: number, where: string): void {
  if (count <= MAX_PACKAGES) return;
  throw new IpmError(
    "REGISTRY_INVALID",
    `the registry ${where} has ${count} packages; at most ${MAX_PACKAGES} are read`,
  );
}

function treeFile(file: string, facts: FileFacts): TreeFile {
  const { kind, size, modifiedMs, changedMs, mode } = facts;
  return { path: file, kind, size, stamp: `${kind} ${size} ${modifiedMs} ${changedMs} ${mode}`, changedMs };
}

/** What the files of each entry look like, as one text; what they are made of comes in the order of the list. */
export function stampsOf(listed: readonly TreeFile[]): Map<string, string> {
  const stamps = new Map<string, string>();
  for (const { path: file, stamp } of listed) {
    const name = file.split("/")[1];
    if (name === undefined) continue;
    const before = stamps.get(name);
    stamps.set(name, before === undefined ? stamp : `${before}|${stamp}`);
  }
  return stamps;
}

/**
 * The folder that is a registry's root: the given one, or its folder `registry/`, whichever holds `registry.yaml`;
 * undefined when neither does.
 */
export async function findRegistryRoot(files: Files, folder: string): Promise<string | undefined> {
  for (const candidate of [folder, path.join(folder, "registry")]) {
    if ((await files.facts(path.join(candidate, REGISTRY_FILE))) !== undefined) return candidate;
  }
  return undefined;
}

/** The tree of a registry that is a plain folder. `root` holds `registry.yaml`. */
export function folderTree(files: Files, root: string): RegistryTree {
  const find = async (file: string): Promise<TreeFile | undefined> => {
    // Every folder on the way counts too: a link there would lead out of the registry just as well.
    const parts = file.split("/");
    for (let count = 1; count < parts.length; count++) {
      const folder = parts.slice(0, count).join("/");
      const facts = await files.facts(path.join(root, folder));
      if (facts === undefined) return undefined;
      if (facts.kind !== "folder")
        return treeFile(file, { ...facts, kind: facts.kind === "file" ? "other" : facts.kind });
    }
    const facts = await files.facts(path.join(root, file));
    return facts === undefined ? undefined : treeFile(file, facts);
  };
  const attestationsOf = async (name: string): Promise<{ folder: TreeFile; inside: TreeFile[] } | undefined> => {
    const below = `${PACKAGES}/${name}/${ATTESTATIONS}`;
    const facts = await files.facts(path.join(root, below));
    // Most entries have none; and a link in the folder's place would lead out of the registry.
    if (facts?.kind !== "folder") return undefined;
    const inside: TreeFile[] = [];
    for (const last of await files.list(path.join(root, below))) {
      const file = await files.facts(path.join(root, below, last));
      if (file !== undefined && attestedEntry(`${below}/${last}`) !== undefined)
        inside.push(treeFile(`${below}/${last}`, file));
    }
    return { folder: treeFile(below, facts), inside };
  };
  return {
    where: root,
    find,
    list: async (only) => {
      const found: TreeFile[] = [];
      const registryFile = await find(REGISTRY_FILE);
      if (registryFile !== undefined) found.push(registryFile);
      const packages = await files.facts(path.join(root, PACKAGES));
      if (packages === undefined) return found;
      if (packages.kind !== "folder") return [...found, treeFile(PACKAGES, packages)];
      const names = only ?? (await files.list(path.join(root, PACKAGES))).filter((name) => !name.startsWith("."));
      checkPackageCount(names.length, root);
      for (const name of names) {
        const folder = await files.facts(path.join(root, PACKAGES, name));
        if (folder === undefined) continue;
        const manifest = folder.kind === "folder" ? await files.facts(path.join(root, manifestPath(name))) : undefined;
        const place = treeFile(`${PACKAGES}/${name}`, folder);
        // Without a manifest the folder itself is listed, so that the compiler can say so.
        if (manifest === undefined) {
          found.push(place);
          continue;
        }
        const attested = await attestationsOf(name);
        const own = treeFile(manifestPath(name), manifest);
        // What comes into the folders, or goes, is a change of the entry too.
        const all = [place, own, ...(attested === undefined ? [] : [attested.folder])];
        const stamp = all.map((each) => each.stamp).join(" ");
        found.push({ ...own, stamp, changedMs: Math.max(...all.map(({ changedMs }) => changedMs)) });
        found.push(...(attested?.inside ?? []));
      }
      return found;
    },
    read: async (wanted) =>
      await Promise.all(
        wanted.map(async (file) => {
          const bytes = await files.readBytes(path.join(root, file.path));
          if (bytes === undefined)
            throw new IpmError("IO_FAILED", `${path.join(root, file.path)} has gone while it was read`);
          return bytes;
        }),
      ),
  };
}

/** What is compared at every command, whatever is asked: the registry's own file and the folder of its entries. */
export async function rootStamp(tree: RegistryTree): Promise<string> {
  const places = [await tree.find(REGISTRY_FILE), await tree.find(PACKAGES)];
  return places.map((place) => place?.stamp ?? "none").join("\n");
}
