import { IpmError } from "../core/errors.ts";
import { type SearchHit, openRegistries } from "../registry/open-registries.ts";
import type { Context } from "./context.ts";
import { registryContext } from "./registry-context.ts";

/**
 * The entries that fit some words best; typos are allowed. Takes no lock and needs no network.
 * @throws IpmError USAGE when there is no word
 */
export async function searchTools(context: Context, words: readonly string[]): Promise<{ hits: readonly SearchHit[] }> {
  if (words.every((word) => word.trim() === "")) {
    throw new IpmError("USAGE", "search needs a word to look for", { hint: "ipm search WORD" });
  }
  const registries = await openRegistries(registryContext(context));
  try {
    return { hits: await registries.search(words.join(" ")) };
  } finally {
    registries.close();
  }
}
