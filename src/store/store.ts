import { randomBytes } from "node:crypto";
import path from "node:path";
import { IpmError } from "../core/errors.ts";
import type { Emit } from "../core/events.ts";
import type { Host } from "../core/host.ts";
import {
  GENERATION_SCHEMA,
  type Generation,
  type GenerationEntry,
  listGenerationNumbers,
  newestComplete,
  readCurrentNumber,
  readGeneration,
} from "./generations.ts";
import {
  LAYOUT_VERSION,
  type EntryId,
  type Layout,
  entryPaths,
  formatEntryId,
  layoutOf,
  profilePaths,
} from "./layout.ts";
import { type HeldLock, acquireLock, acquireLockNow, withLock } from "./locks.ts";
import { buildProfile, findLauncherConflict, switchCurrent } from "./profiles.ts";
import { rebuildEntries } from "./rebuild-generation.ts";
import { listEntryIds, readReceipt } from "./receipts.ts";

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

const SWITCH_LOCK = "switch";

function entryLockName(name: string): string {
  return `entry-${name}`;
}

function lockOptions(context: StoreContext): { command: string; timeoutMs: number; emit: Emit } {
  return { command: context.command, timeoutMs: context.lockTimeoutMs, emit: context.emit };
}

/**
 * Make the data home ready for writing: its folders, its marker, its ownership.
 * @throws IpmError STATE_NEWER for a home written by a newer ipm, HOME_NOT_OWNED for one that others control
 */
async function prepareHome({ host, layout }: StoreContext): Promise<void> {
  const files = host.files;
  const marker = await files.readText(layout.marker);
  if (marker === undefined) {
    await files.createFolder(layout.data);
    await demandOwned(host, layout.data);
    await files.writeDurably(layout.marker, `${JSON.stringify({ ipm: "data", layout: LAYOUT_VERSION })}\n`);
  } else {
    await demandOwned(host, layout.data);
    const version = /"layout":\s*([0-9]+)/u.exec(marker)?.[1];
    if (version !== undefined && Number(version) > LAYOUT_VERSION) {
      throw new IpmError(
        "STATE_NEWER",
        `${layout.data} was written by a newer ipm (layout ${version}, this one knows ${LAYOUT_VERSION})`,
        {
          hint: "use the newer ipm; ipm list and ipm show still work",
        },
      );
    }
  }
  for (const folder of [layout.store, layout.profiles, layout.locks, layout.logs]) await files.createFolder(folder);
}

async function demandOwned(host: Host, folder: string): Promise<void> {
  const real = (await host.files.realPath(folder)) ?? folder;
  const facts = await host.files.facts(real);
  if (facts === undefined) return;
  if (facts.kind !== "folder")
    throw new IpmError("FOREIGN_FILE", `${folder} is not a folder`, { hint: `move ${folder} away` });
  if (facts.uid !== host.facts.uid) {
    throw new IpmError("HOME_NOT_OWNED", `${folder} belongs to user ${facts.uid}, not to you (${host.facts.uid})`, {
      hint: "run ipm as its owner, or set IPM_HOME",
    });
  }
  if ((facts.mode & 0o022) !== 0) {
    throw new IpmError("HOME_NOT_OWNED", `${folder} may be written by others (mode ${facts.mode.toString(8)})`, {
      hint: `chmod go-w ${folder}`,
    });
  }
}

/** What a repair did, one sentence each; also emitted as `state.repaired`. */
export type Repairs = readonly string[];

/**
 * Bring the data home to order: what has no receipt and is not being built, profiles without `generation.json`, staged
 * links, the trash, a `current` that leads nowhere. Everything that is removed here is garbage by the rules of the
 * layout; there is no third truth. Runs before every command that writes.
 */
export async function openForWriting(context: StoreContext): Promise<Repairs> {
  await prepareHome(context);
  return withLock(context.host, context.layout.locks, SWITCH_LOCK, lockOptions(context), () => repair(context));
}

async function repair(context: StoreContext): Promise<Repairs> {
  const { host, layout, emit } = context;
  const done: string[] = [];
  const say = (what: string): void => {
    done.push(what);
    emit({ type: "state.repaired", what });
  };
  for (const name of await host.files.list(layout.data)) {
    if (/^\.?(?:current|ipm\.json)\.[0-9a-f]{12}\.tmp$/u.test(name))
      await host.files.remove(path.join(layout.data, name));
  }
  await host.files.remove(layout.trash);
  await removeIncompleteEntries(context, say);
  await removeIncompleteProfiles(context, say);
  await repairCurrent(context, say);
  return done;
}

