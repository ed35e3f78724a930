import path from "node:path";
import { type Files, PARENTS_FILE } from "../core/host.ts";

/**
 * The folders that ipm had to make above a home or an rc file, as the note in that home tells; empty without one that can
 * be read.
 */
export async function readParents(files: Files, home: string): Promise<readonly string[]> {
  const text = await files.readText(path.join(home, PARENTS_FILE)).catch(() => undefined);
  try {
    const value: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

/**
 * Make a folder outside the homes, and note in a home what of it was not there before.
 * @throws IpmError IO_FAILED, DISK_FULL
 */
export async function createNotedFolder(files: Files, home: string, folder: string): Promise<void> {
  const missing: string[] = [];
  for (let one = folder; (await files.facts(one)) === undefined; one = path.dirname(one)) missing.unshift(one);
  if (missing.length === 0) return;
  await files.createFolder(folder);
  const noted = JSON.stringify([...(await readParents(files, home)), ...missing]);
  await files.writeDurably(path.join(home, PARENTS_FILE), noted);
}
