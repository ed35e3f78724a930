import * as http from "node:http";
import * as https from "node:https";
import { IpmError, type IpmErrorDetails, errnoOf } from "../core/errors.ts";
import type { Retrieve, RetrieveRequest } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { ProxyRefused, ServerSilent, getOnce, isLoopbackHttp } from "./https-request.ts";

/** A server that sends nothing for so long is gone. */
const IDLE_MS = 30_000;
const MAX_REDIRECTS = 3;

export interface RetrieveOptions {
  /** The caller's environment: `https_proxy`, `no_proxy`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds without a byte after which a server is given up. Default: half a minute. */
  readonly idleMs?: number;
}

function fail(code: IpmError["code"], url: URL, why: string, details: IpmErrorDetails = {}): IpmError {
  return new IpmError(code, `${escapeUntrusted(`${url.host}${url.pathname}`)}: ${why}`, {
    ...details,
    data: { url: escapeUntrusted(`${url.origin}${url.pathname}`), ...details.data },
  });
}

function checkTransport(url: URL): void {
  if (url.protocol !== "https:" && !isLoopbackHttp(url)) {
    throw fail("SOURCE_REFUSED", url, `a registry is fetched by https, not by ${url.protocol.slice(0, -1)}`, {
      hint: "ask its owner for an https address",
    });
  }
  if (url.username !== "" || url.password !== "") {
    throw fail("SOURCE_REFUSED", url, "an address must not hold a password", {
      hint: "ipm registry add the address without it",
    });
  }
}

/** The answer to a request; redirects are followed where they stay on the same server. */
async function answerTo(
  request: RetrieveRequest,
  options: Parameters<typeof getOnce>[1],
): Promise<{ url: URL; response: http.IncomingMessage }> {
  let url = new URL(request.url);
  for (let count = 0; count <= MAX_REDIRECTS; count++) {
    checkTransport(url);
    const response = await getOnce(url, options);
    const { statusCode = 0, headers } = response;
    if (statusCode < 300 || statusCode === 304 || statusCode >= 400) return { url, response };
    response.destroy();
    const { location } = headers;
    if (location === undefined || !URL.canParse(location, url.href))
      throw fail("FETCH_FAILED", url, `the server answered ${statusCode}`, { hint: "ipm update" });
    const next = new URL(location, url.href);
    if (next.origin !== url.origin) {
      throw fail("REGISTRY_REDIRECTED", url, `the server sends on to ${escapeUntrusted(next.origin)}`, {
        hint: "a login page or another owner; if the registry has moved: ipm registry remove ID, then add its new address",
        data: { location: escapeUntrusted(next.origin) },
      });
    }
    url = next;
  }
  throw fail("FETCH_FAILED", url, "too many redirects", { hint: "tell the registry's owner" });
}

function tooLarge(url: URL, bytes: number, request: RetrieveRequest): IpmError {
  return fail("REGISTRY_TOO_LARGE", url, `it sends ${bytes} bytes or more; ${request.maxBytes} are expected at most`, {
    hint: "tell the registry's owner; what was fetched before stays in use",
    data: { bytes, maxBytes: request.maxBytes },
  });
}

/** Pass on the body of an answer as it comes; more than is allowed, or less than was said, is a failure. */
async function passOn(url: URL, response: http.IncomingMessage, request: RetrieveRequest): Promise<number> {
  const length = Number(response.headers["content-length"]);
  const total = response.headers["content-length"] !== undefined && Number.isSafeInteger(length) ? length : null;
  if (total !== null && total > request.maxBytes) throw tooLarge(url, total, request);
  let bytes = 0;
  const cutOff = (cause?: unknown): IpmError =>
    fail("REGISTRY_CUT_OFF", url, `the connection ended after ${bytes}${total === null ? "" : ` of ${total}`} bytes`, {
      hint: "run the command again: it goes on where it stopped",
      data: { bytes, total },
      ...(cause === undefined ? {} : { cause }),
    });
  try {
    for await (const chunk of response) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError("a stream of bytes gave something else");
      bytes += chunk.byteLength;
      if (bytes > request.maxBytes) throw tooLarge(url, bytes, request);
      await request.onBytes(chunk);
    }
  } catch (error) {
    const errno = errnoOf(error);
    throw errno === "ECONNRESET" || errno === "ERR_STREAM_PREMATURE_CLOSE" ? cutOff(error) : error;
  }
  if (total !== null && bytes !== total) throw cutOff();
  return bytes;
}

