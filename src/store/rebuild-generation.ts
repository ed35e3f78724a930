import path from "node:path";
import type { Host } from "../core/host.ts";
import type { Generation, GenerationEntry } from "./generations.ts";
import { type Layout, formatEntryId, parseEntryId, profilePaths } from "./layout.ts";
import { type Receipt, readReceipt } from "./receipts.ts";

/** What a receipt says of its tool, as a generation lists it. */
export function generationEntryOf(entry: string, receipt: Receipt, held: boolean): GenerationEntry {
  return {
    name: receipt.plan.tool.name,
    version: receipt.plan.tool.version,
    entry,
    method: receipt.plan.method.id,
    trust: receipt.plan.trust.level,
    bins: receipt.launchers.map(({ name }) => name).toSorted(),
    held,
    registry: receipt.plan.origin.registry,
    target: receipt.plan.origin.again,
    installed: receipt.finished,
  };
}

/**
 * The tools of a generation whose `generation.json` is lost: each launcher of its profile leads into a store entry, and
 * the entries' receipts are the source of truth. What only the file knew (holds) comes from an earlier generation.
 */
export async function rebuildEntries(
  host: Host,
  layout: Layout,
  number: number,
  earlier: Generation | null,
): Promise<GenerationEntry[]> {
  const profile = profilePaths(layout, number);
  const found = new Map<string, GenerationEntry>();
  for (const folder of [profile.bin, profile.libexec]) {
    for (const name of await host.files.list(folder)) {
      const file = path.join(folder, name);
      const target = (await host.files.readLink(file)) ?? (await host.files.readText(file)) ?? "";
      const at = target.indexOf(`${layout.store}/`);
      if (at === -1) continue;
      const [tool, entry] = target.slice(at + layout.store.length + 1).split("/");
      const id = parseEntryId(`${tool}/${entry}`);
      if (id === undefined || found.has(id.name)) continue;
      const receipt = await readReceipt(host, layout, id);
      if (receipt.state !== "complete") continue;
      const held = earlier?.entries.some((known) => known.name === id.name && known.held) ?? false;
      found.set(id.name, generationEntryOf(formatEntryId(id), receipt.receipt, held));
    }
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
