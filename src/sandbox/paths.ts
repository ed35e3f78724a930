/** True when a path is the folder itself or lies below it; both absolute and normal, nothing is resolved. */
export function isInside(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

/** The paths that are inside no other of the list, sorted, without doubles. */
export function outermost(paths: readonly string[]): string[] {
  const kept: string[] = [];
  for (const path of paths.toSorted((left, right) => left.length - right.length || (left < right ? -1 : 1))) {
    if (!kept.some((folder) => isInside(folder, path))) kept.push(path);
  }
  return kept.toSorted();
}
