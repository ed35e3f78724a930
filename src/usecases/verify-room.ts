import { randomBytes } from "node:crypto";
import path from "node:path";
import type { IpmEvent } from "../core/events.ts";
import type { Host } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { ManifestSource } from "../manifest/schema.ts";
import { compileRegistry } from "../registry/compile-registry.ts";
import { layoutOf } from "../store/layout.ts";
import { type HeldLock, acquireLockNow } from "../store/locks.ts";
import { measureTree } from "../store/seal-tree.ts";
import type { Context } from "./context.ts";
import { type Observer, type Surroundings, createObserver } from "./verify-observe.ts";
import type { VerifySubject } from "./verify-targets.ts";

/** Variables that hold tokens on many machines; in a clean room their values are planted words. */
const TOKEN_VARIABLES = ["GITHUB_TOKEN", "GH_TOKEN", "NPM_TOKEN", "NODE_AUTH_TOKEN", "AWS_SECRET_ACCESS_KEY"];
const MOST_UNEXPECTED = 10;
/** What ipm itself keeps in a data home and in an entry; anything else there was put there by somebody else. */
const IN_ROOM = new Set(["registry", "embedded", "homes", "workspace"]);
const IN_HOMES = new Set(["data", "cache", "config"]);
const IN_ENTRY = new Set(["prefix", "launchers", "files.json", "receipt.json", "seed", "state"]);

/** Fresh homes of ipm in a folder of their own, and a context that knows nothing else. */
export interface CleanRoom {
  readonly folder: string;
  readonly context: Context;
  readonly observer: Observer;
  /** What an installation of the subject is asked for in here. */
  readonly target: string;
  /** Where a workspace goes; nothing is there before. */
  readonly workspace: string;
  /** Most bytes on the disk so far. */
  peakBytes(): number;
  measure(): Promise<void>;
  /** Paths that neither ipm nor the prefix accounts for. */
  unexpected(): Promise<string[]>;
  remove(): Promise<void>;
}

export interface RoomOptions {
  readonly surroundings: Surroundings;
  /** Use the caller's cache rather than an empty one. */
  readonly keepCache: boolean;
  /** Part of the folder's name, so that two rooms have paths of different length. */
  readonly suffix: string;
  /** What inside happens that the caller wants to pass on. */
  readonly emit: (event: IpmEvent) => void;
}

function roomsFolder(host: Pick<Host, "homes">): string {
  return path.join(host.homes.cache, "verify");
}

/** Remove rooms whose run was killed: nobody holds their locks any more. */
export async function removeAbandonedRooms(context: Context): Promise<void> {
  const { host } = context;
  const rooms = roomsFolder(host);
  for (const name of await host.files.list(rooms)) {
    if (name === "locks") continue;
    const lock = await lockRoom(context, name);
    if (lock === undefined) continue;
    await host.files.remove(path.join(rooms, name));
    await releaseRoom(context, name, lock);
  }
}

async function lockRoom({ host, command }: Context, name: string): Promise<HeldLock | undefined> {
  return acquireLockNow(host, path.join(roomsFolder(host), "locks"), name, command);
}

async function releaseRoom({ host }: Context, name: string, lock: HeldLock): Promise<void> {
  await host.files.remove(path.join(roomsFolder(host), "locks", `${name}.lock`));
  await lock.release();
}

/**
 * The manifest as a registry of this one entry has it. Newer versions are withdrawn there, so that an upgrade leads to the
 * version that is verified; nothing of that is in any plan digest.
 */
function entryFor(entry: ManifestSource, version: string): ManifestSource {
  const at = entry.versions.findIndex((item) => item.version === version);
  const versions = entry.versions.map((item, index) =>
    index < at && item.withdrawn === undefined ? { ...item, withdrawn: "newer than what is verified" } : item,
  );
  return { ...entry, versions };
}

