import path from "node:path";
import { sha256Hex } from "../core/canonical-json.ts";
import type { PublishOptions, PublishedRegistry } from "../registry/publish-registry.ts";
import type { Context } from "./context.ts";

/**
 * Write the folder that serves a registry from any web server.
 * @param folder the registry, or a folder whose `registry/` is one; may be relative to where the command was called
 * @param out likewise
 * @throws IpmError REGISTRY_INVALID, FOREIGN_FILE, USAGE
 */
export async function buildRegistry(
  context: Context,
  folder: string,
  out: string,
  options: PublishOptions,
): Promise<PublishedRegistry> {
  const { files, facts, homes } = context.host;
  const { publishRegistry } = await import("../registry/publish-registry.ts");
  const target = path.resolve(facts.cwd, out);
  const memory = path.join(homes.cache, "publications", sha256Hex(target).slice(0, 24));
  return publishRegistry(files, path.resolve(facts.cwd, folder), target, {
    memory: { file: memory, now: () => context.host.now() },
    ...options,
  });
}
