/** What the groups of the benchmark share: a folder in memory, repositories to install, a server, peers. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { benchEnvironment } from "./interleaved.mjs";

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const NODE = process.execPath;
export const IPM = path.join(ROOT, "bin/ipm.cjs");
/** The URL that manifests name; git is told to find the server on the loopback interface there. */
export const ORIGIN = "https://git.example.test/";

/** The program's path, or undefined where it is not installed: a peer that is missing is left out. */
export function findProgram(name) {
  const folders = (process.env.PATH ?? "").split(":");
  return folders.map((folder) => path.join(folder, name)).find((file) => existsSync(file));
}

function must(argv, options = {}) {
  const [program, ...args] = argv;
  const result = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 28, ...options });
  if (result.status !== 0) throw new Error(`${argv.join(" ")}: ${result.status} ${result.stderr}`);
  return result.stdout.trim();
}

/** A bounded server for the repositories of a workbench, in a process of its own. */
class Server {
  #child;
  #port;

  constructor(child, port) {
    this.#child = child;
    this.#port = port;
  }

  get origin() {
    return `http://127.0.0.1:${this.#port}/`;
  }

  static start(folder) {
    const script = path.join(ROOT, "test/bench/git-server.mjs");
    const child = spawn(NODE, [script, folder], { stdio: ["pipe", "pipe", "inherit"], env: benchEnvironment() });
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.stdout.once("data", (port) => resolve(new Server(child, Number(port))));
    });
  }

  /** What it was asked for and sent since the last call; `delayMs` is waited before every answer from now on. */
  async count(delayMs = 0) {
    // A connection that is kept would be closed by the other side while a command is waited for.
    const answer = await fetch(`${this.origin}__count?delay=${delayMs}`, { headers: { connection: "close" } });
    return answer.json();
  }

  /** It ends when nobody holds its standard input any more. */
  stop() {
    this.#child.stdin.end();
  }
}

export class Workbench {
  folder = mkdtempSync(path.join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "ipm-bench-"));
  #server;
  #homes = 0;

  place(...words) {
    return path.join(this.folder, ...words);
  }

  async server() {
    mkdirSync(this.place("served"), { recursive: true });
    this.#server ??= Server.start(this.place("served"));
    const server = await this.#server;
    writeFileSync(this.place(".gitconfig"), `[url "${server.origin}"]\n\tinsteadOf = ${ORIGIN}\n`);
    return server;
  }

  /** An environment for git and ipm with nothing of the caller's. */
  env(extra = {}) {
    return benchEnvironment({ HOME: this.folder, GIT_CONFIG_NOSYSTEM: "1", ...extra });
  }

  git(cwd, ...words) {
    const identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"];
    const dates = { GIT_AUTHOR_DATE: "1700000000 +0000", GIT_COMMITTER_DATE: "1700000000 +0000" };
    return must(["git", ...identity, ...words], { cwd, env: this.env(dates) });
  }

  /**
   * A repository with `count` files and one script, served and pinned at the tag v1; `files` is called with its folder
   * before the commit.
   */
  repository(name, count, files = () => {}) {
    const folder = this.place("work", name);
    mkdirSync(path.join(folder, "bin"), { recursive: true });
    mkdirSync(path.join(folder, "lib"));
    writeFileSync(path.join(folder, "bin", name), "#!/bin/sh\necho ok\n", { mode: 0o755 });
    for (let index = 1; index < count; index++)
      writeFileSync(path.join(folder, "lib", `f${index}.txt`), `${index}\n`.repeat(150));
    files(folder);
    this.git(folder, "init", "-q", "-b", "main", ".");
    const versions = [this.#release(folder, "1.0.0", "v1")];
    const tool = { name, folder, versions, url: `${ORIGIN}${name}.git` };
    this.#publish(tool);
    return tool;
  }

  #release(folder, version, tag) {
    this.git(folder, "add", "-A");
    this.git(folder, "commit", "-q", "-m", version);
    this.git(folder, "tag", tag);
    return {
      version,
      tag,
      commit: this.git(folder, "rev-parse", "HEAD"),
      tree: this.git(folder, "rev-parse", "HEAD^{tree}"),
    };
  }

  #publish({ name, folder }) {
    const bare = this.place("served", `${name}.git`);
    rmSync(bare, { recursive: true, force: true });
    mkdirSync(path.dirname(bare), { recursive: true });
    this.git(this.folder, "clone", "-q", "--bare", folder, bare);
  }

  /** One more version of a repository, tag v2. */
  release(tool, change) {
    change(tool.folder);
    tool.versions.unshift(this.#release(tool.folder, "2.0.0", "v2"));
    this.#publish(tool);
  }

  /** A registry with these tools; `steps` and `bin` are YAML. */
  registry(name, tools) {
    const folder = this.place("registries", name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      path.join(folder, "registry.yaml"),
      `schema: ipm/v1\nid: ${name}\nname: Bench\nmaintainers: [bench]\n`,
    );
    for (const tool of tools) this.writeManifest(folder, tool);
    return folder;
  }

  /** Serve a registry's folder as a git repository. @returns its URL */
  publish(name, folder) {
    this.git(folder, "init", "-q", "-b", "main", ".");
    this.git(folder, "add", "-A");
    this.git(folder, "commit", "-q", "-m", "one");
    this.#publish({ name, folder });
    return `${ORIGIN}${name}.git`;
  }

  writeManifest(registry, { name, url, versions, steps = '[{ run: "true", why: measured }, { uses: copy }]' }) {
    const folder = path.join(registry, "packages", name);
    mkdirSync(folder, { recursive: true });
    const pins = versions.map(
      ({ version, tag, commit, tree }) =>
        `  - { version: ${version}, ref: refs/tags/${tag}, commit: ${commit}, tree: ${tree} }\n`,
    );
    writeFileSync(
      path.join(folder, "manifest.yaml"),
      `schema: ipm/v1\nname: ${name}\nsummary: A tool to measure with\nlicense: MIT\nsource: { git: "${url}" }\n` +
        `versions:\n${pins.join("")}steps: ${steps}\nbin: [${name}]\ntests: [{ run: ${name}, expect: { stdout: "^ok$" } }]\n`,
    );
  }

  /** A home of ipm that uses a registry, with a warm index; `fresh()` takes away all that was installed or fetched. */
  home(registry) {
    const folder = this.place("homes", String(++this.#homes));
    mkdirSync(folder, { recursive: true });
    const env = this.env({ IPM_HOME: folder });
    must([NODE, IPM, "registry", "add", registry], { env });
    const remove = (...names) => {
      for (const name of names) rmSync(path.join(folder, name), { recursive: true, force: true });
    };
    return {
      folder,
      env,
      fresh: () => {
        remove("data/store", "data/profiles", "data/current", "data/logs");
        // What git reads in place of the user's settings was not fetched, and is there from the first command on.
        const stores = path.join(folder, "cache/git");
        if (!existsSync(stores)) return;
        for (const store of readdirSync(stores)) if (store !== "config") remove(path.join("cache/git", store));
      },
      run: (...words) => must([NODE, IPM, ...words], { env }),
    };
  }

  async end() {
    (await this.#server)?.stop();
    spawnSync("chmod", ["-R", "u+w", this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A contender that is ipm. */
export function ipm(name, home, words, more = {}) {
  return { name, argv: [NODE, IPM, ...words], env: home.env, ...more };
}

/** A contender that is a shell script. */
export function shell(name, script, env, more = {}) {
  return { name, argv: ["/bin/sh", "-euc", script], env, ...more };
}
