import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";

/** One request as it came. */
export interface SeenRequest {
  readonly path: string;
  readonly range: string | undefined;
  readonly etag: string | undefined;
  readonly status: number;
}

/** What the server does in place of handing out the file; return true when it has answered. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse, file: string) => boolean;

export interface StaticServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly seen: SeenRequest[];
  /** Replaces the one before; undefined for a server that does its work. */
  misbehave: Misbehaviour | undefined;
  close(): Promise<void>;
}

/** A plain web server on this machine: ETag, If-None-Match, Range. It ends with `close`. */
export async function startStaticServer(folder: string): Promise<StaticServer> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const pathname = new URL(request.url ?? "/", "http://127.0.0.1").pathname;
    const range = request.headers.range;
    const etag = request.headers["if-none-match"];
    response.once("close", () => seen.push({ path: pathname, range, etag, status: response.statusCode }));
    if (self.misbehave?.(request, response, pathname) === true) return;
    let content: Buffer;
    try {
      content = readFileSync(path.join(folder, pathname));
    } catch {
      response.writeHead(404, { "content-type": "text/plain" }).end("not here\n");
      return;
    }
    const tag = `"${createHash("sha256").update(content).digest("hex").slice(0, 16)}"`;
    if (etag === tag) {
      response.writeHead(304, { etag: tag }).end();
      return;
    }
    const from = Number(/^bytes=(\d+)-$/u.exec(range ?? "")?.[1] ?? 0);
    if (from >= content.length && from > 0) {
      response.writeHead(416).end();
      return;
    }
    const headers = { etag: tag, "content-type": "application/octet-stream", "content-length": content.length - from };
    if (from === 0) response.writeHead(200, headers);
    else
      response.writeHead(206, { ...headers, "content-range": `bytes ${from}-${content.length - 1}/${content.length}` });
    response.end(content.subarray(from));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // oxlint-disable-next-line no-unsafe-type-assertion -- of a server that listens on a port it is one
  const { port } = server.address() as AddressInfo;
  const self: StaticServer = {
    url: `http://127.0.0.1:${port}`,
    seen,
    misbehave: undefined,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return self;
}
