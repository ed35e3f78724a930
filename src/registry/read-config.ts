import path from "node:path";
import { IpmError } from "../core/errors.ts";
import type { ToolName } from "../core/ids.ts";
import type { IndexMeta } from "./index-records.ts";
import type { RegistryContext } from "./registry-context.ts";
import { configFile } from "./registry-places.ts";
import { writeToCache } from "./write-to-cache.ts";

/** A registry of `config.yaml`. */
export interface ConfiguredRegistry {
  readonly id: ToolName;
  readonly kind: "git" | "folder" | "static";
  /** A git URL in normal form, an absolute path, or the URL of a static registry without a slash at its end. */
  readonly location: string;
  /** Of a static registry: where else it is served from. */
  readonly mirrors?: readonly string[];
}

/** Where a static registry is fetched from, in the order in which the places are tried. */
export function placesOf({
  id,
  location,
  mirrors = [],
}: Pick<ConfiguredRegistry, "location" | "mirrors"> & { readonly id: string }): { id: string; url: string }[] {
  return [location, ...mirrors].map((url) => ({ id, url }));
}

export interface RegistryConfig {
  readonly registries: readonly ConfiguredRegistry[];
}

interface ParsedBefore {
  readonly build: string;
  readonly text: string;
  readonly config: RegistryConfig;
}

/** A shallow look: the file is ipm's own, and what it holds was checked when it was written. */
function isParsedBefore(value: unknown): value is ParsedBefore {
  if (typeof value !== "object" || value === null || !("build" in value && "text" in value && "config" in value))
    return false;
  const { config } = value;
  return typeof config === "object" && config !== null && "registries" in config && Array.isArray(config.registries);
}

/**
 * The configuration. What the same text meant to the same ipm before is remembered in the cache: a YAML parser would
 * cost more than the rest of a look-up.
 * @throws IpmError CONFIG_INVALID
 */
export async function readConfig(context: RegistryContext): Promise<RegistryConfig> {
  const { files, homes } = context.host;
  const text = await files.readText(configFile(context));
  if (text === undefined || text === "") return { registries: [] };
  const remembered = path.join(homes.cache, "config.json");
  const before = parsedBefore(await files.readText(remembered));
  if (before?.build === context.build && before.text === text) return before.config;
  const { parseConfig } = await import("./registry-config.ts");
  const config = parseConfig(text, configFile(context));
  const now: ParsedBefore = { build: context.build, text, config };
  await writeToCache(async () => {
    await files.createFolder(homes.cache);
    await files.writeDurably(remembered, JSON.stringify(now), 0o600);
  });
  return config;
}

function parsedBefore(text: string | undefined): ParsedBefore | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isParsedBefore(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** @throws IpmError REGISTRY_INVALID when a registry is not the one that it was configured as */
export function checkId(registry: ConfiguredRegistry, meta: Pick<IndexMeta, "id">): void {
  if (meta.id === registry.id) return;
  throw new IpmError(
    "REGISTRY_INVALID",
    `the registry ${registry.id} (${registry.location}) now calls itself "${meta.id}"`,
    {
      hint: `ipm registry remove ${registry.id}, then add it again if that is right`,
      data: { id: registry.id, found: meta.id },
    },
  );
}
