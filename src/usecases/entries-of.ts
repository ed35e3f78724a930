import { type IpmError, isIpmError } from "../core/errors.ts";
import type { ManifestSource } from "../manifest/schema.ts";
import { type Registries, openRegistries } from "../registry/open-registries.ts";
import type { Context } from "./context.ts";
import { registryContext } from "./registry-context.ts";

/** A tool, and the registry that it came from; null for one from outside of any. */
interface FromRegistry {
  readonly name: string;
  readonly registry: string | null;
}

/**
 * The entry that an installed tool came from, or undefined when no registry has it any more.
 * @param onGone told why
 */
export async function entryOf(
  registries: Registries,
  tool: FromRegistry,
  onGone?: TellOfEntry,
): Promise<ManifestSource | undefined> {
  if (tool.registry === null) return undefined;
  try {
    return (await registries.lookUpIn(tool.registry, tool.name)).entry;
  } catch (error) {
    if (
      isIpmError(error, "TOOL_NOT_FOUND") ||
      isIpmError(error, "REGISTRY_NOT_FOUND") ||
      isIpmError(error, "REGISTRY_NOT_UPDATED")
    ) {
      onGone?.(tool.name, error);
      return undefined;
    }
    throw error;
  }
}

/** Told of a tool and of what is wrong with its entry. */
type TellOfEntry = (name: string, error: IpmError) => void;

/** Say that a tool's entry is gone or cannot be read: a command about all tools goes on with the others. */
export function warnOfEntry(context: Context): TellOfEntry {
  return (name, error) => {
    const [message = ""] = error.message.split("\n");
    context.emit({
      type: "warning",
      code: error.code,
      message: `${name} is left alone: ${message}`,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  };
}

/**
 * The entry of each in its registry, by name; undefined where no registry has it any more.
 * @param onBroken told of a manifest that cannot be read; the tool counts as one that no registry has
 * @param onGone told of one that no registry has
 * @throws IpmError MANIFEST_INVALID without `onBroken`
 */
export async function entriesOf(
  context: Context,
  tools: readonly FromRegistry[],
  onBroken?: TellOfEntry,
  onGone?: TellOfEntry,
): Promise<Map<string, ManifestSource | undefined>> {
  const known = new Map<string, ManifestSource | undefined>();
  const registries = await openRegistries(registryContext(context));
  try {
    for (const tool of tools) {
      try {
        known.set(tool.name, await entryOf(registries, tool, onGone));
      } catch (error) {
        if (onBroken === undefined || !isIpmError(error, "MANIFEST_INVALID")) throw error;
        onBroken(tool.name, error);
        known.set(tool.name, undefined);
      }
    }
  } finally {
    registries.close();
  }
  return known;
}
