import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Socket } from "node:net";
import { type NetworkAttempt, type NetworkTarget, isPrivateAddress } from "./network-target.ts";

/** A proxy that the machine itself needs. */
export interface Upstream {
  readonly https: string | null;
  readonly http: string | null;
  readonly except: readonly string[];
}

export interface ProxyRequest {
  readonly targets: readonly NetworkTarget[];
  readonly upstream: Upstream;
  /** Path of a unix socket, at most 107 bytes long, or a port of 127.0.0.1 (0: any). */
  readonly listen: { readonly socket: string } | { readonly port: number };
  readonly onAttempt: (attempt: NetworkAttempt) => void;
  /** Names to addresses; the system's own resolution unless a test says otherwise. */
  readonly lookUp?: (host: string) => Promise<readonly string[]>;
}

export interface NetworkProxy {
  /** The port when it listens on one. */
  readonly port: number | null;
  /** Ends every connection. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 30_000;
/** A connection on which nothing moves for so long is ended. */
const IDLE_MS = 10 * 60_000;
const MAX_CONNECTIONS = 256;

/** Headers that are between a client and its proxy. */
const HOP_BY_HOP = new Set(["proxy-connection", "proxy-authorization", "connection", "keep-alive", "te", "upgrade"]);

interface Place {
  readonly host: string;
  readonly port: number;
}

/** `host:port` of a CONNECT line, in the one normal form; undefined for anything else. */
export function parseAuthority(text: string): Place | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):([1-9][0-9]{0,4})$/u.exec(text);
  const host = (match?.[1] ?? match?.[2])?.toLowerCase();
  const port = Number(match?.[3]);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

async function systemLookUp(host: string): Promise<readonly string[]> {
  const { lookup } = await import("node:dns/promises");
  return (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);
}

function isExcept(host: string, except: readonly string[]): boolean {
  return except.some((item) => {
    if (item === "*") return true;
    const suffix = item.replace(/^\*?\./u, "").replace(/:[0-9]+$/u, "");
    return host === suffix || host.endsWith(`.${suffix}`);
  });
}

/** A refusal that the step's tool is told of, as an answer of HTTP. */
class Refusal extends Error {
  readonly outcome: "refused" | "failed";

  constructor(outcome: "refused" | "failed", why: string) {
    super(why);
    this.outcome = outcome;
  }
}

/**
 * An HTTP proxy of ipm's own: tunnels (CONNECT) to the targets of scheme https, plain requests to those of scheme http,
 * nothing else. Names are resolved here and the connection goes to an address that was checked, so that a name cannot
 * lead to this machine or its network. Where the machine needs a proxy itself, the tunnel goes through that one.
 */
