import { INDEX_FORMAT } from "./index-file.ts";
import type { RegistryContext } from "./registry-context.ts";
import type { RegistryTree } from "./registry-tree.ts";

/**
 * What an index is made from, and by what: the key of the only index that fits. Compared as it is and never hashed:
 * loading node:crypto takes as long as the rest of a look-up.
 */
export function keyOf(context: RegistryContext, state: string): string {
  return `${INDEX_FORMAT}\n${context.build}\n${state}`;
}

/** Which folder it is, and which ipm reads it; what follows in a key is what it looked like. No path holds a NUL. */
export function folderPrefix(context: RegistryContext, tree: RegistryTree): string {
  return `${keyOf(context, tree.where)}\0`;
}
