/**
 * `static-server.mjs FOLDER`: plain files on the loopback interface only, as any web server hands them out: ETag,
 * If-None-Match, Range. Says its port; GET /__count tells what was asked for and sent since the last one. Ends when its
 * standard input ends, or after half an hour.
 */
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";

const [root] = process.argv.slice(2);
const LONGEST_MS = 30 * 60 * 1000;
let counted = { requests: 0, sent: 0 };

const server = createServer((request, response) => {
  if (request.url === "/__count") {
    response.end(JSON.stringify(counted));
    counted = { requests: 0, sent: 0 };
    return;
  }
  counted.requests++;
  const file = path.join(root, path.normalize(new URL(request.url, "http://127.0.0.1").pathname));
  const facts = statSync(file, { throwIfNoEntry: false });
  if (!facts?.isFile()) {
    response.writeHead(404).end();
    return;
  }
  const etag = `"${facts.size}-${facts.mtimeMs}"`;
  if (request.headers["if-none-match"] === etag) {
    response.writeHead(304, { etag }).end();
    return;
  }
  const start = Number(/^bytes=(\d+)-$/u.exec(request.headers.range ?? "")?.[1] ?? 0);
  const length = facts.size - start;
  const range = start === 0 ? {} : { "content-range": `bytes ${start}-${facts.size - 1}/${facts.size}` };
  response.writeHead(start === 0 ? 200 : 206, { etag, "content-length": length, ...range });
  counted.sent += length;
  createReadStream(file, { start, highWaterMark: 1 << 20 }).pipe(response);
});
const end = () => process.exit(0);
setTimeout(end, LONGEST_MS);
process.stdin.on("end", end).resume();
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
