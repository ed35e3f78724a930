import path from "node:path";
import { afterEach, beforeEach } from "vitest";
import { type Registries, openRegistries } from "../../src/registry/open-registries.ts";
import { registryContext, type RegistryContextOptions } from "./registry-folder.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** A new folder for each test, with homes of ipm in it, and the registries that are used from there. */
export interface RegistryHome {
  /** A path in the folder. */
  readonly at: (...parts: string[]) => string;
  readonly context: (options?: RegistryContextOptions) => ReturnType<typeof registryContext>;
  /** Closed after the test. */
  readonly open: (options?: RegistryContextOptions) => Promise<Registries>;
  readonly closeLater: (registries: Registries) => void;
}

/** Called once in a file of tests, before its own hooks. */
export function useRegistryHome(): RegistryHome {
  let folder = "";
  let opened: Registries[] = [];
  beforeEach(() => {
    folder = temporaryFolder();
    opened = [];
  });
  afterEach(() => {
    for (const registries of opened) registries.close();
  });
  const context: RegistryHome["context"] = (options = {}) => registryContext(folder, options);
  const closeLater = (registries: Registries): void => {
    opened.push(registries);
  };
  return {
    at: (...parts) => path.join(folder, ...parts),
    context,
    open: async (options) => {
      const registries = await openRegistries(context(options));
      closeLater(registries);
      return registries;
    },
    closeLater,
  };
}
