import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import type * as http from "node:http";
import { finished } from "node:stream/promises";
import { IpmError, errnoOf } from "../core/errors.ts";
import type { Download, DownloadRequest } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { translateIoError } from "./files.ts";
import { ProxyRefused, ServerSilent, getOnce, isLoopbackHttp } from "./https-request.ts";

/** A server that sends nothing for so long is gone. */
const IDLE_MS = 60_000;
const MAX_REDIRECTS = 5;

export interface DownloadOptions {
  /** The caller's environment: `https_proxy`, `no_proxy`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Plain http to this machine itself, for tests. */
  readonly allowLoopbackHttp?: boolean;
}

function refuse(url: URL, why: string): IpmError {
  return new IpmError("SOURCE_REFUSED", `a download from ${escapeUntrusted(url.host)} is refused: ${why}`, {
    hint: "tell the manifest's maintainers",
    data: { host: url.host },
  });
}

function failed(url: URL, why: string, cause?: unknown, status?: number): IpmError {
  return new IpmError("FETCH_FAILED", `cannot download ${escapeUntrusted(url.host + url.pathname)}: ${why}`, {
    hint: "try again; behind a proxy set https_proxy",
    data: { url: `${url.origin}${url.pathname}`, ...(status === undefined ? {} : { status }) },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** What one request adds to the options. */
type Asking = DownloadOptions & Pick<DownloadRequest, "signal" | "certificates">;

async function ask(url: URL, options: Asking): Promise<http.IncomingMessage> {
  const isLoopback = options.allowLoopbackHttp === true && isLoopbackHttp(url);
  if (url.protocol !== "https:" && !isLoopback)
    throw refuse(url, `it uses ${escapeUntrusted(url.protocol.slice(0, -1))}`);
  if (url.username !== "" || url.password !== "") throw refuse(url, "its address holds a password");
  try {
    const { env, signal, certificates } = options;
    return await getOnce(url, {
      env,
      signal,
      idleMs: IDLE_MS,
      ...(certificates === undefined ? {} : { certificates }),
    });
  } catch (error) {
    throw error instanceof ProxyRefused || error instanceof ServerSilent ? failed(url, error.message) : error;
  }
}

async function follow(url: URL, options: Asking): Promise<http.IncomingMessage> {
  let current = url;
  for (let count = 0; count <= MAX_REDIRECTS; count++) {
    const response = await ask(current, options);
    const status = response.statusCode ?? 0;
    if (status === 200) return response;
    response.destroy();
    const { location } = response.headers;
    if (status < 300 || status >= 400 || location === undefined || !URL.canParse(location, current.href))
      throw failed(current, `the server answered ${status}`, undefined, status);
    current = new URL(location, current.href);
  }
  throw failed(current, "too many redirects");
}

/** The adapter behind `Host.download`. */
export function createDownload(options: DownloadOptions): Download {
  return async (request: DownloadRequest) => {
    const url = new URL(request.url);
    const limit = AbortSignal.timeout(request.timeoutMs);
    const signal = AbortSignal.any([request.signal, limit]);
    const hash = createHash("sha256");
    let bytes = 0;
    try {
      const response = await follow(url, { ...options, ...request, signal });
      const length = Number(response.headers["content-length"]);
      const total = Number.isSafeInteger(length) ? length : null;
      if (total !== null && total > request.maxBytes) {
        response.destroy();
        throw failed(url, `it has ${total} bytes, more than the ${request.maxBytes} that are allowed`);
      }
      const file = createWriteStream(request.file, { flags: "wx", mode: 0o600 });
      const written = finished(file);
      // Whoever fails first is told below; the other end must not be an unhandled rejection.
      written.catch(() => undefined);
      try {
        for await (const chunk of response) {
          if (!(chunk instanceof Uint8Array)) throw new TypeError("a stream of bytes gave something else");
          bytes += chunk.byteLength;
          if (bytes > request.maxBytes)
            throw failed(url, `it is larger than the ${request.maxBytes} bytes that are allowed`);
          hash.update(chunk);
          if (!file.write(chunk))
            await Promise.race([new Promise<void>((resolve) => file.once("drain", resolve)), written]);
          request.onProgress?.(bytes, total);
        }
        if (total !== null && bytes !== total)
          throw failed(url, `the connection ended after ${bytes} of ${total} bytes`);
      } finally {
        response.destroy();
        file.end();
      }
      await written;
      return { bytes, sha256: hash.digest("hex") };
    } catch (error) {
      if (request.signal.aborted)
        throw request.signal.reason instanceof IpmError
          ? request.signal.reason
          : new IpmError("INTERRUPTED", "interrupted", { cause: error });
      if (limit.aborted) throw failed(url, `it took longer than ${Math.round(request.timeoutMs / 1000)} s`, error);
      if (error instanceof IpmError) throw error;
      if (error instanceof ServerSilent) throw failed(url, error.message, error);
      const errno = errnoOf(error);
      const isDisk =
        errno === "ENOSPC" || errno === "EDQUOT" || errno === "EACCES" || errno === "EROFS" || errno === "EEXIST";
      if (isDisk) throw translateIoError(error, "write", request.file);
      throw failed(url, errno ?? (error instanceof Error ? escapeUntrusted(error.message) : "unknown"), error);
    }
  };
}
