import { IpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { Plan } from "../plan/plan.ts";
import { layoutOf } from "../store/layout.ts";
import { readWorkspace } from "../store/workspaces.ts";
import { isWorkspaceFolder } from "./build-workspace.ts";
import type { Context } from "./context.ts";
import type { ResolvedTarget } from "./resolve-target.ts";
import { chooseWorkspaceFolder, demandEmptyFolder } from "./workspace-folder.ts";

/**
 * Where the workspace of a target is, or goes; undefined for a target of another kind. One that was begun and never
 * finished may begin anew in its own folder.
 * @param into the value of `--into`
 * @throws IpmError USAGE (`--into` for a tool), FOLDER_UNUSABLE, WORKSPACE_EXISTS, STATE_DAMAGED
 */
export async function placeOfWorkspace(
  context: Context,
  target: ResolvedTarget,
  into: string | undefined,
): Promise<Plan["workspace"] | undefined> {
  const { entry, request } = target;
  if (entry.kind !== "workspace") {
    if (into === undefined) return undefined;
    throw new IpmError("USAGE", `--into is for workspaces, and ${entry.name} is a tool`, {
      hint: `ipm install ${escapeUntrusted(target.typed)}`,
    });
  }
  const remote = request?.kind === "git" ? request.url : request?.kind === "folder" ? request.path : null;
  const found = await readWorkspace(context.host, layoutOf(context.host.homes), entry.name);
  if (found.state === "newer" || found.state === "damaged") {
    throw new IpmError("STATE_DAMAGED", `what ipm knows of the workspace ${entry.name} cannot be read`, {
      hint: `ipm uninstall ${entry.name}, which then only forgets it`,
    });
  }
  if (found.state === "absent")
    return { folder: await chooseWorkspaceFolder(context, entry.name, into ?? null), remote };
  const { workspace } = found;
  const { folder } = workspace;
  const isBegun = workspace.state === "building" && (await isWorkspaceFolder(context, workspace));
  if (into !== undefined || (workspace.state === "building" && !isBegun)) {
    const wanted = await chooseWorkspaceFolder(context, entry.name, into ?? null, false);
    if (wanted !== folder && workspace.state !== "building") {
      throw new IpmError("WORKSPACE_EXISTS", `${entry.name} is in ${escapeUntrusted(folder)} already`, {
        hint: `ipm uninstall ${entry.name}`,
        data: { name: entry.name, folder },
      });
    }
    if (wanted !== folder) await demandEmptyFolder(context, wanted);
    return { folder: wanted, remote };
  }
  return { folder, remote };
}
