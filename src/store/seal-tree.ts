import { sha256Hex } from "../core/canonical-json.ts";
import { IpmError, isIpmError } from "../core/errors.ts";
import type { FileFacts, Host } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";

/** What `files.json` holds of one path of the prefix. */
export type SealedFile =
  | { readonly kind: "file"; readonly mode: number; readonly size: number; readonly sha256: string }
  | { readonly kind: "link"; readonly target: string };

export interface SealedTree {
  /** By path relative to the prefix, sorted by code unit. */
  readonly files: Readonly<Record<string, SealedFile>>;
  readonly bytes: number;
  readonly count: number;
}

/** Walk a prefix: every file and link of it, then its folder. `visit` and `onFolder` may change modes. */
async function walk(
  host: Host,
  folder: string,
  prefix: string,
  visit: (relative: string, absolute: string, facts: FileFacts | undefined) => Promise<void>,
  onFolder: (absolute: string, mode: number) => Promise<void>,
): Promise<void> {
  for (const name of await host.files.list(folder)) {
    const absolute = `${folder}/${name}`;
    const relative = prefix === "" ? name : `${prefix}/${name}`;
    const facts = await host.files.facts(absolute);
    if (facts?.kind === "folder") await walk(host, absolute, relative, visit, onFolder);
    else await visit(relative, absolute, facts);
  }
  const own = await host.files.facts(folder);
  if (own !== undefined) await onFolder(folder, own.mode);
}

const WRITABLE = 0o222;
const OWNER_READS = 0o400;
const OWNER_ENTERS = 0o500;

/**
 * Describe and protect a prefix: every file is hashed and loses its write bits, and so does every folder, so that an
 * installed tool cannot change itself unnoticed. Removal restores the modes.
 */
export async function sealTree(host: Host, prefix: string): Promise<SealedTree> {
  // Without a prototype: a file may be called `__proto__`.
  const files: Record<string, SealedFile> = Object.create(null);
  let bytes = 0;
  await walk(
    host,
    prefix,
    "",
    async (relative, absolute, facts) => {
      const described = await describeFile(host, absolute, facts);
      if (described === undefined) {
        throw new IpmError(
          "OUTPUT_INVALID",
          `the steps left a file that cannot be described: ${escapeUntrusted(relative)}`,
          {
            hint: "its name must be UTF-8 and it must be a file, folder or link; tell the manifest's maintainers",
            data: { path: absolute },
          },
        );
      }
      if (described.kind === "file") {
        bytes += described.size;
        const sealed = described.mode & ~WRITABLE;
        if (sealed !== described.mode) await host.files.setMode(absolute, sealed);
        files[relative] = { ...described, mode: sealed };
      } else files[relative] = described;
    },
    async (absolute, mode) => host.files.setMode(absolute, mode & ~WRITABLE),
  );
  return { files, bytes, count: Object.keys(files).length };
}

/** Let the owner read everything of a tree: a build may have left files and folders that nobody can read. */
export async function makeReadable(host: Host, folder: string): Promise<void> {
  const demand = async (file: string, bits: number): Promise<string | undefined> => {
    const facts = await host.files.facts(file);
    if (facts !== undefined && facts.kind !== "link" && (facts.mode & bits) !== bits)
      await host.files.setMode(file, facts.mode | bits);
    return facts?.kind;
  };
  await demand(folder, OWNER_ENTERS);
  for (const name of await host.files.list(folder)) {
    const file = `${folder}/${name}`;
    if ((await demand(file, OWNER_READS)) === "folder") await makeReadable(host, file);
  }
}

async function describeFile(
  host: Host,
  absolute: string,
  facts: FileFacts | undefined,
): Promise<SealedFile | undefined> {
  if (facts?.kind === "link") return { kind: "link", target: (await host.files.readLink(absolute)) ?? "" };
  if (facts?.kind !== "file") return undefined;
  return { kind: "file", mode: facts.mode, size: facts.size, sha256: await host.files.sha256(absolute) };
}

function isSealedFile(value: unknown): value is SealedFile {
  if (typeof value !== "object" || value === null || !("kind" in value)) return false;
  if (value.kind === "link") return "target" in value && typeof value.target === "string";
  return value.kind === "file" && "mode" in value && "size" in value && "sha256" in value;
}

function isSealedFiles(value: unknown): value is Readonly<Record<string, SealedFile>> {
  return typeof value === "object" && value !== null && Object.values(value).every(isSealedFile);
}

/** Read `files.json`; undefined when it is missing or not the one that the receipt vouches for. */
export async function readSealedFiles(
  host: Host,
  file: string,
  digest: string,
): Promise<Readonly<Record<string, SealedFile>> | undefined> {
  const text = await host.files.readText(file);
  if (text === undefined || sha256Hex(text) !== digest) return undefined;
  const value: unknown = JSON.parse(text);
  return isSealedFiles(value) ? value : undefined;
}

export interface TreeDifference {
  readonly path: string;
  readonly what: "missing" | "changed" | "added" | "mode";
}

/** What of a prefix is no longer as it was sealed, for `doctor`. */
export async function compareTree(
  host: Host,
  prefix: string,
  sealed: Readonly<Record<string, SealedFile>>,
): Promise<TreeDifference[]> {
  const differences: TreeDifference[] = [];
  const seen = new Set<string>();
  await walk(
    host,
    prefix,
    "",
    async (relative, absolute, facts) => {
      seen.add(relative);
      const expected = Object.hasOwn(sealed, relative) ? sealed[relative] : undefined;
      const actual = await describeFile(host, absolute, facts);
      if (expected === undefined) differences.push({ path: relative, what: "added" });
      else if (actual === undefined || actual.kind !== expected.kind)
        differences.push({ path: relative, what: "changed" });
      else if (actual.kind === "link" && expected.kind === "link") {
        if (actual.target !== expected.target) differences.push({ path: relative, what: "changed" });
      } else if (actual.kind === "file" && expected.kind === "file") {
        if (actual.sha256 !== expected.sha256) differences.push({ path: relative, what: "changed" });
        else if (actual.mode !== expected.mode) differences.push({ path: relative, what: "mode" });
      }
    },
    async () => {},
  );
  for (const path of Object.keys(sealed)) if (!seen.has(path)) differences.push({ path, what: "missing" });
  return differences.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** Bytes of all files below a folder, for `gc` and `list --sizes`; a folder that cannot be read counts nothing. */
export async function measureTree(host: Host, folder: string): Promise<number> {
  const facts = await host.files.facts(folder);
  if (facts === undefined) return 0;
  if (facts.kind !== "folder") return facts.size;
  const names = await host.files.list(folder).catch((error: unknown) => {
    if (isIpmError(error)) return [];
    throw error;
  });
  let bytes = 0;
  for (const name of names) bytes += await measureTree(host, `${folder}/${name}`);
  return bytes;
}
