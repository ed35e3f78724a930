/**
 * The ports to the outside world. `src/host/` implements them, `src/cli/` hands them in; nothing else in `src/` reaches
 * for a process, a clock or an environment variable. Facts are plain values, so that a Linux machine can test a Mac's plan.
 */

export type Os = "linux" | "macos";
export type Arch = "x64" | "arm64" | (string & {});
export type Libc = "glibc" | "musl";

/** What the plan needs to know of a machine. */
export interface Platform {
  readonly os: Os;
  readonly arch: Arch;
  /** Linux only. */
  readonly libc: Libc | null;
}

export interface HostFacts {
  readonly platform: Platform;
  /** `id` and `version` of /etc/os-release, or `macos` and its version: for remedies and attestations. */
  readonly distribution: { readonly id: string; readonly version: string };
  readonly cpus: number;
  readonly uid: number;
  /** Environment of the caller; never handed to a step. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that the command was called in. */
  readonly cwd: string;
  readonly pid: number;
  /** The Node that ipm runs on. */
  readonly node: { readonly path: string; readonly version: string };
}

/** Where ipm keeps things; every path is absolute. `design`: XDG, or everything below IPM_HOME. */
export interface Homes {
  readonly data: string;
  readonly cache: string;
  readonly config: string;
}

/** In each home: the folders above it that ipm had to make, as a JSON list, the outermost first. */
export const PARENTS_FILE = "parents.json";

/** `linux-x64-glibc`, `macos-arm64`: the name of a platform in manifests and attestations. */
export function platformId(platform: Platform): string {
  return platform.libc === null
    ? `${platform.os}-${platform.arch}`
    : `${platform.os}-${platform.arch}-${platform.libc}`;
}

/** True when a manifest's platform (`linux`, `linux-x64`, `linux-x64-glibc`) covers this machine. */
export function matchesPlatform(pattern: string, platform: Platform): boolean {
  const id = platformId(platform);
  return id === pattern || id.startsWith(`${pattern}-`);
}

export interface ProcessRequest {
  /** Absolute program, then its arguments. Never a shell string. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** The whole environment of the child; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Text for standard input; without it the child reads end of file. */
  readonly stdin?: string | Uint8Array;
  /** Milliseconds until the whole process group is ended (TERM, two seconds later KILL). */
  readonly timeoutMs?: number;
  /** Ends the process group in the same way; `run` then rejects once nothing of it is left. */
  readonly signal?: AbortSignal;
  /** Raw output as it comes; without it output is collected (bounded by `maxOutput`). */
  readonly onOutput?: (stream: "stdout" | "stderr", chunk: Uint8Array) => void;
  /** Bytes kept of each stream when output is collected. Default 16 MiB; more is an error. */
  readonly maxOutput?: number;
  /** Further descriptors for the child, from 3 up: open file descriptors of this process. */
  readonly inheritFds?: readonly number[];
  /** Pipes for the child, numbered on after `inheritFds`: bytes that it can read, or null for one that it writes to. */
  readonly pipes?: readonly (string | Uint8Array | null)[];
  /** What comes through `pipes` as it comes, by their index; without it it is collected. */
  readonly onPipe?: (index: number, chunk: Uint8Array) => void;
  /** A program of ipm's own that ends at once (flock): for it nothing is loaded of what steps are started with. */
  readonly helper?: boolean;
}

export interface ProcessResult {
  /** Exit code; null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly timedOut: boolean;
  readonly ms: number;
  /** What came through `pipes`, in their order (at most 1 MiB each; empty for those that were given bytes). */
  readonly pipes?: readonly Uint8Array[];
  /** True when processes of its group went on after it had ended, and were ended. */
  readonly leftBehind?: boolean;
}

/** A program that takes over this process's terminal. */
export interface AttachedRequest {
  /** Absolute program, then its arguments. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** The whole environment of the program. */
  readonly env: Readonly<Record<string, string>>;
  /** Called once it runs. */
  readonly onStarted?: () => void;
}

export interface Processes {
  /**
   * Run a program to its end, in a process group of its own that does not outlive the call. A failure to start it is an
   * `IpmError`; a non-zero exit and a time-out are results; an aborted signal rejects (its reason when that is an
   * `IpmError`, else INTERRUPTED).
   */
  run(request: ProcessRequest): Promise<ProcessResult>;
  /** Load what starting programs takes, while there is something else to wait for. */
  prepare(): Promise<void>;
  /**
   * Run a program with this process's own standard streams, in its process group. Until it ends, INT, TERM, HUP and the
   * like are its business: they are passed on and do nothing here. A failure to start it is an `IpmError`.
   */
  attach(request: AttachedRequest): Promise<Pick<ProcessResult, "exitCode" | "signal">>;
}

