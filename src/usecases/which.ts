import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { entryPaths, layoutOf, parseEntryId, profilePaths } from "../store/layout.ts";
import { demandReceipt } from "../store/receipts.ts";
import { readCurrent } from "../store/read-current.ts";
import type { Workspace } from "../store/workspaces.ts";
import type { Context } from "./context.ts";
import { readWorkspaces } from "./list.ts";

export interface WhichResult {
  readonly command: string;
  readonly tool: string;
  readonly version: string;
  /** The file on PATH; null in a workspace, which has none. */
  readonly launcher: string | null;
  /** How it is run from anywhere; only in a workspace. */
  readonly run?: string;
  /** What it runs, inside the store or a workspace. */
  readonly target: string;
}

/** A workspace of this name, or the first one whose environment has this command. Nothing of them is on PATH. */
async function findInWorkspaces(context: Context, command: string): Promise<WhichResult | undefined> {
  const workspaces = (await readWorkspaces(context)).filter(({ state }) => state === "ready");
  const named = workspaces.find(({ name }) => name === command);
  if (named !== undefined) return inWorkspace(named, command, named.folder);
  if (command.includes("/")) return undefined;
  for (const workspace of workspaces) {
    for (const below of workspace.plan.what.environment?.path ?? []) {
      const file = path.join(workspace.folder, below, command);
      if ((await context.host.files.realPath(file)) !== undefined) return inWorkspace(workspace, command, file);
    }
  }
  return undefined;
}

function inWorkspace({ name, plan }: Workspace, command: string, target: string): WhichResult {
  const words = command === name ? "" : ` -- ${command}`;
  return { command, tool: name, version: plan.tool.version, launcher: null, run: `ipm run ${name}${words}`, target };
}

/** Which tool provides a command, and where it is. @throws IpmError COMMAND_NOT_PROVIDED */
export async function whichCommand(context: Context, command: string): Promise<WhichResult> {
  const layout = layoutOf(context.host.homes);
  const generation = await readCurrent(context.host, layout, context.emit);
  const entries = generation?.entries ?? [];
  const owner = entries.find(({ bins }) => bins.includes(command));
  const id = owner === undefined ? undefined : parseEntryId(owner.entry);
  if (generation === null || owner === undefined || id === undefined) {
    const inside = await findInWorkspaces(context, command);
    if (inside !== undefined) return inside;
    const near = nearest(
      command,
      entries.flatMap(({ bins }) => bins),
      1,
    )[0];
    throw new IpmError("COMMAND_NOT_PROVIDED", `no installed tool provides ${escapeUntrusted(command)}`, {
      hint: near === undefined ? "ipm list" : `ipm which ${near}`,
      data: { command },
    });
  }
  const receipt = await demandReceipt(context.host, layout, id);
  const launcher = receipt.launchers.find(({ name }) => name === command);
  const prefix = entryPaths(layout, id).prefix;
  return {
    command,
    tool: owner.name,
    version: owner.version,
    launcher: path.join(layout.current, path.basename(profilePaths(layout, generation.number).bin), command),
    target:
      typeof launcher?.file === "string" ? path.join(prefix, launcher.file) : (launcher?.run?.join(" ") ?? prefix),
  };
}
