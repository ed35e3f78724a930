import { writeFileSync } from "node:fs";
import path from "node:path";
import type { Files, Homes } from "../core/host.ts";
import { PARENTS_FILE } from "../core/host.ts";

/** The folders above a path that are not there, the outermost first. */
async function missingAbove(files: Files, target: string): Promise<string[]> {
  const missing: string[] = [];
  for (let folder = path.dirname(target); ; folder = path.dirname(folder)) {
    if ((await files.facts(folder)) !== undefined || folder === path.dirname(folder)) return missing;
    missing.unshift(folder);
  }
}

/**
 * Files that write down, in each home that is made through them, which folders above it (`~/.cache`, `~/.local`) were not
 * there before: `self remove` takes those away again and no other. A home that is there costs one look in a process.
 */
export function rememberParents(files: Files, homes: Homes): Files {
  const unseen = new Set([homes.data, homes.cache, homes.config]);
  return {
    ...files,
    createFolder: async (folder) => {
      const home = [...unseen].find((one) => folder === one || folder.startsWith(`${one}${path.sep}`));
      if (home === undefined) return files.createFolder(folder);
      unseen.delete(home);
      if ((await files.facts(home)) !== undefined) return files.createFolder(folder);
      const made = await missingAbove(files, home);
      await files.createFolder(folder);
      if (made.length === 0) return;
      try {
        // Never over a note that another ipm has just made: it knows more.
        writeFileSync(path.join(home, PARENTS_FILE), JSON.stringify(made), { flag: "wx", mode: 0o644 });
      } catch {
        // Without the note an empty folder stays behind one day: no reason to fail now.
      }
    },
  };
}
