import type { Finding } from "./finding.ts";
import { parseFile } from "./parse-manifest.ts";
import { registryFileSchema } from "./schema.ts";
import type { RegistryFile } from "./schema.ts";

export type RegistryFileResult =
  | { readonly ok: true; readonly registry: RegistryFile; readonly warnings: readonly Finding[] }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** Parse a `registry.yaml`, with the same limits and messages as a manifest. `file` is only shown. Never throws. */
export function parseRegistryFile(bytes: Uint8Array, file: string): RegistryFileResult {
  const { value, findings } = parseFile(bytes, file, registryFileSchema, () => []);
  return value === undefined ? { ok: false, findings } : { ok: true, registry: value, warnings: findings };
}
