import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:net";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createGit } from "../../../src/host/git.ts";
import { type OpenSourceOptions, openSource } from "../../../src/source/open-source.ts";
import type { FetchedCommit, SourceRequest } from "../../../src/source/source.ts";
import { GitRepository } from "../../helpers/git-repository.ts";
import { type GitServer, type GitServerOptions, serveGit } from "../../helpers/git-server.ts";
import { type SourceContextOptions, type TestSourceContext, sourceContext } from "../../helpers/source-context.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

type GitSource = Extract<SourceRequest, { readonly kind: "git" }>;

const URL = "https://git.example.test/tool.git";

let folder: string;
let remote: GitRepository;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  folder = temporaryFolder();
  remote = new GitRepository(path.join(folder, "served", "tool.git"));
});

afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function serve(options: GitServerOptions = {}): Promise<GitServer> {
  const server = await serveGit(path.join(folder, "served"), options);
  closing.push(() => server.close());
  return server;
}

function insteadOf(origin: string): string {
  return `[url "${origin}/"]\n\tinsteadOf = https://git.example.test/\n`;
}

function open(
  context: TestSourceContext,
  request: Partial<GitSource> = {},
  options: Partial<OpenSourceOptions> = {},
): Promise<FetchedCommit> {
  const whole: GitSource = { kind: "git", url: URL, named: false, ref: null, commit: null, tree: null, ...request };
  return openSource(context, whole, { tool: "tool@1", ...options });
}

/** A program that leaves a mark when it is run. */
function trap(name: string): { readonly program: string; readonly isSprung: () => boolean } {
  const marker = path.join(folder, `${name}.sprung`);
  const program = path.join(folder, `${name}.sh`);
  writeFileSync(program, `#!/bin/sh\ntouch '${marker}'\n`);
  chmodSync(program, 0o755);
  return { program, isSprung: () => existsSync(marker) };
}

function local(): SourceContextOptions {
  return { gitConfig: insteadOf(`file://${path.join(folder, "served")}`) };
}

describe("addresses", () => {
  test.each([
    ["ext::sh -c x", true],
    ["fd::7", true],
    ["http://git.example.test/tool.git", true],
    ["git://git.example.test/tool.git", true],
    ["/srv/git/tool.git", true],
    ["git@-oProxyCommand=x:tool", true],
    ["file:///srv/git/tool.git", false],
    ["ssh://git@git.example.test/tool.git", false],
    ["git@git.example.test:tool.git", false],
  ])("B21: %s is refused (named by the user: %s)", async (url, named) => {
    const context = sourceContext(folder);
    await expect(open(context, { url, named })).rejects.toMatchObject({ code: "SOURCE_REFUSED" });
    expect(context.calls).toEqual([]);
  });

  test("B21: what the user's own rewrite leads to is no command either", async () => {
    const { program, isSprung } = trap("ext");
    const context = sourceContext(folder, {
      gitConfig: `[url "ext::${program} "]\n\tinsteadOf = https://git.example.test/\n[protocol "ext"]\n\tallow = always\n`,
    });
    await expect(open(context)).rejects.toMatchObject({ code: "SOURCE_REFUSED" });
    expect(isSprung()).toBe(false);
  });

  test("B21: git itself allows one transport only: a server cannot hand over to another", async () => {
    const commit = remote.commit({ a: "1" });
    const context = sourceContext(folder, local());
    await open(context, { commit });
    const fetch = context.calls.find(({ args }) => args[0] === "fetch");
    const config = readFileSync(fetch?.configFile ?? "", "utf8");
    expect(config.match(/allow = (?:always|never)/gu)).toEqual(["allow = never", "allow = always"]);
    await expect(
      context.host.git.run({
        args: ["ls-remote", "--end-of-options", "https://127.0.0.1:1/x"],
        cwd: folder,
        configFile: fetch?.configFile ?? "",
        timeoutMs: 10_000,
      }),
    ).resolves.toMatchObject({ exitCode: 128, stderr: expect.stringContaining("transport 'https' not allowed") });
  });

  test("a folder and a file URL that the user named are cloned like any other repository", async () => {
    const commit = remote.commit({ a: "1" });
    const context = sourceContext(folder);
    await expect(open(context, { url: `file://${remote.folder}`, named: true })).resolves.toMatchObject({ commit });
  });

  test.each(["-x", "--upload-pack=touch x", "https://git.example.test/--upload-pack=x"])(
    "B22: %s is never an option",
    async (url) => {
      const context = sourceContext(folder);
      await expect(open(context, { url, named: true })).rejects.toMatchObject({ code: "SOURCE_REFUSED" });
      expect(context.calls).toEqual([]);
    },
  );

  test("B22: every address stands behind --end-of-options", async () => {
    remote.commit({ a: "1" });
    const context = sourceContext(folder, local());
    await open(context);
    const asked = context.calls.filter(({ args }) => args[0] === "fetch" || args[0] === "ls-remote");
    expect(asked).toHaveLength(2);
    for (const { args } of asked) {
      expect(args.findIndex((word) => word.startsWith("file://"))).toBe(args.indexOf("--end-of-options") + 1);
    }
  });
});

