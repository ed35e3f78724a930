import path from "node:path";
import type { Emit } from "../core/events.ts";
import { IpmError } from "../core/errors.ts";
import type { Files, Git, Homes, Host, HostFacts, Processes, Retrieve } from "../core/host.ts";
import { readHostFacts } from "../host/facts.ts";
import { createFiles } from "../host/files.ts";
import { rememberParents } from "../host/remember-parents.ts";
import { resolveHomes } from "../host/homes.ts";
import { readRunningProcesses } from "../host/running.ts";
import { settleUmask } from "../host/umask.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { Ask, Context, Prompts } from "../usecases/context.ts";
import type { Environment } from "./settings.ts";

export interface ContextParts {
  readonly env: Environment;
  readonly emit: Emit;
  readonly ask: Ask | null;
  readonly prompts: Prompts | null;
  /** Ends the work; its signal is taken when something is started that can be ended. */
  readonly signals: { readonly signal: AbortSignal };
  readonly ipmVersion: string;
  /** The package's folder. */
  readonly root: string;
  /** The command line as it is recorded. */
  readonly command: string;
  readonly lockTimeoutMs: number;
  readonly offline: boolean;
  readonly writes: boolean;
}

/** execa takes 15 ms to load, and most commands start nothing. */
function lazyProcesses(): Processes {
  let loaded: Promise<Processes> | undefined;
  const processes = (): Promise<Processes> =>
    (loaded ??= import("../host/processes.ts").then(({ createProcesses }) => createProcesses()));
  return {
    run: async (request) => (await processes()).run(request),
    prepare: async () => (await processes()).prepare(),
    attach: async (request) => (await processes()).attach(request),
  };
}

/** Node's https takes as long as all of `ipm list`. One object for the process: it keeps its connections. */
function lazyRetrieve(env: Environment): Retrieve {
  let loaded: Promise<Retrieve> | undefined;
  return async (request) =>
    (await (loaded ??= import("../host/retrieve.ts").then(({ createRetrieve }) => createRetrieve({ env }))))(request);
}

/** simple-git likewise. */
function lazyGit(facts: HostFacts, homes: Homes, files: Files): Git {
  const load = async (): Promise<Git> => {
    const { createGit } = await import("../host/git.ts");
    // For the memory; a home that cannot be written to is no reason to go without git.
    await files.createFolder(homes.cache).catch(() => {});
    return createGit({
      os: facts.platform.os,
      searchPath: facts.env["PATH"] ?? "",
      ownFolder: homes.data,
      memory: path.join(homes.cache, "git.json"),
    });
  };
  let loaded: Promise<Git> | undefined;
  const git = (): Promise<Git> => (loaded ??= load());
  return {
    version: async () => (await git()).version(),
    run: async (request) => (await git()).run(request),
    prepare: async () => (await git()).prepare(),
  };
}

/** The sandbox's code is larger than all that `list` needs. One object for the whole process: it is probed once. */
function lazySandbox(host: Host, kind: Sandbox["kind"]): Sandbox {
  let loaded: Promise<Sandbox> | undefined;
  const sandbox = (): Promise<Sandbox> =>
    (loaded ??= import("../sandbox/create-sandbox.ts").then(({ createNoSandbox, createSandbox }) =>
      kind === "none" ? createNoSandbox(host) : createSandbox(host),
    ));
  return { kind, probe: async () => (await sandbox()).probe(), run: async (step) => (await sandbox()).run(step) };
}

/**
 * `sudo ipm` would fill the user's home with files of root, and a HOME of somebody else is no place to install from.
 * @throws IpmError HOME_NOT_OWNED
 */
async function demandOwnHome(files: Files, facts: HostFacts): Promise<void> {
  const variable = (facts.env["IPM_HOME"] ?? "") === "" ? "HOME" : "IPM_HOME";
  const home = facts.env[variable] ?? "";
  const owner = (await files.facts((await files.realPath(home)) ?? home))?.uid;
  if (owner === undefined || owner === facts.uid) return;
  throw new IpmError("HOME_NOT_OWNED", `ipm runs as root and ${variable} (${home}) belongs to user ${owner}`, {
    hint: "run ipm without sudo; in a container: export HOME=/root",
    data: { home, owner },
  });
}

/**
 * Put the outside world together for the use cases.
 * @throws IpmError PLATFORM_UNSUPPORTED, HOME_INVALID, HOME_NOT_OWNED
 */
export async function openContext(parts: ContextParts): Promise<Context> {
  const facts = readHostFacts(parts.env);
  const homes = resolveHomes(parts.env);
  const files = rememberParents(createFiles(), homes);
  settleUmask();
  if (facts.uid === 0) {
    await demandOwnHome(files, facts);
    if (parts.writes) {
      parts.emit({
        type: "warning",
        code: "ROOT",
        message: "running as root: as an ordinary user the sandbox would protect more",
      });
    }
  }
  const host: Host = {
    facts,
    homes,
    files,
    processes: lazyProcesses(),
    git: lazyGit(facts, homes, files),
    download: async (request) => (await import("../host/download.ts")).createDownload({ env: parts.env })(request),
    canConnect: async (address, timeoutMs) => (await import("../host/can-connect.ts")).canConnect(address, timeoutMs),
    retrieve: lazyRetrieve(parts.env),
    runningProcesses: readRunningProcesses,
    now: () => new Date(),
    monotonicMs: () => performance.now(),
    checkpoint: () => undefined,
    get signal() {
      return parts.signals.signal;
    },
  };
  const isolated = lazySandbox(host, facts.platform.os === "macos" ? "seatbelt" : "bubblewrap");
  const open = lazySandbox(host, "none");
  return {
    host,
    emit: parts.emit,
    ask: parts.ask,
    prompts: parts.prompts,
    sandboxFor: (noSandbox) => (noSandbox ? open : isolated),
    lockTimeoutMs: parts.lockTimeoutMs,
    offline: parts.offline,
    embeddedRegistry: path.join(parts.root, "dist/registry"),
    ipmVersion: parts.ipmVersion,
    get command() {
      return parts.command;
    },
  };
}