async function removeIncompleteEntries(context: StoreContext, say: (what: string) => void): Promise<void> {
  const { host, layout } = context;
  for (const id of await listEntryIds(host, layout)) {
    const paths = entryPaths(layout, id);
    if ((await host.files.facts(paths.receipt)) !== undefined) continue;
    const lock = await acquireLockNow(host, layout.locks, entryLockName(id.name), context.command);
    // Held: it is being built right now, by a process that lives.
    if (lock === undefined) continue;
    try {
      // Once more under the lock: its builder may have sealed it in between.
      if ((await host.files.facts(paths.receipt)) !== undefined) continue;
      await host.files.remove(paths.root);
      say(`removed the unfinished build of ${id.name} (${id.folder})`);
    } finally {
      await lock.release();
    }
  }
}

async function removeIncompleteProfiles({ host, layout }: StoreContext, say: (what: string) => void): Promise<void> {
  for (const number of await listGenerationNumbers(host, layout)) {
    const paths = profilePaths(layout, number);
    if ((await host.files.facts(paths.generation)) !== undefined) continue;
    if ((await readCurrentNumber(host, layout)) === number) continue;
    await host.files.remove(paths.root);
    say(`removed the unfinished generation ${number}`);
  }
}

/** Make `current` lead to a complete generation, by the receipts when the file of the generation is lost. */
async function repairCurrent(context: StoreContext, say: (what: string) => void): Promise<void> {
  const { host, layout } = context;
  const facts = await host.files.facts(layout.current);
  if (facts !== undefined && facts.kind !== "link") {
    throw new IpmError("FOREIGN_FILE", `${layout.current} is not a link that ipm made`, {
      hint: `move ${layout.current} away`,
      data: { path: layout.current },
    });
  }
  const number = await readCurrentNumber(host, layout);
  if (number !== null) {
    const found = await readGeneration(host, layout, number);
    if (found.state === "complete") return;
    if (found.state === "newer") throw new IpmError("STATE_NEWER", `generation ${number} was written by a newer ipm`);
    const entries = await rebuildEntries(host, layout, number);
    const file = profilePaths(layout, number).generation;
    if (found.state === "damaged") await host.files.rename(file, `${file}.corrupt-${randomBytes(4).toString("hex")}`);
    const next = await makeGeneration(context, number, { entries });
    say(
      `generation ${number} was unreadable; its ${entries.length} tools are now generation ${next.number}, by their receipts`,
    );
    return;
  }
  const newest = await newestComplete(host, layout);
  if (newest === null) {
    if (facts !== undefined) {
      await host.files.remove(layout.current);
      say("removed a current link that led nowhere");
    }
    return;
  }
  await host.files.remove(layout.current);
  await switchCurrent(host, layout, newest.number);
  say(`current led nowhere; it is generation ${newest.number} again`);
}

/**
 * The current generation for commands that only read: no lock, nothing written. A damaged generation is rebuilt from
 * the receipts in memory, with a warning.
 * @returns null before the first installation
 */
export async function readCurrent(host: Host, layout: Layout, emit: Emit): Promise<Generation | null> {
  const number = await readCurrentNumber(host, layout);
  if (number === null) {
    const newest = await newestComplete(host, layout);
    if (newest !== null) {
      emit({
        type: "warning",
        code: "STATE_DAMAGED",
        message: `${layout.current} does not lead to a generation; showing generation ${newest.number}`,
        hint: "ipm doctor --fix",
      });
    }
    return newest;
  }
  const found = await readGeneration(host, layout, number);
  if (found.state === "complete") return found.generation;
  if (found.state === "newer") {
    throw new IpmError("STATE_NEWER", `generation ${number} was written by a newer ipm`, { hint: "use the newer ipm" });
  }
  emit({
    type: "warning",
    code: "STATE_DAMAGED",
    message: `generation ${number} is ${found.state}; shown as its receipts tell`,
    hint: "ipm doctor --fix",
  });
  const entries = await rebuildEntries(host, layout, number);
  return {
    schema: GENERATION_SCHEMA,
    number,
    created: host.now().toISOString(),
    command: "",
    previous: null,
    restores: null,
    entries,
  };
}

