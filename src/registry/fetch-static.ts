import path from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { sha256Hex } from "../core/canonical-json.ts";
import { IpmError, isIpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { RegistryContext } from "./registry-context.ts";
import {
  type ContentFile,
  type LayerPart,
  MAX_ROOT_BYTES,
  ROOT_FILE,
  type StaticRoot,
  contentPath,
  parseRoot,
} from "./static-root.ts";

const decompress = promisify(gunzip);

const ROOT_TIMEOUT_MS = 60_000;
/** Below this speed a network is none; a file may take that long, and a minute. */
const LEAST_BYTES_PER_SECOND = 20_000;
const MEBIBYTE = 1024 ** 2;

/** One place that a static registry is served from. */
export interface StaticPlace {
  /** The registry's id, or what it is called until that is known. */
  readonly id: string;
  /** Its URL, without a slash at the end. */
  readonly url: string;
}

export interface FetchedRoot {
  readonly root: StaticRoot;
  /** sha256 of its bytes. */
  readonly digest: string;
  readonly etag: string | null;
}

export function refuseOffline(context: RegistryContext, what: string, command: string): void {
  if (context.offline !== true) return;
  throw new IpmError("OFFLINE", `${what} is not on this machine`, { hint: command });
}

/**
 * Ask for a registry's root. @param etag what it was called when it was fetched before
 * @returns undefined when it is still that one
 * @throws IpmError the codes of `Retrieve` and `parseRoot`
 */
export async function fetchRoot(
  context: RegistryContext,
  { url }: Pick<StaticPlace, "url">,
  etag: string | undefined,
): Promise<FetchedRoot | undefined> {
  const { host } = context;
  const chunks: Uint8Array[] = [];
  const address = `${url}/${ROOT_FILE}`;
  const answer = await host.retrieve({
    url: address,
    ...(etag === undefined ? {} : { etag }),
    maxBytes: MAX_ROOT_BYTES,
    timeoutMs: ROOT_TIMEOUT_MS,
    signal: host.signal,
    onBytes: (chunk) => void chunks.push(chunk),
  });
  if (answer.status === "same") return undefined;
  const bytes = Buffer.concat(chunks);
  return { root: parseRoot(bytes.toString("utf8"), address), digest: sha256Hex(bytes), etag: answer.etag };
}

function mismatch({ id, url }: StaticPlace, file: ContentFile, why: string): IpmError {
  return new IpmError("REGISTRY_MISMATCH", `${escapeUntrusted(url)}/${contentPath(file.sha256)} ${why}`, {
    hint: `an upload may be under way: ipm update ${id}; if it stays so, tell the registry's owner`,
    data: { id, url: escapeUntrusted(url), expected: file.sha256 },
  });
}

/**
 * Bring one file below `files/` into a folder, where it lies under its sha256; one that is there is used, and one that
 * was begun is gone on with.
 * @returns its bytes, which have been compared with their digest
 * @throws IpmError REGISTRY_MISMATCH, the codes of `Retrieve`, DISK_FULL, IO_FAILED
 */
export async function fetchContent(
  context: RegistryContext,
  place: StaticPlace,
  folder: string,
  file: ContentFile,
  report: (received: number) => void = () => undefined,
): Promise<Uint8Array> {
  const { files, retrieve, signal } = context.host;
  const target = path.join(folder, file.sha256);
  const here = await files.readBytes(target);
  if (here !== undefined) {
    if (here.length === file.size && sha256Hex(here) === file.sha256) return here;
    await files.remove(target);
  }
  await files.createFolder(folder);
  const partial = `${target}.partial`;
  let chunks: Uint8Array[] = [];
  let have = 0;
  const before = await files.readBytes(partial);
  if (before !== undefined && before.length < file.size) {
    chunks.push(before);
    have = before.length;
  } else if (before !== undefined) {
    await files.remove(partial);
  }
  const ask = async (): Promise<"restart" | "done"> => {
    const from = have;
    const { status } = await retrieve({
      url: `${place.url}/${contentPath(file.sha256)}`,
      from,
      maxBytes: file.size - from,
      timeoutMs: 60_000 + Math.ceil((file.size / LEAST_BYTES_PER_SECOND) * 1000),
      signal,
      onBytes: async (chunk) => {
        await files.append(partial, chunk);
        chunks.push(chunk);
        have += chunk.length;
        report(have);
      },
    });
    return status === "restart" ? "restart" : "done";
  };
  const startAnew = async (): Promise<void> => {
    await files.remove(partial);
    chunks = [];
    have = 0;
  };
  const wasResumed = have > 0;
  if ((await ask()) === "restart") {
    await startAnew();
    await ask();
  }
  let bytes = Buffer.concat(chunks);
  if (wasResumed && sha256Hex(bytes) !== file.sha256) {
    // What was begun may have been damaged here: once from the beginning, before anybody is blamed.
    await startAnew();
    await ask();
    bytes = Buffer.concat(chunks);
  }
  if (bytes.length !== file.size) {
    await files.remove(partial);
    throw mismatch(place, file, `has ${bytes.length} bytes; its root says ${file.size}`);
  }
  const found = sha256Hex(bytes);
  if (found !== file.sha256) {
    await files.remove(partial);
    throw mismatch(place, file, `has the sha256 ${found}`);
  }
  await files.rename(partial, target);
  return bytes;
}

/**
 * Decompress what is to become so many bytes, at once: by default Node does it 16 KiB at a time, and calls back for each.
 * Never more memory than that is used, whatever it would become.
 * @throws Error when it is no gzip, or becomes more
 */
export async function decompressInto(sent: Uint8Array, bytes: number): Promise<Uint8Array> {
  // One byte to spare, which shows that there is no more to come.
  return decompress(sent, { maxOutputLength: Math.max(1, bytes), chunkSize: Math.max(64, bytes + 1) });
}

/** The bytes of one part of a layer. @throws IpmError REGISTRY_MISMATCH when it is not what the root says */
export async function decompressPart(place: StaticPlace, part: LayerPart, sent: Uint8Array): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await decompressInto(sent, part.bytes);
  } catch (error) {
    throw mismatch(place, part, `cannot be decompressed: ${error instanceof Error ? error.message : "unknown"}`);
  }
  if (bytes.length !== part.bytes) throw mismatch(place, part, `holds ${bytes.length} bytes, not ${part.bytes}`);
  return bytes;
}

