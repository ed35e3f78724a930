import {
  type AddedRegistry,
  type ListedRegistry,
  addRegistry as add,
  listRegistries as list,
  removeRegistry as remove,
} from "../registry/configure-registries.ts";
import type { ConfiguredRegistry } from "../registry/read-config.ts";
import type { Context } from "./context.ts";
import { registryContext } from "./registry-context.ts";

/**
 * Configure a registry, learning its id from what it says itself; one that is not a folder is fetched.
 * @param mirrors URLs that a static registry is served from as well
 * @throws IpmError REGISTRY_EXISTS, REGISTRY_INVALID, TARGET_INVALID, FETCH_FAILED, and those of static registries
 */
export async function addRegistry(
  context: Context,
  urlOrFolder: string,
  mirrors: readonly string[] = [],
): Promise<AddedRegistry> {
  return add(registryContext(context), urlOrFolder, mirrors);
}

/** Forget a registry; what was installed from it stays. @throws IpmError REGISTRY_NOT_FOUND */
export async function removeRegistry(context: Context, id: string): Promise<ConfiguredRegistry> {
  return remove(registryContext(context), id);
}

/** The embedded and the configured registries, and which of two with the same id is used. */
export async function listRegistries(context: Context): Promise<ListedRegistry[]> {
  return list(registryContext(context));
}
