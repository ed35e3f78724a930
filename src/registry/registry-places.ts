import path from "node:path";
import type { Host } from "../core/host.ts";

// Where what is known of the registries lies: paths alone, for whoever has to know whether something changed.

type Homed = { readonly host: Pick<Host, "homes"> };

/** Name of the index file in the folder of the registry that ships with ipm. */
export const EMBEDDED_INDEX = "registry.index";

/** Path of the user's configuration file. */
export function configFile({ host }: Homed): string {
  return path.join(host.homes.config, "config.yaml");
}

/** Folder of the cache for one configured registry. */
export function registryCache({ host }: Homed, id: string): string {
  return path.join(host.homes.cache, "registries", id);
}

/** Which files make up a registry's index: replaced as a whole whenever the index changes. */
export function setFile(context: Homed, id: string): string {
  return path.join(registryCache(context, id), "index.json");
}

/** What the last update fetched of a registry that is a git repository. */
export function fetchedFile(context: Homed, id: string): string {
  return path.join(registryCache(context, id), "fetched.json");
}

/** What is here of a static registry. */
export function publishedFile(context: Homed, id: string): string {
  return path.join(registryCache(context, id), "published.json");
}