describe("the user's settings", () => {
  test("B35: hooks, fsmonitor, filters, templates, proxies and ssh commands are not taken over", async () => {
    const { program, isSprung } = trap("setting");
    const hooks = path.join(folder, "hooks");
    mkdirSync(hooks);
    for (const hook of ["post-checkout", "reference-transaction", "post-index-change"]) {
      writeFileSync(path.join(hooks, hook), `#!/bin/sh\n${program}\n`, { mode: 0o755 });
    }
    const commit = remote.commit({ ".gitattributes": "* filter=evil\n", a: "1" });
    const context = sourceContext(folder, {
      gitConfig: `${insteadOf(`file://${path.join(folder, "served")}`)}
[core]
	hooksPath = ${hooks}
	fsmonitor = ${program}
	sshCommand = ${program}
	gitProxy = ${program}
	askPass = ${program}
	pager = ${program}
	attributesFile = ${folder}/attributes
[init]
	templateDir = ${hooks}
[filter "evil"]
	smudge = ${program}
	clean = ${program}
	required = true
[credential]
	helper = "!${program}"
[uploadpack]
	packObjectsHook = ${program}
`,
      env: { XDG_CONFIG_HOME: path.join(folder, "xdg") },
    });
    mkdirSync(path.join(folder, "xdg/git"), { recursive: true });
    writeFileSync(path.join(folder, "xdg/git/config"), `[core]\n\thooksPath = ${hooks}\n`);
    writeFileSync(path.join(folder, "xdg/git/attributes"), "* text eol=crlf\n");
    const source = await open(context, { commit });
    await source.checkout(path.join(folder, "out"), null);
    expect(readFileSync(path.join(folder, "out/a"), "utf8")).toBe("1");
    expect(isSprung()).toBe(false);
  });

  test("insteadOf is taken over, from both files and from what they include", async () => {
    const commit = remote.commit({ a: "1" });
    const context = sourceContext(folder, {
      gitConfig: "[include]\n\tpath = ~/more\n",
      env: { XDG_CONFIG_HOME: path.join(folder, "xdg") },
    });
    writeFileSync(path.join(context.home, "more"), insteadOf(`file://${path.join(folder, "served")}`));
    await expect(open(context, { commit })).resolves.toMatchObject({ commit });
  });

  test("a file that git has read is not read by it again before it is another one, and only what is taken is kept", async () => {
    const served = insteadOf(path.join(folder, "served"));
    const context = sourceContext(folder, {
      gitConfig: `${served}[http "https://proxy.test/"]\n\textraHeader = secret one\n\tproxy = http://secret@two/\n[user]\n\tname = three\n`,
    });
    const reads = (): number => context.calls.filter(({ args }) => args[0] === "config").length;
    await open(context, { commit: remote.commit({ a: "1" }) });
    await open(context, { commit: remote.commit({ a: "2" }) });
    expect(reads()).toBe(1);
    const configs = path.join(context.cache, "git/config");
    const kept = readdirSync(configs).filter((name) => name.startsWith("user-"));
    expect(kept).toHaveLength(1);
    const [file = ""] = kept.map((name) => path.join(configs, name));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).toMatch(/secret@two/u);
    expect(readFileSync(file, "utf8")).not.toMatch(/secret one|three/u);

    writeFileSync(path.join(context.home, ".gitconfig"), insteadOf(path.join(folder, "elsewhere")));
    await expect(open(context, { commit: remote.commit({ a: "3" }) })).rejects.toMatchObject({ code: "FETCH_FAILED" });
    expect(reads()).toBe(2);

    // What is included may change without it.
    writeFileSync(path.join(context.home, ".gitconfig"), "[include]\n\tpath = ~/more\n");
    writeFileSync(path.join(context.home, "more"), insteadOf(path.join(folder, "elsewhere")));
    await expect(open(context, { commit: remote.commit({ a: "4" }) })).rejects.toMatchObject({ code: "FETCH_FAILED" });
    writeFileSync(path.join(context.home, "more"), served);
    await open(context, { commit: remote.commit({ a: "5" }) });
    expect(reads()).toBe(4);
  });

  test("a rewrite to a local folder needs no URL", async () => {
    const commit = remote.commit({ a: "1" });
    const context = sourceContext(folder, { gitConfig: insteadOf(path.join(folder, "served")) });
    await expect(open(context, { commit })).resolves.toMatchObject({ commit });
  });

  test("a configuration that git cannot read is named", async () => {
    const context = sourceContext(folder, { gitConfig: "[broken\n" });
    await expect(open(context)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining(".gitconfig"),
    });
  });

  test("B37: variables of the caller that steer git are dropped, a proxy is not", async () => {
    const { program, isSprung } = trap("variable");
    const commit = remote.commit({ a: "1" });
    const hostile = {
      GIT_DIR: path.join(folder, "elsewhere"),
      GIT_WORK_TREE: folder,
      GIT_INDEX_FILE: path.join(folder, "index"),
      GIT_SSH_COMMAND: program,
      GIT_PROXY_COMMAND: program,
      GIT_ASKPASS: program,
      SSH_ASKPASS: program,
      GIT_EXTERNAL_DIFF: program,
      GIT_EXEC_PATH: folder,
      GIT_TEMPLATE_DIR: folder,
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "core.fsmonitor",
      GIT_CONFIG_VALUE_0: program,
      GIT_CONFIG_PARAMETERS: `'core.fsmonitor'='${program}'`,
      GIT_ALLOW_PROTOCOL: "ext",
      https_proxy: "http://127.0.0.1:9",
    };
    const before = { ...process.env };
    try {
      Object.assign(process.env, hostile);
      const context = sourceContext(folder, { ...local(), env: hostile });
      const source = await open(context, { commit });
      await source.checkout(path.join(folder, "out"), null);
      const passed = new Set(context.calls.flatMap(({ env }) => Object.keys(env ?? {})));
      expect([...passed].toSorted()).toEqual(["HOME", "https_proxy"]);
    } finally {
      for (const name of Object.keys(hostile)) delete process.env[name];
      Object.assign(process.env, before);
    }
    expect(isSprung()).toBe(false);
    expect(existsSync(path.join(folder, "elsewhere"))).toBe(false);
  });
});