/** Write the room's registry. @returns the target in it */
async function furnish(context: Context, folder: string, subject: VerifySubject): Promise<string> {
  const { files } = context.host;
  const registry = path.join(folder, "registry");
  const id = "clean-room";
  // JSON is YAML: what was read from YAML is written as what it says.
  const head = { id, name: "Clean room", maintainers: ["nobody-yet"] };
  await files.createFolder(registry);
  await files.write(path.join(registry, "registry.yaml"), JSON.stringify(head));
  if (subject.entry !== null) {
    const entry = entryFor(subject.entry, subject.version);
    const place = path.join(registry, "packages", entry.name);
    await files.createFolder(place);
    await files.write(path.join(place, "manifest.yaml"), JSON.stringify(entry));
    for (const [lock, source] of Object.entries(subject.locks)) {
      await files.createFolder(path.dirname(path.join(place, lock)));
      await files.write(path.join(place, lock), (await files.readBytes(source)) ?? new Uint8Array());
    }
    if (subject.bundle !== null && entry.source.bundle !== undefined) {
      const bundle = path.join(registry, entry.source.bundle);
      await files.createFolder(path.dirname(bundle));
      await files.write(bundle, (await files.readBytes(subject.bundle)) ?? new Uint8Array());
    }
  }
  await compileRegistry(files, registry, path.join(folder, "embedded"));
  return subject.entry === null ? subject.target : `${subject.entry.name}@${subject.version}`;
}

/**
 * A clean room for one method of one version: homes of its own in an empty folder below the cache, a registry that holds
 * nothing else, no cache. The caller's HOME is only looked into for what a sandbox needs of it (the places of toolchains,
 * mirrors, git's proxies): steps and tests have private ones, in here.
 */
export async function openCleanRoom(
  context: Context,
  subject: VerifySubject,
  options: RoomOptions,
): Promise<CleanRoom> {
  const { host } = context;
  const rooms = roomsFolder(host);
  await host.files.createFolder(rooms);
  const name = `${randomBytes(4).toString("hex")}${options.suffix}`;
  const lock = await lockRoom(context, name);
  if (lock === undefined) throw new TypeError(`the clean room ${name} is in use`);
  const folder = path.join((await host.files.realPath(rooms)) ?? rooms, name);
  const remove = async (): Promise<void> => {
    await host.files.remove(folder);
    await releaseRoom(context, name, lock);
  };
  try {
    await host.files.createFolder(folder);
    const target = await furnish(context, folder, subject);
    const own = path.join(folder, "homes");
    const homes = {
      data: path.join(own, "data"),
      // A workspace lies in no home of ipm's, and this room is in the caller's cache.
      cache: options.keepCache && subject.manifest.kind !== "workspace" ? host.homes.cache : path.join(own, "cache"),
      config: path.join(own, "config"),
    };
    const planted = TOKEN_VARIABLES.map(
      (variable) => [variable, `planted-${randomBytes(12).toString("hex")}`] as const,
    );
    const inside: Host = {
      ...host,
      homes,
      facts: { ...host.facts, env: { ...host.facts.env, ...Object.fromEntries(planted) } },
    };
    let peak = 0;
    const measure = async (): Promise<void> => {
      peak = Math.max(peak, await measureTree(host, folder));
    };
    const observer = createObserver({
      host,
      sandbox: context.sandboxFor(false),
      surroundings: options.surroundings,
      planted: planted.map(([, word]) => word),
      measure,
    });
    return {
      folder,
      target,
      workspace: path.join(folder, "workspace"),
      observer,
      measure,
      remove,
      peakBytes: () => peak,
      unexpected: () => findUnexpected(inside, folder),
      context: {
        ...context,
        host: inside,
        ask: null,
        prompts: null,
        emit: (event) => {
          if (event.type === "step.started") observer.at(`step ${event.id} (${event.title})`);
          if (event.type === "test.started") observer.at(`test ${event.id} (${event.title})`);
          options.emit(event);
        },
        sandboxFor: () => observer.sandbox,
        embeddedRegistry: path.join(folder, "embedded"),
        policyFiles: [],
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Everything in a room that neither ipm made nor a prefix holds, as paths below the room. */
async function findUnexpected(inside: Host, folder: string): Promise<string[]> {
  const layout = layoutOf(inside.homes);
  const found: string[] = [];
  const look = async (place: string, known: (name: string) => boolean): Promise<void> => {
    for (const name of await inside.files.list(place)) {
      if (!known(name) && found.length < MOST_UNEXPECTED)
        found.push(escapeUntrusted(path.relative(folder, path.join(place, name))));
    }
  };
  await look(folder, (name) => IN_ROOM.has(name));
  await look(path.join(folder, "homes"), (name) => IN_HOMES.has(name));
  const own = new Set(Object.values(layout).map((place) => path.basename(place)));
  await look(layout.data, (name) => own.has(name));
  for (const tool of await inside.files.list(layout.store)) {
    for (const entry of await inside.files.list(path.join(layout.store, tool)))
      await look(path.join(layout.store, tool, entry), (name) => IN_ENTRY.has(name));
  }
  return found;
}
