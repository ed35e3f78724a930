import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Download } from "../../../src/core/host.ts";
import { createDownload } from "../../../src/host/download.ts";
import { collectGarbage } from "../../../src/usecases/gc.ts";
import { uninstall } from "../../../src/usecases/uninstall.ts";
import { lacks } from "../../helpers/language-toolchains.ts";
import { type Installed, installRepository } from "../../helpers/recipe-repository.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

const SCRIPT = "#!/bin/sh\necho tool-1.0\n";
const contents = new Map<string, Uint8Array>();
let server: Server;
let port = 0;
let asked: string[] = [];

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

beforeAll(async () => {
  server = createServer((request, response) => {
    const name = (request.url ?? "").slice(1);
    asked.push(name);
    const bytes = contents.get(name);
    if (name === "moved.tar.gz") response.writeHead(302, { location: "/tool.tar.gz" }).end();
    else if (name === "to-plain") response.writeHead(302, { location: "http://example.invalid/x" }).end();
    else if (name === "short")
      response.writeHead(200, { "content-length": "100" }).write("abc", () => response.destroy());
    else if (name === "endless") {
      response.writeHead(200);
      const timer = setInterval(() => response.write(Buffer.alloc(65_536)), 1);
      response.once("close", () => clearInterval(timer));
    } else if (bytes === undefined) response.writeHead(404).end();
    else response.end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
  const folder = temporaryFolder();
  mkdirSync(path.join(folder, "tool-1.0/bin"), { recursive: true });
  writeFileSync(path.join(folder, "tool-1.0/bin/tool"), SCRIPT, { mode: 0o755 });
  writeFileSync(path.join(folder, "tool-1.0/LICENSE"), "MIT\n");
  spawnSync("tar", ["-czf", "tool.tar.gz", "tool-1.0"], { cwd: folder });
  contents.set("tool.tar.gz", readFileSync(path.join(folder, "tool.tar.gz")));
  contents.set("tool-linux", Buffer.from(SCRIPT));
  contents.set("words.txt", Buffer.from("one two\n"));
});

afterAll(() => server.close());
beforeEach(() => {
  asked = [];
});

/** A manifest can only name https: the same files from the server of this test. */
const fromServer: Download = (request) =>
  createDownload({ env: {}, allowLoopbackHttp: true })({
    ...request,
    url: request.url.replace("https://files.example.org/", `http://127.0.0.1:${port}/`),
  });

function fileOf(name: string, more = ""): string {
  const bytes = contents.get(name.replace("moved", "tool")) ?? new Uint8Array();
  return `{ url: "https://files.example.org/${name}", sha256: ${sha256(bytes)}${more} }`;
}

function installFile(files: readonly string[], manifest: string): Promise<Installed> {
  return installRepository({ README: "sources\n" }, manifest, {
    version: `, files: [${files.join(", ")}]`,
    download: fromServer,
  });
}

describe.skipIf(lacks("tar", "gzip"))("file, a pinned download (tar, gzip)", () => {
  test("an archive with one folder in it, behind a redirect, with data beside it", async () => {
    const { run, prefix, context } = await installFile(
      [
        fileOf("moved.tar.gz", ", size: 1KB"),
        fileOf("words.txt", ", name: words"),
        fileOf("tool-linux", ", platform: macos-arm64"),
      ],
      "steps: [uses: file, { uses: file, with: { name: words, to: share/words.txt } }]\nbin: [tool]\n",
    );
    expect(run("tool").stdout).toBe("tool-1.0\n");
    expect(readFileSync(path.join(prefix, "LICENSE"), "utf8")).toBe("MIT\n");
    expect(readFileSync(path.join(prefix, "share/words.txt"), "utf8")).toBe("one two\n");
    expect(asked).toEqual(["moved.tar.gz", "tool.tar.gz", "words.txt"]);
    const receipt = readFileSync(path.join(prefix, "../receipt.json"), "utf8");
    expect(receipt).toContain("moved.tar.gz was built by upstream, not from this commit");
    expect(await context.host.files.list(path.join(context.host.homes.cache, "downloads"))).toHaveLength(2);
    // While it is installed its downloads stay, however old; afterwards they go.
    const later = { ...context, host: { ...context.host, now: () => new Date(Date.now() + 40 * 24 * 60 * 60 * 1000) } };
    const collected = async (): Promise<number> => {
      const { removed } = await collectGarbage(later, { keep: 0, dryRun: false });
      return removed.filter(({ name }) => name.startsWith("downloads/")).length;
    };
    expect(await collected()).toBe(0);
    await uninstall(later, ["sample"], { purge: false });
    expect(await collected()).toBe(2);
  });

  test("a single program whose name is another, from a release without one for this platform before it", async () => {
    const { run } = await installFile(
      [fileOf("tool-linux", ", platform: linux"), fileOf("words.txt")],
      "methods:\n  - { id: none, steps: [{ uses: file, with: { name: no-such } }] }\n  - { id: release, steps: [uses: file] }\nbin: [tool]\n",
    );
    expect(run("tool").stdout).toBe("tool-1.0\n");
  });

  test("other bytes than the pin's are refused, and nothing of them stays", async () => {
    const wrong = fileOf("tool-linux").replace(/[0-9a-f]{64}/u, "0".repeat(64));
    await expect(installFile([wrong], "steps: [uses: file]\nbin: [tool]\n")).rejects.toMatchObject({
      code: "SOURCE_MISMATCH",
      data: { expected: "0".repeat(64), actual: sha256(Buffer.from(SCRIPT)) },
    });
  });

  test("no file for this platform: the method does not fit", async () => {
    const foreign = fileOf("tool-linux", ", platform: macos-arm64");
    await expect(installFile([foreign], "steps: [uses: file]\nbin: [tool]\n")).rejects.toMatchObject({
      code: "METHOD_NOT_APPLICABLE",
      message: expect.stringContaining("has no file for this platform"),
    });
  });
});

describe("a download", () => {
  const download = createDownload({ env: {}, allowLoopbackHttp: true });

  function get(url: string, more: Partial<Parameters<Download>[0]> = {}): ReturnType<Download> {
    const file = path.join(temporaryFolder(), "file");
    return download({ url, file, maxBytes: 200_000, timeoutMs: 20_000, signal: new AbortController().signal, ...more });
  }

  test.each([
    ["more bytes than are allowed, without a length", "endless", "FETCH_FAILED", "larger than"],
    ["an end before the announced length", "short", "FETCH_FAILED", ""],
    ["a redirect to plain http elsewhere", "to-plain", "SOURCE_REFUSED", "it uses http"],
    ["a file that is not there", "nothing", "FETCH_FAILED", "answered 404"],
  ])("%s", async (_, name, code, message) => {
    await expect(get(`http://127.0.0.1:${port}/${name}`)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  test("plain http, even to this machine, unless a test allows it; a password in the address", async () => {
    const strict = createDownload({ env: {} });
    const request = {
      file: path.join(temporaryFolder(), "f"),
      maxBytes: 10,
      timeoutMs: 1000,
      signal: new AbortController().signal,
    };
    await expect(strict({ ...request, url: `http://127.0.0.1:${port}/tool-linux` })).rejects.toMatchObject({
      code: "SOURCE_REFUSED",
    });
    await expect(strict({ ...request, url: "https://user:secret@example.invalid/" })).rejects.toMatchObject({
      code: "SOURCE_REFUSED",
      message: expect.not.stringContaining("secret"),
    });
  });

  test("Ctrl-C ends it", async () => {
    const stop = new AbortController();
    const running = get(`http://127.0.0.1:${port}/endless`, {
      maxBytes: 1e12,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    await expect(running).rejects.toMatchObject({ code: "INTERRUPTED" });
  });

  test("through a proxy: CONNECT to the host itself", async () => {
    const seen: string[] = [];
    const proxy = createServer();
    proxy.on("connect", (request, socket) => {
      seen.push(`${request.url} ${request.headers["proxy-authorization"] ?? ""}`);
      socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const address = proxy.address();
    const at = typeof address === "object" && address !== null ? address.port : 0;
    const proxied = createDownload({ env: { https_proxy: `http://u:p@127.0.0.1:${at}`, no_proxy: ".example.com" } });
    const request = {
      file: path.join(temporaryFolder(), "f"),
      maxBytes: 10,
      timeoutMs: 5000,
      signal: new AbortController().signal,
    };
    await expect(proxied({ ...request, url: "https://files.example.org/x" })).rejects.toMatchObject({
      code: "FETCH_FAILED",
      message: expect.stringContaining("the proxy answered 403"),
    });
    proxy.close();
    expect(seen).toEqual([`files.example.org:443 Basic ${Buffer.from("u:p").toString("base64")}`]);
  });
});
