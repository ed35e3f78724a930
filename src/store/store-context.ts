import type { Emit } from "../core/events.ts";
import type { Host } from "../core/host.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { type HeldLock, type LockOptions, acquireLock, acquireLockNow, withLock } from "./locks.ts";

/** What the functions of the store are handed. */
export interface StoreContext {
  readonly host: Host;
  readonly layout: Layout;
  readonly emit: Emit;
  /** The command line as it is recorded: `ipm install ripcat`. */
  readonly command: string;
  readonly lockTimeoutMs: number;
}

export function createStoreContext(host: Host, emit: Emit, command: string, lockTimeoutMs: number): StoreContext {
  return { host, layout: layoutOf(host.homes), emit, command, lockTimeoutMs };
}

/** Name of the one short lock that every change of generations, profiles and `current` needs. */
export const SWITCH_LOCK = "switch";

function entryLockName(name: string): string {
  return `entry-${name}`;
}

function lockOptions(context: StoreContext): LockOptions {
  return { command: context.command, timeoutMs: context.lockTimeoutMs, emit: context.emit };
}

/** Run `work` under the one short lock that every change of generations, profiles and `current` needs. */
export async function underSwitchLock<T>(context: StoreContext, work: () => Promise<T>): Promise<T> {
  return withLock(context.host, context.layout.locks, SWITCH_LOCK, lockOptions(context), work);
}

/**
 * Take the lock of a tool's entries. Hold it from before an entry is looked at until the generation that uses it is
 * current: garbage collection leaves locked entries alone. Whoever holds the lock of the switch must not wait for this one.
 */
export async function lockEntries(context: StoreContext, name: string): Promise<HeldLock> {
  return acquireLock(context.host, context.layout.locks, entryLockName(name), lockOptions(context));
}

/** Like `lockEntries`, undefined when somebody else holds it. */
export async function lockEntriesNow(context: StoreContext, name: string): Promise<HeldLock | undefined> {
  return acquireLockNow(context.host, context.layout.locks, entryLockName(name), context.command);
}
