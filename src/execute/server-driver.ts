/** What the driver is told, through its standard input: so that no secret is in an argument or a file. */
export interface DriverConfig {
  readonly url: string;
  readonly cwd: string;
  /** Milliseconds that the server may take to answer, and that the test may take. */
  readonly startTimeoutMs: number;
  readonly testTimeoutMs: number;
  /** Milliseconds that the server and all of its processes may take to end when they are asked to. */
  readonly endTimeoutMs: number;
  readonly server: DriverCommand;
  readonly test: DriverCommand & { readonly stdin: string | null };
  /** The driver sees no processes but its own: whatever is left in the end was left by the server or the test. */
  readonly isAlone: boolean;
}

interface DriverCommand {
  readonly argv: readonly [string, ...string[]];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** How it went. */
export type DriverResult =
  /** Something answered before the server was started. */
  | { readonly outcome: "busy" }
  /** The server ended before it answered, or while the test ran. */
  | { readonly outcome: "died"; readonly code: number | null; readonly signal: string | null; readonly error?: string }
  /** The server did not answer in time. */
  | { readonly outcome: "silent" }
  /** The test did not end in time. */
  | { readonly outcome: "slow" }
  | {
      readonly outcome: "ran";
      readonly code: number | null;
      readonly signal: string | null;
      /** Names of processes of the server or the test that went on although they were asked to end. */
      readonly left: readonly string[];
    };

/** One line of the driver's standard output: bytes of the server or the test as base64, and at last the result. */
export type DriverFrame =
  | { readonly who: "server" | "test"; readonly stream: "stdout" | "stderr"; readonly data: string }
  | { readonly result: DriverResult };

/**
 * The program that runs a test beside its server, for `node -e`: it starts the server, asks its address until something
 * answers, runs the test, and ends the server with all that it has started. It stands in the sandbox with both of them,
 * because only there is their network.
 */
export const SERVER_DRIVER = `"use strict";
const fs = require("node:fs"), http = require("node:http"), https = require("node:https");
const { spawn } = require("node:child_process");
const config = JSON.parse(fs.readFileSync(0, "utf8"));
const POLL_MS = 50, ASK_MS = 2000, LINGER_MS = 1000;
const groups = new Set();
const say = (frame) => fs.writeSync(1, JSON.stringify(frame) + "\\n");
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const signal = (pid, name) => {
  try {
    process.kill(-pid, name);
    return true;
  } catch {
    return false;
  }
};
process.on("exit", () => {
  for (const pid of groups) signal(pid, "SIGKILL");
});
for (const name of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(name, () => process.exit(1));

const start = (who, { argv, env, stdin }) => {
  const hasInput = typeof stdin === "string";
  const child = spawn(argv[0], argv.slice(1), {
    cwd: config.cwd,
    env,
    detached: true,
    stdio: [hasInput ? "pipe" : "ignore", "pipe", "pipe"],
  });
  if (child.pid !== undefined) groups.add(child.pid);
  for (const stream of ["stdout", "stderr"])
    child[stream].on("data", (chunk) => say({ who, stream, data: chunk.toString("base64") }));
  if (hasInput) {
    child.stdin.on("error", () => {});
    child.stdin.end(stdin);
  }
  const closed = new Promise((resolve) => child.once("close", resolve));
  const running = { pid: child.pid, end: null };
  running.ended = new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: null, signal: null, error: error.message }));
    // What it has left may hold its pipes: its last words are waited for, not their end.
    child.once("exit", (code, name) =>
      Promise.race([closed, sleep(LINGER_MS)]).then(() => resolve({ code, signal: name })),
    );
  }).then((end) => (running.end = end));
  return running;
};

/** Any answer will do, also one that is no HTTP: something is there. */
const answers = () =>
  new Promise((resolve) => {
    const { request } = config.url.startsWith("https:") ? https : http;
    const asked = request(config.url, { agent: false, rejectUnauthorized: false, timeout: ASK_MS }, (response) => {
      response.destroy();
      resolve(true);
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", (error) => resolve(String(error.code).startsWith("HPE_")));
    asked.end();
  });

const ancestors = () => {
  const found = new Set([1]);
  for (let pid = process.pid; pid > 1 && !found.has(pid); ) {
    found.add(pid);
    pid = Number(/\\) \\S (\\d+)/.exec(fs.readFileSync("/proc/" + pid + "/stat", "utf8"))?.[1] ?? 0);
  }
  return found;
};

const hasProc = fs.existsSync("/proc/self/stat");
const alive = () => {
  if (!hasProc) return [...groups].filter((pid) => signal(pid, 0)).map((pid) => "process group " + pid);
  const found = [];
  const own = ancestors();
  for (const name of fs.readdirSync("/proc")) {
    if (!/^[0-9]+$/.test(name) || own.has(Number(name))) continue;
    try {
      const stat = fs.readFileSync("/proc/" + name + "/stat", "utf8");
      // What has ended and was not looked at yet is a zombie: it runs no more.
      const [, state, group] = /\\) (\\S) \\d+ (\\d+)/.exec(stat) ?? [];
      if (state === "Z" || state === "X" || !(config.isAlone || groups.has(Number(group)))) continue;
      found.push(stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")")));
    } catch {}
  }
  return found;
};

const work = async () => {
  if (await answers()) return { outcome: "busy" };
  const server = start("server", config.server);
  const until = Date.now() + config.startTimeoutMs;
  for (;;) {
    if (server.end !== null) return { outcome: "died", ...server.end };
    if (await answers()) break;
    if (Date.now() > until) return { outcome: "silent" };
    await sleep(POLL_MS);
  }
  const test = start("test", config.test);
  const slow = Symbol("slow");
  let timer;
  const limit = new Promise((resolve) => (timer = setTimeout(resolve, config.testTimeoutMs, slow)));
  const end = await Promise.race([test.ended, limit, server.ended.then(() => null)]);
  clearTimeout(timer);
  if (end === slow) return { outcome: "slow" };
  if (end === null) return { outcome: "died", ...server.end };
  if (end.error !== undefined) say({ who: "test", stream: "stderr", data: Buffer.from(end.error).toString("base64") });
  if (server.end !== null) return { outcome: "died", ...server.end };
  signal(server.pid, "SIGTERM");
  const ends = Date.now() + config.endTimeoutMs;
  while (alive().length > 0 && Date.now() < ends) await sleep(POLL_MS);
  const left = alive();
  // Its last words.
  if (left.length === 0) await Promise.race([server.ended, sleep(LINGER_MS)]);
  return { outcome: "ran", code: end.code, signal: end.signal, left };
};

work().then(
  (result) => {
    say({ result });
    process.exit(0);
  },
  (error) => {
    fs.writeSync(2, String(error.stack) + "\\n");
    process.exit(1);
  },
);
`;
