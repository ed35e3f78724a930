import path from "node:path";
import { isIpmError } from "../core/errors.ts";
import { type ToolName, isToolName } from "../core/ids.ts";
import { isRecord } from "../core/is-record.ts";
import type { EntryRecord } from "./index-records.ts";
import type { RegistryContext } from "./registry-context.ts";
import { registryCache } from "./registry-places.ts";
import { writeToCache } from "./write-to-cache.ts";

// Records of a static registry that have passed the checks of this ipm: loading the parser takes longer than the look-up.

/** Folder of the records that were checked since the last update. */
export function checkedFolder(context: RegistryContext, id: ToolName): string {
  return path.join(registryCache(context, id), "checked");
}

/** A shallow look: the file is ipm's own, and what it holds was checked when it was written. */
function isEntryRecord(value: unknown): value is EntryRecord {
  return isRecord(value) && isRecord(value["manifest"]);
}

/** Undefined for a name that a hostile index made up: it becomes no path. */
function fileOf(context: RegistryContext, id: ToolName, { manifest }: EntryRecord): string | undefined {
  return isToolName(manifest.name) ? path.join(checkedFolder(context, id), `${manifest.name}.json`) : undefined;
}

/**
 * What this very record became when this ipm checked it before.
 * @param given as the index has it; compared as text
 * @returns undefined when it was not checked, or by another ipm
 */
export async function recallChecked(
  context: RegistryContext,
  id: ToolName,
  given: EntryRecord,
): Promise<EntryRecord | undefined> {
  const file = fileOf(context, id, given);
  if (file === undefined) return undefined;
  try {
    const before: unknown = JSON.parse((await context.host.files.readText(file)) ?? "");
    if (!isRecord(before) || before["build"] !== context.build || before["given"] !== JSON.stringify(given))
      return undefined;
    const { checked } = before;
    return isEntryRecord(checked) ? checked : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || isIpmError(error, "IO_FAILED")) return undefined;
    throw error;
  }
}

/** Remember what a record became; a cache that cannot be written to is no reason to fail. */
export async function rememberChecked(
  context: RegistryContext,
  id: ToolName,
  given: EntryRecord,
  checked: EntryRecord,
): Promise<void> {
  const file = fileOf(context, id, given);
  if (file === undefined) return;
  const { files } = context.host;
  await writeToCache(async () => {
    await files.createFolder(path.dirname(file));
    await files.writeDurably(file, JSON.stringify({ build: context.build, given: JSON.stringify(given), checked }));
  });
}
