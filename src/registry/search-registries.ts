import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { SearchHit } from "./open-registries.ts";
import type { OpenRegistry } from "./open-registry.ts";

/**
 * The best entries of several registries, with one order for all.
 * @param opened opens a registry, one after the other; undefined for one that was never fetched
 */
export async function searchRegistries(
  opened: readonly (() => Promise<OpenRegistry | undefined>)[],
  words: string,
  limit: number,
): Promise<readonly SearchHit[]> {
  const hits: (SearchHit & { readonly matched: number })[] = [];
  for (const open of opened) {
    const registry = await open();
    if (registry === undefined) continue;
    const found = await registry.search(words, limit);
    hits.push(...found.map((hit) => ({ ...hit, registry: registry.id })));
  }
  const most = Math.max(0, ...hits.map((hit) => hit.matched));
  return hits
    .filter((hit) => hit.matched === most)
    .toSorted(
      (left, right) =>
        right.score - left.score ||
        (left.name < right.name ? -1 : left.name > right.name ? 1 : left.registry < right.registry ? -1 : 1),
    )
    .slice(0, limit)
    .map(({ name, registry, summary, version, score }) => ({
      name: escapeUntrusted(name),
      registry,
      summary: escapeUntrusted(summary),
      version: version === null ? null : escapeUntrusted(version),
      score,
    }));
}
