import path from "node:path";
import type { ToolName } from "../core/ids.ts";
import { isRecord } from "../core/is-record.ts";
import { IndexFile } from "./index-file.ts";
import { RegistryIndex } from "./registry-index.ts";
import type { RegistryContext } from "./registry-context.ts";
import { registryCache, setFile } from "./registry-places.ts";

/** The layers of one registry's index in the cache; each file is named by its content, so that none ever changes. */
export interface IndexSet {
  /** What the index is made from, and by what: it is of no use for anything else. */
  readonly key: string;
  /** File names, the lowest layer first. */
  readonly layers: readonly string[];
  /** Of a folder: when all of its files were last compared with the index, in milliseconds since 1970. */
  readonly comparedMs?: number;
}

const LAYER_FILE = /^[0-9a-f]{24}\.index$/u;

export function isLayerFile(name: unknown): name is string {
  return typeof name === "string" && LAYER_FILE.test(name);
}

/** Which layers make up the index, or undefined when nothing that can be read says so. */
export async function readSet(context: RegistryContext, id: ToolName): Promise<IndexSet | undefined> {
  const text = await context.host.files.readText(setFile(context, id));
  try {
    const set: unknown = JSON.parse(text ?? "");
    if (!isRecord(set)) return undefined;
    const { key, layers, comparedMs } = set;
    if (typeof key !== "string" || !Array.isArray(layers) || layers.length === 0) return undefined;
    if (!layers.every(isLayerFile)) return undefined;
    return { key, layers, ...(typeof comparedMs === "number" ? { comparedMs } : {}) };
  } catch {
    return undefined;
  }
}

/** Open the layers of an index; undefined when one of them is missing. @throws IndexDamaged */
export function openSet(context: RegistryContext, id: ToolName, set: IndexSet): RegistryIndex | undefined {
  const opened: IndexFile[] = [];
  try {
    for (const layer of set.layers) {
      const file = context.host.files.openForReading(path.join(registryCache(context, id), layer));
      if (file === undefined) {
        for (const each of opened) each.close();
        return undefined;
      }
      opened.push(new IndexFile(file));
    }
    return new RegistryIndex(opened);
  } catch (error) {
    for (const each of opened) each.close();
    throw error;
  }
}
