import { type ChildProcess, type SpawnSyncOptions, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { createFiles } from "../../src/host/files.ts";
import { compileRegistry } from "../../src/registry/compile-registry.ts";
import { type DemoTool, writeDemoRegistry } from "./demo-registry.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const CHECKER = path.join(ROOT, "test/faults/invariants.mjs");

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

/** Allowed sets of tools: name to version. */
export type ToolSet = Readonly<Record<string, string>>;

/** An ipm that is running. */
export class Started {
  readonly child: ChildProcess;
  #text = "";
  readonly #ended: Promise<Ran>;

  constructor(child: ChildProcess) {
    this.child = child;
    const started = performance.now();
    let stderr = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString();
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    this.#ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => {
        resolve({ code, signal, stdout: this.#text, stderr, ms: performance.now() - started });
      });
    });
  }

  /** What it has said so far, one JSON document a line. */
  get text(): string {
    return this.#text;
  }

  /** Wait until it has said something. @throws when it ends without */
  async until(pattern: RegExp): Promise<void> {
    const said = new Promise<void>((resolve) => {
      const look = (): void => {
        if (pattern.test(this.#text)) resolve();
      };
      this.child.stdout?.on("data", look);
      look();
    });
    const ran = await Promise.race([said, this.#ended]);
    if (ran !== undefined && !pattern.test(this.#text))
      throw new Error(`ended with ${ran.code ?? ran.signal}: ${ran.stdout}${ran.stderr}`);
  }

  end(): Promise<Ran> {
    return this.#ended;
  }
}

/**
 * A folder that plays a machine: the bundled ipm as its users run it, with a registry of its own, and homes that can be
 * put back to what they were. Paths stay the same, because launchers hold them.
 */
export class Machine {
  readonly folder: string;
  readonly home: string;
  readonly data: string;
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  /** Words before every program: `nsenter …`, when the home is in a mount namespace of its own. */
  within: readonly string[] = [];

  private constructor(folder: string, home: string) {
    this.folder = folder;
    this.home = home;
    this.data = path.join(home, "data");
    this.script = path.join(folder, "package/bin/ipm.cjs");
    this.env = {
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      HOME: path.join(folder, "user"),
      IPM_HOME: home,
      // One thread for what Node does behind the scenes: the K-th call is always the same one.
      UV_THREADPOOL_SIZE: "1",
      TMPDIR: path.join(folder, "tmp"),
    };
    for (const place of ["user", "tmp"]) mkdirSync(path.join(folder, place), { recursive: true });
  }

  /** @param home where IPM_HOME is; by default below the folder */
  static async create(folder: string, tools: readonly DemoTool[], home = path.join(folder, "home")): Promise<Machine> {
    const machine = new Machine(realpathSync(folder), home);
    await build({
      absWorkingDir: ROOT,
      entryPoints: ["src/cli/main.ts"],
      outfile: path.join(folder, "package/dist/ipm.cjs"),
      bundle: true,
      platform: "node",
      format: "cjs",
      target: "node20.19",
      // As scripts/bundle-command-line.mjs writes files, with the id of a build that has this one.
      banner: { js: `/*${"0".repeat(16)}*/(function(exports,require,module,builtin){"use strict";` },
      footer: { js: ";module.exports=((own)=>()=>own)(module.exports)})" },
      logLevel: "error",
    });
    mkdirSync(path.join(folder, "package/bin"), { recursive: true });
    cpSync(path.join(ROOT, "bin/ipm.cjs"), machine.script);
    writeFileSync(path.join(folder, "package/package.json"), "{}\n");
    await machine.offer(tools);
    return machine;
  }

  /** Another registry in place of the one that ipm comes with. */
  async offer(tools: readonly DemoTool[]): Promise<void> {
    const registry = writeDemoRegistry(path.join(this.folder, "registry"), tools);
    const into = path.join(this.folder, "package/dist/registry");
    rmSync(into, { recursive: true, force: true });
    const { findings } = await compileRegistry(createFiles(), registry, into);
    const broken = findings.find(({ severity }) => severity === "error");
    if (broken !== undefined) throw new Error(`${broken.file}:${broken.line}: ${broken.message}`);
  }

  /** Run ipm, behind other words when some are given (`strace …`). */
  ipm(args: readonly string[], before: readonly string[] = [], options: SpawnSyncOptions = {}): Ran {
    const [program = "", ...words] = [...this.within, ...before, process.execPath, this.script, ...args];
    const started = performance.now();
    const result = spawnSync(program, words, {
      env: this.env,
      cwd: this.folder,
      timeout: 60_000,
      killSignal: "SIGKILL",
      ...options,
      encoding: "utf8",
    });
    const isHanging = result.error !== undefined && "code" in result.error && result.error.code === "ETIMEDOUT";
    if (result.error !== undefined && !isHanging) throw result.error;
    return {
      code: result.status,
      signal: result.signal,
      stdout: result.stdout,
      stderr: isHanging ? `${result.stderr}\n(it went on for too long and was ended)` : result.stderr,
      ms: performance.now() - started,
    };
  }

  /** Start ipm and go on; `reporter ndjson`, so that a test can wait for what it says. */
  start(args: readonly string[], before: readonly string[] = []): Started {
    const words = [...before, process.execPath, this.script, ...args, "--reporter", "ndjson"];
    const [program = "", ...rest] = [...this.within, ...words];
    return new Started(
      spawn(program, rest, {
        env: this.env,
        cwd: this.folder,
        stdio: ["ignore", "pipe", "pipe"],
      }),
    );
  }

  /** Run ipm and demand that it succeeds. */
  must(...args: readonly string[]): Ran {
    const ran = this.ipm(args);
    if (ran.code !== 0) throw new Error(`ipm ${args.join(" ")}: ${ran.code ?? ran.signal}\n${ran.stderr}`);
    return ran;
  }

  /** Run a program where the homes are. @throws when it fails */
  shell(...words: readonly string[]): string {
    const [program = "", ...args] = [...this.within, ...words];
    const result = spawnSync(program, args, { encoding: "utf8" });
    if (result.status !== 0) throw new Error(`${words.join(" ")}: ${result.stderr}`);
    return result.stdout;
  }

  /** Keep the homes as they are now under a name. */
  save(name: string): void {
    const place = path.join(this.folder, "saved", name);
    spawnSync("rm", ["-rf", place]);
    mkdirSync(path.dirname(place), { recursive: true });
    mkdirSync(this.home, { recursive: true });
    this.shell("cp", "-a", this.home, place);
  }

  /** Remove the homes. */
  clear(): void {
    mkdirSync(this.home, { recursive: true });
    // What is sealed cannot be written; a home may be the root of a file system of its own.
    this.shell("chmod", "-R", "u+rwx", this.home);
    this.shell("find", this.home, "-mindepth", "1", "-delete");
  }

  /** Put the homes back to what they were. */
  restore(name: string): void {
    this.clear();
    // Read-only folders, links and modes exactly as they are.
    this.shell("cp", "-a", "--", `${path.join(this.folder, "saved", name)}/.`, this.home);
  }

  /** Violations of the invariants, by a program that shares no code with ipm. */
  check(states: readonly ToolSet[], settled: boolean): string[] {
    const question = JSON.stringify({ data: this.data, states, settled });
    const printed = this.shell(process.execPath, CHECKER, question);
    const answer: unknown = JSON.parse(printed);
    if (!Array.isArray(answer)) throw new Error(`the checker printed ${printed}`);
    return answer.map(String);
  }
}
