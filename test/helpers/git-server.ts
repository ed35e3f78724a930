import { spawn } from "node:child_process";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";

export interface GitServer {
  /** `http://127.0.0.1:<port>`. */
  readonly origin: string;
  /** Method and URL of every request, in order. */
  readonly requests: string[];
  /** Headers of every request, in the same order. */
  readonly headers: IncomingMessage["headers"][];
  /** Bytes of every body that git answered with. */
  readonly sent: number[];
  close(): Promise<void>;
}

export interface GitServerOptions {
  /** Answer a request instead of git; false to let git answer. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Ignore what clients say of protocol v2: an old server. */
  readonly oldProtocol?: boolean;
}

/** Serve the bare or plain repositories below `root` by git's own smart HTTP, on the loopback interface only. */
export async function serveGit(root: string, options: GitServerOptions = {}): Promise<GitServer> {
  const requests: string[] = [];
  const headers: IncomingMessage["headers"][] = [];
  const sent: number[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    headers.push(request.headers);
    if (options.intercept?.(request, response) === true) return;
    answer(root, request, response, options.oldProtocol === true, sent);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return { origin: originOf(server), requests, headers, sent, close: () => closeServer(server) };
}

function originOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return `http://127.0.0.1:${address.port}`;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** One request as a CGI call of `git http-backend`. */
function answer(
  root: string,
  request: IncomingMessage,
  response: ServerResponse,
  oldProtocol: boolean,
  sent: number[],
): void {
  const [pathInfo = "", query = ""] = (request.url ?? "").split("?");
  const text = (name: string): string => {
    const value = request.headers[name];
    return typeof value === "string" ? value : "";
  };
  const child = spawn("git", ["-c", "safe.directory=*", "http-backend"], {
    stdio: ["pipe", "pipe", "ignore"],
    env: {
      PATH: process.env["PATH"],
      HOME: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: decodeURIComponent(pathInfo),
      QUERY_STRING: query,
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: text("content-type"),
      HTTP_CONTENT_ENCODING: text("content-encoding"),
      GIT_PROTOCOL: oldProtocol ? "" : text("git-protocol"),
      REMOTE_ADDR: "127.0.0.1",
    },
  });
  child.stdin.on("error", () => undefined);
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.on("close", () => {
    const output = Buffer.concat(chunks);
    const end = output.indexOf("\r\n\r\n");
    for (const line of output.subarray(0, Math.max(end, 0)).toString("latin1").split("\r\n")) {
      const colon = line.indexOf(":");
      const name = line.slice(0, colon);
      const value = line.slice(colon + 1).trim();
      if (name.toLowerCase() === "status") response.statusCode = Number(value.slice(0, 3));
      else if (colon > 0) response.setHeader(name, value);
    }
    sent.push(output.length);
    response.end(output.subarray(end + 4));
  });
}
