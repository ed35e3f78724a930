/** One file of the checkout, relative to `$IPM_SOURCE` (the manifest's `source.path`), or to the step's `dir`. */
export interface SourceFile {
  readonly path: string;
  readonly executable: boolean;
}

/** True when the listing has this very file. */
export function hasFile(files: readonly SourceFile[], path: string): boolean {
  return files.some((file) => file.path === path);
}

/** The first of these files that the listing has. */
export function firstFile(files: readonly SourceFile[], paths: readonly string[]): string | undefined {
  return paths.find((path) => hasFile(files, path));
}

/** `a/b/c.txt` as `a/b`; the root is the empty text. */
export function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? "" : path.slice(0, slash);
}

/** `a/b/c.txt` as `c.txt`. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Join two `/`-separated relative paths; `""` and `.` are the root, which is given as `.`. */
export function joinPath(folder: string, path: string): string {
  const parts = [...folder.split("/"), ...path.split("/")].filter((part) => part !== "" && part !== ".");
  return parts.length === 0 ? "." : parts.join("/");
}

/** `./a/../b.js` as `b.js`, `.` as `.`; undefined for a path that is absolute or leaves. */
export function insidePath(path: string): string | undefined {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  if (path.startsWith("/")) return undefined;
  return parts.length === 0 ? "." : parts.join("/");
}

/** The line (from 1) of the first match in a text, or 0. */
export function lineOfMatch(text: string, pattern: RegExp): number {
  const at = text.search(pattern);
  return at === -1 ? 0 : text.slice(0, at).split("\n").length;
}