describe("servers", () => {
  const closed = async (server: Server): Promise<void> => {
    await new Promise((resolve) => {
      server.close(resolve);
    });
  };

  /** A server that takes connections and does with them what it is told. */
  async function listen(onConnection: Parameters<typeof createServer>[1]): Promise<string> {
    const sockets = new Set<{ destroy(): void }>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      onConnection?.(socket);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    closing.push(() => {
      for (const socket of sockets) socket.destroy();
      return closed(server);
    });
    const address = server.address();
    return address === null || typeof address === "string" ? "" : `http://127.0.0.1:${address.port}`;
  }

  test("B38: a server that sends more than the limit is cut off", async () => {
    const commit = remote.commit({
      big: Buffer.from(Array.from({ length: 3_000_000 }, () => Math.floor(Math.random() * 256))),
    });
    const server = await serve();
    const context = sourceContext(folder, { gitConfig: insteadOf(server.origin) });
    await expect(open(context, { commit }, { limits: { receivedBytes: 100_000 } })).rejects.toMatchObject({
      code: "SOURCE_UNSAFE",
      message: expect.stringContaining("100000 bytes"),
    });
  });

  test("B39: a server that says nothing is given up", async () => {
    const origin = await listen(() => undefined);
    const context = sourceContext(folder, { gitConfig: insteadOf(origin) });
    await expect(open(context, {}, { limits: { stallSeconds: 1, fetchMs: 20_000 } })).rejects.toMatchObject({
      code: "FETCH_FAILED",
      message: expect.stringContaining("stalled"),
    });
  });

  test("B39: a server that drips for ever is given up", async () => {
    const origin = await listen((socket) => {
      socket.write(
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\nTransfer-Encoding: chunked\r\n\r\n",
      );
      const timer = setInterval(() => socket.write("1\r\n0\r\n"), 50);
      socket.on("close", () => clearInterval(timer));
    });
    const context = sourceContext(folder, { gitConfig: insteadOf(origin) });
    await expect(open(context, {}, { limits: { stallSeconds: 60, fetchMs: 700 } })).rejects.toMatchObject({
      code: "FETCH_FAILED",
      message: expect.stringContaining("took longer than"),
    });
  });

  test("the signal ends git and its children", async () => {
    const control = new AbortController();
    const origin = await listen(() => control.abort());
    const context = sourceContext(folder, { gitConfig: insteadOf(origin), signal: control.signal });
    await expect(open(context)).rejects.toMatchObject({ code: "INTERRUPTED" });
    expect(commandLines().filter((line) => line.includes(origin))).toEqual([]);
  });

  test.each([301, 302, 307, 308])("B40: a redirect (%i) is not followed", async (status) => {
    remote.commit({ a: "1" });
    const other = await serve();
    const first = await serve({
      intercept: (request, response) => {
        response.writeHead(status, { location: `${other.origin}${request.url}` }).end();
        return true;
      },
    });
    const context = sourceContext(folder, { gitConfig: insteadOf(first.origin) });
    await expect(open(context)).rejects.toMatchObject({
      code: "SOURCE_REFUSED",
      message: expect.stringContaining("redirects"),
    });
    expect(other.requests).toEqual([]);
  });

  test("B41: a password in an address is refused and never shown", async () => {
    const context = sourceContext(folder);
    const url = "https://user:hunter2@git.example.test/tool.git";
    const error: unknown = await open(context, { url, named: true }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "SOURCE_REFUSED", hint: expect.stringContaining("credential helper") });
    expect(JSON.stringify(error) + String(error)).not.toContain("hunter2");
  });

  test("B41: a password in the user's own rewrite is used and never shown", async () => {
    remote.commit({ a: "1" });
    const server = await serve({
      intercept: (request, response) => {
        if (request.headers.authorization === `Basic ${Buffer.from("user:hunter2").toString("base64")}`) return false;
        response.writeHead(401, { "www-authenticate": "Basic realm=x" }).end();
        return true;
      },
    });
    const withPassword = server.origin.replace("//", "//user:hunter2@");
    const context = sourceContext(folder, { gitConfig: insteadOf(withPassword) });
    await expect(open(context)).resolves.toBeDefined();
    const missing = { url: "https://git.example.test/missing.git" };
    const error: unknown = await open(context, missing).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "FETCH_FAILED" });
    expect(JSON.stringify([error, context.events]) + String(error)).not.toContain("hunter2");
    const written = filesBelow(context.cache).filter((file) => !file.includes(`${path.sep}config${path.sep}`));
    expect(written.filter((file) => readFileSync(file, "latin1").includes("hunter2"))).toEqual([]);
  });

  test("B42: a server that asks for a password is an error at once", async () => {
    const server = await serve({
      intercept: (_request, response) => {
        response.writeHead(401, { "www-authenticate": "Basic realm=x" }).end();
        return true;
      },
    });
    for (const named of [false, true]) {
      const context = sourceContext(folder, { gitConfig: insteadOf(server.origin) });
      await expect(open(context, { named })).rejects.toMatchObject({
        code: "FETCH_FAILED",
        message: expect.stringContaining("asks for a password"),
      });
    }
  });

  test("B42: the user's credential helper is asked for a source that the user named, and for no other", async () => {
    const commit = remote.commit({ a: "1" });
    const server = await serve({
      intercept: (request, response) => {
        if (request.headers.authorization !== undefined) return false;
        response.writeHead(401, { "www-authenticate": "Basic realm=x" }).end();
        return true;
      },
    });
    const asked = path.join(folder, "asked");
    const helper = path.join(folder, "helper.sh");
    writeFileSync(helper, `#!/bin/sh\ntouch '${asked}'\necho username=me\necho password=secret\n`, { mode: 0o755 });
    const gitConfig = `${insteadOf(server.origin)}[credential]\n\thelper = ${helper}\n`;
    await expect(open(sourceContext(folder, { gitConfig }))).rejects.toMatchObject({ code: "FETCH_FAILED" });
    expect(existsSync(asked)).toBe(false);
    await expect(open(sourceContext(folder, { gitConfig }), { named: true })).resolves.toMatchObject({ commit });
    expect(existsSync(asked)).toBe(true);
  });

  test("what a server says is escaped", async () => {
    const server = await serve({
      intercept: (_request, response) => {
        const text = "# service=git-upload-pack\n";
        const words = "ERR \u202ehello";
        const line = (body: string): string => (Buffer.byteLength(body) + 4).toString(16).padStart(4, "0") + body;
        response.writeHead(200, { "content-type": "application/x-git-upload-pack-advertisement" });
        response.end(`${line(text)}0000${line(words)}`);
        return true;
      },
    });
    const context = sourceContext(folder, { gitConfig: insteadOf(server.origin) });
    const error: unknown = await open(context).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "FETCH_FAILED", message: expect.stringContaining("\\u202ehello") });
  });
});