/** The adapter behind `Host.retrieve`. Connections are kept for the next request of the same process. */
export function createRetrieve({ env, idleMs = IDLE_MS }: RetrieveOptions): Retrieve {
  const agents = {
    http: new http.Agent({ keepAlive: true, maxSockets: 2 }),
    https: new https.Agent({ keepAlive: true, maxSockets: 2 }),
  };
  return async (request) => {
    const limit = AbortSignal.timeout(request.timeoutMs);
    const signal = AbortSignal.any([request.signal, limit]);
    const headers = {
      ...(request.etag === undefined ? {} : { "if-none-match": request.etag }),
      ...(request.from === undefined || request.from === 0 ? {} : { range: `bytes=${request.from}-` }),
    };
    const at = new URL(request.url);
    try {
      const { url, response } = await answerTo(request, { env, signal, idleMs, headers, agents });
      const { statusCode = 0 } = response;
      const etag = response.headers.etag ?? null;
      const isRest =
        statusCode === 206 && (response.headers["content-range"] ?? "").startsWith(`bytes ${request.from}-`);
      try {
        if (statusCode === 304 && request.etag !== undefined) {
          response.resume();
          return { status: "same", etag, bytes: 0 };
        }
        // What was there before is no beginning of what is there now.
        if (statusCode === 416 || (statusCode === 206 && !isRest)) return { status: "restart", etag, bytes: 0 };
        if (statusCode !== 200 && !isRest) {
          throw fail("FETCH_FAILED", url, `the server answered ${statusCode}`, {
            hint: statusCode === 404 ? "look at the address: ipm registry list" : "try again later: ipm update",
            data: { status: statusCode },
          });
        }
        if (statusCode === 200 && (request.from ?? 0) > 0) return { status: "restart", etag, bytes: 0 };
        const type = response.headers["content-type"] ?? "";
        if (/^\s*text\/html\b/iu.test(type)) {
          throw fail("REGISTRY_NOT_DATA", url, "the server answered with a web page in place of the registry", {
            hint: "a login page of this network, or the wrong address? Open it in a browser, then run: ipm update",
          });
        }
        const bytes = await passOn(url, response, request);
        return { status: isRest ? "rest" : "new", etag, bytes };
      } finally {
        if (!response.complete) response.destroy();
      }
    } catch (error) {
      if (request.signal.aborted)
        throw request.signal.reason instanceof IpmError
          ? request.signal.reason
          : new IpmError("INTERRUPTED", "interrupted", { cause: error });
      if (limit.aborted) {
        throw fail("REGISTRY_STALLED", at, `it took longer than ${Math.round(request.timeoutMs / 1000)} s`, {
          hint: "try again later: it goes on where it stopped",
          cause: error,
        });
      }
      if (error instanceof IpmError) throw error;
      if (error instanceof ServerSilent) {
        throw fail("REGISTRY_STALLED", at, `${error.message} (nothing came for ${Math.round(idleMs / 1000)} s)`, {
          hint: "try again later: it goes on where it stopped",
        });
      }
      const why =
        error instanceof ProxyRefused
          ? error.message
          : (errnoOf(error) ?? (error instanceof Error ? escapeUntrusted(error.message) : "unknown"));
      throw fail("FETCH_FAILED", at, why, {
        hint: "is the network there? Behind a proxy set https_proxy; a company's certificate goes into NODE_EXTRA_CA_CERTS",
        cause: error,
      });
    }
  };
}
