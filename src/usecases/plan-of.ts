import type { Plan } from "../plan/plan.ts";
import { layoutOf, parseEntryId } from "../store/layout.ts";
import { readReceipt } from "../store/receipts.ts";
import { readWorkspace } from "../store/workspaces.ts";
import type { Context } from "./context.ts";

/**
 * The plan that a tool or a workspace was installed by, or undefined when what is known of it cannot be read.
 * @param installed `entry`: the entry of the store, or null for a workspace
 */
export async function planOf(
  { host }: Context,
  { name, entry }: { readonly name: string; readonly entry: string | null },
): Promise<Plan | undefined> {
  const layout = layoutOf(host.homes);
  if (entry === null) {
    const found = await readWorkspace(host, layout, name);
    return found.state === "complete" ? found.workspace.plan : undefined;
  }
  const id = parseEntryId(entry);
  const found = id === undefined ? undefined : await readReceipt(host, layout, id);
  return found?.state === "complete" ? found.receipt.plan : undefined;
}