test("ssh is called without questions, with the agent of the user and nothing else", async () => {
  const commit = remote.commit({ a: "1" });
  const bin = path.join(folder, "bin");
  mkdirSync(bin);
  const log = path.join(folder, "ssh.log");
  // The last argument is the command for the other side; here both sides are this machine.
  writeFileSync(
    path.join(bin, "ssh"),
    `#!/bin/sh\nfor word; do last=$word; done\necho "$@" >> '${log}'\nenv >> '${log}'\nexec sh -c "$last"\n`,
    { mode: 0o755 },
  );
  const context = sourceContext(folder, { systemFolders: [bin], env: { SSH_AUTH_SOCK: "/agent", SECRET: "hunter2" } });
  const url = `ssh://git@host.example${remote.folder}`;
  await expect(open(context, { url, named: true, commit })).resolves.toMatchObject({ commit });
  const said = readFileSync(log, "utf8");
  expect(said).toContain("-oBatchMode=yes");
  expect(said).toContain("git@host.example git-upload-pack");
  expect(said).toContain("SSH_AUTH_SOCK=/agent");
  expect(said).not.toContain("hunter2");
});

test("many calls at once leave no warning of Node behind", async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on("warning", onWarning);
  const { host } = sourceContext(folder);
  const request = { args: ["version"], cwd: folder, configFile: "/dev/null", timeoutMs: 20_000, signal: host.signal };
  const results = await Promise.all(Array.from({ length: 25 }, () => host.git.run(request)));
  process.off("warning", onWarning);
  expect(results.every(({ exitCode }) => exitCode === 0)).toBe(true);
  expect(warnings.map(({ stack }) => stack)).toEqual([]);
});

