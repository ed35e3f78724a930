import type { Context, PlanOptions } from "./context.ts";
import { type InstallResult, install } from "./install.ts";
import { demandInstalled } from "./list.ts";

/**
 * Build an installed tool again, beside the tree that is there, and switch to the new one: for an interpreter that has
 * gone, or files that were changed. The same version of the same source, planned anew for the machine as it is now.
 * @throws IpmError NOT_INSTALLED, and those of `install`
 */
export async function reinstall(context: Context, name: string, options: PlanOptions): Promise<InstallResult> {
  const tool = await demandInstalled(context, name);
  return install(context, [tool.target], options, { replace: true, fresh: true });
}
