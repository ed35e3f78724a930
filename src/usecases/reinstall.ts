import { layoutOf } from "../store/layout.ts";
import { readWorkspace } from "../store/workspaces.ts";
import type { Context, PlanOptions } from "./context.ts";
import { type InstallResult, install } from "./install.ts";
import { demandInstalled } from "./list.ts";

/**
 * Build an installed tool again, beside the tree that is there, and switch to the new one: for an interpreter that has
 * gone, or files that were changed. The same version of the same source, planned anew for the machine as it is now.
 * @throws IpmError NOT_INSTALLED, and those of `install`
 */
export async function reinstall(context: Context, name: string, options: PlanOptions): Promise<InstallResult> {
  const found = await readWorkspace(context.host, layoutOf(context.host.homes), name);
  // A workspace is prepared again where it is; its files stay as they are.
  const target =
    found.state === "complete" ? found.workspace.plan.origin.again : (await demandInstalled(context, name)).target;
  return install(context, [target], options, { replace: true, fresh: true });
}