export async function startNetworkProxy(request: ProxyRequest): Promise<NetworkProxy> {
  const { default: http } = await import("node:http");
  const { default: net } = await import("node:net");
  const lookUp = request.lookUp ?? systemLookUp;
  const sockets = new Set<Duplex>();
  const track = (socket: Duplex): void => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  };

  /** The target that covers a place. @throws Refusal */
  const demandTarget = (place: Place, scheme: "https" | "http"): NetworkTarget => {
    const target = request.targets.find(
      (item) => item.host === place.host && item.port === place.port && item.scheme === scheme,
    );
    if (target === undefined) throw new Refusal("refused", "the manifest does not declare it");
    return target;
  };

  /** An address that may be connected to. @throws Refusal */
  const resolve = async (target: NetworkTarget, optional: boolean): Promise<string | undefined> => {
    let addresses: readonly string[];
    try {
      addresses = net.isIP(target.host) === 0 ? await lookUp(target.host) : [target.host];
    } catch (error) {
      if (optional) return undefined;
      throw new Refusal(
        "failed",
        error instanceof Error && "code" in error
          ? `the name does not resolve (${String(error.code)})`
          : "the name does not resolve",
      );
    }
    const allowed = target.mayBePrivate ? addresses : addresses.filter((address) => !isPrivateAddress(address));
    const [first] = allowed.toSorted((left, right) => net.isIP(left) - net.isIP(right));
    if (first === undefined) throw new Refusal("refused", "it is an address of this machine or its network");
    return first;
  };

  const open = (host: string, port: number): Promise<Socket> =>
    new Promise((done, fail) => {
      const socket = net.connect({ host, port });
      track(socket);
      socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error("no answer")));
      socket.once("error", (error) =>
        fail(new Refusal("failed", `no connection (${"code" in error ? String(error.code) : error.message})`)),
      );
      socket.once("connect", () => {
        socket.setTimeout(IDLE_MS, () => socket.destroy());
        done(socket);
      });
    });

  /** A tunnel through the machine's own proxy. */
  const openThrough = async (proxy: string, place: Place): Promise<Socket> => {
    const url = new URL(proxy.includes("://") ? proxy : `http://${proxy}`);
    if (url.protocol !== "http:") throw new Refusal("failed", "this machine's proxy is not a plain http one");
    const socket = await open(url.hostname.replace(/^\[|\]$/gu, ""), url.port === "" ? 80 : Number(url.port));
    const authority = place.host.includes(":") ? `[${place.host}]:${place.port}` : `${place.host}:${place.port}`;
    const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    const authorization =
      url.username === "" ? "" : `Proxy-Authorization: Basic ${Buffer.from(login).toString("base64")}\r\n`;
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`);
    await new Promise<void>((done, fail) => {
      let head = Buffer.alloc(0);
      const onData = (chunk: Buffer): void => {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf("\r\n\r\n");
        if (end === -1 && head.length < 16_384) return;
        socket.off("data", onData);
        socket.pause();
        if (end === -1 || !/^HTTP\/1\.[01] 200\b/u.test(head.toString("latin1"))) {
          socket.destroy();
          fail(new Refusal("failed", "this machine's proxy refused"));
          return;
        }
        if (head.length > end + 4) socket.unshift(head.subarray(end + 4));
        done();
      };
      socket.on("data", onData);
      socket.once("close", () => fail(new Refusal("failed", "this machine's proxy hung up")));
    });
    return socket;
  };

  const connect = async (target: NetworkTarget): Promise<Socket> => {
    const proxy = request.upstream[target.scheme];
    if (proxy === null || isExcept(target.host, request.upstream.except)) {
      const address = await resolve(target, false);
      return open(address ?? target.host, target.port);
    }
    // Behind a proxy names may not resolve here at all; where they do, the same rule holds.
    await resolve(target, true);
    return openThrough(proxy, target);
  };

  const attempt = async (place: Place, scheme: "https" | "http"): Promise<Socket> => {
    let declared: string | null = null;
    try {
      const target = demandTarget(place, scheme);
      ({ declared } = target);
      const socket = await connect(target);
      request.onAttempt({ ...place, declared, outcome: "connected", why: "" });
      return socket;
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal("failed", "no connection");
      request.onAttempt({ ...place, declared, outcome: refusal.outcome, why: refusal.message });
      throw refusal;
    }
  };

  const statusOf = (error: unknown): { status: number; text: string } =>
    error instanceof Refusal && error.outcome === "refused"
      ? { status: 403, text: `ipm: refused: ${error.message}\n` }
      : { status: 502, text: `ipm: ${error instanceof Error ? error.message : "no connection"}\n` };

  const onConnect = async (message: IncomingMessage, client: Duplex, head: Buffer): Promise<void> => {
    track(client);
    const answer = (status: number, text: string): void => {
      const reason = status === 403 ? "Forbidden" : "Bad Gateway";
      const length = Buffer.byteLength(text);
      client.end(`HTTP/1.1 ${status} ${reason}\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${text}`);
    };
    const place = parseAuthority(message.url ?? "");
    if (place === undefined) {
      answer(403, "ipm: refused: not a host and port\n");
      return;
    }
    let server: Socket;
    try {
      server = await attempt(place, "https");
    } catch (error) {
      const { status, text } = statusOf(error);
      answer(status, text);
      return;
    }
    if (client.destroyed) {
      server.destroy();
      return;
    }
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    if (head.length > 0) server.write(head);
    server.pipe(client);
    client.pipe(server);
    server.once("close", () => client.destroy());
    client.once("close", () => server.destroy());
  };

  /** A plain request in absolute form, for mirrors that are configured with http. */
  const onRequest = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = URL.canParse(message.url ?? "") ? new URL(message.url ?? "") : undefined;
    if (url?.protocol !== "http:") {
      response.writeHead(403).end("ipm: refused: only http in this form\n");
      return;
    }
    const host = url.hostname.replace(/^\[|\]$/gu, "").toLowerCase();
    let socket: Socket;
    try {
      socket = await attempt({ host, port: url.port === "" ? 80 : Number(url.port) }, "http");
    } catch (error) {
      const { status, text } = statusOf(error);
      response.writeHead(status).end(text);
      return;
    }
    const kept = Object.entries(message.headers).filter(([name]) => !HOP_BY_HOP.has(name));
    const forwarded = http.request({
      createConnection: () => socket,
      method: message.method,
      path: `${url.pathname}${url.search}`,
      headers: { ...Object.fromEntries(kept), host: url.host, connection: "close" },
    });
    forwarded.once("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    forwarded.once("error", () => response.destroy());
    message.pipe(forwarded);
  };

  const server: Server = http.createServer((message, response) => {
    onRequest(message, response).catch(() => response.destroy());
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on("connect", (message: IncomingMessage, client: Duplex, head: Buffer) => {
    onConnect(message, client, head).catch(() => client.destroy());
  });
  server.on("connection", track);
  await new Promise<void>((done, fail) => {
    server.once("error", fail);
    if ("socket" in request.listen) server.listen(request.listen.socket, done);
    else server.listen(request.listen.port, "127.0.0.1", done);
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : null,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
