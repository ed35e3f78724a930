import path from "node:path";
import { recallChecked, rememberChecked } from "./checked-records.ts";
import { openSet } from "./index-set.ts";
import { notUpdated } from "./open-git.ts";
import { type OpenRegistry, openFrom } from "./open-registry.ts";
import { type ConfiguredRegistry, placesOf } from "./read-config.ts";
import type { RegistryContext } from "./registry-context.ts";
import type { FoundRecord } from "./registry-index.ts";
import { registryCache } from "./registry-places.ts";
import { MAX_FILE_BYTES, isContentFile } from "./static-root.ts";
import { damagedRegistry, readStaticState, writeStaticState } from "./static-state.ts";
import { writeToCache } from "./write-to-cache.ts";

// Every search comes through here: parsers, node:zlib and what fetches are loaded by whoever needs them.

/**
 * A static registry, as the last update fetched it. Look-ups and search use no network; a file that an entry needs is
 * fetched the first time it is asked for.
 * @throws IpmError REGISTRY_NOT_UPDATED when nothing has been fetched yet, REGISTRY_DAMAGED
 */
export async function openStatic(context: RegistryContext, registry: ConfiguredRegistry): Promise<OpenRegistry> {
  const state = await readStaticState(context, registry);
  if (state === undefined) throw notUpdated(registry.id);
  const { id } = registry;
  const opened = await openFrom(
    {
      open: async () => {
        if (state.layers.length === 0)
          throw damagedRegistry(registry, "the index was damaged, and was not fetched again");
        return openSet(context, id, { key: state.root, layers: state.layers });
      },
      rebuild: async (reason) => {
        const { removeOtherLayers } = await import("./keep-layers.ts");
        await writeToCache(async () => {
          // The next update fetches it again, and still knows the number that it must not go back behind.
          await writeStaticState(context, registry, { ...state, layers: [] });
          await removeOtherLayers(context, id, []);
        });
        throw damagedRegistry(registry, reason);
      },
    },
    {
      id,
      kind: "static",
      location: registry.location,
      file: async (file) => {
        const found = (await opened.read((index) => index.find(file, ["file"]))).at(-1)?.record;
        if (!isContentFile(found, MAX_FILE_BYTES)) return undefined;
        const folder = path.join(registryCache(context, id), "files");
        const target = path.join(folder, found.sha256);
        const { fetchContent, fromFirstOf, refuseOffline } = await import("./fetch-static.ts");
        if ((await context.host.files.facts(target)) === undefined)
          refuseOffline(context, `${file} of the registry ${id}`, "run the command once without --offline");
        // What is there is compared with its digest again.
        await fromFirstOf(context, placesOf(registry), async (place) => fetchContent(context, place, folder, found));
        return target;
      },
    },
  );
  // What the root says counts: the layers' own words are those of the publication that they were made for.
  const meta = { ...opened.meta, id, name: state.name, sequence: state.sequence, entries: state.entries };
  return {
    ...opened,
    meta,
    find: async (key, kinds) => {
      const checked: FoundRecord[] = [];
      for (const found of await opened.find(key, kinds)) {
        const given = "manifest" in found.record ? found.record : undefined;
        const before = given === undefined ? undefined : await recallChecked(context, id, given);
        // A name that leads to another entry passes no check, whatever the entry is worth.
        if (before !== undefined && (found.kind !== "name" || before.manifest.name === key)) {
          checked.push({ kind: found.kind, record: before });
          continue;
        }
        const { checkRecord } = await import("./check-record.ts");
        const now = checkRecord(found, key);
        if (given !== undefined && "manifest" in now.record) await rememberChecked(context, id, given, now.record);
        checked.push(now);
      }
      return checked;
    },
  };
}
