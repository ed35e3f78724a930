import { sha256Hex } from "../core/canonical-json.ts";
import { INDEX_FORMAT } from "./index-file.ts";
import type { RegistryContext } from "./registry-context.ts";

/** What an index is made from, and by what: the key of the only index that fits. */
export function keyOf(context: RegistryContext, state: string): string {
  return sha256Hex(`${INDEX_FORMAT}\n${context.build}\n${state}`).slice(0, 32);
}
