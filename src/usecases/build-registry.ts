import path from "node:path";
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
  const { files, facts } = context.host;
  const { publishRegistry } = await import("../registry/publish-registry.ts");
  return publishRegistry(files, path.resolve(facts.cwd, folder), path.resolve(facts.cwd, out), options);
}