/** The tools of the next generation. */
export interface GenerationChange {
  readonly entries: readonly GenerationEntry[];
  /** Set by a rollback: the generation that it brings back. */
  readonly restores?: number;
}

async function makeGeneration(
  context: StoreContext,
  previous: number | null,
  { entries, restores }: GenerationChange,
): Promise<Generation> {
  const { host, layout } = context;
  const numbers = await listGenerationNumbers(host, layout);
  const generation: Generation = {
    schema: GENERATION_SCHEMA,
    number: Math.max(previous ?? 0, numbers.at(-1) ?? 0) + 1,
    created: host.now().toISOString(),
    command: context.command,
    previous,
    restores: restores ?? null,
    entries: entries.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  };
  try {
    await buildProfile(host, layout, generation);
    await switchCurrent(host, layout, generation.number);
  } catch (error) {
    // A full disk gives its space back at once; what cannot be removed now is garbage for the next command.
    if ((await readCurrentNumber(host, layout).catch(() => null)) !== generation.number) {
      await host.files.remove(profilePaths(layout, generation.number).root).catch(() => {});
    }
    throw error;
  }
  context.emit({ type: "generation.switched", from: previous, to: generation.number });
  return generation;
}

/**
 * Change the set of installed tools: `change` gets the entries of the generation that is current *under the lock* and
 * returns the new ones, or null for no change. Builds generation n+1 beside, then one rename.
 * @returns the generation that is current afterwards, or null when nothing was ever installed
 * @throws IpmError LAUNCHER_CONFLICT, LOCKED, DISK_FULL, IO_FAILED; the old generation is untouched then
 */
export async function switchGeneration(
  context: StoreContext,
  change: (current: Generation | null) => GenerationChange | null | Promise<GenerationChange | null>,
): Promise<Generation | null> {
  const { host, layout } = context;
  return withLock(host, layout.locks, SWITCH_LOCK, lockOptions(context), async () => {
    await repairCurrent(context, (what) => context.emit({ type: "state.repaired", what }));
    const current = await readCurrent(host, layout, context.emit);
    const next = await change(current);
    if (next === null) return current;
    const conflict = findLauncherConflict(next.entries);
    if (conflict !== undefined) throw conflict;
    host.signal.throwIfAborted();
    return makeGeneration(context, current?.number ?? null, next);
  });
}

/** Run `work` under the lock of the switch, without making a generation: garbage collection. */
export async function underSwitchLock<T>(context: StoreContext, work: () => Promise<T>): Promise<T> {
  return withLock(context.host, context.layout.locks, SWITCH_LOCK, lockOptions(context), work);
}

/**
 * Take the lock of a tool's entries. Hold it from before an entry is looked at until the generation that uses it is
 * current: garbage collection leaves locked entries alone.
 */
export async function lockEntries(context: StoreContext, name: string): Promise<HeldLock> {
  return acquireLock(context.host, context.layout.locks, entryLockName(name), lockOptions(context));
}

/** Like `lockEntries`, undefined when somebody else holds it. */
export async function lockEntriesNow(context: StoreContext, name: string): Promise<HeldLock | undefined> {
  return acquireLockNow(context.host, context.layout.locks, entryLockName(name), context.command);
}

/**
 * Move a folder out of the store and remove it. The receipt goes first, so that a kill in between leaves garbage and
 * never half an entry that counts.
 */
export async function discardEntry(context: StoreContext, id: EntryId): Promise<void> {
  const { host, layout } = context;
  const paths = entryPaths(layout, id);
  const realStore = await host.files.realPath(layout.store);
  const realRoot = await host.files.realPath(path.dirname(paths.root));
  if (realStore === undefined || (realRoot !== undefined && realRoot !== path.join(realStore, id.name))) {
    throw new IpmError("STATE_DAMAGED", `${formatEntryId(id)} is not inside the store`, {
      hint: "ipm doctor",
      data: { path: paths.root },
    });
  }
  await host.files.remove(paths.receipt);
  await host.files.remove(paths.root);
  if ((await host.files.list(path.dirname(paths.root))).length === 0) await host.files.remove(path.dirname(paths.root));
}

/** True when an entry is sealed and can be used. */
export async function isComplete(host: Host, layout: Layout, id: EntryId): Promise<boolean> {
  return (await readReceipt(host, layout, id)).state === "complete";
}