/** Says how far the download of some files is, at most once a mebibyte. */
export function progressOf(
  context: RegistryContext,
  { id, url }: StaticPlace,
  total: number,
): (received: number) => void {
  let reported = 0;
  return (received) => {
    if (received - reported < MEBIBYTE && received !== total) return;
    reported = received;
    const text = `${(received / MEBIBYTE).toFixed(1)} of ${(total / MEBIBYTE).toFixed(1)} MiB`;
    context.emit({ type: "fetch.progress", tool: id, url: escapeUntrusted(url), text });
  };
}

/**
 * Try the places of a registry in their order until one gives what is wanted.
 * @throws IpmError what the first one said, with what the others said in `data.places`
 */
export async function fromFirstOf<T>(
  context: RegistryContext,
  places: readonly StaticPlace[],
  attempt: (place: StaticPlace) => Promise<T>,
): Promise<T> {
  const failures: { place: StaticPlace; error: IpmError }[] = [];
  for (const place of places) {
    try {
      return await attempt(place);
    } catch (error) {
      const isOurs = isIpmError(error, "DISK_FULL") || isIpmError(error, "IO_FAILED");
      if (!isIpmError(error) || isOurs || context.host.signal.aborted) throw error;
      failures.push({ place, error });
    }
  }
  const [first, ...others] = failures;
  if (first === undefined) throw new TypeError("a static registry has no place");
  if (others.length === 0) throw first.error;
  const { code, message, hint, data } = first.error;
  const said = others.map(({ error }) => `; ${error.message}`).join("");
  throw new IpmError(code, `${message}${said}`, {
    ...(hint === undefined ? {} : { hint }),
    data: {
      ...data,
      places: failures.map(({ place, error }) => ({
        url: escapeUntrusted(place.url),
        code: error.code,
        message: error.message,
      })),
    },
    cause: first.error,
  });
}
