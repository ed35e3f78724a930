import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { type Socket } from "node:net";
import { finished } from "node:stream/promises";
import { connect } from "node:tls";
import { IpmError, errnoOf } from "../core/errors.ts";
import type { Download, DownloadRequest } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { translateIoError } from "./files.ts";

/** A server that sends nothing for so long is gone. */
const IDLE_MS = 60_000;
const MAX_REDIRECTS = 5;
const LOOPBACK = new Set(["127.0.0.1", "[::1]", "localhost"]);

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

/** The proxy for a host by the usual variables, or undefined; only http proxies are known. */
function proxyFor(url: URL, env: DownloadOptions["env"]): URL | undefined {
  const text = env["https_proxy"] || env["HTTPS_PROXY"] || env["all_proxy"] || env["ALL_PROXY"] || "";
  const except = (env["no_proxy"] || env["NO_PROXY"] || "").split(/[,\s]+/u).filter((item) => item !== "");
  const isExcept = except.some(
    (item) => item === "*" || url.hostname === item || url.hostname.endsWith(`.${item.replace(/^\./u, "")}`),
  );
  if (url.protocol !== "https:" || isExcept || !URL.canParse(text)) return undefined;
  const proxy = new URL(text);
  return proxy.protocol === "http:" ? proxy : undefined;
}

/** A connection through a proxy (CONNECT, RFC 9110 9.3.6), encrypted to the host itself. */
function tunnel(url: URL, proxy: URL, signal: AbortSignal): Promise<Socket> {
  const target = `${url.hostname}:${url.port || "443"}`;
  const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  const headers =
    proxy.username === "" ? {} : { "proxy-authorization": `Basic ${Buffer.from(credentials).toString("base64")}` };
  return new Promise((resolve, reject) => {
    const request = http.request({
      host: proxy.hostname,
      port: proxy.port || 80,
      method: "CONNECT",
      path: target,
      headers,
      signal,
      timeout: IDLE_MS,
    });
    request.once("connect", (response, socket) => {
      if (response.statusCode !== 200) {
        socket.destroy();
        reject(failed(url, `the proxy answered ${response.statusCode}`));
        return;
      }
      const secure = connect({ socket, servername: url.hostname });
      secure.once("secureConnect", () => resolve(secure));
      secure.once("error", reject);
    });
    request.once("timeout", () => request.destroy(failed(url, "the proxy does not answer")));
    request.once("error", reject);
    request.end();
  });
}

async function ask(url: URL, options: DownloadOptions, signal: AbortSignal): Promise<http.IncomingMessage> {
  const isLoopback = options.allowLoopbackHttp === true && url.protocol === "http:" && LOOPBACK.has(url.hostname);
  if (url.protocol !== "https:" && !isLoopback)
    throw refuse(url, `it uses ${escapeUntrusted(url.protocol.slice(0, -1))}`);
  if (url.username !== "" || url.password !== "") throw refuse(url, "its address holds a password");
  const proxy = proxyFor(url, options.env);
  const socket = proxy === undefined ? undefined : await tunnel(url, proxy, signal);
  return new Promise((resolve, reject) => {
    const settings: https.RequestOptions = {
      signal,
      timeout: IDLE_MS,
      // Compressed answers would not be the bytes that were hashed.
      headers: { "user-agent": "ipm", accept: "*/*", "accept-encoding": "identity" },
      ...(socket === undefined ? {} : { createConnection: () => socket }),
    };
    const request = isLoopback ? http.get(url, settings) : https.get(url, settings);
    request.once("response", resolve);
    request.once("timeout", () => request.destroy(failed(url, "the server does not answer")));
    request.once("error", reject);
  });
}

async function follow(url: URL, options: DownloadOptions, signal: AbortSignal): Promise<http.IncomingMessage> {
  let current = url;
  for (let count = 0; count <= MAX_REDIRECTS; count++) {
    const response = await ask(current, options, signal);
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
      const response = await follow(url, options, signal);
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
      const errno = errnoOf(error);
      const isDisk =
        errno === "ENOSPC" || errno === "EDQUOT" || errno === "EACCES" || errno === "EROFS" || errno === "EEXIST";
      if (isDisk) throw translateIoError(error, "write", request.file);
      throw failed(url, errno ?? (error instanceof Error ? escapeUntrusted(error.message) : "unknown"), error);
    }
  };
}
