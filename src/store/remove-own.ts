import path from "node:path";
import { IpmError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import type { Layout } from "./layout.ts";

/**
 * Remove something of the data home, and never anything else: when a folder on the way was replaced by a link that
 * leads elsewhere, nothing is removed. The store itself may be a link (to a larger disk); it is the user's own.
 * @param target absolute path below the data home; missing is fine, a link is removed and never what it points to
 * @throws IpmError STATE_DAMAGED when the path leads elsewhere
 */
export async function removeOwn(host: Host, layout: Layout, target: string): Promise<void> {
  const base = target.startsWith(`${layout.store}${path.sep}`) ? layout.store : layout.data;
  if (!target.startsWith(`${base}${path.sep}`)) throw new TypeError(`not below ipm's data: ${target}`);
  const parent = path.dirname(target);
  const realBase = await host.files.realPath(base);
  const realParent = await host.files.realPath(parent);
  // Nothing is there to be removed.
  if (realBase === undefined || realParent === undefined) return;
  if (realParent !== path.join(realBase, path.relative(base, parent))) {
    throw new IpmError("STATE_DAMAGED", `${target} does not lead where ipm put it: ${parent} is ${realParent}`, {
      hint: `look at ${parent} and move the link away; ipm removes nothing through it`,
      data: { path: target, real: realParent },
    });
  }
  await host.files.remove(target);
}
