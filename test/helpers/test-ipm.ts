import { mkdirSync, rmSync, readFileSync, readdirSync, readlinkSync, lstatSync } from "node:fs";
import path from "node:path";
import type { IpmEvent } from "../../src/core/events.ts";
import type { Download, Host } from "../../src/core/host.ts";
import { createDownload } from "../../src/host/download.ts";
import { createRetrieve } from "../../src/host/retrieve.ts";
import { readHostFacts } from "../../src/host/facts.ts";
import { canConnect } from "../../src/host/can-connect.ts";
import { createFiles } from "../../src/host/files.ts";
import { createGit } from "../../src/host/git.ts";
import { createProcesses } from "../../src/host/processes.ts";
import { readRunningProcesses } from "../../src/host/running.ts";
import { compileRegistry } from "../../src/registry/compile-registry.ts";
import { createNoSandbox, createSandbox } from "../../src/sandbox/create-sandbox.ts";
import { type Layout, layoutOf } from "../../src/store/layout.ts";
import type { Ask, Context, PlanOptions } from "../../src/usecases/context.ts";
import type { VerifyOptions } from "../../src/usecases/verify.ts";

export interface TestIpmOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly ask?: Ask;
  readonly checkpoint?: (name: string) => void;
  readonly lockTimeoutMs?: number;
  readonly download?: Download;
  readonly now?: () => Date;
}

/** ipm in this process, with everything real but the homes: those lie in a temporary folder. */
export interface TestIpm {
  readonly context: Context;
  readonly events: IpmEvent[];
  readonly layout: Layout;
  readonly folder: string;
  /** The signal's controller: `abort` is what Ctrl-C does. */
  readonly stop: AbortController;
  /** Put another registry in place of the embedded one, as a new release of ipm does. */
  setRegistry(registry: string): Promise<void>;
}

async function compileEmbedded(registry: string, into: string): Promise<void> {
  rmSync(into, { recursive: true, force: true });
  const compiled = await compileRegistry(createFiles(), registry, into);
  const broken = compiled.findings.find(({ severity }) => severity === "error");
  if (broken !== undefined) throw new Error(`${broken.file}:${broken.line}: ${broken.message}`);
}

export const OPTIONS: PlanOptions = {
  allowUnverified: false,
  noSandbox: false,
  noFallback: false,
  offline: false,
  jobs: 2,
  keepGoing: false,
  yes: false,
  dryRun: false,
};

export const VERIFY_OPTIONS: VerifyOptions = {
  method: null,
  twice: false,
  keepCache: false,
  offline: false,
  all: false,
  changed: null,
  shard: null,
  jobs: 1,
  write: false,
  output: null,
};

/**
 * @param registry folder of a registry that plays the embedded one
 */
export async function createTestIpm(folder: string, registry: string, options: TestIpmOptions = {}): Promise<TestIpm> {
  const home = path.join(folder, "home");
  mkdirSync(home, { recursive: true });
  const files = createFiles();
  const embedded = path.join(folder, "embedded");
  await compileEmbedded(registry, embedded);
  const events: IpmEvent[] = [];
  const stop = new AbortController();
  const homes = {
    data: path.join(folder, "ipm/data"),
    cache: path.join(folder, "ipm/cache"),
    config: path.join(folder, "ipm/config"),
  };
  const facts = readHostFacts();
  const host: Host = {
    facts: { ...facts, cwd: folder, env: { HOME: home, PATH: process.env["PATH"], ...options.env } },
    homes,
    files,
    processes: createProcesses(),
    git: createGit({ os: facts.platform.os, searchPath: process.env["PATH"] ?? "", ownFolder: homes.data }),
    download: options.download ?? createDownload({ env: {} }),
    retrieve: createRetrieve({ env: {} }),
    canConnect,
    runningProcesses: readRunningProcesses,
    now: options.now ?? ((): Date => new Date()),
    monotonicMs: () => performance.now(),
    checkpoint: options.checkpoint ?? ((): void => {}),
    signal: stop.signal,
  };
  const sandbox = createSandbox(host);
  const none = createNoSandbox(host);
  const context: Context = {
    host,
    emit: (event) => events.push(event),
    ask: options.ask ?? null,
    sandboxFor: (noSandbox) => (noSandbox ? none : sandbox),
    lockTimeoutMs: options.lockTimeoutMs ?? 5_000,
    embeddedRegistry: embedded,
    ipmVersion: "0.0.0-test",
    // Not the one of the machine that runs the tests.
    policyFiles: [path.join(homes.config, "policy.yaml")],
    command: "ipm test",
  };
  return {
    context,
    events,
    layout: layoutOf(homes),
    folder,
    stop,
    setRegistry: (other) => compileEmbedded(other, embedded),
  };
}

/** Everything below a folder as text: path, kind, and content or target; for asserting what is on disk. */
export function treeText(folder: string): string[] {
  const lines: string[] = [];
  const walk = (current: string, prefix: string): void => {
    for (const name of readdirSync(current).toSorted()) {
      const file = path.join(current, name);
      const stats = lstatSync(file);
      const relative = `${prefix}${name}`;
      if (stats.isDirectory()) {
        lines.push(`${relative}/`);
        walk(file, `${relative}/`);
      } else if (stats.isSymbolicLink()) lines.push(`${relative} -> ${readlinkSync(file)}`);
      else lines.push(`${relative} ${stats.size} ${readFileSync(file).toString("base64").slice(0, 40)}`);
    }
  };
  walk(folder, "");
  return lines;
}
