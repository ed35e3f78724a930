import { shownUrl } from "../core/untrusted-text.ts";
import type { CommitSha } from "../core/ids.ts";
import { fetchCommit, resolveRef } from "../source/fetch-commit.ts";
import { openRemote } from "../source/git-access.ts";
import { hasPin, prepareStore, storeOf } from "../source/git-store.ts";
import { DEFAULT_LIMITS } from "../source/limits.ts";
import { compileCommit, writeFetched } from "./compile-git.ts";
import { readFetched } from "./open-git.ts";
import type { ConfiguredRegistry } from "./read-config.ts";
import type { RegistryContext } from "./registry-context.ts";
import type { UpdatedRegistry } from "./update-registries.ts";

interface Tip {
  readonly ref: string;
  readonly commit: CommitSha;
}

/** Bring the newest commit of a registry's HEAD into the store of its URL. One request when there is nothing new. */
export async function fetchTip(context: RegistryContext, url: string, name: string): Promise<Tip> {
  const store = storeOf(context, url);
  const remote = await openRemote(context, url, true, DEFAULT_LIMITS);
  return context.lock(store.lock, async () => {
    await prepareStore(context, store, shownUrl(url));
    const call = { context, store, remote, limits: DEFAULT_LIMITS, tool: name };
    const tip = await resolveRef(call, null);
    if (!(await hasPin(context, store, tip.commit))) {
      await fetchCommit(call, { commit: tip.commit, tree: null, ref: null }, true);
    }
    return tip;
  });
}

/** Fetch what is new of a git registry and compile it. @throws IpmError of `fetchCommit` and `compileCommit` */
export async function updateGit(
  context: RegistryContext,
  registry: ConfiguredRegistry,
): Promise<Partial<UpdatedRegistry>> {
  const before = await readFetched(context, registry);
  const { ref, commit } = await fetchTip(context, registry.location, registry.id);
  const { meta, findings, index } = await compileCommit(context, registry, commit, before?.commit ?? null);
  index.close();
  // Last: until then look-ups use what was fetched before.
  await writeFetched(context, registry.id, {
    url: registry.location,
    ref,
    commit,
    fetched: context.host.now().toISOString(),
  });
  return {
    outcome: before?.commit === commit ? "unchanged" : "updated",
    commit,
    previous: before?.commit ?? null,
    entries: meta.entries,
    findings,
  };
}
