import { randomBytes } from "node:crypto";
import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { listGenerationNumbers, readCurrentNumber } from "./generations.ts";
import { type EntryId, entryPaths, profilePaths } from "./layout.ts";
import { makeGeneration } from "./make-generation.ts";
import { hasReserve, keepReserve, prepareHome } from "./prepare-home.ts";
import { switchCurrent } from "./profiles.ts";
import { inspectCurrent } from "./read-current.ts";
import { listEntryIds } from "./receipts.ts";
import { removeOwn } from "./remove-own.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { listWorkspaces } from "./workspaces.ts";
import { type StoreContext, lockEntriesNow, underSwitchLock } from "./store-context.ts";

/** Told what a repair did, one sentence each. */
type Say = (what: string) => void;

/** Names that `writeDurably` and `switchCurrent` stage beside files of the data home. */
const STAGED = /^\.?(?:current|ipm\.json)\.[0-9a-f]{12}\.tmp$/u;

/**
 * Bring the data home to order: what has no receipt and is not being built, profiles without `generation.json`, staged
 * links, a `current` that leads nowhere. Everything that is removed here is garbage by the rules of the layout; there is
 * no third truth. Runs before every command that writes, and says what it did (`state.repaired`).
 * @returns what was repaired, one sentence each
 * @throws IpmError LOCKED, STATE_NEWER, HOME_NOT_OWNED, FOREIGN_FILE, DISK_FULL, IO_FAILED
 */
export async function openForWriting(context: StoreContext): Promise<readonly string[]> {
  const { host, layout } = context;
  const done: string[] = [];
  const say: Say = (what) => {
    done.push(what);
    context.emit({ type: "state.repaired", what });
  };
  await prepareHome(host, layout, say);
  // Nearly always: and the lock would be a program to start.
  if (!(await isInOrder(context))) {
    await underSwitchLock(context, async () => {
      for (const name of await findStaged(context)) await removeOwn(host, layout, path.join(layout.data, name));
      await removeIncompleteEntries(context, say);
      await removeEmptyFolders(context);
      await removeIncompleteProfiles(context, say);
      await repairCurrent(context, say);
      await keepReserve(host, layout);
    });
  }
  await reportWorkspaces(context);
  return done;
}

/**
 * True when `openForWriting` would find nothing to do. A look without a lock: what another process is just making looks
 * like something unfinished, and is looked at again with the lock.
 */
async function isInOrder(context: StoreContext): Promise<boolean> {
  const { host, layout } = context;
  if ((await findStaged(context)).length > 0) return false;
  if ((await findIncompleteEntries(context)).length > 0) return false;
  if ((await findEmptyFolders(context)).length > 0) return false;
  if ((await findIncompleteProfiles(context)).length > 0) return false;
  const { state } = await inspectCurrent(host, layout);
  return (state === "none" || state === "complete") && (await hasReserve(host, layout));
}

async function findStaged({ host, layout }: StoreContext): Promise<string[]> {
  return (await host.files.list(layout.data)).filter((name) => STAGED.test(name));
}

/**
 * Say which workspaces are not finished. Their folders are the user's: nothing is removed there before the user names the
 * workspace again.
 */
async function reportWorkspaces(context: StoreContext): Promise<void> {
  const { host, layout } = context;
  for (const { name, state, folder } of await listWorkspaces(host, layout)) {
    if (state === "ready") continue;
    const lock = await lockEntriesNow(context, name);
    // Held: somebody is at it right now.
    if (lock === undefined) continue;
    await lock.release();
    const verb = { building: "install", updating: "reinstall", removing: "uninstall" }[state];
    context.emit({
      type: "warning",
      code: "WORKSPACE_UNFINISHED",
      message: `${name} in ${escapeUntrusted(folder)} is not finished: ${state === "removing" ? "its removal" : "its preparation"} was interrupted or failed`,
      hint: `ipm ${verb} ${name}`,
    });
  }
}

async function findIncompleteEntries({ host, layout }: StoreContext): Promise<EntryId[]> {
  const found: EntryId[] = [];
  for (const id of await listEntryIds(host, layout)) {
    if ((await host.files.facts(entryPaths(layout, id).receipt)) === undefined) found.push(id);
  }
  return found;
}

