/**
 * `git-server.mjs FOLDER`: the bare repositories of a folder by git's smart HTTP, on the loopback interface only. Says its
 * port; ends when its standard input ends, or after half an hour.
 */
import { spawn } from "node:child_process";
import { createServer } from "node:http";

const [root] = process.argv.slice(2);
const LONGEST_MS = 30 * 60 * 1000;
let delay = 0;
let counted = { requests: 0, received: 0, sent: 0 };

function count(request, response) {
  delay = Number(new URL(request.url, "http://127.0.0.1").searchParams.get("delay") ?? 0);
  response.end(JSON.stringify(counted));
  counted = { requests: 0, received: 0, sent: 0 };
}

/** One request as a CGI call of `git http-backend`. */
function answer(request, response) {
  const [pathInfo, query = ""] = request.url.split("?");
  const env = {
    PATH: process.env.PATH,
    HOME: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: "1",
    PATH_INFO: decodeURIComponent(pathInfo),
    QUERY_STRING: query,
    REQUEST_METHOD: request.method,
    CONTENT_TYPE: request.headers["content-type"] ?? "",
    HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
    GIT_PROTOCOL: request.headers["git-protocol"] ?? "",
    REMOTE_ADDR: "127.0.0.1",
  };
  const backend = spawn("git", ["-c", "safe.directory=*", "http-backend"], { env, stdio: ["pipe", "pipe", "inherit"] });
  backend.stdin.on("error", () => {});
  request.on("data", (chunk) => (counted.received += chunk.length));
  request.pipe(backend.stdin);
  let head = Buffer.alloc(0);
  let begun = false;
  backend.stdout.on("data", (chunk) => {
    let body = chunk;
    if (!begun) {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf("\r\n\r\n");
      if (end === -1) return;
      begun = true;
      const fields = head
        .toString("latin1", 0, end)
        .split("\r\n")
        .map((line) => line.split(": "));
      const status = fields.find(([name]) => name.toLowerCase() === "status")?.[1];
      response.writeHead(Number.parseInt(status ?? "200", 10), Object.fromEntries(fields));
      body = head.subarray(end + 4);
    }
    counted.sent += body.length;
    response.write(body);
  });
  backend.on("close", () => response.end());
}

const server = createServer((request, response) => {
  if (request.url.startsWith("/__count")) return count(request, response);
  counted.requests++;
  if (delay === 0) return answer(request, response);
  request.pause();
  setTimeout(() => answer(request, response), delay);
});
const end = () => process.exit(0);
setTimeout(end, LONGEST_MS);
process.stdin.on("end", end).resume();
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
