import { INDEX_FORMAT } from "./index-file.ts";
import type { RegistryContext } from "./registry-context.ts";

/**
 * What an index is made from, and by what: the key of the only index that fits. Compared as it is and never hashed:
 * loading node:crypto takes as long as the rest of a look-up.
 */
export function keyOf(context: RegistryContext, state: string): string {
  return `${INDEX_FORMAT}\n${context.build}\n${state}`;
}