export interface FileFacts {
  readonly kind: "file" | "folder" | "link" | "other";
  readonly size: number;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  /** How many names it has (hard links). */
  readonly links: number;
  readonly modifiedMs: number;
  /** When content or attributes last changed (ctime): unlike `modifiedMs` no program can set it. */
  readonly changedMs: number;
}

/** A file that is open for reads by position. Synchronous: waiting for a promise costs more than such a read. */
export interface PositionedFile {
  /** Bytes, when it was opened. */
  readonly size: number;
  /** Up to `length` bytes from `position`; fewer at the end of the file. */
  read(position: number, length: number): Uint8Array;
  close(): void;
}

/**
 * The file system. Every failure is an `IpmError` that names the path and the reason (`DISK_FULL`, `IO_FAILED`); a path
 * that does not exist is a value (undefined, empty list) wherever that is an expected answer.
 */
export interface Files {
  readText(path: string): Promise<string | undefined>;
  readBytes(path: string): Promise<Uint8Array | undefined>;
  /** Open a plain file for reads by position, or undefined when it does not exist. */
  openForReading(path: string): PositionedFile | undefined;
  /** Facts of the path itself, links not followed. */
  facts(path: string): Promise<FileFacts | undefined>;
  /** Names in a folder, sorted by code unit; empty when there is no such folder. */
  list(folder: string): Promise<string[]>;
  readLink(path: string): Promise<string | undefined>;
  /** The real path by the kernel's own resolution (`realpath(3)`), or undefined. */
  realPath(path: string): Promise<string | undefined>;
  /** mkdir -p, mode 0o755 less the umask, never group- or world-writable. */
  createFolder(path: string): Promise<void>;
  /** A plain write for files that are flushed later or may be lost. */
  write(path: string, content: string | Uint8Array, mode?: number): Promise<void>;
  /** Old content or new content, whatever happens: written beside, flushed, renamed, folder flushed. */
  writeDurably(path: string, content: string | Uint8Array, mode?: number): Promise<void>;
  append(path: string, content: string | Uint8Array): Promise<void>;
  /** Copy a plain file to a path where nothing is yet, sharing its blocks where the file system can. */
  copyFile(from: string, to: string): Promise<void>;
  link(target: string, path: string): Promise<void>;
  /** Atomic within one file system. */
  rename(from: string, to: string): Promise<void>;
  setMode(path: string, mode: number): Promise<void>;
  /** Remove a file, a link (never what it points to) or a whole tree, restoring modes first; missing is fine. */
  remove(path: string): Promise<void>;
  /** sha256 of a file's bytes as 64 hex digits, read in pieces. */
  sha256(path: string): Promise<string>;
  /** Flush one folder (its names) to the disk. */
  flushFolder(path: string): Promise<void>;
  /** Flush everything below a folder to the disk. */
  flushTree(path: string): Promise<void>;
  /** An open descriptor for locks, created when missing; released by `close`. */
  openForLock(path: string): Promise<number>;
  /** An open descriptor of a folder, for what takes short paths only (`/proc/self/fd/N/name`); released by `close`. */
  openFolder(path: string): Promise<number>;
  close(descriptor: number): Promise<void>;
}

/** One call of git. Text from outside stands only behind `--end-of-options` or `--`, or in standard input. */
export interface GitRequest {
  /** What follows `git`. */
  readonly args: readonly string[];
  /** Absolute folder that the call is made in; it exists. */
  readonly cwd: string;
  /** The one configuration file that git reads beside the repository's own; the user's and the system's are not read. */
  readonly configFile: string;
  /** The bare repository; without it the call concerns none. */
  readonly gitDir?: string;
  readonly workTree?: string;
  readonly indexFile?: string;
  /** An objects folder that is only read. */
  readonly alternateObjects?: string;
  /** The objects folder that is written, in place of the repository's own. */
  readonly objects?: string;
  /** Further variables (proxy, CA, HOME, an ssh agent). The environment is built from nothing: only these are added. */
  readonly env?: Readonly<Record<string, string>>;
  /** Never empty when given; without it git must not read standard input. */
  readonly stdin?: string | Uint8Array;
  /** Milliseconds until git and its children are ended. */
  readonly timeoutMs: number;
  /** Bytes of standard output; more ends the call. Default 64 MiB. */
  readonly maxOutput?: number;
  readonly signal?: AbortSignal;
  /** Raw text of standard error as it comes (progress). Return true to end the call: the result is then `stopped`. */
  readonly onStderr?: (text: string) => boolean | void;
  /** Called once git runs. */
  readonly onStarted?: () => void;
}

