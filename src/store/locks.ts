import path from "node:path";
import type { Emit } from "../core/events.ts";
import { IpmError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";

/**
 * Kernel locks on files. Node cannot call flock(2), so a child does it on a descriptor that it inherits: such a lock
 * belongs to the open file description, which ipm keeps open after the child has ended, and the kernel releases it when
 * ipm ends, however it ends (flock(1), the "-n 9" form of its examples). Nothing is ever stolen from a living process,
 * also not from a stopped one, and it works across network and PID namespaces.
 */

/** Descriptor of the lock file in the child: the first one after the standard streams. */
const CHILD_FD = 3;
/** Our own answer of the locking child for "somebody else holds it"; any other failure is a failure. */
const BUSY_EXIT = 75;

const FLOCK_PLACES = ["/usr/bin/flock", "/bin/flock", "/usr/local/bin/flock", "/opt/homebrew/bin/flock"];
const PERL_PLACES = ["/usr/bin/perl"];
// macOS ships no flock(1) and ships perl: the same system call on the same inherited descriptor.
const PERL_LOCK = `open(my $f, "+<&=", ${CHILD_FD}) or exit 1; exit(flock($f, 6) ? 0 : ${BUSY_EXIT})`;

export interface LockHolder {
  readonly pid: number;
  readonly command: string;
  /** ISO time at which it got the lock. */
  readonly since: string;
}

export interface LockOptions {
  /** What the holder is doing, for others who wait: `ipm install ripcat`. */
  readonly command: string;
  readonly timeoutMs: number;
  readonly emit: Emit;
}

async function lockProgram(host: Host): Promise<(fd: number) => readonly [string, ...string[]]> {
  for (const flock of FLOCK_PLACES) {
    if ((await host.files.facts(flock)) !== undefined)
      return (fd) => [flock, "-x", "-n", "-E", String(BUSY_EXIT), String(fd)];
  }
  for (const perl of PERL_PLACES) {
    if ((await host.files.facts(perl)) !== undefined) return () => [perl, "-e", PERL_LOCK];
  }
  throw new IpmError("LOCK_UNSUPPORTED", "neither flock nor perl is on this machine, so ipm cannot lock its files", {
    hint: "install util-linux (flock)",
  });
}

async function tryLock(host: Host, file: string, descriptor: number): Promise<boolean> {
  const argv = (await lockProgram(host))(CHILD_FD);
  const result = await host.processes.run({ argv, cwd: "/", env: {}, inheritFds: [descriptor], helper: true });
  if (result.exitCode === 0) return true;
  if (result.exitCode === BUSY_EXIT) return false;
  const words = escapeUntrusted(new TextDecoder().decode(result.stderr).trim());
  throw new IpmError(
    "LOCK_UNSUPPORTED",
    `cannot lock ${file}: ${words || `exit ${result.exitCode ?? result.signal}`}`,
    {
      hint: "put IPM_HOME on a local disk",
      data: { path: file },
    },
  );
}

/** Who holds a lock, as it wrote itself down; undefined when that cannot be read (yet). */
async function readHolder(host: Host, file: string): Promise<LockHolder | undefined> {
  try {
    const value: unknown = JSON.parse((await host.files.readText(file)) ?? "");
    if (typeof value !== "object" || value === null) return undefined;
    if (!("pid" in value && "command" in value && "since" in value)) return undefined;
    const { pid, command, since } = value;
    if (typeof pid !== "number" || typeof command !== "string" || typeof since !== "string") return undefined;
    return { pid, command: escapeUntrusted(command).slice(0, 200), since };
  } catch {
    return undefined;
  }
}

function describeHolder(host: Host, holder: LockHolder | undefined): string {
  if (holder === undefined) return "another ipm process";
  const age = Math.max(0, Math.round((host.now().getTime() - Date.parse(holder.since)) / 1000));
  return `pid ${holder.pid} (${holder.command}, for ${Number.isFinite(age) ? age : "?"} s)`;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}

/** An acquired lock; `release` is idempotent. */
export interface HeldLock {
  release(): Promise<void>;
}

/**
 * Take a lock if it is free right now.
 * @param name file name below `folder`, made of characters that ipm chose itself
 * @returns undefined when somebody else holds it
 */
export async function acquireLockNow(
  host: Host,
  folder: string,
  name: string,
  command: string,
): Promise<HeldLock | undefined> {
  await host.files.createFolder(folder);
  const file = path.join(folder, `${name}.lock`);
  const descriptor = await host.files.openForLock(file);
  let held = false;
  try {
    held = await tryLock(host, file, descriptor);
    if (!held) return undefined;
    const holder: LockHolder = { pid: host.facts.pid, command, since: host.now().toISOString() };
    // Never renamed over: the lock is on this very inode. A disk that is full must not keep anybody from working.
    await host.files.write(file, JSON.stringify(holder)).catch((error: unknown) => {
      if (!(error instanceof IpmError)) throw error;
    });
    let open = true;
    return {
      release: async () => {
        if (!open) return;
        open = false;
        await host.files.close(descriptor);
      },
    };
  } finally {
    if (!held) await host.files.close(descriptor);
  }
}

/**
 * Take a lock, waiting for its holder for `timeoutMs`; says who is waited for.
 * @throws IpmError LOCKED when the time is over, with the holder's pid, command and age
 */
export async function acquireLock(host: Host, folder: string, name: string, options: LockOptions): Promise<HeldLock> {
  const start = host.monotonicMs();
  let announced = false;
  for (let wait = 20; ; wait = Math.min(wait * 2, 250)) {
    host.signal.throwIfAborted();
    const lock = await acquireLockNow(host, folder, name, options.command);
    if (lock !== undefined) return lock;
    const holder = describeHolder(host, await readHolder(host, path.join(folder, `${name}.lock`)));
    const left = options.timeoutMs - (host.monotonicMs() - start);
    if (left <= 0) {
      throw new IpmError("LOCKED", `${name} is locked by ${holder}`, {
        hint: "wait for it to end, or give it longer with --lock-timeout SECONDS",
        data: { lock: name, holder },
      });
    }
    if (!announced) options.emit({ type: "lock.waiting", lock: name, holder });
    announced = true;
    await pause(Math.min(wait, left), host.signal);
  }
}

/** Run `work` while holding a lock; see `acquireLock`. */
export async function withLock<T>(
  host: Host,
  folder: string,
  name: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const lock = await acquireLock(host, folder, name, options);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}
