import * as http from "node:http";
import * as https from "node:https";
import { type Socket } from "node:net";
import { connect, rootCertificates } from "node:tls";

const LOOPBACK = new Set(["127.0.0.1", "[::1]", "localhost"]);

/** A proxy answered, and not with a connection. */
export class ProxyRefused extends Error {}
/** A server, or a proxy, sent nothing for too long. */
export class ServerSilent extends Error {}

export interface GetOptions {
  /** The caller's environment: `https_proxy`, `no_proxy`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** A server that sends nothing for so many milliseconds is gone. */
  readonly idleMs: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Certificates (PEM) that are trusted besides Node's own. */
  readonly certificates?: string;
  /** Connections that are used again, where no proxy is in between. */
  readonly agents?: { readonly http: http.Agent; readonly https: https.Agent };
}

/** True for plain http to this machine itself, which nobody else hears. */
export function isLoopbackHttp(url: URL): boolean {
  return url.protocol === "http:" && LOOPBACK.has(url.hostname);
}

/** The proxy for a host by the usual variables, or undefined; only http proxies are known. */
function proxyFor(url: URL, env: GetOptions["env"]): URL | undefined {
  const text = env["https_proxy"] || env["HTTPS_PROXY"] || env["all_proxy"] || env["ALL_PROXY"] || "";
  const except = (env["no_proxy"] || env["NO_PROXY"] || "").split(/[,\s]+/u).filter((item) => item !== "");
  const isExcept = except.some(
    (item) => item === "*" || url.hostname === item || url.hostname.endsWith(`.${item.replace(/^\./u, "")}`),
  );
  if (url.protocol !== "https:" || isExcept || !URL.canParse(text)) return undefined;
  const proxy = new URL(text);
  return proxy.protocol === "http:" ? proxy : undefined;
}

/** `ca` replaces what Node trusts by itself, so that is in it too. */
function trustOf({ certificates }: GetOptions): { readonly ca?: string[] } {
  return certificates === undefined ? {} : { ca: [...rootCertificates, certificates] };
}

/** A connection through a proxy (CONNECT, RFC 9110 9.3.6), encrypted to the host itself. */
function tunnel(url: URL, proxy: URL, options: GetOptions): Promise<Socket> {
  const { signal, idleMs } = options;
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
      timeout: idleMs,
    });
    request.once("connect", (response, socket) => {
      if (response.statusCode !== 200) {
        socket.destroy();
        reject(new ProxyRefused(`the proxy answered ${response.statusCode}`));
        return;
      }
      const secure = connect({ socket, servername: url.hostname, ...trustOf(options) });
      secure.once("secureConnect", () => resolve(secure));
      secure.once("error", reject);
    });
    request.once("timeout", () => request.destroy(new ServerSilent("the proxy does not answer")));
    request.once("error", reject);
    request.end();
  });
}

/**
 * One GET, redirects not followed. The caller has looked at the URL's transport.
 * @throws ProxyRefused, ServerSilent, system errors, and the signal's own reason
 */
export async function getOnce(url: URL, options: GetOptions): Promise<http.IncomingMessage> {
  const proxy = proxyFor(url, options.env);
  const socket = proxy === undefined ? undefined : await tunnel(url, proxy, options);
  const isPlain = url.protocol === "http:";
  return new Promise((resolve, reject) => {
    const settings: https.RequestOptions = {
      signal: options.signal,
      timeout: options.idleMs,
      ...trustOf(options),
      // Compressed answers would not be the bytes that were hashed.
      headers: { "user-agent": "ipm", accept: "*/*", "accept-encoding": "identity", ...options.headers },
      ...(socket === undefined
        ? { agent: isPlain ? options.agents?.http : options.agents?.https }
        : { createConnection: () => socket }),
    };
    const request = isPlain ? http.get(url, settings) : https.get(url, settings);
    let answer: http.IncomingMessage | undefined;
    request.once("response", (response) => {
      answer = response;
      resolve(response);
    });
    // Whoever reads the answer hears the reason from it, and not that the connection was reset.
    request.once("timeout", () => (answer ?? request).destroy(new ServerSilent("the server does not answer")));
    request.once("error", reject);
  });
}
