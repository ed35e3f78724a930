import path from "node:path";
import { IpmError } from "../core/errors.ts";
import type { ToolName } from "../core/ids.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import {
  type FetchedRoot,
  type StaticPlace,
  decompressPart,
  fetchContent,
  fetchRoot,
  fromFirstOf,
  progressOf,
  refuseOffline,
} from "./fetch-static.ts";
import { checkedFolder } from "./checked-records.ts";
import { layerFile, removeOtherLayers } from "./keep-layers.ts";
import { type ConfiguredRegistry, checkId, placesOf } from "./read-config.ts";
import type { RegistryContext } from "./registry-context.ts";
import { registryCache } from "./registry-places.ts";
import type { StaticLayer, StaticRoot } from "./static-root.ts";
import { type StaticState, readStaticState, writeStaticState } from "./static-state.ts";

/** What an update of a static registry did. */
export interface UpdatedStatic {
  readonly outcome: "updated" | "unchanged";
  readonly state: StaticState;
  /** Sequence of the publication that was here before, or null for none. */
  readonly previous: number | null;
}

/** Parts that are decompressed while the next one is fetched. */
const IN_FLIGHT = 3;

async function isHere(context: RegistryContext, id: ToolName, layer: StaticLayer): Promise<boolean> {
  const facts = await context.host.files.facts(path.join(registryCache(context, id), layerFile(layer.sha256)));
  return facts?.kind === "file" && facts.size === layer.bytes;
}

/** Bring a layer into the cache: its parts one after the other, put together beside, in its place only when it is whole. */
async function fetchLayer(
  context: RegistryContext,
  id: ToolName,
  place: StaticPlace,
  layer: StaticLayer,
  report: (received: number) => void,
): Promise<void> {
  const { files } = context.host;
  const folder = registryCache(context, id);
  const parts = path.join(folder, "parts");
  const staged = path.join(folder, `${layer.sha256.slice(0, 24)}.tmp`);
  await files.remove(staged);
  await files.createFolder(parts);
  const pending: Promise<Uint8Array>[] = [];
  const write = async (): Promise<void> => {
    const bytes = await pending.shift();
    if (bytes !== undefined) await files.append(staged, bytes);
  };
  let before = 0;
  try {
    for (const part of layer.parts) {
      const sent = await fetchContent(context, place, parts, part, (received) => report(before + received));
      before += part.size;
      report(before);
      const bytes = decompressPart(place, part, sent);
      // It is awaited in its turn; until then its failure is not unhandled.
      bytes.catch(() => undefined);
      pending.push(bytes);
      if (pending.length >= IN_FLIGHT) await write();
    }
    while (pending.length > 0) await write();
    // No flush: pages have checksums, and a layer that a power cut tore is found damaged and fetched again.
    await files.rename(staged, path.join(folder, layerFile(layer.sha256)));
  } finally {
    await Promise.allSettled(pending);
    await files.remove(staged);
  }
}

/** @throws IpmError REGISTRY_ROLLED_BACK when a root is older than what was here, or another one of the same number */
function checkSequence(place: StaticPlace, { root, digest }: FetchedRoot, before: StaticState | undefined): void {
  if (before === undefined || root.sequence > before.sequence) return;
  if (root.sequence === before.sequence && digest === before.root) return;
  const what =
    root.sequence === before.sequence
      ? `offers another publication under the number ${root.sequence} that is here already`
      : `offers publication ${root.sequence}, and ${before.sequence} is here already`;
  throw new IpmError("REGISTRY_ROLLED_BACK", `${escapeUntrusted(place.url)} ${what}`, {
    hint: `a stale mirror? Try later: ipm update ${place.id}. If its owner started anew: ipm registry remove ${place.id}, then add it again`,
    data: {
      id: place.id,
      offered: { sequence: root.sequence, sha256: digest },
      here: { sequence: before.sequence, sha256: before.root },
    },
  });
}

/**
 * Bring the index that a root names into the cache, and say so last.
 * @throws IpmError those of `fetchContent`; what was here before stays in use then
 */
export async function takeRoot(
  context: RegistryContext,
  registry: ConfiguredRegistry,
  place: StaticPlace,
  { root, digest, etag }: FetchedRoot,
  before: StaticState | undefined,
): Promise<StaticState> {
  const { files } = context.host;
  const missing: StaticLayer[] = [];
  for (const layer of root.layers) if (!(await isHere(context, registry.id, layer))) missing.push(layer);
  const total = missing.reduce((sum, { parts }) => sum + parts.reduce((part, { size }) => part + size, 0), 0);
  const report = progressOf(context, place, total);
  let done = 0;
  for (const layer of missing) {
    await fetchLayer(context, registry.id, place, layer, (received) => report(done + received));
    done += layer.parts.reduce((sum, { size }) => sum + size, 0);
  }
  const state: StaticState = {
    url: registry.location,
    name: root.name,
    sequence: root.sequence,
    root: digest,
    entries: root.entries,
    layers: root.layers.map(({ sha256 }) => layerFile(sha256)),
    etags: { ...(before?.root === digest ? before.etags : {}), ...(etag === null ? {} : { [place.url]: etag }) },
    fetched: context.host.now().toISOString(),
  };
  await files.createFolder(registryCache(context, registry.id));
  await writeStaticState(context, registry, state);
  await removeOtherLayers(context, registry.id, state.layers);
  await files.remove(path.join(registryCache(context, registry.id), "parts"));
  // They are compared with the index, and found again if they are the same; but nobody would take the others away.
  await files.remove(checkedFolder(context, registry.id));
  return state;
}

function describesSame(root: StaticRoot, before: StaticState): boolean {
  return root.layers.map(({ sha256 }) => layerFile(sha256)).join() === before.layers.join();
}

/**
 * Fetch what is new of a static registry; its places are tried in their order. One request when nothing is.
 * @throws IpmError REGISTRY_INVALID (another id), REGISTRY_ROLLED_BACK, OFFLINE, and those of `fetchRoot` and `fetchContent`
 */
export async function updateStatic(context: RegistryContext, registry: ConfiguredRegistry): Promise<UpdatedStatic> {
  refuseOffline(
    context,
    `the newest publication of the registry ${registry.id}`,
    `ipm update ${registry.id}, without --offline`,
  );
  const before = await readStaticState(context, registry);
  const previous = before?.sequence ?? null;
  const usable = before !== undefined && (await isWhole(context, registry, before)) ? before : undefined;
  return fromFirstOf(context, placesOf(registry), async (place) => {
    const fetched = await fetchRoot(context, place, usable?.etags[place.url]);
    if (fetched === undefined) {
      // The same as before by the server's own word; there is one only where `usable` is.
      if (usable === undefined) throw new TypeError("an answer without a question");
      return { outcome: "unchanged", state: usable, previous };
    }
    checkId({ ...registry, location: place.url }, fetched.root);
    checkSequence(place, fetched, before);
    if (usable?.root === fetched.digest && describesSame(fetched.root, usable)) {
      return { outcome: "unchanged", state: await takeRoot(context, registry, place, fetched, usable), previous };
    }
    return { outcome: "updated", state: await takeRoot(context, registry, place, fetched, before), previous };
  });
}

async function isWhole(context: RegistryContext, registry: ConfiguredRegistry, state: StaticState): Promise<boolean> {
  for (const layer of state.layers) {
    const facts = await context.host.files.facts(path.join(registryCache(context, registry.id), layer));
    if (facts?.kind !== "file") return false;
  }
  return state.layers.length > 0;
}
