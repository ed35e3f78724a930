import type { Host } from "../../src/core/host.ts";
import { readHostFacts } from "../../src/host/facts.ts";
import { canConnect } from "../../src/host/can-connect.ts";
import { createFiles } from "../../src/host/files.ts";
import { createGit } from "../../src/host/git.ts";
import { rememberParents } from "../../src/host/remember-parents.ts";
import { resolveHomes } from "../../src/host/homes.ts";
import { createProcesses } from "../../src/host/processes.ts";
import { readRunningProcesses } from "../../src/host/running.ts";
import { createNoSandbox } from "../../src/sandbox/create-sandbox.ts";
import type { Ask, Context } from "../../src/usecases/context.ts";

/**
 * A context for use cases that need no registry: real files and processes, homes below the given HOME as the
 * environment says.
 */
export function createContext(
  home: string,
  env: Readonly<Record<string, string>> = {},
  ask: Ask | null = null,
): Context {
  const facts = { ...readHostFacts(), env: { HOME: home, PATH: "/usr/bin:/bin", ...env }, cwd: home };
  const homes = resolveHomes(facts.env);
  const host: Host = {
    facts,
    homes,
    files: rememberParents(createFiles(), homes),
    processes: createProcesses(),
    git: createGit({ os: facts.platform.os, searchPath: "/usr/bin:/bin", ownFolder: homes.data }),
    download: () => Promise.reject(new Error("nothing is downloaded here")),
    retrieve: () => Promise.reject(new Error("nothing is fetched here")),
    canConnect,
    runningProcesses: readRunningProcesses,
    now: () => new Date(),
    monotonicMs: () => performance.now(),
    checkpoint: () => {},
    signal: new AbortController().signal,
  };
  const none = createNoSandbox(host);
  return {
    host,
    emit: () => {},
    ask,
    sandboxFor: () => none,
    lockTimeoutMs: 5_000,
    embeddedRegistry: "/nowhere",
    ipmVersion: "0.0.0-test",
    command: "ipm test",
  };
}
