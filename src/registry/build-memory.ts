import path from "node:path";
import { isIpmError } from "../core/errors.ts";
import type { Files } from "../core/host.ts";
import type { TreeFile } from "./registry-tree.ts";
import { writeToCache } from "./write-to-cache.ts";

/**
 * What the files of a registry looked like when a publication of it was built, so that the next build reads only those
 * that look different, as git does with its index. It is a cache of this machine: never published, and of no use for
 * another folder or after another publication.
 *
 *     line 1        the format
 *     line 2        the registry's folder
 *     line 3        sha256 of the publication's root, which names what every file held
 *     then          path TAB stamp, a file a line
 *     last line     the number of files: one that was cut off does not count
 */
const FORMAT = "ipm-build-memory 1";

/**
 * A file that changed later than so many milliseconds before it was looked at may change again without looking different,
 * because the clock of a file system ticks slowly: it is read again next time (git calls such a file racily clean,
 * https://git-scm.com/docs/racy-git).
 */
const RACY_MS = 1_000;

function head(folder: string, digest: string): string {
  return `${FORMAT}\n${folder}\n${digest}\n`;
}

/**
 * The stamps of the files that a publication was built from, by path.
 * @param file where they are remembered
 * @param folder the registry's
 * @param digest sha256 of the publication's root
 * @returns none when nothing is remembered, or not of these
 */
export async function readBuildMemory(
  files: Files,
  file: string,
  folder: string,
  digest: string,
): Promise<ReadonlyMap<string, string>> {
  const stamps = new Map<string, string>();
  let text: string | undefined;
  try {
    text = await files.readText(file);
  } catch (error) {
    if (!isIpmError(error, "IO_FAILED")) throw error;
  }
  const begin = head(folder, digest);
  if (text?.startsWith(begin) !== true) return stamps;
  const lines = text.slice(begin.length).split("\n");
  for (const line of lines) {
    const tab = line.indexOf("\t");
    if (tab > 0) stamps.set(line.slice(0, tab), line.slice(tab + 1));
  }
  return lines.at(-1) === "" && lines.at(-2) === String(stamps.size) ? stamps : new Map();
}

/**
 * Remember what files looked like. A cache that cannot be written to is no reason to fail.
 * @param beganMs milliseconds since 1970, from before the files were looked at
 */
export async function writeBuildMemory(
  files: Files,
  file: string,
  folder: string,
  digest: string,
  looked: readonly TreeFile[],
  beganMs: number,
): Promise<void> {
  const lines = looked
    .filter((each) => each.changedMs < beganMs - RACY_MS && !/[\t\n]/u.test(each.path))
    .map((each) => `${each.path}\t${each.stamp}\n`);
  await writeToCache(async () => {
    await files.createFolder(path.dirname(file));
    await files.writeDurably(file, `${head(folder, digest)}${lines.join("")}${lines.length}\n`);
  });
}