test("a signal that was given before ends the call before it begins", async () => {
  const context = sourceContext(folder, { ...local(), signal: AbortSignal.abort() });
  await expect(open(context)).rejects.toMatchObject({ code: "INTERRUPTED" });
});

describe("B43: the git that is used", () => {
  function fakeGit(name: string, version: string): string {
    const bin = path.join(folder, name);
    mkdirSync(bin);
    writeFileSync(path.join(bin, "git"), `#!/bin/sh\necho 'git version ${version}'\n`, { mode: 0o755 });
    return bin;
  }

  test("none is an error with a cure", async () => {
    const git = createGit({ os: "linux", searchPath: folder, ownFolder: "/nowhere", systemFolders: [] });
    await expect(git.version()).rejects.toMatchObject({
      code: "GIT_UNUSABLE",
      message: expect.stringContaining("not installed"),
    });
  });

  test("an older one than 2.39 is an error that names it", async () => {
    const old = fakeGit("old", "2.38.1");
    const git = createGit({ os: "linux", searchPath: old, ownFolder: "/nowhere", systemFolders: [] });
    const refused = { code: "GIT_UNUSABLE", message: expect.stringContaining("2.38.1") };
    await expect(git.version()).rejects.toMatchObject(refused);
    await expect(
      git.run({ args: ["version"], cwd: folder, configFile: "/dev/null", timeoutMs: 1_000 }),
    ).rejects.toMatchObject(refused);
  });

  test("a newer one further along is taken; ipm's own folders, relative and empty parts of PATH never", async () => {
    const old = fakeGit("old", "2.38.1");
    const own = fakeGit("own", "9.9.9");
    const good = fakeGit("good", "2.45.0 (Apple Git-1)");
    const searchPath = ["", ".", own, `${folder}/x/../own`, old, good].join(":");
    const git = createGit({ os: "linux", searchPath, ownFolder: own, systemFolders: [] });
    await expect(git.version()).resolves.toBe("2.45.0");
  });
});

