import path from "node:path";
import { canonicalJson, sha256Hex } from "../core/canonical-json.ts";
import type { Host } from "../core/host.ts";
import type { Plan } from "../plan/plan.ts";
import { measureTree } from "../store/seal-tree.ts";
import { lockEntriesNow } from "../store/store-context.ts";
import type { CollectedSource } from "./collect-sources.ts";
import { type Context, storeOf } from "./context.ts";

/** A tool that was not built for this long compiles from nothing again. */
const STALE_MS = 30 * 24 * 60 * 60 * 1000;
/** Written anew at every build: its time is that of the last use. */
const USED = "used";
const FOLDER = /^(?<name>.+)-[0-9a-f]{12}$/u;

function cachesFolder({ homes }: Pick<Host, "homes">): string {
  return path.join(homes.cache, "builds");
}

/**
 * Where compilers keep what the next build of the same tool can use again. Steps write it, and nobody checks it on use:
 * so it belongs to one entry of one registry with one source, and never to what only has the same name.
 */
export function buildCacheOf(host: Pick<Host, "homes">, plan: Pick<Plan, "tool" | "origin">): string {
  const { name } = plan.tool;
  const identity = sha256Hex(canonicalJson([plan.origin.registry, name, plan.origin.source])).slice(0, 12);
  return path.join(cachesFolder(host), `${name}-${identity}`);
}

/** Make the folder, and note that it is used. @returns it */
export async function openBuildCache(
  host: Pick<Host, "homes" | "files">,
  plan: Pick<Plan, "tool" | "origin">,
): Promise<string> {
  const folder = buildCacheOf(host, plan);
  // Steps get what is in it: the note is none of their business.
  const inside = path.join(folder, "steps");
  await host.files.createFolder(inside);
  await host.files.write(path.join(folder, USED), "");
  return inside;
}

/** Remove caches of a tool, whatever its registry and source. @returns bytes */
export async function removeBuildCaches(host: Host, tool: string): Promise<number> {
  let bytes = 0;
  for (const name of await host.files.list(cachesFolder(host))) {
    if (FOLDER.exec(name)?.groups?.["name"] !== tool) continue;
    const folder = path.join(cachesFolder(host), name);
    bytes += await measureTree(host, folder);
    await host.files.remove(folder);
  }
  return bytes;
}

/** Remove caches that no build has used for a month. One whose tool is being built stays. */
export async function collectBuildCaches(context: Context, dryRun: boolean): Promise<CollectedSource[]> {
  const { files, homes } = context.host;
  const now = context.host.now().getTime();
  const removed: CollectedSource[] = [];
  for (const name of await files.list(cachesFolder({ homes }))) {
    const folder = path.join(cachesFolder({ homes }), name);
    const used = (await files.facts(path.join(folder, USED))) ?? (await files.facts(folder));
    if (used === undefined || now - used.changedMs <= STALE_MS) continue;
    const bytes = await measureTree(context.host, folder);
    if (!dryRun) {
      const lock = await lockEntriesNow(storeOf(context), FOLDER.exec(name)?.groups?.["name"] ?? name);
      if (lock === undefined) continue;
      try {
        await files.remove(folder);
      } finally {
        await lock.release();
      }
    }
    removed.push({ kind: "source", name: `builds/${name}`, bytes });
  }
  return removed;
}
