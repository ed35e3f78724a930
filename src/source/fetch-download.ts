import { randomBytes } from "node:crypto";
import path from "node:path";
import { IpmError } from "../core/errors.ts";
import type { Emit } from "../core/events.ts";
import type { Host } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";

/** What a pinned download is fetched by. */
export interface DownloadPin {
  readonly url: string;
  readonly sha256: string;
  /** About how many bytes it has, or null. */
  readonly bytes: number | null;
}

const GIBIBYTE = 1024 ** 3;
/** Most bytes of a download that does not say how large it is. */
const MAX_BYTES = GIBIBYTE;
const TIMEOUT_MS = 60 * 60_000;
/** Between two reports of progress. */
const PROGRESS_BYTES = 1024 ** 2;

/** A size is written as "about": half as much again is still that. */
function limitOf(bytes: number | null): number {
  return bytes === null ? MAX_BYTES : Math.ceil(bytes * 1.5) + PROGRESS_BYTES;
}

/**
 * Bring a pinned download into ipm's cache, where it lies under its sha256, and check its bytes; one that is there already
 * is checked again and used.
 * @param work `tool`: `name@version` for events; `offline`: nothing is fetched; `certificates`: PEM, trusted besides
 * @returns absolute path of the file in the cache
 * @throws IpmError SOURCE_MISMATCH (other bytes than the pin's), FETCH_FAILED, SOURCE_REFUSED, OFFLINE, DISK_FULL
 */
export async function fetchDownload(
  context: { readonly host: Host; readonly emit: Emit },
  pin: DownloadPin,
  work: { readonly tool: string; readonly offline: boolean; readonly certificates?: string | undefined },
): Promise<string> {
  const { host } = context;
  const folder = path.join(host.homes.cache, "downloads");
  const file = path.join(folder, pin.sha256);
  if ((await host.files.facts(file))?.kind === "file") {
    if ((await host.files.sha256(file)) === pin.sha256) return file;
    await host.files.remove(file);
  }
  const { origin, pathname } = new URL(pin.url);
  const shown = escapeUntrusted(`${origin}${pathname}`);
  if (work.offline) {
    throw new IpmError("OFFLINE", `${shown} is not on this machine yet`, {
      hint: "run the command once without --offline",
    });
  }
  await host.files.createFolder(folder);
  const partial = path.join(folder, `${pin.sha256}.${randomBytes(6).toString("hex")}.partial`);
  let reported = 0;
  try {
    const result = await host.download({
      url: pin.url,
      file: partial,
      maxBytes: limitOf(pin.bytes),
      timeoutMs: TIMEOUT_MS,
      signal: host.signal,
      ...(work.certificates === undefined ? {} : { certificates: work.certificates }),
      onProgress: (received, total) => {
        if (received - reported < PROGRESS_BYTES && received !== total) return;
        reported = received;
        const of = total === null ? "" : ` of ${(total / PROGRESS_BYTES).toFixed(1)}`;
        const text = `${(received / PROGRESS_BYTES).toFixed(1)}${of} MiB`;
        context.emit({ type: "fetch.progress", tool: work.tool, url: shown, text });
      },
    });
    if (result.sha256 !== pin.sha256) {
      throw new IpmError("SOURCE_MISMATCH", `${shown} has other bytes than the manifest pins`, {
        hint: "do not install it; tell the registry's maintainers",
        data: { url: shown, expected: pin.sha256, actual: result.sha256, bytes: result.bytes },
      });
    }
    await host.files.rename(partial, file);
    return file;
  } finally {
    await host.files.remove(partial);
  }
}
