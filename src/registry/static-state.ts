import { IpmError } from "../core/errors.ts";
import { isRecord } from "../core/is-record.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { isLayerFile } from "./index-set.ts";
import type { ConfiguredRegistry } from "./read-config.ts";
import type { RegistryContext } from "./registry-context.ts";
import { publishedFile } from "./registry-places.ts";

/**
 * What is here of a static registry. One file says it all and is replaced as a whole, so that look-ups see the publication
 * before or the one after.
 */
export interface StaticState {
  readonly url: string;
  readonly name: string;
  /** Of the publication that is here, or was: it never goes back, whatever became of its files. */
  readonly sequence: number;
  /** sha256 of its root. */
  readonly root: string;
  readonly entries: number;
  /** Files of the index in the cache, the lowest layer first; none: they were damaged and have to be fetched again. */
  readonly layers: readonly string[];
  /** What each address called its root when it was last fetched. */
  readonly etags: Readonly<Record<string, string>>;
  /** ISO time. */
  readonly fetched: string;
}

/** What has been fetched of a registry, or undefined when nothing has, or from another URL. */
export async function readStaticState(
  context: RegistryContext,
  registry: ConfiguredRegistry,
): Promise<StaticState | undefined> {
  const text = await context.host.files.readText(publishedFile(context, registry.id));
  let state: unknown;
  try {
    state = JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
  if (!isRecord(state) || state["url"] !== registry.location) return undefined;
  const { url, name, sequence, root, entries, layers, etags, fetched } = state;
  if (typeof name !== "string" || typeof root !== "string" || typeof fetched !== "string") return undefined;
  if (typeof sequence !== "number" || typeof entries !== "number") return undefined;
  if (!Array.isArray(layers) || !layers.every(isLayerFile) || !isRecord(etags)) return undefined;
  const known = Object.entries(etags).filter((etag): etag is [string, string] => typeof etag[1] === "string");
  return { url, name, sequence, root, entries, layers, etags: Object.fromEntries(known), fetched };
}

/** Say what is here; from now on look-ups use it. */
export async function writeStaticState(
  context: RegistryContext,
  registry: ConfiguredRegistry,
  state: StaticState,
): Promise<void> {
  await context.host.files.writeDurably(publishedFile(context, registry.id), `${JSON.stringify(state)}\n`);
}

export function damagedRegistry({ id }: Pick<ConfiguredRegistry, "id">, why: string): IpmError {
  return new IpmError(
    "REGISTRY_DAMAGED",
    `what is here of the registry ${id} cannot be used: ${escapeUntrusted(why)}`,
    {
      hint: `ipm update ${id}`,
      data: { id },
    },
  );
}
