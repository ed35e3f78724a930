import * as fs from "node:fs";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSandbox } from "../../../src/sandbox/create-sandbox.ts";
import { type NetworkProxy, type ProxyRequest, startNetworkProxy } from "../../../src/sandbox/network-proxy.ts";
import type { NetworkAttempt, NetworkTarget } from "../../../src/sandbox/network-target.ts";
import type { Host } from "../../../src/core/host.ts";
import { openLoopbackNetwork } from "../../../src/sandbox/open-network.ts";
import type { SandboxedRun } from "../../../src/sandbox/sandbox.ts";
import { type ExecutionFixture, createExecutionFixture } from "../../helpers/execution-fixture.ts";

let closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.toReversed()) await close();
  closing = [];
});

function portOf(server: net.Server): number {
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("not listening");
  return address.port;
}

async function listen<T extends net.Server>(server: T): Promise<T> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  closing.push(() => server.close());
  return server;
}

/** A server that answers every connection with what it was sent. */
function echoServer(): Promise<net.Server> {
  return listen(net.createServer((socket) => socket.on("error", () => socket.destroy()).pipe(socket)));
}

interface Tunnel {
  readonly status: string;
  readonly echoed: string;
}

/** Ask the proxy for a tunnel and send a word through it. */
function tunnel(port: number, authority: string): Promise<Tunnel> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1");
    let text = "";
    socket.on("error", reject);
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (/^HTTP\/1\.1 200[^]*\r\n\r\n$/u.test(text)) socket.write("hello");
      if (text.endsWith("hello")) socket.end();
    });
    socket.on("close", () => {
      const [head = "", ...body] = text.split("\r\n\r\n");
      resolve({ status: head.split("\r\n")[0] ?? "", echoed: body.join("\r\n\r\n") });
    });
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  });
}