async function removeIncompleteEntries(context: StoreContext, say: Say): Promise<void> {
  const { host, layout } = context;
  for (const id of await findIncompleteEntries(context)) {
    const paths = entryPaths(layout, id);
    const lock = await lockEntriesNow(context, id.name);
    // Held: it is being built right now, by a process that lives.
    if (lock === undefined) continue;
    try {
      // Once more under the lock: its builder may have sealed it in between.
      if ((await host.files.facts(paths.receipt)) !== undefined) continue;
      await removeOwn(host, layout, paths.root);
      say(`removed the unfinished build of ${id.name} (${id.folder})`);
    } finally {
      await lock.release();
    }
  }
}

/** Folders of tools that nothing is left of: a kill between the last entry and its folder. @returns their names */
async function findEmptyFolders({ host, layout }: StoreContext): Promise<string[]> {
  const found: string[] = [];
  for (const name of await host.files.list(layout.store)) {
    const folder = path.join(layout.store, name);
    if ((await host.files.facts(folder))?.kind === "folder" && (await host.files.list(folder)).length === 0)
      found.push(name);
  }
  return found;
}

async function removeEmptyFolders(context: StoreContext): Promise<void> {
  const { host, layout } = context;
  for (const name of await findEmptyFolders(context)) {
    const folder = path.join(layout.store, name);
    const lock = await lockEntriesNow(context, name);
    if (lock === undefined) continue;
    try {
      if ((await host.files.list(folder)).length === 0) await removeOwn(host, layout, folder);
    } finally {
      await lock.release();
    }
  }
}

async function findIncompleteProfiles({ host, layout }: StoreContext): Promise<number[]> {
  const current = await readCurrentNumber(host, layout);
  const found: number[] = [];
  for (const number of await listGenerationNumbers(host, layout)) {
    const { generation } = profilePaths(layout, number);
    if (number !== current && (await host.files.facts(generation)) === undefined) found.push(number);
  }
  return found;
}

async function removeIncompleteProfiles(context: StoreContext, say: Say): Promise<void> {
  const { host, layout } = context;
  for (const number of await findIncompleteProfiles(context)) {
    await removeOwn(host, layout, profilePaths(layout, number).root);
    say(`removed the unfinished generation ${number}`);
  }
}

/**
 * Make `current` lead to a complete generation, by the receipts when the file of the generation is lost. Only while the
 * lock of the switch is held.
 * @throws IpmError FOREIGN_FILE when `current` is no link, STATE_NEWER
 */
export async function repairCurrent(context: StoreContext, say: Say): Promise<void> {
  const { host, layout } = context;
  const kind = (await host.files.facts(layout.current))?.kind;
  if (kind !== undefined && kind !== "link") {
    throw new IpmError("FOREIGN_FILE", `${layout.current} is not a link that ipm made`, {
      hint: `move ${layout.current} away`,
      data: { path: layout.current },
    });
  }
  const current = await inspectCurrent(host, layout);
  if (current.state === "newer") {
    throw new IpmError("STATE_NEWER", `generation ${current.number} was written by a newer ipm`, {
      hint: "use the newer ipm; ipm list still works",
    });
  }
  if (current.state === "damaged") {
    const next = await makeGeneration(context, current.number, { entries: current.entries });
    if (current.unreadable) await setAside(context, current.number);
    say(
      `generation ${current.number} was unreadable; its tools (${current.entries.length}) are generation ${next.number} now, by their receipts`,
    );
  }
  if (current.state !== "lost") return;
  if (current.newest === null) {
    await removeOwn(host, layout, layout.current);
    say("removed a current link that led nowhere");
    return;
  }
  await switchCurrent(host, layout, current.newest.number);
  say(`current led nowhere; it is generation ${current.newest.number} again`);
}

/** Keep a state file that could not be read for whoever wants to look at it. */
async function setAside({ host, layout }: StoreContext, number: number): Promise<void> {
  await host.files.createFolder(layout.damaged);
  const name = `generation-${number}-${randomBytes(4).toString("hex")}.json`;
  await host.files.rename(profilePaths(layout, number).generation, path.join(layout.damaged, name));
}
