import { randomBytes } from "node:crypto";
import { IpmError, isIpmError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import { LAYOUT_VERSION, type Layout } from "./layout.ts";
import { removeOwn } from "./remove-own.ts";

/** Room for the profile of a few hundred launchers: on many file systems each link and folder takes 4 KiB. */
const RESERVE_BYTES = 512 * 1024;

function foreign(place: string): IpmError {
  return new IpmError("FOREIGN_FILE", `${place} is not a folder that ipm made`, {
    hint: `move ${place} away`,
    data: { path: place },
  });
}

async function demandOwned(host: Host, folder: string, mayBeLink: boolean): Promise<void> {
  const real = mayBeLink ? await host.files.realPath(folder) : folder;
  const facts = real === undefined ? undefined : await host.files.facts(real);
  if (facts?.kind !== "folder") throw foreign(folder);
  if (facts.uid !== host.facts.uid) {
    throw new IpmError("HOME_NOT_OWNED", `${folder} belongs to user ${facts.uid}, not to you (${host.facts.uid})`, {
      hint: "run ipm as its owner, or set IPM_HOME",
      data: { path: folder },
    });
  }
  if ((facts.mode & 0o022) !== 0) {
    throw new IpmError("HOME_NOT_OWNED", `${folder} may be written by others (mode ${facts.mode.toString(8)})`, {
      hint: `chmod go-w ${folder}`,
      data: { path: folder },
    });
  }
}

/** The layout's version in the marker, or undefined when the text is not one of ipm's. */
function layoutVersion(marker: string): number | undefined {
  try {
    const value: unknown = JSON.parse(marker);
    if (typeof value !== "object" || value === null || !("layout" in value)) return undefined;
    return typeof value.layout === "number" && Number.isSafeInteger(value.layout) ? value.layout : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What the marker says of the data home.
 * @returns its text and the layout's version; undefined for each that is not there
 * @throws IpmError STATE_NEWER for a home written by a newer ipm
 */
export async function demandKnownLayout(
  host: Host,
  layout: Layout,
): Promise<{ readonly marker: string | undefined; readonly version: number | undefined }> {
  const marker = await host.files.readText(layout.marker);
  const version = marker === undefined ? undefined : layoutVersion(marker);
  if (version !== undefined && version > LAYOUT_VERSION) {
    throw new IpmError(
      "STATE_NEWER",
      `${layout.data} was written by a newer ipm (layout ${version}, this one knows ${LAYOUT_VERSION})`,
      { hint: "use the newer ipm; ipm list and ipm show still work" },
    );
  }
  return { marker, version };
}

/**
 * Make the data home ready for writing: its folders, its marker, its ownership.
 * @param say told about a marker that had to be written again
 * @throws IpmError STATE_NEWER for a home written by a newer ipm, HOME_NOT_OWNED for one that others control,
 * FOREIGN_FILE when something else is where a folder of ipm's should be
 */
export async function prepareHome(host: Host, layout: Layout, say: (what: string) => void): Promise<void> {
  const files = host.files;
  await files.createFolder(layout.data);
  await demandOwned(host, layout.data, true);
  const { marker, version } = await demandKnownLayout(host, layout);
  if (version === undefined) {
    await files.writeDurably(layout.marker, `${JSON.stringify({ ipm: "data", layout: LAYOUT_VERSION })}\n`);
    if (marker !== undefined) say(`${layout.marker} was unreadable and has been written again`);
  }
  for (const folder of [layout.store, layout.profiles, layout.locks, layout.logs]) {
    if ((await files.facts(folder)) === undefined) await files.createFolder(folder);
    // The store may have been moved to a larger disk; links in place of the others are nothing that ipm follows.
    await demandOwned(host, folder, folder === layout.store);
  }
}

/** True when the space that `keepReserve` keeps is there. */
export async function hasReserve(host: Host, layout: Layout): Promise<boolean> {
  return (await host.files.facts(layout.reserve))?.size === RESERVE_BYTES;
}

/**
 * Keep some space aside for the day when the disk is full: a generation without a tool is a new generation too, and
 * needs room before anything can be given back. Without the space for it there is none.
 */
export async function keepReserve(host: Host, layout: Layout): Promise<void> {
  if (await hasReserve(host, layout)) return;
  try {
    // Not zeros: some file systems store those as nothing.
    await host.files.write(layout.reserve, randomBytes(RESERVE_BYTES), 0o600);
  } catch (error) {
    if (!isIpmError(error)) throw error;
    await removeOwn(host, layout, layout.reserve).catch(() => {});
  }
}

/** Give the reserve up. @returns false when there was none */
export async function releaseReserve(host: Host, layout: Layout): Promise<boolean> {
  if ((await host.files.facts(layout.reserve)) === undefined) return false;
  await removeOwn(host, layout, layout.reserve);
  return true;
}
