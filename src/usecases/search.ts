import { type SearchHit, openRegistries } from "../registry/open-registries.ts";
import type { Context } from "./context.ts";
import { registryContext } from "./registry-context.ts";

/** The entries that fit some words best; typos are allowed. Takes no lock and needs no network. */
export async function searchTools(context: Context, words: readonly string[]): Promise<{ hits: readonly SearchHit[] }> {
  const registries = await openRegistries(registryContext(context));
  try {
    return { hits: await registries.search(words.join(" ")) };
  } finally {
    registries.close();
  }
}