test("the version of git is asked for once, and again when the program is another or the memory is none", async () => {
  const bin = path.join(folder, "bin");
  const program = path.join(bin, "git");
  const asked = path.join(folder, "asked");
  const memory = path.join(folder, "cache/git.json");
  const install = (version: string): void => {
    writeFileSync(program, `#!/bin/sh\necho >> ${asked}\necho 'git version ${version}'\n`, { mode: 0o755 });
  };
  const version = async (): Promise<string> =>
    createGit({ os: "linux", searchPath: bin, ownFolder: "/nowhere", systemFolders: [], memory }).version();
  const timesAsked = (): number => readFileSync(asked, "utf8").length;
  mkdirSync(bin);
  install("2.45.0");
  expect([await version(), await version(), timesAsked()]).toEqual(["2.45.0", "2.45.0", 1]);
  install("2.46.10");
  expect([await version(), await version(), timesAsked()]).toEqual(["2.46.10", "2.46.10", 2]);
  writeFileSync(memory, '{"file":');
  expect([await version(), timesAsked()]).toEqual(["2.46.10", 3]);
  install("2.38.1");
  await expect(version()).rejects.toMatchObject({ code: "GIT_UNUSABLE" });
});

function filesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/** Command lines of the processes that run, on Linux. */
function commandLines(): string[] {
  if (!existsSync("/proc/self/cmdline")) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/u.test(name) && name !== String(process.pid))
    .map((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
      } catch {
        return "";
      }
    });
}
