import type { RegistryContext } from "../registry/registry-context.ts";
import type { Context } from "./context.ts";
import { sourceContext } from "./source-context.ts";

/** What registries are handed. */
export function registryContext(context: Context): RegistryContext {
  const { host } = context;
  return { ...sourceContext(context), host, embedded: context.embeddedRegistry, build: context.ipmVersion };
}
