import path from "node:path";
import type { Homes } from "../core/host.ts";
import type { EntryFolder, PlanDigest, ToolName } from "../core/ids.ts";
import { isToolName } from "../core/ids.ts";

/**
 * Where everything of the data home is (`docs/architecture.md` has the picture). Versioned by `LAYOUT_VERSION` in
 * `data/ipm.json`, so that a later ipm can tell what it finds.
 */
export const LAYOUT_VERSION = 1;

export interface Layout {
  readonly data: string;
  /** `data/ipm.json`: marks the folder as ipm's own and names the layout's version. */
  readonly marker: string;
  readonly store: string;
  readonly profiles: string;
  /** The link whose target is the current generation; `current/bin` is on PATH. */
  readonly current: string;
  readonly state: string;
  /** What users have given tools that ask for it: `<name>/values`, secrets among it, for this user alone. */
  readonly inputs: string;
  readonly locks: string;
  readonly logs: string;
  /** One folder a workspace: its record and, while it is prepared, the private folders of its steps. */
  readonly workspaces: string;
  /** What was done to workspaces, one JSON document a line. */
  readonly workspaceLog: string;
  /** Space that is given up when a disk is full, so that there is room for one more generation (`uninstall`). */
  readonly reserve: string;
  /** State files that could not be read, kept for whoever wants to look; `gc` removes them. */
  readonly damaged: string;
}

/** All paths below the data home. */
export function layoutOf(homes: Homes): Layout {
  const data = homes.data;
  return {
    data,
    marker: path.join(data, "ipm.json"),
    store: path.join(data, "store"),
    profiles: path.join(data, "profiles"),
    current: path.join(data, "current"),
    state: path.join(data, "state"),
    inputs: path.join(data, "inputs"),
    locks: path.join(data, "locks"),
    logs: path.join(data, "logs"),
    workspaces: path.join(data, "workspaces"),
    workspaceLog: path.join(data, "workspaces.log"),
    reserve: path.join(data, "reserve"),
    damaged: path.join(data, "damaged"),
  };
}

const ENTRY_FOLDER = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}-[0-9a-f]{12}(?:\.[1-9][0-9]{0,5})?$/u;

/** True for `<version>-<digest12>`, or `<version>-<digest12>.<n>` for the n-th rebuild of the same plan. */
export function isEntryFolder(text: string): text is EntryFolder {
  return ENTRY_FOLDER.test(text) && !text.includes("..");
}

/** The folder of an entry; `rebuild` 0 is the first build of a plan, larger ones stand beside it (`reinstall`). */
export function entryFolder(version: string, digest: PlanDigest, rebuild = 0): EntryFolder {
  const folder = `${version}-${digest.slice(0, 12)}${rebuild === 0 ? "" : `.${rebuild}`}`;
  if (!isEntryFolder(folder)) throw new TypeError(`not an entry folder: ${folder}`);
  return folder;
}

/** A store entry's name as state files hold it: `<name>/<folder>`. Parsed, so that no state file can point outside. */
export interface EntryId {
  readonly name: ToolName;
  readonly folder: EntryFolder;
}

/** `<name>/<folder>` from a state file, or undefined when it is anything else. */
export function parseEntryId(text: string): EntryId | undefined {
  const [name, folder, ...rest] = text.split("/");
  if (name === undefined || folder === undefined || rest.length > 0) return undefined;
  return isToolName(name) && isEntryFolder(folder) ? { name, folder } : undefined;
}

export function formatEntryId(id: EntryId): string {
  return `${id.name}/${id.folder}`;
}

/** The paths of one store entry. */
export interface EntryPaths {
  readonly root: string;
  /** The tree that launchers point into. */
  readonly prefix: string;
  /** The checkout while steps run; removed at the seal. */
  readonly source: string;
  /** Private HOME and TMP of the steps; removed at the seal. */
  readonly home: string;
  readonly tmp: string;
  /** What the steps made of the user's data; only where the manifest persists some. */
  readonly seed: string;
  /** A link to the user's data; while tests run a folder with data of their own. Only where there is a seed. */
  readonly state: string;
  /** Scratch folder of the tests; removed at the seal. */
  readonly scratch: string;
  /** `bin` and `libexec` with launchers of this entry alone, for its tests and for `run`. */
  readonly launchers: string;
  readonly files: string;
  readonly receipt: string;
}

export function entryPaths(layout: Layout, id: EntryId): EntryPaths {
  const root = path.join(layout.store, id.name, id.folder);
  return {
    root,
    prefix: path.join(root, "prefix"),
    source: path.join(root, "source"),
    home: path.join(root, "home"),
    tmp: path.join(root, "tmp"),
    seed: path.join(root, "seed"),
    state: path.join(root, "state"),
    scratch: path.join(root, "scratch"),
    launchers: path.join(root, "launchers"),
    files: path.join(root, "files.json"),
    receipt: path.join(root, "receipt.json"),
  };
}

/** The paths of one generation's profile. */
export interface ProfilePaths {
  readonly root: string;
  readonly bin: string;
  readonly share: string;
  /** One link a script launcher, named like the launcher, so that the program sees its own name. */
  readonly libexec: string;
  readonly generation: string;
}

export function profilePaths(layout: Layout, number: number): ProfilePaths {
  const root = path.join(layout.profiles, String(number));
  return {
    root,
    bin: path.join(root, "bin"),
    share: path.join(root, "share"),
    libexec: path.join(root, "libexec"),
    generation: path.join(root, "generation.json"),
  };
}