export interface GitResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: Uint8Array;
  /** Raw: hostile text. */
  readonly stderr: string;
  /** Why ipm ended the call, if it did. */
  readonly stopped: "timeout" | "output" | "asked" | null;
}

/** git, called with a configuration of ipm's own. */
export interface Git {
  /** Version of the git that is used (`2.39.5`). @throws IpmError GIT_UNUSABLE when there is none or only an older one than 2.39 */
  version(): Promise<string>;
  /** Run git to its end; a non-zero exit is a result. @throws IpmError GIT_UNUSABLE, INTERRUPTED (the request's signal) */
  run(request: GitRequest): Promise<GitResult>;
  /** Load what calls take, while there is something else to wait for. */
  prepare(): Promise<void>;
}

/** What one process shows of the files that it uses. */
export interface RunningProcess {
  readonly pid: number;
  /** Program, arguments, working folder and mapped files, one text to search for a path. */
  readonly text: string;
}

export interface DownloadRequest {
  /** https, without a password. */
  readonly url: string;
  /** Absolute path of a file that does not exist yet. */
  readonly file: string;
  /** More bytes end the download. */
  readonly maxBytes: number;
  /** Milliseconds for all of it; a server that sends nothing for a minute ends it too. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Certificates (PEM) that are trusted besides those of the program. */
  readonly certificates?: string;
  /** Bytes so far, and all of them where the server says so. */
  readonly onProgress?: (received: number, total: number | null) => void;
}

/**
 * Bring one file over https, redirects to https included. What was written stays on a failure: the caller removes it.
 * @throws IpmError FETCH_FAILED, SOURCE_REFUSED (another transport), DISK_FULL, IO_FAILED, and the signal's own reason
 */
export type Download = (request: DownloadRequest) => Promise<{ readonly bytes: number; readonly sha256: string }>;

/** Where something of this machine may listen. */
export type LocalAddress =
  | { readonly kind: "port"; readonly host: "127.0.0.1" | "::1"; readonly port: number }
  | { readonly kind: "socket"; readonly path: string };

/** Whether something takes a connection there within so many milliseconds. Never rejects. */
export type CanConnect = (address: LocalAddress, timeoutMs: number) => Promise<boolean>;

/** One file of a static registry. */
export interface RetrieveRequest {
  /** https, or http to this machine itself; without a password. */
  readonly url: string;
  /** What the answer was called the last time: an answer that is still the same is not sent again. */
  readonly etag?: string;
  /** Bytes that are here already; only what follows them is asked for. */
  readonly from?: number;
  /** More bytes of this answer are refused. */
  readonly maxBytes: number;
  /** Milliseconds for all of it; a server that sends nothing for half a minute ends it too. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onBytes: (chunk: Uint8Array) => void | Promise<void>;
}

export interface Retrieved {
  /**
   * `new`: the whole file was passed on; `rest`: what follows `from`; `same`: nothing, the one with this etag still counts;
   * `restart`: nothing, the server does not send a part of it, so ask for all.
   */
  readonly status: "new" | "rest" | "same" | "restart";
  readonly etag: string | null;
  readonly bytes: number;
}

/**
 * Ask for one file. Redirects are followed on the same server only; a web page is no answer.
 * @throws IpmError REGISTRY_REDIRECTED, REGISTRY_STALLED, REGISTRY_TOO_LARGE, REGISTRY_CUT_OFF, REGISTRY_NOT_DATA,
 *   FETCH_FAILED, SOURCE_REFUSED, and the signal's own reason
 */
export type Retrieve = (request: RetrieveRequest) => Promise<Retrieved>;

/** Everything of the outside that use cases are handed. */
export interface Host {
  readonly facts: HostFacts;
  readonly homes: Homes;
  readonly files: Files;
  readonly processes: Processes;
  readonly git: Git;
  readonly download: Download;
  readonly retrieve: Retrieve;
  readonly canConnect: CanConnect;
  /** The processes of this machine as far as they can be seen, so that nothing that runs is removed. */
  runningProcesses(): readonly RunningProcess[];
  /** Wall clock. */
  now(): Date;
  /** Milliseconds of a clock that never goes back, for durations. */
  monotonicMs(): number;
  /** A named point of the work. A no-op in production; tests end the process or throw here. */
  checkpoint(name: string): void;
  /** Aborted by the first Ctrl-C, TERM or HUP. */
  readonly signal: AbortSignal;
}