describe("the proxy", () => {
  let attempts: NetworkAttempt[];

  async function start(
    targets: Partial<NetworkTarget>[],
    more: Partial<ProxyRequest> = {},
  ): Promise<NetworkProxy & { port: number }> {
    attempts = [];
    const proxy = await startNetworkProxy({
      targets: targets.map((target) => ({
        scheme: "https",
        host: "x",
        port: 443,
        declared: "x",
        mayBePrivate: false,
        ...target,
      })),
      upstream: { https: null, http: null, except: [] },
      listen: { port: 0 },
      onAttempt: (attempt) => attempts.push(attempt),
      ...more,
    });
    closing.push(() => proxy.close());
    if (proxy.port === null) throw new Error("no port");
    return { ...proxy, port: proxy.port };
  }

  test("opens a tunnel to what this machine's configuration names, and says so", async () => {
    const port = portOf(await echoServer());
    const proxy = await start([{ host: "mirror.example", port, declared: "npm", mayBePrivate: true }], {
      lookUp: async () => ["127.0.0.1"],
    });
    expect(await tunnel(proxy.port, `mirror.example:${port}`)).toEqual({
      status: "HTTP/1.1 200 Connection established",
      echoed: "hello",
    });
    expect(attempts).toEqual([{ host: "mirror.example", port, declared: "npm", outcome: "connected", why: "" }]);
  });

  test.each([
    ["another host", "other.example"],
    ["a host that only ends like it", "evil-mirror.example"],
    ["a sub-domain", "a.mirror.example"],
    ["the address itself", "127.0.0.1"],
    ["link-local metadata", "169.254.169.254"],
    ["localhost", "localhost"],
    ["an IPv6 address", "[::1]"],
  ])("C51: refuses %s, and records it", async (_name, host) => {
    const port = portOf(await echoServer());
    const proxy = await start([{ host: "mirror.example", port, mayBePrivate: true }], {
      lookUp: async () => ["127.0.0.1"],
    });
    expect((await tunnel(proxy.port, `${host}:${port}`)).status).toBe("HTTP/1.1 403 Forbidden");
    expect(attempts).toEqual([
      expect.objectContaining({ host: host.replaceAll(/[[\]]/gu, ""), declared: null, outcome: "refused" }),
    ]);
  });

  test("C51: refuses another port and another scheme of a declared host", async () => {
    const port = portOf(await echoServer());
    const proxy = await start(
      [
        { host: "a.example", port: port + 1 },
        { host: "b.example", port, scheme: "http" },
      ],
      { lookUp: async () => ["127.0.0.1"] },
    );
    expect((await tunnel(proxy.port, `a.example:${port}`)).status).toContain("403");
    expect((await tunnel(proxy.port, `b.example:${port}`)).status).toContain("403");
  });

  test.each(["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"])(
    "C51: refuses a host of the manifest that leads to %s",
    async (address) => {
      const port = portOf(await echoServer());
      const proxy = await start([{ host: "evil.example", port }], { lookUp: async () => [address] });
      expect((await tunnel(proxy.port, `evil.example:${port}`)).status).toContain("403");
      expect(attempts[0]).toMatchObject({
        outcome: "refused",
        why: expect.stringContaining("this machine or its network"),
      });
    },
  );

  test("a name that does not resolve is a failure and no refusal", async () => {
    const proxy = await start([{ host: "gone.example" }], {
      lookUp: () => Promise.reject(Object.assign(new Error("no"), { code: "ENOTFOUND" })),
    });
    expect((await tunnel(proxy.port, "gone.example:443")).status).toContain("502");
    expect(attempts[0]).toMatchObject({ outcome: "failed", why: "the name does not resolve (ENOTFOUND)" });
  });

  test.each(["GET / HTTP/1.1", "GET https://x/ HTTP/1.1", "CONNECT x HTTP/1.1", "CONNECT user@x:443 HTTP/1.1"])(
    "refuses %s",
    async (line) => {
      const proxy = await start([{ host: "x" }]);
      const answer = await new Promise<string>((resolve) => {
        const socket = net.connect(proxy.port, "127.0.0.1");
        let text = "";
        socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
        socket.on("close", () => resolve(text));
        socket.write(`${line}\r\nHost: x\r\nConnection: close\r\n\r\n`);
      });
      expect(answer).toMatch(/^HTTP\/1\.1 403/u);
      expect(attempts).toEqual([]);
    },
  );

  test("passes plain requests to an http mirror, without what is between client and proxy", async () => {
    let seen: http.IncomingHttpHeaders = {};
    const mirror = await listen(
      http.createServer((message, response) => {
        seen = message.headers;
        response.end(`got ${message.url}`);
      }),
    );
    const port = portOf(mirror);
    const proxy = await start([{ scheme: "http", host: "127.0.0.1", port, mayBePrivate: true }]);
    const text = await new Promise<string>((resolve, reject) => {
      const headers = { "proxy-authorization": "Basic x", host: "elsewhere" };
      http
        .get({ port: proxy.port, host: "127.0.0.1", path: `http://127.0.0.1:${port}/a?b`, headers }, (response) => {
          let body = "";
          response.on("data", (chunk: Buffer) => (body += chunk.toString()));
          response.on("end", () => resolve(body));
        })
        .on("error", reject);
    });
    expect(text).toBe("got /a?b");
    expect(seen).toMatchObject({ host: `127.0.0.1:${port}` });
    expect(seen).not.toHaveProperty("proxy-authorization");
  });

  test("goes through the machine's own proxy where it needs one, with its login", async () => {
    const echo = portOf(await echoServer());
    let asked = "";
    const upstream = await listen(
      net.createServer((client) => {
        client.once("data", (chunk: Buffer) => {
          asked = chunk.toString();
          client.write("HTTP/1.1 200 OK\r\n\r\n");
          const server = net.connect(echo, "127.0.0.1");
          server.pipe(client).pipe(server);
          server.on("error", () => client.destroy());
          client.on("error", () => server.destroy());
        });
      }),
    );
    const proxy = await start([{ host: "mirror.example", mayBePrivate: true }], {
      upstream: { https: `http://bob:p%40ss@127.0.0.1:${portOf(upstream)}`, http: null, except: [] },
      lookUp: () => Promise.reject(new Error("no names here")),
    });
    expect((await tunnel(proxy.port, "mirror.example:443")).echoed).toBe("hello");
    expect(asked).toMatch(/^CONNECT mirror\.example:443 HTTP\/1\.1\r\n/u);
    expect(asked).toContain(`Proxy-Authorization: Basic ${Buffer.from("bob:p@ss").toString("base64")}`);
  });

  test("close ends open tunnels", async () => {
    const port = portOf(await echoServer());
    const proxy = await start([{ host: "127.0.0.1", port, mayBePrivate: true }]);
    const socket = net.connect(proxy.port, "127.0.0.1");
    socket.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\n\r\n`);
    await new Promise((resolve) => {
      socket.once("data", resolve);
    });
    const closed = new Promise((resolve) => {
      socket.once("close", resolve);
    });
    socket.on("error", () => undefined);
    await proxy.close();
    await closed;
    expect(socket.destroyed).toBe(true);
  });
});

describe("a step with network", () => {
  let fixture: ExecutionFixture;
  let attempts: NetworkAttempt[];
  let registry: http.Server;
  beforeEach(async () => {
    fixture = createExecutionFixture();
    attempts = [];
    registry = await listen(http.createServer((message, response) => response.end(`registry ${message.url}`)));
  });
  afterEach(() => fixture.remove());

  function run(
    script: string,
    network: readonly string[],
    env: Record<string, string> = {},
    cache?: string,
  ): Promise<{ exitCode: number | null; out: string; err: string }> {
    const { host, paths } = fixture;
    const configured: Host = {
      ...host,
      homes: cache === undefined ? host.homes : { ...host.homes, cache },
      facts: {
        ...host.facts,
        env: {
          ...host.facts.env,
          npm_config_registry: `http://bob:hunter2@127.0.0.1:${portOf(registry)}/repo/`,
          ...env,
        },
      },
    };
    return createSandbox(configured)
      .run({
        argv: ["/bin/sh", "-c", script],
        cwd: paths.source,
        env: { PATH: "/usr/bin:/bin", HOME: paths.home, TMPDIR: paths.tmp, OWN: "kept" },
        timeoutMs: 30_000,
        signal: host.signal,
        grants: { writable: [paths.prefix, paths.source, paths.home, paths.tmp], readable: [], network },
        onAttempt: (attempt) => attempts.push(attempt),
      })
      .then((result) => ({
        exitCode: result.exitCode,
        out: Buffer.from(result.stdout).toString().trimEnd(),
        err: Buffer.from(result.stderr).toString(),
      }));
  }

  /** A request through the proxy that the step was told of, by nothing but Node's own modules. */
  const ask = (url: string): string =>
    `node -e 'const p = new URL(process.env.HTTP_PROXY); require("http").get({ host: p.hostname, port: p.port, path: "${url}" }, (r) => { r.pipe(process.stdout); if (r.statusCode !== 200) process.exitCode = r.statusCode % 256 }).on("error", (e) => { console.log(e.code); process.exit(9) })'`;

  test("reaches the registry that this machine is configured for", async () => {
    const port = portOf(registry);
    const answer = await run(ask(`http://127.0.0.1:${port}/x`), ["npm"]);
    expect(answer).toEqual({ exitCode: 0, out: "registry /x", err: "" });
    expect(attempts).toEqual([{ host: "127.0.0.1", port, declared: "npm", outcome: "connected", why: "" }]);
  });

  test("C51: reaches nothing else on this machine, neither through the proxy nor directly", async () => {
    const other = portOf(await echoServer());
    expect((await run(ask(`http://127.0.0.1:${other}/x`), ["npm"])).out).toContain("the manifest does not declare it");
    expect(attempts).toEqual([expect.objectContaining({ port: other, outcome: "refused" })]);
    const direct = `node -e 'require("net").connect(${portOf(registry)}, "127.0.0.1").on("error", (e) => console.log(e.code))'`;
    expect((await run(direct, ["npm"])).out).toBe("ECONNREFUSED");
  });

  test("is told of the mirror without its credentials, in a file of its own home", async () => {
    const { out } = await run("cat ~/.npmrc; env; cat /proc/*/environ | tr '\\0' '\\n'; cat /run/ipm/setup.json", [
      "npm",
    ]);
    expect(out).toContain(`registry=http://127.0.0.1:${portOf(registry)}/repo/`);
    expect(out).not.toContain("hunter2");
  });

  test("keeps its own environment, exit code, standard input and working folder", async () => {
    expect(await run('echo "$OWN $PWD"; cat; exit 42', ["npm"])).toEqual({
      exitCode: 42,
      out: `kept ${fixture.paths.source}`,
      err: "",
    });
    expect((await run("kill -TERM $$", ["npm"])).exitCode).toBe(143);
  });

  test("does not write over what the step put into its home, and follows no link out of it", async () => {
    const outside = path.join(fixture.folder, "outside");
    fs.symlinkSync(outside, path.join(fixture.paths.home, ".npmrc"));
    expect((await run("true", ["npm"])).exitCode).toBe(0);
    expect(fs.existsSync(outside)).toBe(false);
  });

  test("works with a cache folder whose path is too long for a socket", async () => {
    const cache = path.join(fixture.folder, "c".repeat(200), "cache");
    expect((await run(ask(`http://127.0.0.1:${portOf(registry)}/x`), ["npm"], {}, cache)).out).toBe("registry /x");
    expect(fs.readdirSync(cache)).toEqual([]);
  });

  test("removes what a killed ipm left of its proxy, and not what another one uses", async () => {
    const cache = path.join(fixture.folder, "cache");
    for (const name of ["proxy-4194305-aa", `proxy-${process.pid}-bb`])
      fs.mkdirSync(path.join(cache, name), { recursive: true });
    await run("true", ["npm"], {}, cache);
    expect(fs.readdirSync(cache)).toEqual([`proxy-${process.pid}-bb`]);
  });

  test("a certificate that this machine trusts is trusted inside", async () => {
    const file = path.join(fixture.folder, "ca.pem");
    fs.writeFileSync(
      file,
      "-----BEGIN CERTIFICATE-----\nb3Vycw==\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n",
    );
    const { out } = await run('tail -n 3 "$SSL_CERT_FILE"; echo "$NODE_EXTRA_CA_CERTS"', ["npm"], {
      NODE_EXTRA_CA_CERTS: file,
    });
    expect(out).toBe("-----BEGIN CERTIFICATE-----\nb3Vycw==\n-----END CERTIFICATE-----\n/run/ipm/certificates.pem");
  });

  test("on a machine without network namespaces the proxy has a port, and the settings come the same way", async () => {
    const { host, paths } = fixture;
    const port = portOf(registry);
    const configured = {
      ...host,
      facts: { ...host.facts, env: { ...host.facts.env, npm_config_registry: `http://127.0.0.1:${port}/` } },
    };
    const step: SandboxedRun = {
      argv: ["/bin/sh", "-c", `${ask(`http://127.0.0.1:${port}/x`)}; echo; cat ~/.npmrc; exit 5`],
      cwd: paths.source,
      env: { PATH: "/usr/bin:/bin", HOME: paths.home },
      timeoutMs: 30_000,
      signal: host.signal,
      grants: { writable: [], readable: [], network: ["npm"] },
      onAttempt: (attempt) => attempts.push(attempt),
    };
    const network = await openLoopbackNetwork(configured, step);
    const result = await host.processes.run({ argv: network.argv, cwd: paths.source, env: network.env });
    await network.close();
    expect(Buffer.from(result.stdout).toString()).toBe(`registry /x\nregistry=http://127.0.0.1:${port}/\n`);
    expect(result.exitCode).toBe(5);
    expect(attempts).toEqual([expect.objectContaining({ port, outcome: "connected" })]);
    expect(fs.readdirSync(host.homes.cache).filter((name) => name.startsWith("proxy-"))).toEqual([]);
  });

  test("C51: a step without network has no proxy", async () => {
    expect((await run("echo ${HTTPS_PROXY-none}; ls -A /run", [])).out).toBe("none");
  });
});
