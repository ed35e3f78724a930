import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { IpmEvent } from "../../src/core/events.ts";
import type { GitRequest } from "../../src/core/host.ts";
import { createFiles } from "../../src/host/files.ts";
import { createGit } from "../../src/host/git.ts";
import type { SourceContext } from "../../src/source/git-store.ts";

export interface TestSourceContext extends SourceContext {
  readonly events: IpmEvent[];
  /** Every call of git that was made, in order. */
  readonly calls: GitRequest[];
  /** Home of the "user". */
  readonly home: string;
  readonly cache: string;
  /** Called before every call of git; what it throws is what git's port throws. */
  before: (request: GitRequest) => void;
}

export interface SourceContextOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Folders that programs are looked for in before those of PATH; default: the system's. */
  readonly systemFolders?: readonly string[];
  /** Content of `~/.gitconfig`. */
  readonly gitConfig?: string;
}

/** A real file system and a real git in a temporary home; locks that only hold within this process. */
export function sourceContext(folder: string, options: SourceContextOptions = {}): TestSourceContext {
  const home = path.join(folder, "home");
  const cache = path.join(folder, "cache");
  mkdirSync(home, { recursive: true });
  if (options.gitConfig !== undefined) writeFileSync(path.join(home, ".gitconfig"), options.gitConfig);
  const events: IpmEvent[] = [];
  const calls: GitRequest[] = [];
  const os = process.platform === "darwin" ? "macos" : "linux";
  const git = createGit({
    os,
    searchPath: process.env["PATH"] ?? "",
    ownFolder: path.join(folder, "data"),
    ...(options.systemFolders === undefined ? {} : { systemFolders: options.systemFolders }),
  });
  const queues = new Map<string, Promise<unknown>>();
  const context: TestSourceContext = {
    before: () => undefined,
    events,
    calls,
    home,
    cache,
    emit: (event) => events.push(event),
    lock: async (name, work) => {
      const mine = (queues.get(name) ?? Promise.resolve()).then(work, work);
      queues.set(
        name,
        mine.catch(() => undefined),
      );
      return mine;
    },
    host: {
      facts: {
        platform: { os, arch: "x64", libc: os === "linux" ? "glibc" : null },
        distribution: { id: "test", version: "0" },
        cpus: 2,
        node: { path: process.execPath, version: process.versions.node },
        uid: process.getuid?.() ?? 0,
        env: { HOME: home, PATH: process.env["PATH"], ...options.env },
        cwd: folder,
        pid: process.pid,
      },
      homes: { data: path.join(folder, "data"), cache, config: path.join(folder, "config") },
      files: createFiles(),
      git: {
        version: () => git.version(),
        prepare: () => git.prepare(),
        run: async (request) => {
          calls.push(request);
          context.before(request);
          return git.run(request);
        },
      },
      signal: options.signal ?? new AbortController().signal,
    },
  };
  return context;
}
